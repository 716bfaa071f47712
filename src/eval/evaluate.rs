//! The walk over an expression.

mod access;
mod comprehension;
mod conditional;
mod instances;
mod reading;
mod template;

use std::collections::BTreeMap;
use std::sync::Arc;

use isobar_sdk::diagnostic::{Reading, closest, sentence};
use isobar_sdk::value::{Marks, Unknown};
use isobar_sdk::{Diagnostic, Fault, Span, Type, Value};

use super::bounds::{self, Budget};
use super::{Ambient, Facts, Scope, functions, operator};
use crate::language::Config;
use crate::language::expression::{Call, Expression, Extent, Kind, Located};

/// Evaluates an expression.
///
/// Unknown parts of the scope give unknown parts of the result; sensitive marks spread to
/// everything made of what carries them.
///
/// # Errors
/// The first thing wrong with it.
pub fn evaluate(located: &Located, scope: &Scope<'_>, ambient: &Ambient) -> Result<Value, Fault> {
    evaluate_within(located, (scope, ambient), Vec::new())
}

/// Names bound around a place, innermost last.
pub(super) type Bound = Vec<(Arc<str>, Value)>;

/// Evaluates an expression where more names are bound.
///
/// # Errors
/// The first thing wrong with it.
pub(super) fn evaluate_within(
    located: &Located,
    (scope, ambient): (&Scope<'_>, &Ambient),
    bound: Bound,
) -> Result<Value, Fault> {
    Evaluation::new(&located.file, (scope, ambient), bound).value(&located.root)
}

/// What the references in an expression stand for, for those who have to know why it is what it is.
#[must_use]
pub(super) fn readings(
    located: &Located,
    (scope, ambient): (&Scope<'_>, &Ambient),
) -> Vec<Reading> {
    Evaluation::new(&located.file, (scope, ambient), Vec::new()).readings(&located.root, None)
}

/// Evaluates a template that knows nothing but `bound`, within `depth` others.
///
/// # Errors
/// The first thing wrong with it.
pub(super) fn evaluate_template(
    located: &Located,
    facts: &Facts,
    bound: Bound,
    depth: usize,
) -> Result<Value, Fault> {
    let nothing = Config::default();
    let scope = Scope::new(&nothing, facts.clone(), BTreeMap::new());
    Evaluation {
        depth,
        ..Evaluation::new(&located.file, (&scope, &Ambient::None), bound)
    }
    .value(&located.root)
}

struct Evaluation<'a> {
    scope: &'a Scope<'a>,
    ambient: &'a Ambient,
    file: &'a Arc<str>,
    /// Names bound by `for`, innermost last.
    bound: Bound,
    /// How many templates from files stand around.
    depth: usize,
    /// What it may still do.
    budget: Budget,
    /// Whether nobody will read what a fault could tell beside itself.
    silent: bool,
}

impl<'a> Evaluation<'a> {
    fn new(
        file: &'a Arc<str>,
        (scope, ambient): (&'a Scope<'a>, &'a Ambient),
        bound: Bound,
    ) -> Self {
        Self {
            scope,
            ambient,
            file,
            bound,
            depth: 0,
            budget: Budget::default(),
            silent: false,
        }
    }
}

impl Evaluation<'_> {
    fn span(&self, extent: Extent) -> Span {
        extent.in_file(self.file)
    }

    fn fault(&self, extent: Extent, summary: &'static str, detail: impl Into<String>) -> Fault {
        let detail = clipped(detail.into());
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
        let value = self.walk(expression);
        let value = value.map_err(|fault| self.tell(fault, expression))?;
        bounds::check(&value).map_err(|reason| self.too_much(expression.extent, reason))?;
        Ok(value)
    }

    /// A value that may fail without anyone hearing of it.
    fn quietly(&mut self, expression: &Expression) -> Result<Value, Fault> {
        let silent = std::mem::replace(&mut self.silent, true);
        let value = self.value(expression);
        self.silent = silent;
        value
    }

    fn too_much(&self, extent: Extent, reason: String) -> Fault {
        let mut fault = self.fault(extent, "Expression asks for too much", reason);
        fault.code = "E0020";
        fault
    }

    /// Takes what a step costs.
    fn spend(&mut self, cost: usize, extent: Extent) -> Result<(), Fault> {
        let spent = self.budget.spend(cost);
        spent.map_err(|reason| self.too_much(extent, reason))
    }

    /// Adds a value to what a collection holds so far.
    fn add(&self, held: &mut usize, value: &Value, extent: Extent) -> Result<(), Fault> {
        *held = held.saturating_add(value.extent().parts);
        bounds::parts(*held).map_err(|reason| self.too_much(extent, reason))
    }

    fn walk(&mut self, expression: &Expression) -> Result<Value, Fault> {
        match &expression.kind {
            Kind::Literal(value) => Ok(value.clone()),
            Kind::Template(parts) => self.template(parts),
            Kind::Tuple(items) => {
                let (mut values, mut held) = (Vec::with_capacity(items.len()), 0);
                for item in items {
                    let value = self.value(item)?;
                    self.add(&mut held, &value, item.extent)?;
                    values.push(value);
                }
                Ok(Value::tuple(values))
            }
            Kind::Object(items) => self.object(items),
            Kind::Variable(root) => self.reference(expression.extent, root, None),
            Kind::Attribute(inner, name) => match &inner.kind {
                Kind::Variable(root) if !self.is_bound(root) => {
                    self.reference(expression.extent, root, Some(name))
                }
                _ => {
                    let value = self.value(inner)?;
                    let whole = (inner.as_ref(), &value);
                    if let Some(fault) = self.of_all_instances(whole, name, expression.extent) {
                        return Err(fault);
                    }
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
                let size = left.extent().parts.saturating_add(right.extent().parts);
                self.spend(size, expression.extent)?;
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

    fn object(&mut self, items: &[(Expression, Expression)]) -> Result<Value, Fault> {
        let mut fields = BTreeMap::new();
        let mut marks = Marks::NONE;
        let mut known = true;
        for (key, value) in items {
            let name = self.value(key)?;
            marks = marks.union(name.marks());
            let value = self.value(value)?;
            match self.key(&name, key.extent)? {
                Some(name) => drop(fields.insert(name, value)),
                None => {
                    known = false;
                    marks = marks.union(value.all_marks());
                }
            }
        }
        let object = Value::Object(fields.into());
        if known {
            return Ok(object.marked(marks));
        }
        Ok(Value::unknown().marked(marks.union(object.all_marks())))
    }

    /// A value as the key of an object; `None` while it is unknown.
    fn key(&self, value: &Value, extent: Extent) -> Result<Option<Arc<str>>, Fault> {
        match Type::String.convert(value.reveal()) {
            Ok(Value::String(text)) => Ok(Some(text)),
            Ok(Value::Unknown(_)) => Ok(None),
            _ => Err(self.fault(extent, "Invalid key", "The key of an object must be text.")),
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
            "try" => return self.try_call(call, extent),
            "can" => return self.can(call, extent),
            _ => {}
        }
        let library = &self.scope.facts().library;
        let function = library
            .find(&call.name)
            .ok_or_else(|| self.unknown_function(call, extent))?;
        let Some(arguments) = self.arguments(call)? else {
            return Ok(Value::unknown());
        };
        let size = |value: &Value| value.extent().parts;
        self.spend(
            bounds::TURN + arguments.iter().map(size).sum::<usize>(),
            extent,
        )?;
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

    /// The arguments of a call; `None` where it is not known yet how many there are.
    fn arguments(&mut self, call: &Call) -> Result<Option<Vec<Value>>, Fault> {
        let Some((last, first)) = call.arguments.split_last().filter(|_| call.expand_last) else {
            let all = call.arguments.iter().map(|argument| self.value(argument));
            return all.collect::<Result<_, _>>().map(Some);
        };
        let Some(spread) = self.spread(last)? else {
            return Ok(None);
        };
        let mut arguments = Vec::with_capacity(first.len() + spread.len());
        for argument in first {
            arguments.push(self.value(argument)?);
        }
        arguments.extend(spread);
        Ok(Some(arguments))
    }

    /// What `list...` stands for; `None` while the list is unknown.
    fn spread(&mut self, list: &Expression) -> Result<Option<Vec<Value>>, Fault> {
        let value = self.value(list)?;
        match value.items() {
            Some(items) => {
                let item = |item: &Value| item.clone().marked(value.marks());
                Ok(Some(items.iter().map(item).collect()))
            }
            None if value.is_unknown() && !is_scalar(&Type::of(&value)) => Ok(None),
            None => {
                let detail = "Only a list can be spread with three dots.";
                Err(self.fault(list.extent, "Invalid argument", detail))
            }
        }
    }

    /// Whether an expression can be evaluated. What is unknown may still fail once it is known.
    fn can(&mut self, call: &Call, extent: Extent) -> Result<Value, Fault> {
        let wrong = |evaluation: &Self| {
            let detail = "can takes one expression.";
            evaluation.fault(extent, "Error in function call", detail)
        };
        let [argument] = call.arguments.as_slice() else {
            return Err(wrong(self));
        };
        let tried = if call.expand_last {
            match self.spread(argument)?.as_deref() {
                Some([value]) => Ok(value.clone()),
                Some(_) => return Err(wrong(self)),
                None => Ok(Value::unknown()),
            }
        } else {
            self.quietly(argument)
        };
        Ok(match tried {
            Ok(value) if !value.is_wholly_known() => {
                Value::unknown_of(Unknown::from(Type::Bool).not_null())
            }
            tried => tried.is_ok().into(),
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
        let (mut tried, mut spread) = (&call.arguments[..], Vec::new());
        if let Some((list, first)) = call.arguments.split_last().filter(|_| call.expand_last) {
            let Some(values) = self.spread(list)? else {
                return Ok(Value::unknown());
            };
            (tried, spread) = (first, values);
        }
        let mut last = None;
        let open = |value: Value| match value.is_wholly_known() {
            true => value,
            false => Value::unknown().marked(value.all_marks()),
        };
        for argument in tried {
            match self.quietly(argument) {
                Ok(value) => return Ok(open(value)),
                Err(fault) => last = Some(fault),
            }
        }
        if let Some(value) = spread.into_iter().next() {
            return Ok(open(value));
        }
        Err(last.unwrap_or_else(|| {
            self.fault(
                extent,
                "Error in function call",
                "try needs at least one argument.",
            )
        }))
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

/// A reason that quotes a long text is cut.
fn clipped(mut detail: String) -> String {
    const LONGEST: usize = 2000;
    if detail.len() > LONGEST {
        let end = (0..=LONGEST)
            .rev()
            .find(|end| detail.is_char_boundary(*end));
        detail.truncate(end.unwrap_or(0));
        detail.push('…');
    }
    detail
}

const fn is_scalar(ty: &Type) -> bool {
    matches!(ty, Type::Bool | Type::Number | Type::String)
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
