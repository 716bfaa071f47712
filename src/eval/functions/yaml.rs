//! `yamldecode` and `yamlencode`.

use std::collections::BTreeMap;
use std::sync::Arc;

use isobar_sdk::Value;
use saphyr_parser::{Event, Parser, ScalarStyle, Span, StrInput, Tag};

use super::function::{any, text as text_of};
use super::{Function, Shape, text, yaml_scalar, yaml_text};

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new(
        "yamldecode",
        yamldecode,
        "The value that a YAML text writes.",
    )
    .takes(&[text_of("src")]),
    Function::new("yamlencode", yamlencode, "A value as YAML, in blocks.")
        .takes(&[any("value").or_null()])
        .gives(Shape::String),
];

fn yamlencode(arguments: &[Value]) -> Result<Value, String> {
    Ok(yaml_text::write(&arguments[0]).into())
}

/// The deepest nesting that is read.
const DEEPEST: usize = 256;
/// The most parts of a value, those that aliases repeat counted again, so that a short text
/// cannot stand for a huge value.
const MOST_PARTS: usize = 1 << 20;

pub(super) fn yamldecode(arguments: &[Value]) -> Result<Value, String> {
    let source = text(&arguments[0])?;
    let mut reader = Reader {
        parser: Parser::new_from_str(source),
        open_end: (!source.ends_with(['\n', '\r'])).then(|| source.chars().count()),
        anchors: BTreeMap::new(),
        parts: 0,
    };
    loop {
        match reader.next()?.0 {
            Event::DocumentStart(_) => break,
            Event::StreamEnd => return Err("there is no value in the text".to_owned()),
            _ => {}
        }
    }
    let value = reader.value(DEEPEST)?;
    loop {
        match reader.next()? {
            (Event::StreamEnd, _) => return Ok(value),
            (Event::DocumentEnd, _) => {}
            (_, span) => return Err(at(&span, "there is a second value")),
        }
    }
}

/// A reason with its place.
fn at(span: &Span, reason: &str) -> String {
    format!(
        "line {}, column {}: {reason}",
        span.start.line(),
        span.start.col() + 1
    )
}

struct Reader<'a> {
    parser: Parser<'a, StrInput<'a>>,
    /// Where the text ends, if no line break does it.
    open_end: Option<usize>,
    /// Values by the number of their anchor; `None` while one is being read.
    anchors: BTreeMap<usize, Option<(Value, usize)>>,
    parts: usize,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Span), String> {
        match self.parser.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => Err(format!(
                "line {}, column {}: {}",
                error.marker().line(),
                error.marker().col() + 1,
                error.info()
            )),
            None => Err("the text ends too early".to_owned()),
        }
    }

    fn count(&mut self, parts: usize) -> Result<(), String> {
        self.parts += parts;
        if self.parts > MOST_PARTS {
            return Err(format!("the value has more than {MOST_PARTS} parts"));
        }
        Ok(())
    }

    fn value(&mut self, depth: usize) -> Result<Value, String> {
        let (event, span) = self.next()?;
        self.value_of(event, &span, depth)
    }

    fn value_of(&mut self, event: Event<'a>, span: &Span, depth: usize) -> Result<Value, String> {
        let depth = depth
            .checked_sub(1)
            .ok_or_else(|| at(span, "the value is nested too deeply"))?;
        let before = self.parts;
        self.count(1)?;
        let (anchor, value) = match event {
            Event::Alias(anchor) => return self.alias(anchor, span),
            Event::Scalar(text, style, anchor, tag) => {
                let text = self.block(&text, style, span);
                let plain = style == ScalarStyle::Plain;
                let tag = tag.as_deref().map(full_tag);
                let value = yaml_scalar::resolve(text, plain, tag.as_deref());
                (anchor, value.map_err(|reason| at(span, &reason))?)
            }
            Event::SequenceStart(anchor, tag) => {
                fitting(tag.as_deref(), "seq").map_err(|reason| at(span, &reason))?;
                self.anchors.insert(anchor, None);
                (anchor, self.sequence(depth)?)
            }
            Event::MappingStart(anchor, tag) => {
                fitting(tag.as_deref(), "map").map_err(|reason| at(span, &reason))?;
                self.anchors.insert(anchor, None);
                (anchor, self.mapping(depth)?)
            }
            _ => return Err(at(span, "a value is missing")),
        };
        let parts = self.parts - before;
        self.anchors.insert(anchor, Some((value.clone(), parts)));
        Ok(value)
    }

    /// The text of a scalar: a block at the end of the text has no line break that is not there.
    fn block<'t>(&self, text: &'t str, style: ScalarStyle, span: &Span) -> &'t str {
        let block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
        let last = self.open_end.is_some_and(|end| span.end.index() >= end);
        let shorter = text.strip_suffix('\n').filter(|_| block && last);
        shorter.unwrap_or(text)
    }

    fn alias(&mut self, anchor: usize, span: &Span) -> Result<Value, String> {
        match self.anchors.get(&anchor) {
            Some(Some((value, parts))) => {
                let (value, parts) = (value.clone(), *parts);
                self.count(parts)?;
                Ok(value)
            }
            Some(None) => Err(at(span, "a value refers to itself")),
            None => Err(at(span, "an alias refers to no anchor")),
        }
    }

    fn sequence(&mut self, depth: usize) -> Result<Value, String> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Value::tuple(items)),
                (event, span) => items.push(self.value_of(event, &span, depth)?),
            }
        }
    }

    fn mapping(&mut self, depth: usize) -> Result<Value, String> {
        let mut fields: BTreeMap<Arc<str>, Value> = BTreeMap::new();
        let mut merged: BTreeMap<Arc<str>, Value> = BTreeMap::new();
        loop {
            let (event, span) = match self.next()? {
                (Event::MappingEnd, _) => break,
                next => next,
            };
            let is_merge =
                matches!(&event, Event::Scalar(text, ScalarStyle::Plain, _, _) if text == "<<");
            let key = self.value_of(event, &span, depth)?;
            let (event, value_span) = self.next()?;
            let value = self.value_of(event, &value_span, depth)?;
            if is_merge {
                merge(&mut merged, &value).map_err(|reason| at(&value_span, &reason))?;
                continue;
            }
            let key = isobar_sdk::Type::String.convert(&key).ok();
            let Some(Value::String(key)) = key else {
                return Err(at(&span, "a key must be a text"));
            };
            fields.insert(key, value);
        }
        merged.append(&mut fields);
        Ok(Value::Object(merged.into()))
    }
}

/// Takes over the entries of `<<`, which stand behind those of the mapping itself.
fn merge(into: &mut BTreeMap<Arc<str>, Value>, value: &Value) -> Result<(), String> {
    if let Some(fields) = value.fields() {
        for (key, value) in fields.iter() {
            into.entry(Arc::clone(key)).or_insert_with(|| value.clone());
        }
        return Ok(());
    }
    for item in value.items().ok_or("<< takes a mapping or several")?.iter() {
        let fields = item.fields().ok_or("<< takes mappings only")?;
        for (key, value) in fields.iter() {
            into.entry(Arc::clone(key)).or_insert_with(|| value.clone());
        }
    }
    Ok(())
}

/// A tag as `!!str` or `!own`.
fn full_tag(tag: &Tag) -> String {
    if tag.is_yaml_core_schema() {
        format!("!!{}", tag.suffix)
    } else {
        format!("{}{}", tag.handle, tag.suffix)
    }
}

fn fitting(tag: Option<&Tag>, expected: &str) -> Result<(), String> {
    match tag.map(full_tag) {
        None => Ok(()),
        Some(tag) if tag == format!("!!{expected}") || tag == "!" => Ok(()),
        Some(tag) => Err(format!("the tag {tag} is not known here")),
    }
}
