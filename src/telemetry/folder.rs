//! Folders of CSV files with one series each, whose names end with the step.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Meaning, Series, TableError};

/// A file of a folder of series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesFile {
    /// The name of the file without `.csv`: the name of the series.
    pub name: String,
    /// The file.
    pub path: PathBuf,
}

/// The CSV files of a folder, by name; those of folders inside it are left out.
///
/// # Errors
///
/// When the folder cannot be read.
pub fn series_files(folder: &Path) -> io::Result<Vec<SeriesFile>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let is_csv = path.extension().is_some_and(|extension| extension == "csv");
        let name = path.file_stem().map(|stem| stem.to_string_lossy());
        if let (true, Some(name)) = (is_csv && path.is_file(), name) {
            let name = name.into_owned();
            files.push(SeriesFile { name, path });
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

impl SeriesFile {
    /// Reads the series, in the given step, or else the one that the name ends with, or else the
    /// most common distance of its rows.
    ///
    /// # Errors
    ///
    /// When the file does not hold a series.
    pub fn load(&self, step: Option<Duration>) -> Result<Series, TableError> {
        let meaning = Meaning {
            step: step.or_else(|| step_of(&self.name)),
            per: None,
            history: None,
            counter: false,
            aggregate: None,
        };
        let readings = isobar_sources::read_csv(&self.path);
        let series = readings.and_then(|readings| meaning.series(readings));
        series.map_err(|fault| TableError {
            path: self.path.clone(),
            line: fault.line(),
            help: fault.help().to_owned(),
            what: fault.to_string(),
        })
    }

    /// The kind of series: the first part of the name, as `web` of `web_shop_1h`.
    #[must_use]
    pub fn family(&self) -> &str {
        self.name.split('_').next().unwrap_or(&self.name)
    }
}

/// The step that a name ends with, as 5 minutes of `web_shop_5min`.
fn step_of(name: &str) -> Option<Duration> {
    let (_, step) = name.rsplit_once('_')?;
    let digits = step.find(|c: char| !c.is_ascii_digit())?;
    let (count, unit) = step.split_at(digits);
    let seconds = match unit.to_ascii_lowercase().as_str() {
        "s" | "sec" => 1,
        "m" | "min" | "t" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return None,
    };
    let count: u64 = count.parse().ok().filter(|count| *count > 0)?;
    Some(Duration::from_secs(count.checked_mul(seconds)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_end_with_the_step() {
        let minutes = |count: u64| Some(Duration::from_secs(60 * count));
        for (name, step) in [
            ("web_shop_5min", minutes(5)),
            ("web_shop_1h", minutes(60)),
            ("a_1D", minutes(1440)),
            ("a_90s", Some(Duration::from_secs(90))),
            ("a_0h", None),
            ("a_h", None),
            ("a_12", None),
            ("web5min", None),
            ("a_99999999999999999999h", None),
        ] {
            assert_eq!(step_of(name), step, "{name}");
        }
    }

    #[test]
    fn only_csv_files_of_the_folder_itself_are_series() {
        let folder = tempfile::tempdir().unwrap();
        let rows = "timestamp,value\n2024-01-01T00:00:00Z,1\n2024-01-01T02:00:00Z,3\n";
        for name in ["b_1h.csv", "a_x.csv", "notes.md"] {
            std::fs::write(folder.path().join(name), rows).unwrap();
        }
        std::fs::create_dir(folder.path().join("c.csv")).unwrap();
        let files = series_files(folder.path()).unwrap();
        let names: Vec<_> = files.iter().map(|file| file.name.as_str()).collect();
        assert_eq!(names, ["a_x", "b_1h"]);
        assert_eq!(files[0].family(), "a");
        let slots = |file: &SeriesFile, step| file.load(step).unwrap().values().len();
        assert_eq!((slots(&files[0], None), slots(&files[1], None)), (2, 3));
        let half = Some(Duration::from_secs(1800));
        assert_eq!(slots(&files[1], half), 5);
        assert!(series_files(&folder.path().join("none")).is_err());
    }
}
