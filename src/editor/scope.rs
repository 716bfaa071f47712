//! What can be named in an expression, step by step: `var`, `var.x`, `zone.west.region`.

use std::collections::BTreeMap;
use std::sync::Arc;

use isobar_sdk::Type;
use isobar_sdk::function::Signature;
use isobar_sdk::schema::{Body, Presence};

use super::cursor::Opened;
use super::folder::Folder;
use super::grammar;
use crate::eval::functions;
use crate::language::noun::NOUNS;
use crate::language::{Config, Declaration};

/// Something that can be named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) sort: Sort,
    /// Its type or signature.
    pub(super) detail: String,
    pub(super) doc: String,
}

/// What kind of thing it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    /// Where references begin, as `var`.
    Root,
    Variable,
    Block,
    Attribute,
    Function,
    Word,
}

/// Where an expression stands.
pub(super) struct Place<'a> {
    pub(super) blocks: &'a [Opened],
    pub(super) attribute: Option<&'a str>,
}

fn member(name: &str, sort: Sort, detail: impl Into<String>, doc: impl Into<String>) -> Member {
    Member {
        name: name.to_owned(),
        sort,
        detail: detail.into(),
        doc: doc.into(),
    }
}

/// What can follow `path` at a place; what can begin an expression, where it is empty.
pub(super) fn members(folder: &Folder, place: &Place<'_>, path: &[String]) -> Vec<Member> {
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    let kinds: Vec<&str> = place.blocks.iter().map(|block| &*block.kind).collect();
    match (place.attribute, kinds.as_slice(), path.as_slice()) {
        (Some("provider"), [_], path) => providers(folder, path),
        (Some("type"), ["variable"], []) => types(),
        (Some("ignore_changes"), [_, "lifecycle"], path) => {
            let mut body = itself(folder, place);
            body.attributes.retain(|_, a| a.is_configurable());
            let all = member("all", Sort::Word, "", "No change counts.");
            let all = path.is_empty().then_some(all);
            of_body(&body, path).into_iter().chain(all).collect()
        }
        (_, [_, ..], ["self", path @ ..]) => of_body(&itself(folder, place), path),
        (_, _, []) => beginnings(folder),
        (_, _, path) => behind(folder, path),
    }
}

/// What the declaration has that a place is in.
fn itself(folder: &Folder, place: &Place<'_>) -> Body {
    let declaration = place.blocks.first();
    let body = declaration.and_then(|block| grammar::own(folder, block));
    body.unwrap_or_default()
}

fn providers(folder: &Folder, path: &[&str]) -> Vec<Member> {
    match path {
        [] => folder
            .registry
            .names()
            .map(|name| member(name, Sort::Word, "provider", ""))
            .collect(),
        [name] => {
            let blocks = folder.config.providers.keys();
            let aliases = blocks.filter(|key| *key.name == **name);
            aliases
                .filter_map(|key| key.alias.as_deref())
                .map(|alias| member(alias, Sort::Word, format!("provider {name}"), ""))
                .collect()
        }
        _ => Vec::new(),
    }
}

fn types() -> Vec<Member> {
    [
        ("any", "Any type at all."),
        ("string", "Text."),
        ("number", "A number."),
        ("bool", "`true` or `false`."),
        ("list", "`list(T)`: elements of one type, in order."),
        ("set", "`set(T)`: elements of one type, each once."),
        ("map", "`map(T)`: elements of one type by name."),
        ("tuple", "`tuple([T, …])`: elements each of its own type."),
        (
            "object",
            "`object({ name = T, … })`: attributes each of its own type.",
        ),
        (
            "optional",
            "`optional(T, default)`: an attribute of an object that may be missing.",
        ),
    ]
    .map(|(name, doc)| member(name, Sort::Word, "type", doc))
    .into()
}

/// Names with what they are.
type Steps = &'static [(&'static str, &'static str)];

/// The roots that stand for themselves, with what is behind them.
const AMBIENT: [(&str, &str, Steps); 5] = [
    (
        "each",
        "The element of `for_each` that this block is made for.",
        &[("key", "Its key."), ("value", "Its value.")],
    ),
    (
        "count",
        "Which of `count` this block is.",
        &[("index", "Its number, counted from zero.")],
    ),
    (
        "path",
        "Folders.",
        &[
            ("module", "The folder of this module."),
            ("root", "The folder of the configuration."),
            ("cwd", "The folder that the program works in."),
        ],
    ),
    (
        "isobar",
        "The program itself.",
        &[("workspace", "The workspace that is selected.")],
    ),
    ("self", "The resource that a condition stands in.", &[]),
];

fn beginnings(folder: &Folder) -> Vec<Member> {
    let mut found = roots(folder);
    let ours = functions::all().map(|found| function(found.signature.name, &found.signature));
    let offered = folder.facts.library.offered();
    found.extend(ours.chain(offered.map(|(name, signature)| function(&name, &signature))));
    for word in ["true", "false", "null"] {
        found.push(member(word, Sort::Word, "", ""));
    }
    found
}

/// What a reference can begin with.
fn roots(folder: &Folder) -> Vec<Member> {
    let config = &folder.config;
    let of_modules = [
        (
            "var",
            config.variables.is_empty(),
            "The variables of this module.",
        ),
        (
            "local",
            config.locals.is_empty(),
            "The values of its `locals` blocks.",
        ),
        (
            "module",
            config.calls.is_empty(),
            "The outputs of the modules that it calls.",
        ),
        (
            "data",
            config.data.is_empty(),
            "What its data sources told.",
        ),
    ];
    let of_modules = of_modules.into_iter().filter(|(_, is_empty, _)| !is_empty);
    let mut found: Vec<Member> = of_modules
        .map(|(name, _, doc)| member(name, Sort::Root, "", doc))
        .collect();
    found.extend(AMBIENT.map(|(name, doc, _)| member(name, Sort::Root, "", doc)));
    let kinds = kinds(&config.declarations).into_iter();
    found.extend(kinds.map(|kind| member(kind, Sort::Root, "", kind_doc(folder, kind))));
    found
}

/// The kinds of declared blocks, each once.
fn kinds(declared: &BTreeMap<(Arc<str>, Arc<str>), Declaration>) -> Vec<&str> {
    let mut kinds: Vec<&str> = declared.keys().map(|(kind, _)| &**kind).collect();
    kinds.dedup();
    kinds
}

/// What a noun or a resource type is.
fn kind_doc(folder: &Folder, kind: &str) -> String {
    let statement = grammar::STATEMENTS.iter().find(|s| s.kind == kind);
    statement.map_or_else(
        || {
            folder
                .registry
                .resource(kind)
                .map(|(_, schema)| schema.doc.clone())
                .unwrap_or_default()
        },
        |statement| statement.doc.to_owned(),
    )
}

/// A function, by the name that it is called with.
fn function(name: &str, signature: &Signature) -> Member {
    let mut parameters: Vec<String> = signature
        .parameters
        .iter()
        .map(|p| format!("{}: {}", p.name, Type::from(p.shape)))
        .collect();
    let variadic = signature.variadic.iter();
    parameters.extend(variadic.map(|p| format!("{}: {}...", p.name, Type::from(p.shape))));
    let mut doc = signature.doc.to_owned();
    for parameter in signature.parameters.iter().chain(&signature.variadic) {
        if !parameter.doc.is_empty() {
            doc.push_str(&format!("\n- `{}`: {}", parameter.name, parameter.doc));
        }
    }
    let result = Type::from(signature.result);
    let title = format!("{name}({}) {result}", parameters.join(", "));
    member(name, Sort::Function, title, doc)
}

/// What can follow something that was named.
fn behind(folder: &Folder, path: &[&str]) -> Vec<Member> {
    let config = &folder.config;
    match path {
        ["var"] => variables(config),
        ["var", name, rest @ ..] => config
            .variables
            .get(*name)
            .map_or_else(Vec::new, |variable| of_type(&variable.ty, rest)),
        ["local"] => locals(folder),
        ["module"] => calls(config),
        ["module", name] => outputs(folder, name),
        ["data"] => data_sources(folder),
        ["data", kind] => names(&config.data, kind),
        ["data", kind, _, rest @ ..] => folder
            .registry
            .data_source(kind)
            .map_or_else(Vec::new, |(_, schema)| of_body(&schema.body, rest)),
        [root, rest @ ..] => match AMBIENT.iter().find(|(name, ..)| name == root) {
            Some((_, _, steps)) if rest.is_empty() => steps
                .iter()
                .map(|(name, doc)| member(name, Sort::Attribute, "", *doc))
                .collect(),
            Some(_) => Vec::new(),
            None => declared(folder, root, rest),
        },
        [] => Vec::new(),
    }
}

fn data_sources(folder: &Folder) -> Vec<Member> {
    let one = |kind: &str| {
        let schema = folder.registry.data_source(kind);
        let doc = schema.map_or("", |(_, schema)| &*schema.doc);
        member(kind, Sort::Root, "data", doc)
    };
    kinds(&folder.config.data).into_iter().map(one).collect()
}

/// The declared blocks of a kind.
fn names(declared: &BTreeMap<(Arc<str>, Arc<str>), Declaration>, kind: &str) -> Vec<Member> {
    let names = declared.keys().filter(|(found, _)| **found == *kind);
    names
        .map(|(_, name)| member(name, Sort::Block, kind, ""))
        .collect()
}

fn variables(config: &Config) -> Vec<Member> {
    let variables = config.variables.iter();
    variables
        .map(|(name, variable)| {
            let doc = variable.description.clone().unwrap_or_default();
            let secret = if variable.sensitive {
                ", sensitive"
            } else {
                ""
            };
            let detail = format!("{}{secret}", variable.ty);
            member(name, Sort::Variable, detail, doc)
        })
        .collect()
}

/// Local values, with what they are as it is written.
fn locals(folder: &Folder) -> Vec<Member> {
    let locals = folder.config.locals.iter();
    locals
        .map(|(name, attribute)| {
            let written = folder.first_line(&attribute.value);
            member(name, Sort::Variable, written, "")
        })
        .collect()
}

fn calls(config: &Config) -> Vec<Member> {
    let calls = config.calls.iter();
    calls
        .map(|(name, call)| member(name, Sort::Block, format!("module {:?}", call.source), ""))
        .collect()
}

/// Outputs of a module, with what they are as it is written.
fn outputs(folder: &Folder, call: &str) -> Vec<Member> {
    let outputs = folder
        .config
        .calls
        .get(call)
        .map(|call| &call.config.outputs);
    let outputs = outputs.into_iter().flatten();
    outputs
        .map(|(name, output)| {
            let secret = if output.sensitive { ", sensitive" } else { "" };
            let detail = format!("{}{secret}", folder.first_line(&output.value.value));
            member(name, Sort::Attribute, detail, "")
        })
        .collect()
}

/// The blocks of a kind, or what one of them has.
fn declared(folder: &Folder, kind: &str, rest: &[&str]) -> Vec<Member> {
    let [name, inside @ ..] = rest else {
        return names(&folder.config.declarations, kind);
    };
    let (kind, label) = match NOUNS.contains(&kind) {
        true => (kind, *name),
        false => ("resource", kind),
    };
    let block = Opened {
        kind: kind.to_owned(),
        labels: vec![label.to_owned()],
    };
    let body = grammar::own(folder, &block);
    body.map_or_else(Vec::new, |body| of_body(&body, inside))
}

fn of_body(body: &Body, path: &[&str]) -> Vec<Member> {
    let [first, rest @ ..] = path else {
        return contents(body);
    };
    if let Some(block) = body.blocks.get(*first) {
        return of_body(&block.body, rest);
    }
    let attribute = body.attributes.get(*first);
    attribute.map_or_else(Vec::new, |attribute| of_type(&attribute.ty, rest))
}

/// The attributes and blocks of a body.
pub(super) fn contents(body: &Body) -> Vec<Member> {
    let attributes = body.attributes.iter().map(|(name, attribute)| {
        let mut detail = attribute.ty.to_string();
        detail.push_str(match attribute.presence {
            Presence::Required => ", required",
            Presence::Computed => ", told by the provider",
            _ => "",
        });
        let mut doc = attribute.doc.clone();
        if let Presence::Default(default) = &attribute.presence {
            doc.push_str(&format!(" Default: `{default}`."));
        }
        member(name, Sort::Attribute, detail, doc)
    });
    let blocks = body
        .blocks
        .iter()
        .map(|(name, block)| member(name, Sort::Block, "block", block.doc.clone()));
    attributes.chain(blocks).collect()
}

fn of_type(ty: &Type, path: &[&str]) -> Vec<Member> {
    let fields = grammar::fields(ty);
    let Some((first, rest)) = path.split_first() else {
        let fields = fields.into_iter();
        return fields
            .map(|(name, field)| member(name, Sort::Attribute, field.ty.to_string(), ""))
            .collect();
    };
    let found = fields.into_iter().find(|(name, _)| name == first);
    found.map_or_else(Vec::new, |(_, field)| of_type(&field.ty, rest))
}
