//! Forecasts that were made before: the next plan on the same series makes none.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use isobar_forecast::{EDITION, Forecast, ForecastError, Request, forecast};
use sha2::{Digest, Sha256};

use super::Series;

/// The most forecasts that are kept; the one that was made longest ago goes first.
const FILES: usize = 64;
const EXTENSION: &str = "forecast";

/// A folder of forecasts, by what they were made from.
#[derive(Debug, Clone)]
pub(super) struct Memo {
    folder: PathBuf,
}

impl Memo {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// The forecast of a series: the one that is kept, or a new one, which is kept then.
    pub(super) fn forecast(
        &self,
        series: &Series,
        request: &Request,
    ) -> Result<Forecast, ForecastError> {
        let path = self
            .folder
            .join(format!("{}.{EXTENSION}", key(series, request)));
        if let Some(kept) = read(&path) {
            return Ok(kept);
        }
        let made = forecast(series, request)?;
        self.write(&path, &made);
        Ok(made)
    }

    /// What cannot be kept is made again: slower, not wrong.
    fn write(&self, path: &Path, made: &Forecast) {
        let Ok(text) = serde_json::to_vec(made) else {
            return;
        };
        let written = fs::create_dir_all(&self.folder)
            .and_then(|()| tempfile::NamedTempFile::new_in(&self.folder))
            .and_then(|mut file| file.write_all(&text).map(|()| file));
        if let Ok(file) = written
            && file.persist(path).is_ok()
        {
            self.bound();
        }
    }

    fn bound(&self) {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let ours = |path: &Path| path.extension().is_some_and(|found| found == EXTENSION);
        let mut files: Vec<(SystemTime, PathBuf)> = entries
            .filter(|entry| ours(&entry.path()))
            .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
            .collect();
        files.sort();
        let beyond = files.len().saturating_sub(FILES);
        for (_, path) in &files[..beyond] {
            // What cannot be removed now is tried again next time.
            let _ = fs::remove_file(path);
        }
    }
}

fn read(path: &Path) -> Option<Forecast> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

/// A hash of all that a forecast follows from.
fn key(series: &Series, request: &Request) -> String {
    let all = format!(
        "{} {EDITION} {} {} {request:?}",
        env!("CARGO_PKG_VERSION"),
        series.digest(),
        series.duplicates()
    );
    let digest = Sha256::digest(all.as_bytes());
    digest
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::Timestamp;

    use super::*;

    fn series(last: f64) -> Series {
        let mut values: Vec<_> = (0..400)
            .map(|hour| Some(f64::from(hour * 7919 % 97)))
            .collect();
        values.push(Some(last));
        Series::new(Timestamp::UNIX_EPOCH, Duration::from_secs(3600), values).unwrap()
    }

    fn files(folder: &Path) -> usize {
        fs::read_dir(folder).unwrap().count()
    }

    #[test]
    fn what_was_made_is_taken_again_to_the_last_bit() {
        let folder = tempfile::tempdir().unwrap();
        let memo = Memo::new(folder.path().join("telemetry"));
        let request = Request::steps(24);
        let made = memo.forecast(&series(5.0), &request).unwrap();
        assert_eq!(memo.forecast(&series(5.0), &request).unwrap(), made);
        assert_eq!(made, forecast(&series(5.0), &request).unwrap());
        assert_eq!(files(&memo.folder), 1);
        // Another series, and another request.
        let other = memo.forecast(&series(6.0), &request).unwrap();
        assert_ne!(other.series_digest, made.series_digest);
        memo.forecast(&series(6.0), &Request::steps(25)).unwrap();
        assert_eq!(files(&memo.folder), 3);
    }

    #[test]
    fn what_is_kept_is_used_and_what_is_broken_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let memo = Memo::new(folder.path().to_owned());
        let request = Request::steps(3);
        let made = memo.forecast(&series(5.0), &request).unwrap();
        let path = folder
            .path()
            .join(format!("{}.{EXTENSION}", key(&series(5.0), &request)));
        let mut planted = made.clone();
        planted.folds = 77;
        fs::write(&path, serde_json::to_vec(&planted).unwrap()).unwrap();
        assert_eq!(memo.forecast(&series(5.0), &request).unwrap().folds, 77);
        fs::write(&path, "{").unwrap();
        assert_eq!(memo.forecast(&series(5.0), &request).unwrap(), made);
    }

    #[test]
    fn there_are_never_many() {
        let folder = tempfile::tempdir().unwrap();
        let memo = Memo::new(folder.path().to_owned());
        let made = forecast(&series(5.0), &Request::steps(1)).unwrap();
        for name in 0..FILES + 5 {
            memo.write(&folder.path().join(format!("{name}.{EXTENSION}")), &made);
        }
        assert_eq!(files(folder.path()), FILES);
    }
}
