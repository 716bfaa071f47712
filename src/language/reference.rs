//! What an expression refers to: the edges of the graph.

use std::sync::Arc;

use isobar_sdk::Span;

use super::body::Body;
use super::expression::{Access, Expression, Kind, Located, Part};

/// A reference to something with a name.
#[derive(Debug, Clone, PartialEq)]
pub struct Reference {
    /// What it refers to.
    pub target: Target,
    /// Where it stands.
    pub span: Span,
}

/// What can be referred to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// `var.name`
    Variable(Arc<str>),
    /// `local.name`
    Local(Arc<str>),
    /// `zone.name`, `isobar_data.name`: a block by kind and name.
    Block(Arc<str>, Arc<str>),
    /// `data.kind.name`
    Data(Arc<str>, Arc<str>),
    /// `module.name.output`, or `module.name` as a whole.
    Module(Arc<str>, Option<Arc<str>>),
    /// `each.key`, `count.index`, `path.module`, `isobar.workspace`, `self`: known where it
    /// stands, without an edge.
    Ambient(Arc<str>),
    /// A name alone, which refers to nothing.
    Bare(Arc<str>),
}

/// The roots that stand for themselves.
pub const AMBIENT: [&str; 6] = ["each", "count", "path", "isobar", "terraform", "self"];

/// All references in an expression, in the order of the text.
#[must_use]
pub fn references(located: &Located) -> Vec<Reference> {
    let mut collector = Collector {
        file: &located.file,
        bound: Vec::new(),
        found: Vec::new(),
    };
    collector.expression(&located.root);
    collector.found
}

/// All references in a body, those of nested blocks included.
#[must_use]
pub fn references_within(body: &Body) -> Vec<Reference> {
    let mut found = Vec::new();
    collect(body, &mut Vec::new(), &mut found);
    found
}

fn collect(body: &Body, bound: &mut Vec<Arc<str>>, found: &mut Vec<Reference>) {
    let expression = |located: &Located, bound: &[Arc<str>], found: &mut Vec<Reference>| {
        let mut collector = Collector {
            file: &located.file,
            bound: bound.to_vec(),
            found: Vec::new(),
        };
        collector.expression(&located.root);
        found.append(&mut collector.found);
    };
    for attribute in &body.attributes {
        expression(&attribute.value, bound, found);
    }
    for block in &body.blocks {
        // One that is wrong is reported when it is decoded.
        match block.dynamic() {
            Some(Err(_)) => {}
            Some(Ok(dynamic)) => {
                expression(dynamic.for_each, bound, found);
                bound.push(Arc::clone(&dynamic.iterator));
                if let Some(labels) = dynamic.labels {
                    expression(&labels.value, bound, found);
                }
                collect(&dynamic.content.body, bound, found);
                bound.pop();
            }
            None => collect(&block.body, bound, found),
        }
    }
}

/// The longest accesses in an expression that begin with a name, such as `local.a["k"].b`, outside of
/// `for`, whose names mean something there only.
#[must_use]
pub fn chains(located: &Located) -> Vec<Located> {
    let mut found = Vec::new();
    let mut open = vec![&located.root];
    while let Some(expression) = open.pop() {
        if is_chain(expression) {
            found.push(Located {
                file: Arc::clone(&located.file),
                root: expression.clone(),
            });
        } else {
            open.extend(parts(expression));
        }
    }
    found.sort_by_key(|found| found.root.extent.start);
    found
}

fn is_chain(expression: &Expression) -> bool {
    match &expression.kind {
        Kind::Variable(_) => true,
        Kind::Attribute(inner, _) | Kind::Index(inner, _) | Kind::Splat(inner, _) => {
            is_chain(inner)
        }
        _ => false,
    }
}

/// The expressions directly in an expression, outside of what `for` binds names for.
#[must_use]
pub fn parts(expression: &Expression) -> Vec<&Expression> {
    match &expression.kind {
        Kind::Literal(_) | Kind::Variable(_) => Vec::new(),
        Kind::Template(parts) => parts
            .iter()
            .filter_map(|part| match part {
                Part::Interpolation(inner) => Some(inner),
                _ => None,
            })
            .collect(),
        Kind::Tuple(items) => items.iter().collect(),
        Kind::Object(items) => items.iter().flat_map(|(k, v)| [k, v]).collect(),
        Kind::Attribute(inner, _) | Kind::Splat(inner, _) | Kind::Unary(_, inner) => vec![inner],
        Kind::Index(inner, index) => vec![inner, index],
        Kind::Binary(_, operands) => vec![&operands.0, &operands.1],
        Kind::Conditional(parts) => vec![&parts.0, &parts.1, &parts.2],
        Kind::Call(call) => call.arguments.iter().collect(),
        Kind::For(each) => vec![&each.collection],
    }
}

struct Collector<'a> {
    file: &'a Arc<str>,
    /// Names bound by `for` around the current place.
    bound: Vec<Arc<str>>,
    found: Vec<Reference>,
}

impl Collector<'_> {
    fn expression(&mut self, expression: &Expression) {
        match &expression.kind {
            Kind::Literal(_) => {}
            Kind::Variable(root) => self.reference(expression, root, None),
            Kind::Attribute(inner, name) => match &inner.kind {
                Kind::Variable(root) => self.reference(expression, root, Some(name)),
                _ => self.step(expression, inner, Some(name)),
            },
            Kind::Template(parts) => self.parts(parts),
            Kind::Tuple(items) => items.iter().for_each(|item| self.expression(item)),
            Kind::Object(items) => {
                for (key, value) in items {
                    self.expression(key);
                    self.expression(value);
                }
            }
            Kind::Unary(_, inner) => self.expression(inner),
            Kind::Index(inner, index) => {
                self.expression(inner);
                self.expression(index);
            }
            Kind::Splat(inner, accesses) => {
                let first = accesses.first().and_then(|access| match access {
                    Access::Attribute(name) => Some(name),
                    Access::Index(_) | Access::Splat => None,
                });
                self.step(expression, inner, first);
                for access in accesses {
                    if let Access::Index(index) = access {
                        self.expression(index);
                    }
                }
            }
            Kind::Binary(_, operands) => {
                self.expression(&operands.0);
                self.expression(&operands.1);
            }
            Kind::Conditional(parts) => {
                self.expression(&parts.0);
                self.expression(&parts.1);
                self.expression(&parts.2);
            }
            Kind::Call(call) => call.arguments.iter().for_each(|a| self.expression(a)),
            Kind::For(each) => {
                self.expression(&each.collection);
                self.binding(each.key_name.as_ref(), &each.value_name, |inner| {
                    each.key.iter().for_each(|key| inner.expression(key));
                    inner.expression(&each.value);
                    each.condition
                        .iter()
                        .for_each(|condition| inner.expression(condition));
                });
            }
        }
    }

    fn parts(&mut self, parts: &[Part]) {
        for part in parts {
            match part {
                Part::Text(_) => {}
                Part::Interpolation(expression) => self.expression(expression),
                Part::If(condition, then, otherwise) => {
                    self.expression(condition);
                    self.parts(then);
                    self.parts(otherwise);
                }
                Part::For(each) => {
                    self.expression(&each.collection);
                    self.binding(each.key_name.as_ref(), &each.value_name, |inner| {
                        inner.parts(&each.body);
                    });
                }
            }
        }
    }

    fn binding(
        &mut self,
        key: Option<&Arc<str>>,
        value: &Arc<str>,
        inside: impl FnOnce(&mut Self),
    ) {
        let outside = self.bound.len();
        self.bound.extend(key.cloned());
        self.bound.push(Arc::clone(value));
        inside(self);
        self.bound.truncate(outside);
    }

    /// An access `.name` to `inner`, which may be a module or one instance of it, or the data
    /// sources of a type.
    fn step(&mut self, whole: &Expression, inner: &Expression, name: Option<&Arc<str>>) {
        if let (Some(kind), Some(name)) = (rooted("data", inner), name)
            && !self.bound.iter().any(|bound| &**bound == "data")
        {
            self.found.push(Reference {
                target: Target::Data(Arc::clone(kind), Arc::clone(name)),
                span: whole.extent.in_file(self.file),
            });
            return;
        }
        let (module, index) = match &inner.kind {
            Kind::Index(module, index) => (&**module, Some(&**index)),
            _ => (inner, None),
        };
        let Some(call) =
            rooted("module", module).filter(|_| !self.bound.iter().any(|b| &**b == "module"))
        else {
            return self.expression(inner);
        };
        index.into_iter().for_each(|index| self.expression(index));
        self.found.push(Reference {
            target: Target::Module(Arc::clone(call), name.cloned()),
            span: whole.extent.in_file(self.file),
        });
    }

    fn reference(&mut self, expression: &Expression, root: &Arc<str>, name: Option<&Arc<str>>) {
        if self.bound.contains(root) {
            return;
        }
        let target = match (&**root, name) {
            ("var", Some(name)) => Target::Variable(Arc::clone(name)),
            ("local", Some(name)) => Target::Local(Arc::clone(name)),
            ("module", Some(name)) => Target::Module(Arc::clone(name), None),
            (ambient, _) if AMBIENT.contains(&ambient) => Target::Ambient(Arc::clone(root)),
            (_, Some(name)) => Target::Block(Arc::clone(root), Arc::clone(name)),
            (_, None) => Target::Bare(Arc::clone(root)),
        };
        self.found.push(Reference {
            target,
            span: expression.extent.in_file(self.file),
        });
    }
}

/// The name in an expression `root.name`.
fn rooted<'a>(root: &str, expression: &'a Expression) -> Option<&'a Arc<str>> {
    match &expression.kind {
        Kind::Attribute(inner, name) => match &inner.kind {
            Kind::Variable(found) if **found == *root => Some(name),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Target, references};
    use crate::language::parse_expression;

    fn targets(text: &str) -> Vec<String> {
        let located = parse_expression(&"x".into(), text).unwrap();
        references(&located)
            .into_iter()
            .map(|reference| match reference.target {
                Target::Variable(name) => format!("var.{name}"),
                Target::Local(name) => format!("local.{name}"),
                Target::Block(kind, name) => format!("{kind}.{name}"),
                Target::Data(kind, name) => format!("data.{kind}.{name}"),
                Target::Module(call, None) => format!("module.{call}"),
                Target::Module(call, Some(output)) => format!("module.{call}.{output}"),
                Target::Ambient(name) | Target::Bare(name) => name.to_string(),
            })
            .collect()
    }

    #[test]
    fn references_are_found_everywhere() {
        assert_eq!(
            targets(
                r#"f(var.a, zone.b["k"].c[local.i])  ? "x ${isobar_data.d[*].id} y" : each.key"#
            ),
            ["var.a", "zone.b", "local.i", "isobar_data.d", "each"]
        );
    }

    #[test]
    fn outputs_of_modules_are_told_apart() {
        assert_eq!(
            targets(r#"[data.t.n.a, data.t.m["k"].b]"#),
            ["data.t.n", "data.t.m"]
        );
        assert_eq!(
            targets(r#"[module.a.x, module.b["k"].y.z, module.c[*].w, module.d, module.e[var.i]]"#),
            [
                "module.a.x",
                "module.b.y",
                "module.c.w",
                "module.d",
                "module.e",
                "var.i"
            ]
        );
    }

    #[test]
    fn names_bound_by_for_are_no_references() {
        assert_eq!(
            targets("{ for k, z in zone.all : k => z.name if z.up != var.down }"),
            ["zone.all", "var.down"]
        );
        assert_eq!(
            targets(r#""%{ for z in var.zones }${z.name}%{ endfor }""#),
            ["var.zones"]
        );
    }
}
