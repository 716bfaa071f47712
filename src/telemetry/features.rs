//! Observations of several features: a CSV file with a column for each.

use std::path::Path;

use ::csv::{ReaderBuilder, Trim};

use super::TableError;

/// A column of the file.
#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    /// Its numbers in the order of the rows; rows without a value, or with NaN, are left out.
    Numbers(Vec<f64>),
    /// It holds something else.
    Text {
        /// The first line with something else.
        line: u64,
        /// What stands there.
        text: String,
    },
}

/// Reads the columns of a file by their titles.
///
/// # Errors
///
/// When the file cannot be read as CSV, or has two columns of one title.
pub fn columns(path: &Path) -> Result<Vec<(String, Column)>, TableError> {
    let error = |line: Option<u64>, what: String, help: &str| TableError {
        path: path.to_owned(),
        line,
        what,
        help: help.to_owned(),
    };
    let unreadable = |failure: &::csv::Error| {
        let line = failure.position().map(::csv::Position::line);
        let help = "name a CSV file with a line of titles and rows of numbers";
        error(line, failure.to_string(), help)
    };
    let mut reader = ReaderBuilder::new()
        .trim(Trim::All)
        .from_path(path)
        .map_err(|failure| unreadable(&failure))?;
    let titles = reader.headers().map_err(|failure| unreadable(&failure))?;
    let mut columns: Vec<(String, Column)> = Vec::new();
    for title in titles {
        if columns.iter().any(|(known, _)| known == title) {
            let what = format!("the column {title:?} stands twice");
            return Err(error(Some(1), what, "give every column its own title"));
        }
        columns.push((title.to_owned(), Column::Numbers(Vec::new())));
    }
    for record in reader.records() {
        let record = record.map_err(|failure| unreadable(&failure))?;
        let line = record.position().map_or(0, ::csv::Position::line);
        for ((_, column), cell) in columns.iter_mut().zip(&record) {
            column.push(cell, line);
        }
    }
    Ok(columns)
}

impl Column {
    fn push(&mut self, cell: &str, line: u64) {
        let Self::Numbers(values) = self else { return };
        match cell.parse::<f64>() {
            Ok(value) if value.is_finite() => values.push(value),
            Ok(value) if value.is_nan() => {}
            Err(_) if cell.is_empty() => {}
            _ => {
                *self = Self::Text {
                    line,
                    text: cell.to_owned(),
                };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<(String, Column)>, TableError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("features.csv");
        std::fs::write(&path, text).unwrap();
        columns(&path)
    }

    #[test]
    fn columns_hold_numbers_or_say_what_they_hold() {
        let found = read("age,kind,score\n1,a,0.5\n,b,NaN\n3,,inf\n").unwrap();
        let text = |line, text: &str| Column::Text {
            line,
            text: text.to_owned(),
        };
        assert_eq!(
            found,
            [
                ("age".to_owned(), Column::Numbers(vec![1.0, 3.0])),
                ("kind".to_owned(), text(2, "a")),
                ("score".to_owned(), text(4, "inf")),
            ]
        );
    }

    #[test]
    fn what_is_no_table_is_refused() {
        assert_eq!(read("a,a\n1,2\n").unwrap_err().line, Some(1));
        assert_eq!(read("a,b\n1,2\n3\n").unwrap_err().line, Some(3));
        assert!(columns(Path::new("none.csv")).is_err());
        assert_eq!(read("").unwrap(), []);
    }
}
