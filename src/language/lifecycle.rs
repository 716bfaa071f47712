//! What a block says about its own life: `lifecycle {}` and the conditions in it.

use std::sync::Arc;

use isobar_sdk::{Diagnostic, Diagnostics, Span, Value};

use super::body::{Attribute, Block, Body};
use super::expression::{Expression, Kind, Located, Part};
use super::reference::{Reference, Target, references};
use super::take;

/// `lifecycle {}`
#[derive(Debug, Clone, Default)]
pub struct Lifecycle {
    /// Whether a replacement is made before what it replaces is destroyed, where that is said.
    pub create_before_destroy: Option<bool>,
    /// Whether it must not be destroyed.
    pub prevent_destroy: Option<Box<Attribute>>,
    /// What of the configuration does not count once the resource is there.
    pub ignore_changes: Ignore,
    /// What it is replaced together with.
    pub replace_triggered_by: Vec<Located>,
    /// What must hold before it is changed.
    pub preconditions: Vec<Condition>,
    /// What must hold afterwards.
    pub postconditions: Vec<Condition>,
}

/// A condition with what to say where it does not hold.
#[derive(Debug, Clone)]
pub struct Condition {
    /// Where the block begins.
    pub header: Span,
    /// What must be true.
    pub condition: Attribute,
    /// What to say.
    pub error_message: Attribute,
}

/// `ignore_changes`
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Ignore {
    /// Everything counts.
    #[default]
    Nothing,
    /// Nothing counts.
    All,
    /// These do not count.
    Paths(Vec<Vec<Segment>>),
}

/// A step of a path that `ignore_changes` names.
#[derive(Debug, Clone, PartialEq)]
pub enum Segment {
    /// An attribute, or the element of a map with this key.
    Name(String),
    /// The element at this place.
    Index(usize),
    /// Every attribute or element.
    Any,
    /// Attributes and elements whose name, key or place fits a pattern in which a star stands for
    /// any characters.
    Like(String),
}

impl Segment {
    /// Whether an attribute, or the element of a map with this key, is meant.
    #[must_use]
    pub fn names(&self, name: &str) -> bool {
        match self {
            Self::Name(named) => named == name,
            Self::Index(_) => false,
            Self::Any => true,
            Self::Like(pattern) => fits(pattern, name),
        }
    }

    /// Whether the element at this place of a list is meant.
    #[must_use]
    pub fn reaches(&self, place: usize) -> bool {
        match self {
            Self::Name(_) => false,
            Self::Index(index) => *index == place,
            Self::Any => true,
            Self::Like(pattern) => fits(pattern, &place.to_string()),
        }
    }
}

/// Whether a text is made of what stands between the stars of a pattern, in this order.
fn fits(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut text) = text.strip_prefix(first) else {
        return false;
    };
    let (inner, last) = rest.rsplit_once('*').unwrap_or(("", rest));
    for part in inner.split('*') {
        let Some(place) = text.find(part) else {
            return false;
        };
        text = &text[place + part.len()..];
    }
    text.ends_with(last)
}

impl Lifecycle {
    /// Takes the block out of a body.
    pub(super) fn take(body: &mut Body, diagnostics: &mut Diagnostics) -> Self {
        let Some(mut block) = body.take_block("lifecycle") else {
            return Self::default();
        };
        let inner = &mut block.body;
        let lifecycle = Self {
            create_before_destroy: take::flag(inner, "create_before_destroy", diagnostics),
            prevent_destroy: inner.take_attribute("prevent_destroy").map(Box::new),
            ignore_changes: take_ignore(inner, diagnostics),
            replace_triggered_by: take::list(inner, "replace_triggered_by", diagnostics),
            preconditions: Condition::take_all(inner, "precondition", diagnostics),
            postconditions: Condition::take_all(inner, "postcondition", diagnostics),
        };
        let known = [
            "create_before_destroy",
            "prevent_destroy",
            "ignore_changes",
            "replace_triggered_by",
            "enabled",
        ];
        take::leftovers(inner, &known, diagnostics);
        for trigger in &lifecycle.replace_triggered_by {
            let other = |r: &Reference| !matches!(r.target, Target::Block(..) | Target::Ambient(_));
            if let Some(other) = references(trigger).iter().find(|r| other(r)) {
                diagnostics.push(
                    Diagnostic::error(
                        "L0032",
                        "Not an address",
                        "Only what is made can trigger a replacement.",
                    )
                    .at(&other.span)
                    .help("Name a resource of this module, or keep the value in one."),
                );
            }
        }
        lifecycle
    }

    /// The expressions that are evaluated, with those of conditions.
    #[must_use]
    pub fn expressions(&self) -> Vec<&Located> {
        let conditions = self.preconditions.iter().chain(&self.postconditions);
        let prevent = self
            .prevent_destroy
            .iter()
            .map(|attribute| &attribute.value);
        prevent
            .chain(conditions.flat_map(Condition::expressions))
            .chain(&self.replace_triggered_by)
            .collect()
    }
}

impl Condition {
    /// Takes all blocks of a kind out of a body.
    pub(super) fn take_all(
        body: &mut Body,
        kind: &str,
        diagnostics: &mut Diagnostics,
    ) -> Vec<Self> {
        let mut found = Vec::new();
        while let Some(block) = body.take_block(kind) {
            found.extend(Self::read(block, diagnostics));
        }
        found
    }

    fn read(mut block: Block, diagnostics: &mut Diagnostics) -> Option<Self> {
        let mut required = |name: &str| {
            let found = block.body.take_attribute(name);
            if found.is_none() {
                let detail = format!("A {} needs {name:?}.", block.kind);
                diagnostics.push(
                    Diagnostic::error("L0005", "Missing attribute", detail)
                        .at(&block.header)
                        .help("Write condition = … and error_message = \"…\"."),
                );
            }
            found
        };
        let (condition, error_message) = (required("condition"), required("error_message"));
        take::leftovers(&block.body, &["condition", "error_message"], diagnostics);
        let condition = condition?;
        if references(&condition.value).is_empty() {
            let detail = "The condition refers to nothing, so that it is always the same.";
            diagnostics.push(
                Diagnostic::error("L0036", "Condition looks at nothing", detail)
                    .at(&condition.value.span())
                    .within(&block.header)
                    .help("Refer to what it is to hold for."),
            );
        }
        Some(Self {
            header: block.header,
            condition,
            error_message: error_message?,
        })
    }

    /// Reports a validation that does not look at the value of its variable.
    pub(super) fn check_looks_at(&self, variable: &Arc<str>, diagnostics: &mut Diagnostics) {
        let found = references(&self.condition.value);
        let looked_at = |reference: &Reference| match &reference.target {
            Target::Variable(name) => name == variable,
            _ => false,
        };
        // One that looks at nothing is reported already.
        if !found.is_empty() && !found.iter().any(looked_at) {
            let detail = format!("The condition does not look at var.{variable}.");
            diagnostics.push(
                Diagnostic::error("L0036", "Condition looks at nothing", detail)
                    .at(&self.condition.value.span())
                    .within(&self.header)
                    .help(format!("Refer to var.{variable}, or write a check block.")),
            );
        }
    }

    /// Both expressions.
    pub fn expressions(&self) -> [&Located; 2] {
        [&self.condition.value, &self.error_message.value]
    }
}

fn take_ignore(body: &mut Body, diagnostics: &mut Diagnostics) -> Ignore {
    let Some(attribute) = body.take_attribute("ignore_changes") else {
        return Ignore::Nothing;
    };
    let items = match &attribute.value.root.kind {
        Kind::Variable(word) if &**word == "all" => return Ignore::All,
        Kind::Tuple(items) => items.as_slice(),
        _ => &[],
    };
    let is_list = matches!(attribute.value.root.kind, Kind::Tuple(_));
    let mut paths = Vec::new();
    let mut wrong = (!is_list).then(|| attribute.value.span());
    for item in items {
        match path(item) {
            Some(path) => paths.push(path),
            None => wrong = Some(item.extent.in_file(&attribute.value.file)),
        }
    }
    if let Some(span) = wrong {
        diagnostics.push(
            Diagnostic::error(
                "L0033",
                "Invalid path to ignore",
                "ignore_changes is a list of attributes, or the word all.",
            )
            .at(&span)
            .help("Write ignore_changes = [input, tags[\"owner\"], \"labels.*\"], or ignore_changes = all."),
        );
    }
    Ignore::Paths(paths)
}

fn path(expression: &Expression) -> Option<Vec<Segment>> {
    match &expression.kind {
        Kind::Variable(name) => Some(vec![Segment::Name(name.to_string())]),
        Kind::Attribute(inner, name) => {
            let mut path = path(inner)?;
            path.push(Segment::Name(name.to_string()));
            Some(path)
        }
        Kind::Index(inner, index) => {
            let mut path = path(inner)?;
            let Kind::Literal(value) = &index.kind else {
                return None;
            };
            path.push(match value {
                Value::String(key) => Segment::Name(key.to_string()),
                other => Segment::Index(usize::try_from(other.as_number()?.as_u64()?).ok()?),
            });
            Some(path)
        }
        Kind::Literal(Value::String(pattern)) => Some(segments(pattern)),
        Kind::Template(parts) => match parts.as_slice() {
            [Part::Text(pattern)] => Some(segments(pattern)),
            _ => None,
        },
        _ => None,
    }
}

/// A path in quotes, where a star stands for any characters of a name.
fn segments(pattern: &str) -> Vec<Segment> {
    let segment = |text: &str| match text {
        "*" => Segment::Any,
        text => Segment::Like(text.to_owned()),
    };
    pattern.split('.').map(segment).collect()
}

#[cfg(test)]
mod tests {
    use super::Segment;

    #[test]
    fn a_star_stands_for_any_characters_of_a_name() {
        for (pattern, name, expected) in [
            ("tags", "tags", true),
            ("tags", "tag", false),
            ("t*", "tags", true),
            ("t*", "t", true),
            ("t*s", "tags", true),
            ("t*s", "ts", true),
            ("ts*s", "ts", false),
            ("*", "anything", true),
            ("*a*b*", "xaxbx", true),
            ("*a*b*", "xbxax", false),
            ("a**b", "ab", true),
            ("*é", "café", true),
        ] {
            let segment = Segment::Like(pattern.to_owned());
            assert_eq!(segment.names(name), expected, "{pattern} {name}");
        }
        assert!(Segment::Like("1*".to_owned()).reaches(12));
        assert!(!Segment::Like("1*".to_owned()).reaches(2));
        assert!(!Segment::Name("1".to_owned()).reaches(1));
    }
}
