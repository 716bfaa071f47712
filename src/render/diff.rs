//! The difference between two values, as lines with markers.

use std::borrow::Cow;
use std::sync::Arc;

use isobar_sdk::json::encode_exact;
use isobar_sdk::value::{Fields, Items};
use isobar_sdk::{Path, Step, Value};
use similar::{Algorithm, ChangeTag, DiffOp, TextDiff, capture_diff_slices};

use super::document;
use super::style::{Colour, Role, Style};
use super::value::{escape_template, is_heredoc, is_printable, key, pad, rows, scalar};

/// What happens to what a line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Marker {
    Same,
    Added,
    Changed,
    Removed,
}

impl Marker {
    pub(super) fn draw(self, style: &Style) -> Cow<'static, str> {
        let (role, sign) = match self {
            Self::Same => return " ".into(),
            Self::Added => (Role::Added, "+"),
            Self::Changed => (Role::Changed, "~"),
            Self::Removed => (Role::Removed, "-"),
        };
        match style.colour {
            Colour::Never => sign.into(),
            Colour::Always => style.paint(role, sign).into(),
        }
    }
}

/// One line.
#[derive(Debug, Clone)]
pub(super) struct Line {
    depth: usize,
    marker: Marker,
    text: String,
    note: Option<String>,
}

/// Says what is to be told about the part of a value at a path.
pub(super) type Notes<'a> = &'a dyn Fn(&Path) -> Option<String>;

/// The lines of two objects, of which either may be missing, without the brackets around them.
pub(super) fn attributes(
    before: Option<&Value>,
    after: Option<&Value>,
    notes: Notes<'_>,
) -> Vec<Line> {
    let mut differ = Differ {
        lines: Vec::new(),
        notes,
    };
    let nothing = Fields::default();
    let side =
        |value: Option<&Value>| Fields::clone(value.and_then(Value::fields).unwrap_or(&nothing));
    let place = Place::root();
    let parent = Value::Object(Fields::default());
    differ.fields(&place, &parent, (&side(before), &side(after)));
    differ.lines
}

/// The lines of one named value.
pub(super) fn named(name: &str, before: Option<&Value>, after: Option<&Value>) -> Vec<Line> {
    let mut differ = Differ {
        lines: Vec::new(),
        notes: &|_| None,
    };
    let place = Place {
        label: format!("{name} = "),
        ..Place::root()
    };
    differ.entry(&place, before, after);
    differ.lines
}

/// Lines with their markers in column `indent`.
pub(super) fn draw(lines: &[Line], indent: usize, style: &Style) -> String {
    let mut text = String::new();
    for line in lines {
        let start = text.len();
        text.extend(std::iter::repeat_n(' ', indent + 4 * line.depth));
        text.push_str(&line.marker.draw(style));
        text.push(' ');
        if line.text.starts_with("# (") {
            text.push_str(&style.paint(Role::Dim, &line.text));
        } else {
            text.push_str(&line.text);
        }
        if let Some(note) = &line.note {
            text.push_str("   ");
            text.push_str(&style.paint(Role::Dim, format_args!("# {note}")));
        }
        text.truncate(start + text[start..].trim_end().len());
        text.push('\n');
    }
    text
}

/// Where a value stands: how deep, behind which label, before which tail.
/// How many there are, as in `(3 elements)`.
fn counted(count: usize, noun: &str) -> String {
    let noun = match (count, noun) {
        (1, noun) => noun.to_owned(),
        (_, "entry") => "entries".to_owned(),
        (_, noun) => format!("{noun}s"),
    };
    format!("({count} {noun})")
}

struct Place {
    depth: usize,
    label: String,
    tail: &'static str,
    path: Path,
}

impl Place {
    fn root() -> Self {
        Self {
            depth: 0,
            label: String::new(),
            tail: "",
            path: Path::root(),
        }
    }

    fn element(&self, index: usize) -> Self {
        Self {
            depth: self.depth + 1,
            label: String::new(),
            tail: ",",
            path: self.path.then(Step::Index(index)),
        }
    }
}

struct Differ<'a> {
    lines: Vec<Line>,
    notes: Notes<'a>,
}

impl Differ<'_> {
    /// A value that was, will be, or both; null counts as missing.
    fn entry(&mut self, place: &Place, before: Option<&Value>, after: Option<&Value>) {
        let present = |value: &&Value| !matches!(value, Value::Null(_));
        match (before.filter(present), after.filter(present)) {
            (None, None) => {}
            (None, Some(after)) => self.whole(place, Marker::Added, after),
            (Some(before), None) => self.whole(place, Marker::Removed, before),
            (Some(before), Some(after)) if before == after => {
                self.whole(place, Marker::Same, after);
            }
            (Some(before), Some(after)) => self.changed(place, before, after),
        }
    }

    fn line(&mut self, depth: usize, marker: Marker, text: impl Into<String>) {
        self.lines.push(Line {
            depth,
            marker,
            text: text.into(),
            note: None,
        });
    }

    /// The line that a value begins on, with what is to be told about it.
    fn head(&mut self, place: &Place, marker: Marker, text: &str) {
        let note = match marker {
            Marker::Same => None,
            _ => (self.notes)(&place.path),
        };
        self.lines.push(Line {
            depth: place.depth,
            marker,
            text: format!("{}{text}", place.label),
            note,
        });
    }

    fn whole(&mut self, place: &Place, marker: Marker, value: &Value) {
        let document = match value {
            Value::String(text) => document::json_value(text),
            _ => None,
        };
        let (open, rows, close) = match document {
            Some(inner) => ("jsonencode(", rows(&inner), ")"),
            None => ("", rows(value), ""),
        };
        let last = rows.len().saturating_sub(1);
        for (position, row) in rows.into_iter().enumerate() {
            let mut text = row.text;
            if position == last {
                text.push_str(close);
                text.push_str(place.tail);
            }
            if position == 0 {
                text.insert_str(0, open);
                self.head(place, marker, &text);
            } else {
                let marker = if row.begins { marker } else { Marker::Same };
                self.line(place.depth + row.depth, marker, text);
            }
        }
    }

    fn changed(&mut self, place: &Place, before: &Value, after: &Value) {
        match (before, after) {
            (Value::Marked(..), _) | (_, Value::Marked(..)) => {
                self.hidden(place, before, after);
            }
            (before, Value::Unknown(_)) => self.forgotten(place, before),
            (Value::Object(old), Value::Object(new))
            | (Value::Map(old), Value::Map(new))
            | (Value::Object(old), Value::Map(new))
            | (Value::Map(old), Value::Object(new)) => {
                self.head(place, Marker::Changed, "{");
                let inner = Place {
                    depth: place.depth + 1,
                    path: place.path.clone(),
                    ..Place::root()
                };
                self.fields(&inner, after, (old, new));
                self.line(place.depth, Marker::Same, format!("}}{}", place.tail));
            }
            (Value::Set(old), Value::Set(new)) => self.set(place, old, new),
            (
                Value::List(old) | Value::Tuple(old) | Value::Set(old),
                Value::List(new) | Value::Tuple(new) | Value::Set(new),
            ) => self.list(place, old, new),
            (Value::String(old), Value::String(new)) if self.document(place, old, new) => {}
            (Value::String(old), Value::String(new))
                if (old.contains('\n') || new.contains('\n'))
                    && is_printable(old)
                    && is_printable(new) =>
            {
                self.text(place, old, new);
            }
            (old, new) if is_line(old) && is_line(new) => {
                let text = format!("{} → {}{}", scalar(old), scalar(new), place.tail);
                self.head(place, Marker::Changed, &text);
            }
            (old, new) => {
                self.whole(place, Marker::Removed, old);
                self.whole(place, Marker::Added, new);
            }
        }
    }

    /// A change of a document, shown where it is in it; whether it could be. Where the texts
    /// differ in nothing that they say, they are shown as texts.
    fn document(&mut self, place: &Place, old: &str, new: &str) -> bool {
        let Some(pair) = document::pair(old, new) else {
            return false;
        };
        let inner = Place {
            depth: place.depth,
            label: format!("{}{}(", place.label, pair.function),
            tail: if place.tail.is_empty() { ")" } else { ")," },
            path: place.path.clone(),
        };
        let mut inside = Differ {
            lines: Vec::new(),
            notes: &|_| None,
        };
        inside.changed(&inner, &pair.before, &pair.after);
        let told = |line: &Line| line.marker != Marker::Same;
        if !inside.lines.iter().skip(1).any(told) {
            return false;
        }
        if let Some(first) = inside.lines.first_mut() {
            first.note = (self.notes)(&place.path);
        }
        self.lines.append(&mut inside.lines);
        true
    }

    /// A change of which one side must not be shown: then neither side is.
    fn hidden(&mut self, place: &Place, before: &Value, after: &Value) {
        let note = match (before.is_sensitive(), after.is_sensitive()) {
            (false, true) => "   # sensitive from now on",
            (true, false) => "   # no longer sensitive",
            _ => "",
        };
        self.head(
            place,
            Marker::Changed,
            &format!("(sensitive value){}{note}", place.tail),
        );
    }

    /// A value of which only what it was is known; of a collection only its size is told, since
    /// nothing can be said about its parts.
    fn forgotten(&mut self, place: &Place, before: &Value) {
        let was = match (before.items(), before.fields()) {
            (Some(items), _) => counted(items.len(), "element"),
            (_, Some(fields)) => counted(fields.len(), "entry"),
            _ if before
                .as_str()
                .is_some_and(|text| document::json_value(text).is_some()) =>
            {
                "jsonencode(…)".to_owned()
            }
            _ if is_line(before) => scalar(before).into_owned(),
            _ => counted(
                before.as_str().map_or(0, |text| text.lines().count()),
                "line",
            ),
        };
        let text = format!("{was} → (known after apply){}", place.tail);
        self.head(place, Marker::Changed, &text);
    }

    /// The fields of two objects or maps; equal ones are counted, not shown, but for those that
    /// tell the reader which thing this is.
    fn fields(&mut self, place: &Place, parent: &Value, (old, new): (&Fields, &Fields)) {
        let mut names: Vec<&Arc<str>> = old.keys().chain(new.keys()).collect();
        if !(old.is_empty() || new.is_empty()) {
            names.sort_unstable();
            names.dedup();
        }
        let (mut shown, mut hidden) = (Vec::new(), 0);
        let top = place.path.steps().is_empty();
        for name in names {
            let (before, after) = (old.get(name), new.get(name));
            let null = |value: Option<&Value>| value.is_none_or(|v| matches!(v, Value::Null(_)));
            match (null(before) && null(after), before == after) {
                (true, _) => {}
                (false, true) if !(top && matches!(&**name, "id" | "name")) => hidden += 1,
                (false, _) => shown.push((name, before, after)),
            }
        }
        let labels = pad(shown.iter().map(|(name, _, _)| key(parent, name)).collect());
        for (label, (name, before, after)) in labels.into_iter().zip(shown) {
            let step = match parent {
                Value::Map(_) => Step::Key(Arc::clone(name)),
                _ => Step::Attribute(Arc::clone(name)),
            };
            let inner = Place {
                depth: place.depth,
                label: label + " = ",
                tail: "",
                path: place.path.then(step),
            };
            self.entry(&inner, before, after);
        }
        let noun = match parent {
            Value::Map(_) => "element",
            _ => "attribute",
        };
        self.hidden_count(place.depth, hidden, noun);
    }

    fn hidden_count(&mut self, depth: usize, count: usize, noun: &str) {
        let plural = if count == 1 { "" } else { "s" };
        if count > 0 {
            let text = format!("# ({count} unchanged {noun}{plural} hidden)");
            self.line(depth, Marker::Same, text);
        }
    }

    fn list(&mut self, place: &Place, old: &Items, new: &Items) {
        let exact = |items: &Items| -> Vec<String> {
            items
                .iter()
                .map(|item| encode_exact(item).to_string())
                .collect()
        };
        self.head(place, Marker::Changed, "[");
        for op in capture_diff_slices(Algorithm::Myers, &exact(old), &exact(new)) {
            if let DiffOp::Equal { len, .. } = op {
                self.hidden_count(place.depth + 1, len, "element");
                continue;
            }
            let (olds, news) = (op.old_range(), op.new_range());
            for offset in 0..olds.len().max(news.len()) {
                let place = place.element(news.start + offset);
                match (old[olds.clone()].get(offset), new[news.clone()].get(offset)) {
                    (Some(before), Some(after)) => self.changed(&place, before, after),
                    (Some(before), None) => self.whole(&place, Marker::Removed, before),
                    (None, Some(after)) => self.whole(&place, Marker::Added, after),
                    (None, None) => {}
                }
            }
        }
        self.line(place.depth, Marker::Same, format!("]{}", place.tail));
    }

    fn set(&mut self, place: &Place, old: &Items, new: &Items) {
        self.head(place, Marker::Changed, "[");
        for item in old.iter().filter(|item| !new.contains(item)) {
            self.whole(&place.element(0), Marker::Removed, item);
        }
        for (index, item) in new
            .iter()
            .enumerate()
            .filter(|(_, item)| !old.contains(item))
        {
            self.whole(&place.element(index), Marker::Added, item);
        }
        let same = new.iter().filter(|item| old.contains(item)).count();
        self.hidden_count(place.depth + 1, same, "element");
        self.line(place.depth, Marker::Same, format!("]{}", place.tail));
    }

    fn text(&mut self, place: &Place, old: &str, new: &str) {
        /// How many equal lines are shown around each difference.
        const CONTEXT: usize = 3;
        self.head(place, Marker::Changed, "<<-EOT");
        let diff = TextDiff::from_lines(old, new);
        let mut seen = 0;
        for group in diff.grouped_ops(CONTEXT) {
            let start = group.first().map_or(seen, |op| op.old_range().start);
            self.hidden_count(place.depth + 1, start.saturating_sub(seen), "line");
            for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
                let marker = match change.tag() {
                    ChangeTag::Equal => Marker::Same,
                    ChangeTag::Delete => Marker::Removed,
                    ChangeTag::Insert => Marker::Added,
                };
                let text = escape_template(change.value().trim_end_matches('\n'));
                self.line(place.depth + 1, marker, text);
            }
            seen = group.last().map_or(seen, |op| op.old_range().end);
        }
        let rest = old.lines().count().saturating_sub(seen);
        self.hidden_count(place.depth + 1, rest, "line");
        let ending = match (old.ends_with('\n'), new.ends_with('\n')) {
            (true, false) => "   # without a newline at the end",
            (false, true) => "   # with a newline at the end",
            _ => "",
        };
        self.line(
            place.depth,
            Marker::Same,
            format!("EOT{}{ending}", place.tail),
        );
    }
}

/// Whether a value fits on a line.
fn is_line(value: &Value) -> bool {
    match value {
        Value::List(items) | Value::Set(items) | Value::Tuple(items) => items.is_empty(),
        Value::Map(fields) | Value::Object(fields) => fields.is_empty(),
        Value::String(text) => !is_heredoc(text),
        _ => true,
    }
}

#[cfg(test)]
mod tests;
