//! The walk over an expression.

use std::collections::BTreeMap;
use std::sync::Arc;

use isobar_sdk::diagnostic::{closest, sentence};
use isobar_sdk::{Diagnostic, Fault, Span, Type, Value};

use super::{Ambient, Facts, Scope, functions, operator};
use crate::language::Config;
use crate::language::expression::{
    Access, Call, Expression, Extent, For, ForPart, Kind, Located, Part,
};

/// Evaluates an expression.
///
/// Unknown parts of the scope give unknown parts of the result; sensitive marks spread to
/// everything made of what carries them.
///
/// # Errors
/// The first thing wrong with it.
pub fn evaluate(located: &Located, scope: &Scope<'_>, ambient: &Ambient) -> Result<Value, Fault> {
    Evaluation {
        scope,
        ambient,
        file: &located.file,
        bound: Vec::new(),
        depth: 0,
    }
    .value(&located.root)
}

/// Evaluates a template that knows nothing but `bound`, within `depth` others.
///
/// # Errors
/// The first thing wrong with it.
pub(super) fn evaluate_template(
    located: &Located,
    facts: &Facts,
    bound: Vec<(Arc<str>, Value)>,
    depth: usize,
) -> Result<Value, Fault> {
    let nothing = Config::default();
    let scope = Scope::new(&nothing, facts.clone(), BTreeMap::new());
    Evaluation {
        scope: &scope,
        ambient: &Ambient::None,
        file: &located.file,
        bound,
        depth,
    }
    .value(&located.root)
}

/// The longest text that a template gives, in bytes.
const LONGEST_TEXT: usize = 64 << 20;

struct Evaluation<'a> {
    scope: &'a Scope<'a>,
    ambient: &'a Ambient,
    file: &'a Arc<str>,
    /// Names bound by `for`, innermost last.
    bound: Vec<(Arc<str>, Value)>,
    /// How many templates from files stand around.
    depth: usize,
}

impl Evaluation<'_> {
    fn span(&self, extent: Extent) -> Span {
        extent.in_file(self.file)
    }

    fn fault(&self, extent: Extent, summary: &'static str, detail: impl Into<String>) -> Fault {
        Box::new(Diagnostic::error("E0001", summary, detail).at(&self.span(extent)))
    }

    /// A fault whose reason may quote `values`: it is not shown if one of them is secret.
    fn fault_about(
        &self,
        extent: Extent,
        summary: &'static str,
        (detail, values): (String, &[&Value]),
    ) -> Fault {
        if values.iter().any(|value| value.contains_sensitive()) {
            return self.fault(extent, summary, sentence(&hidden("a value")));
        }
        self.fault(extent, summary, detail)
    }

    fn value(&mut self, expression: &Expression) -> Result<Value, Fault> {
        match &expression.kind {
            Kind::Literal(value) => Ok(value.clone()),
            Kind::Template(parts) => self.template(parts),
            Kind::Tuple(items) => {
                let items: Result<Vec<_>, _> = items.iter().map(|item| self.value(item)).collect();
                items.map(Value::tuple)
            }
            Kind::Object(items) => self.object(items),
            Kind::Variable(root) => self.reference(expression.extent, root, None),
            Kind::Attribute(inner, name) => match &inner.kind {
                Kind::Variable(root) if !self.is_bound(root) => {
                    self.reference(expression.extent, root, Some(name))
                }
                _ => {
                    let value = self.value(inner)?;
                    self.attribute(&value, name, expression.extent)
                }
            },
            Kind::Index(inner, index) => {
                let value = self.value(inner)?;
                let index = self.value(index)?;
                self.index(&value, &index, expression.extent)
            }
            Kind::Splat(inner, accesses) => self.splat(inner, accesses, expression.extent),
            Kind::Unary(unary, inner) => {
                let value = self.value(inner)?;
                operator::unary(*unary, &value).map_err(|reason| {
                    self.fault_about(inner.extent, "Invalid operand", (reason, &[&value]))
                })
            }
            Kind::Binary(binary, operands) => {
                let left = self.value(&operands.0)?;
                let right = self.value(&operands.1)?;
                operator::binary(*binary, &left, &right).map_err(|reason| {
                    let about = (reason, &[&left, &right][..]);
                    self.fault_about(expression.extent, "Invalid operand", about)
                })
            }
            Kind::Conditional(parts) => self.conditional(parts),
            Kind::Call(call) => self.call(call, expression.extent),
            Kind::For(each) => self.for_expression(each),
        }
    }

    fn is_bound(&self, name: &str) -> bool {
        self.bound.iter().any(|(bound, _)| &**bound == name)
    }

    fn reference(
        &self,
        extent: Extent,
        root: &Arc<str>,
        name: Option<&Arc<str>>,
    ) -> Result<Value, Fault> {
        if name.is_none()
            && let Some((_, value)) = self.bound.iter().rev().find(|(bound, _)| bound == root)
        {
            return Ok(value.clone());
        }
        let name = name.map(|name| &**name);
        if self.depth > 0 {
            let detail = format!("The template is given no value named {root:?}.");
            let mut fault = self.fault(extent, "Reference to nothing", detail);
            fault.code = "E0002";
            fault.help = Some("Give it with the second argument.".to_owned());
            return Err(fault);
        }
        if let Some(value) = self.scope.lookup(self.ambient, root, name)? {
            return Ok(value);
        }
        let (detail, help) = match (&**root, name) {
            ("each", _) => (
                "each is only known in a block that has for_each.".to_owned(),
                "Add for_each to the block.".to_owned(),
            ),
            ("count", _) => (
                "count.index is only known in a block that has count.".to_owned(),
                "Add count to the block.".to_owned(),
            ),
            (root, Some(name)) => (
                format!("There is no {root}.{name} in this configuration."),
                "Declare it, or correct the name.".to_owned(),
            ),
            (root, None) => (
                format!(
                    "{root:?} alone refers to nothing; a reference reads kind.name, as in zone.east."
                ),
                format!("Put text into quotes: {root:?}."),
            ),
        };
        let mut fault = self.fault(extent, "Reference to nothing", detail);
        fault.code = "E0002";
        fault.help = Some(help);
        Err(fault)
    }

    fn attribute(&self, value: &Value, name: &Arc<str>, extent: Extent) -> Result<Value, Fault> {
        let found = match value.reveal() {
            Value::Object(fields) | Value::Map(fields) => fields.get(name).cloned(),
            Value::Unknown(unknown) => {
                Some(Value::unknown_of(element_type(&unknown.ty, Some(name))))
            }
            other => {
                let ty = Type::of(other);
                let detail = if other.is_null() {
                    format!("This value is null, so it has no attribute {name:?}.")
                } else {
                    format!("This value is of type {ty}, which has no attributes.")
                };
                return Err(self.fault(extent, "Unsupported attribute", detail));
            }
        };
        found
            .map(|found| found.sensitive_if(value.is_sensitive()))
            .ok_or_else(|| {
                let mut fault = self.fault(
                    extent,
                    "Unsupported attribute",
                    format!("This object has no attribute named {name:?}."),
                );
                let names = value
                    .fields()
                    .map(|fields| fields.keys().map(|n| &**n).collect::<Vec<_>>());
                let names = names.unwrap_or_default();
                fault.help = Some(closest(name, names.iter().copied()).map_or_else(
                    || format!("It has {}.", names.join(", ")),
                    |meant| format!("Did you mean {meant:?}?"),
                ));
                fault
            })
    }

    fn index(&self, value: &Value, index: &Value, extent: Extent) -> Result<Value, Fault> {
        let sensitive = value.is_sensitive() || index.is_sensitive();
        let wrong =
            |detail: String| self.fault_about(extent, "Invalid index", (detail, &[value, index]));
        let found =
            match (value.reveal(), index.reveal()) {
                (Value::Unknown(unknown), _) => {
                    Value::unknown_of(element_type(&unknown.ty, index.as_str()))
                }
                (_, Value::Unknown(_)) => Value::unknown(),
                (Value::Object(fields) | Value::Map(fields), _) => {
                    let key = Type::String.convert(index.reveal());
                    let key = key.ok().and_then(|key| key.as_str().map(str::to_owned));
                    let key = key.ok_or_else(|| wrong("A map is indexed by text.".to_owned()))?;
                    fields.get(key.as_str()).cloned().ok_or_else(|| {
                        let keys: Vec<&str> = fields.keys().map(|key| &**key).collect();
                        wrong(format!(
                            "There is no element {key:?}; there are {}.",
                            listing(&keys)
                        ))
                    })?
                }
                (Value::List(items) | Value::Tuple(items), _) => {
                    let position = Type::Number.convert(index.reveal()).ok();
                    let position = position.and_then(|p| p.as_number()?.as_u64());
                    let position = position.and_then(|p| usize::try_from(p).ok());
                    position.and_then(|position| items.get(position)).cloned().ok_or_else(|| {
                    wrong(format!(
                        "There is no element {index}; there are {} elements, counted from 0.",
                        items.len()
                    ))
                })?
                }
                (Value::Set(_), _) => {
                    return Err(wrong(
                        "Elements of a set have no index; use tolist() or one().".to_owned(),
                    ));
                }
                (other, _) => {
                    return Err(wrong(format!(
                        "A value of type {} has no elements.",
                        Type::of(other)
                    )));
                }
            };
        Ok(found.sensitive_if(sensitive))
    }

    fn splat(
        &mut self,
        inner: &Expression,
        accesses: &[Access],
        extent: Extent,
    ) -> Result<Value, Fault> {
        let value = self.value(inner)?;
        let sensitive = value.is_sensitive();
        let items = match value.reveal() {
            Value::Unknown(_) => return Ok(Value::unknown().sensitive_if(sensitive)),
            Value::Null(_) => Vec::new(),
            Value::List(items) | Value::Tuple(items) | Value::Set(items) => items.to_vec(),
            single => vec![single.clone()],
        };
        let taken: Result<Vec<_>, _> = items
            .into_iter()
            .map(|item| {
                accesses
                    .iter()
                    .try_fold(item, |value, access| match access {
                        Access::Attribute(name) => self.attribute(&value, name, extent),
                        Access::Index(index) => {
                            let index = self.value(index)?;
                            self.index(&value, &index, extent)
                        }
                    })
            })
            .collect();
        Ok(Value::tuple(taken?).sensitive_if(sensitive))
    }

    fn object(&mut self, items: &[(Expression, Expression)]) -> Result<Value, Fault> {
        let mut fields = BTreeMap::new();
        let mut sensitive = false;
        for (key, value) in items {
            let name = self.value(key)?;
            sensitive |= name.is_sensitive();
            let value = self.value(value)?;
            let value_is_secret = value.contains_sensitive();
            match self.key(&name, key.extent)? {
                Some(name) => fields.insert(name, value),
                None => {
                    sensitive |= value_is_secret;
                    return Ok(Value::unknown().sensitive_if(sensitive));
                }
            };
        }
        Ok(Value::Object(fields.into()).sensitive_if(sensitive))
    }

    /// A value as the key of an object; `None` while it is unknown.
    fn key(&self, value: &Value, extent: Extent) -> Result<Option<Arc<str>>, Fault> {
        if value.is_unknown() {
            return Ok(None);
        }
        match Type::String.convert(value.reveal()) {
            Ok(Value::String(text)) => Ok(Some(text)),
            _ => Err(self.fault(extent, "Invalid key", "The key of an object must be text.")),
        }
    }

    fn conditional(
        &mut self,
        (condition, then, otherwise): &(Expression, Expression, Expression),
    ) -> Result<Value, Fault> {
        let truth = self.value(condition)?;
        let converted = Type::Bool.convert(truth.reveal()).map_err(|mismatch| {
            let about = (sentence(&mismatch.to_string()), &[&truth][..]);
            self.fault_about(condition.extent, "Invalid condition", about)
        })?;
        let (taken, other) = match converted {
            Value::Bool(true) => (then, otherwise),
            Value::Bool(false) => (otherwise, then),
            Value::Unknown(_) => {
                let (then, otherwise) = (self.value(then)?, self.value(otherwise)?);
                let unified = Type::unify([&Type::of(&then), &Type::of(&otherwise)]);
                let sensitive = [&truth, &then, &otherwise]
                    .iter()
                    .any(|v| v.contains_sensitive());
                let unknown = Value::unknown_of(unified.unwrap_or(Type::Any));
                return Ok(unknown.sensitive_if(sensitive));
            }
            _ => {
                let detail = "The condition is null; it must be true or false.";
                return Err(self.fault(condition.extent, "Invalid condition", detail));
            }
        };
        let value = self.value(taken)?;
        let value = self.unify_with_untaken(value, other);
        Ok(value.sensitive_if(truth.is_sensitive()))
    }

    /// Both results of a conditional have one type; the branch that is not taken decides it
    /// too, if it can be evaluated at all.
    fn unify_with_untaken(&mut self, value: Value, other: &Expression) -> Value {
        let Ok(other) = self.value(other) else {
            return value;
        };
        match Type::unify([&Type::of(&value), &Type::of(&other)]) {
            Some(ty @ (Type::String | Type::Number | Type::Bool)) => {
                ty.convert(&value).unwrap_or(value)
            }
            _ => value,
        }
    }

    fn call(&mut self, call: &Call, extent: Extent) -> Result<Value, Fault> {
        match &*call.name {
            "templatestring"
                if !call.arguments.first().is_some_and(is_reference) && !call.expand_last =>
            {
                let detail = "The template must be a reference to a text.";
                let mut fault = self.fault(extent, "Invalid argument", detail);
                fault.help = Some("A template that is written out needs no function.".to_owned());
                return Err(fault);
            }
            "can" if call.arguments.len() != 1 => {
                let detail = "can takes one expression.";
                return Err(self.fault(extent, "Error in function call", detail));
            }
            "try" => return self.try_call(call, extent),
            "can" => {
                let tried = call.arguments.first().map(|argument| self.value(argument));
                return Ok(match tried {
                    // What is unknown may still fail once it is known.
                    Some(Ok(value)) if !value.is_wholly_known() => {
                        Value::unknown_of(Type::Bool).sensitive_if(value.contains_sensitive())
                    }
                    Some(Ok(_)) => Value::Bool(true),
                    _ => Value::Bool(false),
                });
            }
            _ => {}
        }
        let library = &self.scope.facts().library;
        let function = library
            .find(&call.name)
            .ok_or_else(|| self.unknown_function(call, extent))?;
        let mut arguments = Vec::with_capacity(call.arguments.len());
        for argument in &call.arguments {
            arguments.push(self.value(argument)?);
        }
        if call.expand_last
            && let Some(last) = arguments.pop()
        {
            match last.items() {
                Some(items) => arguments.extend(items.iter().cloned()),
                None if last.is_unknown() => {
                    let sensitive =
                        last.is_sensitive() || arguments.iter().any(Value::contains_sensitive);
                    return Ok(Value::unknown().sensitive_if(sensitive));
                }
                None => {
                    let detail = "Only a list can be spread with three dots.";
                    return Err(self.fault(extent, "Invalid argument", detail));
                }
            }
        }
        let caller = functions::Caller::new(self.scope.facts(), self.depth);
        functions::call(&function, &arguments, &caller).map_err(|reason| {
            let secret = arguments.iter().any(Value::contains_sensitive);
            let reason = if secret {
                hidden("an argument")
            } else {
                reason
            };
            let detail = format!("Call to {} failed: {}", call.name, reason);
            self.fault(extent, "Error in function call", sentence(&detail))
        })
    }

    fn unknown_function(&self, call: &Call, extent: Extent) -> Fault {
        let mut fault = self.fault(
            extent,
            "Call to unknown function",
            format!("There is no function named {:?}.", call.name),
        );
        fault.code = "E0003";
        let names: Vec<String> = self.scope.facts().library.names().collect();
        fault.help = closest(&call.name, names.iter().map(String::as_str))
            .map(|meant| format!("Did you mean {meant:?}?"));
        fault
    }

    fn try_call(&mut self, call: &Call, extent: Extent) -> Result<Value, Fault> {
        let mut last = None;
        for argument in &call.arguments {
            match self.value(argument) {
                Ok(value) if !value.is_wholly_known() => {
                    return Ok(Value::unknown().sensitive_if(value.contains_sensitive()));
                }
                Ok(value) => return Ok(value),
                Err(fault) => last = Some(fault),
            }
        }
        Err(last.unwrap_or_else(|| {
            self.fault(
                extent,
                "Error in function call",
                "try needs at least one argument.",
            )
        }))
    }

    fn for_expression(&mut self, each: &For) -> Result<Value, Fault> {
        let collection = self.value(&each.collection)?;
        let mut sensitive = collection.is_sensitive();
        if collection.is_unknown() {
            return Ok(Value::unknown().sensitive_if(sensitive));
        }
        let elements = elements(&collection).ok_or_else(|| {
            let detail = format!("A value of type {} has no elements.", Type::of(&collection));
            self.fault(each.collection.extent, "Invalid collection", detail)
        })?;
        let mut values = Vec::new();
        let mut fields: BTreeMap<Arc<str>, Vec<Value>> = BTreeMap::new();
        for (key, value) in elements {
            let outside = self.bound.len();
            self.bind(each.key_name.as_ref(), &each.value_name, key, value);
            let entry = self.for_entry(each);
            self.bound.truncate(outside);
            let (entry, marked) = entry?;
            sensitive |= marked;
            match entry {
                Entry::Left => {}
                Entry::Unknown => return Ok(Value::unknown().sensitive_if(sensitive)),
                Entry::Item(value) => values.push(value),
                Entry::Field(name, value) => {
                    let slot = fields.entry(Arc::clone(&name)).or_default();
                    if !slot.is_empty() && !each.grouping {
                        let detail = if sensitive {
                            "A key comes twice.".to_owned()
                        } else {
                            format!("The key {name:?} comes twice.")
                        };
                        let extent = each
                            .key
                            .as_ref()
                            .map_or(each.value.extent, |key| key.extent);
                        let mut fault = self.fault(extent, "Duplicate object key", detail);
                        fault.help =
                            Some("Add ... behind the value to group values by key.".into());
                        return Err(fault);
                    }
                    slot.push(value);
                }
            }
        }
        if each.key.is_none() {
            return Ok(Value::tuple(values).sensitive_if(sensitive));
        }
        let fields = fields.into_iter().filter_map(|(name, mut values)| {
            let value = if each.grouping {
                Value::tuple(values)
            } else {
                values.pop()?
            };
            Some((name, value))
        });
        Ok(Value::object(fields).sensitive_if(sensitive))
    }

    /// What one element gives, and whether its condition or key is secret.
    fn for_entry(&mut self, each: &For) -> Result<(Entry, bool), Fault> {
        let mut secret = false;
        if let Some(condition) = &each.condition {
            let truth = self.value(condition)?;
            secret |= truth.is_sensitive();
            match Type::Bool.convert(truth.reveal()) {
                Ok(Value::Bool(true)) => {}
                Ok(Value::Bool(false)) => return Ok((Entry::Left, secret)),
                Ok(Value::Unknown(_)) => return Ok((Entry::Unknown, secret)),
                _ => {
                    let detail = "The condition must be true or false.";
                    return Err(self.fault(condition.extent, "Invalid condition", detail));
                }
            }
        }
        let value = self.value(&each.value)?;
        let Some(key) = &each.key else {
            return Ok((Entry::Item(value), secret));
        };
        let name = self.value(key)?;
        secret |= name.is_sensitive();
        let entry = match self.key(&name, key.extent)? {
            Some(text) => Entry::Field(text, value),
            None => Entry::Unknown,
        };
        Ok((entry, secret))
    }

    fn bind(
        &mut self,
        key_name: Option<&Arc<str>>,
        value_name: &Arc<str>,
        key: Value,
        value: Value,
    ) {
        if let Some(name) = key_name {
            self.bound.push((Arc::clone(name), key));
        }
        self.bound.push((Arc::clone(value_name), value));
    }

    fn template(&mut self, parts: &[Part]) -> Result<Value, Fault> {
        let mut text = Text::default();
        self.write_parts(parts, &mut text)?;
        let value = if text.unknown {
            Value::unknown_of(Type::String)
        } else {
            Value::from(text.text)
        };
        Ok(value.sensitive_if(text.sensitive))
    }

    fn write_parts(&mut self, parts: &[Part], text: &mut Text) -> Result<(), Fault> {
        for part in parts {
            match part {
                Part::Text(literal) => text.text.push_str(literal),
                Part::Interpolation(expression) => {
                    let value = self.value(expression)?;
                    text.sensitive |= value.is_sensitive();
                    self.write_value(value.reveal(), expression.extent, text)?;
                }
                Part::If(condition, then, otherwise) => {
                    let truth = self.value(condition)?;
                    text.sensitive |= truth.is_sensitive();
                    match Type::Bool.convert(truth.reveal()) {
                        Ok(Value::Bool(true)) => self.write_parts(then, text)?,
                        Ok(Value::Bool(false)) => self.write_parts(otherwise, text)?,
                        Ok(Value::Unknown(_)) => text.unknown = true,
                        _ => {
                            let detail = "The condition must be true or false.";
                            return Err(self.fault(condition.extent, "Invalid condition", detail));
                        }
                    }
                }
                Part::For(each) => self.write_for(each, text)?,
            }
        }
        Ok(())
    }

    fn write_for(&mut self, each: &ForPart, text: &mut Text) -> Result<(), Fault> {
        let collection = self.value(&each.collection)?;
        text.sensitive |= collection.is_sensitive();
        if collection.is_unknown() {
            text.unknown = true;
            return Ok(());
        }
        let elements = elements(&collection).ok_or_else(|| {
            let detail = format!("A value of type {} has no elements.", Type::of(&collection));
            self.fault(each.collection.extent, "Invalid collection", detail)
        })?;
        for (key, value) in elements {
            let outside = self.bound.len();
            self.bind(each.key_name.as_ref(), &each.value_name, key, value);
            let written = self.write_parts(&each.body, text);
            self.bound.truncate(outside);
            written?;
            if text.text.len() > LONGEST_TEXT {
                let longest = LONGEST_TEXT >> 20;
                let detail = format!("The template gives more than {longest} MiB of text.");
                return Err(self.fault(each.collection.extent, "Template too long", detail));
            }
        }
        Ok(())
    }

    fn write_value(&self, value: &Value, extent: Extent, text: &mut Text) -> Result<(), Fault> {
        match Type::String.convert(value) {
            Ok(Value::String(part)) => text.text.push_str(&part),
            Ok(Value::Unknown(_)) => text.unknown = true,
            Ok(_) => {
                let detail = "This value is null, which cannot be part of a text.";
                return Err(self.fault(extent, "Invalid template", detail));
            }
            Err(mismatch) => {
                let detail = sentence(&mismatch.to_string());
                return Err(self.fault(extent, "Invalid template", detail));
            }
        }
        Ok(())
    }
}

/// What one element gives to the result of a `for` expression.
enum Entry {
    /// Nothing: its condition is false.
    Left,
    /// It cannot be told yet.
    Unknown,
    Item(Value),
    Field(Arc<str>, Value),
}

#[derive(Default)]
struct Text {
    text: String,
    unknown: bool,
    sensitive: bool,
}

fn elements(collection: &Value) -> Option<Vec<(Value, Value)>> {
    match collection.reveal() {
        Value::List(items) | Value::Tuple(items) => Some(
            items
                .iter()
                .enumerate()
                .map(|(i, item)| (Value::from(i), item.clone()))
                .collect(),
        ),
        Value::Set(items) => Some(
            items
                .iter()
                .map(|item| (item.clone(), item.clone()))
                .collect(),
        ),
        Value::Map(fields) | Value::Object(fields) => Some(
            fields
                .iter()
                .map(|(key, v)| (Value::String(Arc::clone(key)), v.clone()))
                .collect(),
        ),
        _ => None,
    }
}

/// Whether an expression reads a value that stands elsewhere.
fn is_reference(expression: &Expression) -> bool {
    match &expression.kind {
        Kind::Variable(_) => true,
        Kind::Attribute(inner, _) | Kind::Index(inner, _) => is_reference(inner),
        _ => false,
    }
}

fn element_type(ty: &Type, name: Option<&str>) -> Type {
    match (ty, name) {
        (Type::List(element) | Type::Set(element) | Type::Map(element), _) => (**element).clone(),
        (Type::Object(fields), Some(name)) => {
            fields.get(name).map_or(Type::Any, |field| field.ty.clone())
        }
        _ => Type::Any,
    }
}

fn listing(names: &[&str]) -> String {
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}

/// What stands in for a reason that could quote a secret.
fn hidden(what: &str) -> String {
    format!("the reason is not shown, because {what} is sensitive")
}
