//! What can stand where in a file: the blocks of the language and what they hold.

use isobar_sdk::Type;
use isobar_sdk::schema::{Attribute, Body};
use isobar_sdk::types::Field;

use super::clause;
use super::cursor::Opened;
use super::folder::Folder;
use crate::language::noun;

/// A kind of block at the top level.
pub(super) struct Statement {
    /// The word it begins with.
    pub(super) kind: &'static str,
    /// What its labels are.
    pub(super) labels: &'static [&'static str],
    /// What it is for.
    pub(super) doc: &'static str,
}

const fn statement(
    kind: &'static str,
    labels: &'static [&'static str],
    doc: &'static str,
) -> Statement {
    Statement { kind, labels, doc }
}

/// All of them.
pub(super) static STATEMENTS: [Statement; 17] = [
    statement(
        "zone",
        &["name"],
        "A place where replicas can run: a region of a cloud, or this machine.",
    ),
    statement(
        "model",
        &["name"],
        "A model: its version, how it is served, and what one replica needs and does.",
    ),
    statement(
        "forecast",
        &["name"],
        "Demand that is forecast from telemetry.",
    ),
    statement(
        "capacity",
        &["name"],
        "How much capacity a demand gets: the objective, and what may fail.",
    ),
    statement(
        "deployment",
        &["name"],
        "A model in zones, with the replicas that its demand needs.",
    ),
    statement(
        "resource",
        &["type", "name"],
        "Something that a provider makes, changes and destroys.",
    ),
    statement(
        "data",
        &["type", "name"],
        "Something that a provider looks up and does not change.",
    ),
    statement("variable", &["name"], "A value that is given from outside."),
    statement("locals", &[], "Values of your own, by name."),
    statement(
        "output",
        &["name"],
        "A value that is shown, and that callers of a module get.",
    ),
    statement(
        "module",
        &["name"],
        "The configuration of another folder, as a part of this one.",
    ),
    statement(
        "check",
        &["name"],
        "What should hold; a plan and an apply warn where it does not.",
    ),
    statement("provider", &["name"], "The settings of a provider."),
    statement(
        "moved",
        &[],
        "Says what a resource or module is called now.",
    ),
    statement(
        "removed",
        &[],
        "Says what is no longer in the configuration.",
    ),
    statement(
        "import",
        &[],
        "Takes something that is there already into the state.",
    ),
    statement("isobar", &[], "Settings of the configuration as a whole."),
];

/// What can stand in the innermost of these blocks; `None` where that is not known.
pub(super) fn body(folder: &Folder, blocks: &[Opened]) -> Option<Body> {
    let (outermost, inner) = blocks.split_first()?;
    let whole = whole(folder, outermost)?;
    inner.iter().try_fold(whole, |body, block| {
        let label = block.labels.first().map(String::as_str);
        let found = body.blocks.get(&block.kind);
        found.map(|found| found.body_of(label).clone())
    })
}

fn whole(folder: &Folder, block: &Opened) -> Option<Body> {
    let label = block.labels.first().map_or("", String::as_str);
    Some(match &*block.kind {
        "resource" => clause::resource(own(folder, block)?),
        "data" => clause::data(own(folder, block)?),
        "zone" => clause::zone(own(folder, block)?),
        "deployment" => clause::deployment(own(folder, block)?),
        "provider" => {
            let schema = folder.registry.provider_schema(label)?;
            clause::provider(schema.configuration.clone())
        }
        "module" => module(folder, label),
        "variable" => clause::variable(),
        "output" => clause::output(),
        "check" => clause::check(),
        "moved" => clause::moved(),
        "removed" => clause::removed(),
        "import" => clause::import(),
        "isobar" => clause::isobar(),
        _ => clause::noun(own(folder, block)?),
    })
}

/// What a declaration has of its own, without what the language adds: what references to it find.
pub(super) fn own(folder: &Folder, block: &Opened) -> Option<Body> {
    let label = |place: usize| block.labels.get(place).map_or("", String::as_str);
    let registry = &folder.registry;
    match &*block.kind {
        "resource" => Some(registry.resource(label(0))?.1.body.clone()),
        "data" => Some(registry.data_source(label(0))?.1.body.clone()),
        "zone" => zone(folder, label(0)),
        kind => noun::schema(kind),
    }
}

/// A zone has what its provider adds.
fn zone(folder: &Folder, name: &str) -> Option<Body> {
    let mut body = noun::schema("zone")?;
    let declared = folder
        .config
        .declarations
        .get(&("zone".into(), name.into()));
    let provider = declared.and_then(|declared| declared.provider.as_ref());
    let provider = provider.map_or("local", |provider| &provider.name.name);
    if let Some(schema) = folder.registry.provider_schema(provider) {
        body.attributes.extend(schema.zone.attributes.clone());
        body.blocks.extend(schema.zone.blocks.clone());
    }
    Some(body)
}

/// A call takes the variables of its module.
fn module(folder: &Folder, name: &str) -> Body {
    let mut body = clause::module();
    let called = folder.config.calls.get(name).map(|call| &call.config);
    for (name, variable) in called.into_iter().flat_map(|called| &called.variables) {
        let doc = variable.description.clone().unwrap_or_default();
        let attribute = match variable.default {
            Some(_) => Attribute::optional(variable.ty.clone(), &doc),
            None => Attribute::required(variable.ty.clone(), &doc),
        };
        body = body.attribute(name, attribute);
    }
    body
}

/// The fields of an object type, elements of collections standing for all of them.
pub(super) fn fields(ty: &Type) -> Vec<(&str, &Field)> {
    match ty {
        Type::Object(fields) => fields
            .iter()
            .map(|(name, field)| (&**name, field))
            .collect(),
        Type::List(element) | Type::Set(element) | Type::Map(element) => fields(element),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use isobar_sdk::Diagnostics;
    use isobar_sdk::schema::Body;

    use super::{STATEMENTS, Statement, body};
    use crate::editor::cursor::Opened;
    use crate::editor::folder::tests::folder;
    use crate::language::{Sources, load};

    fn found(text: &str) -> Diagnostics {
        let mut sources = Sources::default();
        sources.insert("main.hcl", text);
        load(&sources).1
    }

    #[test]
    fn the_statements_are_those_that_are_read() {
        let found = found("xxxxxxxxxxxxxxxx {}\n");
        let help = found.iter().next().unwrap().help.clone().unwrap();
        let listed = help.trim_end_matches('.').rsplit_once(" are ").unwrap().1;
        let mut listed: Vec<&str> = listed.split(", ").collect();
        let mut ours: Vec<&str> = STATEMENTS.iter().map(|s| s.kind).collect();
        listed.sort_unstable();
        ours.sort_unstable();
        assert_eq!(ours, listed);
        assert!(STATEMENTS.iter().all(|s| s.doc.ends_with('.')));
    }

    /// A block of this kind with labels that stand for something, and what is offered in it.
    fn offered(statement: &Statement) -> (String, Option<Body>) {
        let folder = folder(&[("main.hcl", "")]);
        let labels: Vec<&str> = match statement.kind {
            "resource" => vec!["isobar_data", "x"],
            "data" => vec![folder.registry.data_sources().next().unwrap(), "x"],
            "provider" => vec!["sim"],
            _ => statement.labels.iter().map(|_| "x").collect(),
        };
        let opened = Opened {
            kind: statement.kind.to_owned(),
            labels: labels.iter().map(|&label| label.to_owned()).collect(),
        };
        let quoted: String = labels.iter().map(|label| format!(" {label:?}")).collect();
        let header = format!("{}{quoted}", statement.kind);
        (header, body(&folder, &[opened]))
    }

    /// Every setting of a body, with the blocks around it.
    fn settings(header: &str, body: &Body) -> Vec<String> {
        let attributes = body.attributes.keys();
        let mut all: Vec<String> = attributes
            .map(|name| format!("{header} {{\n{name} = 1\n}}\n"))
            .collect();
        for (name, block) in &body.blocks {
            let mut bodies = vec![(name.clone(), &block.body)];
            bodies.extend(
                block
                    .kinds
                    .iter()
                    .map(|(kind, (body, _))| (format!("{name} {kind:?}"), body)),
            );
            for (name, body) in bodies {
                let inner = settings(&name, body);
                all.extend(
                    inner
                        .iter()
                        .map(|inner| format!("{header} {{\n{inner}}}\n")),
                );
            }
        }
        all
    }

    #[test]
    fn what_is_offered_is_read() {
        for statement in &STATEMENTS {
            let (header, Some(body)) = offered(statement) else {
                assert_eq!(statement.kind, "locals");
                continue;
            };
            for text in settings(&header, &body) {
                let found = found(&text);
                let refused = found.iter().find(|d| d.summary.starts_with("Unsupported"));
                assert_eq!(refused, None, "{text}");
            }
        }
    }

    #[test]
    fn what_is_read_is_offered() {
        for statement in &STATEMENTS {
            let (header, Some(body)) = offered(statement) else {
                continue;
            };
            let found = found(&format!("{header} {{\nxxxxxxxxxxxxxxxxxxxx = 1\n}}\n"));
            let help = found.iter().filter_map(|found| found.help.as_deref());
            let listed = help.filter_map(|help| help.strip_prefix("Attributes here are "));
            for name in listed.flat_map(|names| names.trim_end_matches('.').split(", ")) {
                assert!(
                    body.attributes.contains_key(name),
                    "{header}: {name} is missing in clause.rs"
                );
            }
        }
    }
}
