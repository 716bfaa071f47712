//! Values on one line.

use std::fmt;

use super::Value;

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Value {
    /// As a configuration would write it on one line; what is sensitive is not shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null(_) => f.write_str("null"),
            Self::Bool(truth) => write!(f, "{truth}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::String(text) => write!(f, "{text:?}"),
            Self::List(items) | Self::Set(items) | Self::Tuple(items) => {
                f.write_str("[")?;
                for (position, item) in items.iter().enumerate() {
                    let comma = if position > 0 { ", " } else { "" };
                    write!(f, "{comma}{item}")?;
                }
                f.write_str("]")
            }
            Self::Map(fields) | Self::Object(fields) => {
                f.write_str("{")?;
                for (position, (name, item)) in fields.iter().enumerate() {
                    let comma = if position > 0 { ", " } else { " " };
                    write!(f, "{comma}{name} = {item}")?;
                }
                f.write_str(if fields.is_empty() { "}" } else { " }" })
            }
            Self::Unknown(_) => f.write_str("(known after apply)"),
            Self::Marked(marks, _) => f.write_str(marks.cover()),
        }
    }
}
