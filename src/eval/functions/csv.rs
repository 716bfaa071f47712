//! `csvdecode`

use std::collections::BTreeSet;
use std::iter::Peekable;
use std::str::Chars;

use isobar_sdk::Value;

use super::function::text as text_of;
use super::{Function, Shape, text};

const ROWS: Shape = Shape::Any;

pub(super) static FUNCTIONS: &[Function] = &[Function::new(
    "csvdecode",
    csvdecode,
    "The rows of a CSV text as objects; the first line names their attributes.",
)
.takes(&[text_of("str")])
.gives(ROWS)];

fn csvdecode(arguments: &[Value]) -> Result<Value, String> {
    let text = text(&arguments[0])?.replace("\r\n", "\n");
    let mut reader = Reader {
        rest: text.chars().peekable(),
        line: 1,
    };
    let header = reader.row()?.ok_or("there is no line with names")?;
    let mut seen = BTreeSet::new();
    if let Some(double) = header.iter().find(|name| !seen.insert(name.as_str())) {
        return Err(format!("the column {double:?} stands twice"));
    }
    let mut rows = Vec::new();
    while let Some(row) = reader.row()? {
        if row.len() != header.len() {
            return Err(format!(
                "line {} has {} fields, but there are {} columns",
                reader.line - 1,
                row.len(),
                header.len()
            ));
        }
        let fields = header.iter().map(String::as_str).zip(row);
        rows.push(Value::object(
            fields.map(|(name, field)| (name, field.into())),
        ));
    }
    Ok(Value::list(rows))
}

/// Reads CSV as strictly as RFC 4180 writes it, which the crate of this name does not.
struct Reader<'a> {
    rest: Peekable<Chars<'a>>,
    line: usize,
}

impl Reader<'_> {
    /// The next line with something on it.
    fn row(&mut self) -> Result<Option<Vec<String>>, String> {
        while self.rest.next_if_eq(&'\n').is_some() {
            self.line += 1;
        }
        if self.rest.peek().is_none() {
            return Ok(None);
        }
        let mut row = Vec::new();
        loop {
            row.push(self.field()?);
            match self.rest.next() {
                Some(',') => {}
                _ => {
                    self.line += 1;
                    return Ok(Some(row));
                }
            }
        }
    }

    fn field(&mut self) -> Result<String, String> {
        let mut field = String::new();
        if self.rest.next_if_eq(&'"').is_none() {
            while let Some(character) = self.rest.next_if(|c| !matches!(c, ',' | '\n')) {
                if character == '"' {
                    return Err(format!(
                        "line {}: a field with quotes in it must stand in quotes",
                        self.line
                    ));
                }
                field.push(character);
            }
            return Ok(field);
        }
        let begin = self.line;
        loop {
            match self.rest.next() {
                Some('"') if self.rest.next_if_eq(&'"').is_some() => field.push('"'),
                Some('"') if matches!(self.rest.peek(), None | Some(',' | '\n')) => {
                    return Ok(field);
                }
                None | Some('"') => {
                    return Err(format!(
                        "line {begin}: a field in quotes does not end with them"
                    ));
                }
                Some(other) => {
                    self.line += usize::from(other == '\n');
                    field.push(other);
                }
            }
        }
    }
}
