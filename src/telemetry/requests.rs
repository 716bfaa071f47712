//! Files with one request per row.

use std::path::Path;

use jiff::Timestamp;

use super::TableError;

/// The names of the first column that hold times, with the seconds that one unit is.
const UNITS: [(&str, f64); 3] = [("t_ms", 1e-3), ("t_s", 1.0), ("seconds", 1.0)];

/// The times of requests in seconds, ascending, where a CSV file has a row for each: its first
/// column is `timestamp`, or counts milliseconds (`t_ms`) or seconds (`t_s`, `seconds`). None where
/// it has a column `value`, and so is a series.
///
/// # Errors
///
/// When the file cannot be read, or a row has no time.
pub fn request_times(path: &Path) -> Result<Option<Vec<f64>>, TableError> {
    let wrong = |line: Option<u64>, what: String| TableError {
        path: path.to_owned(),
        line,
        what,
        help: "give a first column named timestamp, t_ms or t_s".to_owned(),
    };
    let unreadable = |error: csv::Error| {
        let line = error.position().map(csv::Position::line);
        wrong(line, error.to_string())
    };
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .from_path(path)
        .map_err(unreadable)?;
    let header = reader.headers().map_err(unreadable)?.clone();
    let first = header.get(0).unwrap_or_default().trim().to_owned();
    let unit = UNITS.iter().find(|(name, _)| *name == first);
    if header.iter().any(|name| name.trim() == "value") || (unit.is_none() && first != "timestamp")
    {
        return Ok(None);
    }
    let mut times = Vec::new();
    for row in reader.records() {
        let row = row.map_err(unreadable)?;
        let text = row.get(0).unwrap_or_default().trim();
        let time = match unit {
            Some((_, seconds)) => text.parse::<f64>().ok().map(|count| count * seconds),
            None => text
                .parse::<Timestamp>()
                .ok()
                .map(|time| time.as_duration().as_secs_f64()),
        };
        let line = row.position().map(csv::Position::line);
        let time = time.filter(|time| time.is_finite());
        times.push(time.ok_or_else(|| wrong(line, format!("{text:?} is not a time")))?);
    }
    times.sort_by(f64::total_cmp);
    Ok(Some(times))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(text: &str) -> Result<Option<Vec<f64>>, TableError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        request_times(file.path())
    }

    #[test]
    fn rows_are_requests_in_any_order_and_unit() {
        assert_eq!(
            times("t_ms,tokens\n1500,3\n0,4\n"),
            Ok(Some(vec![0.0, 1.5]))
        );
        let iso = "timestamp,tokens\n1970-01-01T00:00:02.5Z,7\n";
        assert_eq!(times(iso), Ok(Some(vec![2.5])));
        assert_eq!(times("timestamp,value\n1970-01-01T00:00:00Z,7\n"), Ok(None));
        let wrong = times("t_s\n1\nsoon\n").unwrap_err();
        assert_eq!(
            (wrong.line, wrong.what.as_str()),
            (Some(3), "\"soon\" is not a time")
        );
    }
}
