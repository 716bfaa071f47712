//! Blocks of configuration for what is there already.

use isobar_sdk::schema::{Body, Nesting, Presence};
use isobar_sdk::{Type, Value};
use unicode_width::UnicodeWidthStr;

use super::value::{key, pad, scalar};
use crate::plan::Absent;

/// Lists are written on one line up to this width.
const WIDTH: usize = 80;

/// What stands at the beginning of a file.
const HEADER: &str = "\
# isobar plan wrote these blocks for what is imported. Read them, and move them to where they
# belong.
";

/// The text of a file with a block for each of them.
#[must_use]
pub fn configuration(all: &[Absent<'_>]) -> String {
    let mut text = HEADER.to_owned();
    for one in all {
        text.push('\n');
        for line in resource(one) {
            text.push_str(line.trim_end());
            text.push('\n');
        }
    }
    text
}

fn resource(one: &Absent<'_>) -> Vec<String> {
    let address = &one.address;
    let mut writer = Writer::default();
    writer.line(0, &format!("# imported from {}", quoted(&one.id)));
    writer.line(
        0,
        &format!("resource \"{}\" \"{}\" {{", address.kind, address.name),
    );
    if let Some(provider) = &one.provider {
        writer.line(1, &format!("provider = {provider}"));
        writer.gap();
    }
    let value = one.attributes.value();
    writer.body(1, (&one.schema.body, None), value);
    let secret = secrets(&one.schema.body, value);
    if !secret.is_empty() {
        writer.gap();
        writer.line(1, "lifecycle {");
        writer.line(
            2,
            "# What is there stays, until you set it here and take it out of this list.",
        );
        writer.line(2, &format!("ignore_changes = [{}]", secret.join(", ")));
        writer.line(1, "}");
    }
    writer.line(0, "}");
    writer.lines
}

/// The attributes whose values are not written, as paths.
fn secrets(body: &Body, value: &Value) -> Vec<String> {
    let attributes = body.attributes.iter().filter(|(_, a)| a.is_configurable());
    let mut found: Vec<String> = attributes
        .filter(|(name, _)| value.field(name).is_some_and(is_secret))
        .map(|(name, _)| name.to_string())
        .collect();
    // Paths do not lead into lists of blocks, so that a block with a secret stays as a whole.
    let blocks = body.blocks.iter();
    found.extend(
        blocks
            .filter(|(name, _)| value.field(name).is_some_and(is_secret))
            .map(|(name, _)| name.clone()),
    );
    found
}

fn is_secret(value: &Value) -> bool {
    !value.sensitive_paths().is_empty()
}

#[derive(Default)]
struct Writer {
    lines: Vec<String>,
}

impl Writer {
    fn line(&mut self, depth: usize, text: &str) {
        self.lines.push(format!("{:1$}{text}", "", 2 * depth));
    }

    /// An empty line, unless a block has just begun.
    fn gap(&mut self) {
        if self.lines.last().is_some_and(|line| !line.ends_with('{')) {
            self.lines.push(String::new());
        }
    }

    /// What stands between the braces of a block, but for the attribute that is its label.
    fn body(&mut self, depth: usize, (body, label): (&Body, Option<&str>), value: &Value) {
        let mut aligned: Vec<(String, String)> = Vec::new();
        for (name, attribute) in &body.attributes {
            if !attribute.is_configurable() || label == Some(name) {
                continue;
            }
            let field = value.field(name).cloned().unwrap_or(Value::NULL);
            if is_secret(&field) {
                self.aligned(depth, &mut aligned);
                self.line(depth, "# sensitive, so it is not written here");
                let needed = attribute.presence == Presence::Required;
                let placeholder = placeholder(&attribute.ty, needed);
                aligned.push((name.to_string(), placeholder.to_owned()));
                continue;
            }
            let lines = expression(&field, 2 * depth + name.len() + 3);
            match lines.as_slice() {
                [line] => aligned.push((name.to_string(), line.clone())),
                [first, rest @ ..] => {
                    self.aligned(depth, &mut aligned);
                    self.line(depth, &format!("{name} = {first}"));
                    for line in rest {
                        self.line(depth, line);
                    }
                }
                [] => {}
            }
        }
        self.aligned(depth, &mut aligned);
        self.blocks(depth, body, value);
    }

    /// The blocks of a body.
    fn blocks(&mut self, depth: usize, body: &Body, value: &Value) {
        for (name, block) in &body.blocks {
            let field = value.field(name).cloned().unwrap_or(Value::NULL);
            let field = field.reveal();
            let items: Vec<Value> = match (block.nesting, field) {
                (Nesting::List, Value::List(items) | Value::Tuple(items)) => items.to_vec(),
                (Nesting::Optional | Nesting::Required, inner) if !inner.is_null() => {
                    vec![inner.clone()]
                }
                _ => Vec::new(),
            };
            for item in items {
                self.gap();
                let label = block
                    .label
                    .and_then(|label| item.field(label)?.as_str().map(quoted));
                let label = label.map(|label| format!(" {label}")).unwrap_or_default();
                self.line(depth, &format!("{name}{label} {{"));
                self.body(depth + 1, (&block.body, block.label), &item);
                self.line(depth, "}");
            }
        }
    }

    /// Writes attributes with their equals signs below each other.
    fn aligned(&mut self, depth: usize, attributes: &mut Vec<(String, String)>) {
        let names = pad(attributes.iter().map(|(name, _)| name.clone()).collect());
        for (name, (_, value)) in names.iter().zip(attributes.drain(..)) {
            self.line(depth, &format!("{name} = {value}"));
        }
    }
}

/// Something of a type that stands for what is not written.
fn placeholder(ty: &Type, needed: bool) -> &'static str {
    match ty {
        _ if !needed => "null",
        Type::String => "\"\"",
        Type::Number => "0",
        Type::Bool => "false",
        Type::List(_) | Type::Set(_) | Type::Tuple(_) => "[]",
        Type::Map(_) => "{}",
        Type::Any | Type::Object(_) => "null",
    }
}

/// An expression that gives a value, over as many lines as it needs. `before` is how much stands
/// before it on its first line.
fn expression(value: &Value, before: usize) -> Vec<String> {
    match value.reveal() {
        Value::List(items) | Value::Set(items) | Value::Tuple(items) if !items.is_empty() => {
            let all: Vec<Vec<String>> = items.iter().map(|item| expression(item, 4)).collect();
            let short: Option<Vec<&str>> = all
                .iter()
                .map(|lines| match lines.as_slice() {
                    [line] if !line.ends_with('}') => Some(line.as_str()),
                    _ => None,
                })
                .collect();
            let line = short.map(|items| format!("[{}]", items.join(", ")));
            match line.filter(|line| before + line.width() <= WIDTH) {
                Some(line) => vec![line],
                None => bracketed("[", all.into_iter().map(|lines| ended(lines, ",")), "]"),
            }
        }
        Value::Map(fields) | Value::Object(fields) if !fields.is_empty() => {
            bracketed("{", members(fields.iter()).into_iter(), "}")
        }
        other => vec![scalar(other).into_owned()],
    }
}

/// The lines of an object's members, those on one line with their equals signs below each other.
fn members<'a, K: AsRef<str> + 'a>(
    fields: impl Iterator<Item = (&'a K, &'a Value)>,
) -> Vec<Vec<String>> {
    let named: Vec<(String, Vec<String>)> = fields
        .map(|(name, field)| (member(name.as_ref()), expression(field, 4)))
        .collect();
    let mut written = Vec::new();
    for run in named.chunk_by(|(_, one), (_, next)| one.len() == 1 && next.len() == 1) {
        let names = pad(run.iter().map(|(name, _)| name.clone()).collect());
        for (name, (_, lines)) in names.iter().zip(run) {
            let mut lines = lines.clone();
            if let Some(first) = lines.first_mut() {
                *first = format!("{name} = {first}");
            }
            written.push(lines);
        }
    }
    written
}

/// A name in an object or map.
fn member(name: &str) -> String {
    match name {
        // Without quotes, it would be read as what it means elsewhere.
        "null" | "true" | "false" | "for" => quoted(name),
        _ => key(&Value::object::<&str>([]), name),
    }
}

fn quoted(text: &str) -> String {
    scalar(&Value::from(text)).into_owned()
}

fn ended(mut lines: Vec<String>, end: &str) -> Vec<String> {
    if let Some(last) = lines.last_mut() {
        last.push_str(end);
    }
    lines
}

fn bracketed(open: &str, inner: impl Iterator<Item = Vec<String>>, close: &str) -> Vec<String> {
    let mut lines = vec![open.to_owned()];
    lines.extend(inner.flatten().map(|line| format!("  {line}")));
    lines.push(close.to_owned());
    lines
}
