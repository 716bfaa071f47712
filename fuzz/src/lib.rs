//! What is done with every input. An input is refused with diagnostics or taken; whatever else
//! happens (a panic, a stack that overflows, more time or memory than allowed) is a finding.

mod machine;

use std::collections::BTreeMap;
use std::sync::Arc;

use isobar::eval::{Ambient, Facts, Scope, evaluate as value_of};
use isobar::format::format as laid_out;
use isobar::language::{self, Config, Sources};
use isobar::plan::{self, Names};
use isobar::providers::{self, Surroundings};
use isobar::registry::Registry;
use isobar::render::{self, Style};
use isobar::state;
use isobar_sdk::{Diagnostics, Value};

/// Where a line of an input begins another file: `#: modules/a/main.hcl`.
const FILE: &str = "#: ";

/// An input as the files of a folder.
fn folder(text: &str) -> Sources {
    let mut sources = Sources::default();
    let mut name = "main.hcl";
    let mut start = 0;
    let mut position = 0;
    for line in text.split_inclusive('\n') {
        if let Some(next) = line.strip_prefix(FILE) {
            sources.insert(name, &text[start..position]);
            name = next.trim();
            start = position + line.len();
        }
        position += line.len();
    }
    sources.insert(name, &text[start..]);
    sources
}

/// Writes diagnostics in all forms.
fn tell(diagnostics: &Diagnostics, sources: &Sources) {
    for diagnostic in diagnostics.iter() {
        for span in diagnostic.subject.iter().chain(&diagnostic.context) {
            assert!(span.start <= span.end, "{span:?}");
        }
        let _ = render::diagnostic::human(diagnostic, sources, &Style::plain(80));
    }
    let _ = render::diagnostic::validate_json(diagnostics, sources);
}

fn registry() -> Registry {
    providers::registry(&Surroundings {
        executable: "isobar".into(),
        data: "/nowhere/.isobar".into(),
        base: "/nowhere".into(),
        stores: BTreeMap::new(),
    })
}

fn facts(registry: &Registry) -> Facts {
    Facts {
        folder: ".".to_owned(),
        workspace: "default".to_owned(),
        machine: machine::machine(),
        library: registry.functions(),
        planned: Some(jiff::Timestamp::UNIX_EPOCH),
        ..Facts::default()
    }
}

/// The loader: files to a configuration.
pub fn load(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let sources = folder(text);
    let (_, diagnostics) = language::load(&sources);
    tell(&diagnostics, &sources);
    let _ = language::is_incomplete(text);
}

/// The evaluator: an expression in the scope of a small configuration.
pub fn evaluate(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let mut sources = Sources::default();
    sources.insert("main.hcl", SCOPE);
    let (config, _) = language::load(&sources);
    let file = sources.insert("<console>", text);
    let _ = language::is_incomplete(text);
    let located = match language::parse_expression(&file, text) {
        Ok(located) => located,
        Err(fault) => return tell(&Diagnostics::from(*fault), &sources),
    };
    let missing = Names::missing(&config, &located);
    if missing.has_errors() {
        return tell(&missing, &sources);
    }
    match value_of(&located, &scope(&config), &Ambient::None) {
        Ok(value) => drop(render::console(&value)),
        Err(fault) => tell(&Diagnostics::from(*fault), &sources),
    }
}

/// The names that expressions can use.
const SCOPE: &str = r#"
locals {
  text   = "one two"
  number = 42
  list   = ["a", "b", "c"]
  map    = { a = 1, b = 2 }
  object = { name = "x", tags = ["t"], nested = { deep = true } }
  none   = null
}
variable "unknown" {}
variable "unknown_list" { type = list(string) }
variable "secret" { sensitive = true }
"#;

fn scope(config: &Config) -> Scope<'_> {
    let variables: [(&str, Value); 3] = [
        ("unknown", Value::unknown()),
        ("unknown_list", Value::unknown()),
        ("secret", Value::from("hidden").sensitive()),
    ];
    let variables: BTreeMap<Arc<str>, Value> = variables
        .into_iter()
        .map(|(name, value)| (name.into(), value))
        .collect();
    let mut scope = Scope::new(config, facts(&registry()).acting(), variables);
    for name in config.locals.keys() {
        let _ = scope.define_local(name);
    }
    scope
}

/// Everything that `isobar validate` does with the files of a folder.
pub fn validate(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let sources = folder(text);
    let (config, mut diagnostics) = language::load(&sources);
    let registry = registry();
    diagnostics.extend(plan::validate(&config, &registry, &facts(&registry)));
    tell(&diagnostics, &sources);
}

/// The readers of what Isobar itself has written: states, plans, journals. What is read can be
/// written, and reads the same again.
pub fn documents(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Ok(read) = state::from_json(text) {
        let again = state::from_json(&state::to_json(&read));
        assert_eq!(again.as_ref(), Ok(&read));
    }
    if let Ok(read) = plan::from_json(text) {
        let written = plan::to_json(&read);
        let again = plan::from_json(&written).map(|plan| plan::to_json(&plan));
        assert_eq!(again.as_ref(), Ok(&written));
    }
    let _ = state::recovered(text.to_owned(), None, "lineage", 1);
}

/// The layout: what is laid out is left as it is by another call, and means the same.
pub fn format(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let name = Arc::from("main.hcl");
    let Ok(once) = laid_out(&name, text) else {
        return;
    };
    let twice = laid_out(&name, &once);
    assert_eq!(twice.as_ref(), Ok(&once), "not stable: {text:?}");
    let meant = meaning(text);
    // `1 . 0` becomes `1.0`, as with Terraform: an access to a number, which never has a value.
    if !meant.contains("(Expression { kind: Literal(") {
        assert_eq!(meaning(&once), meant, "{text:?} became {once:?}");
    }
}

/// What a text says, without where it says it.
fn meaning(text: &str) -> String {
    let (mut body, _) = language::parse_file(&"main.hcl".into(), text);
    // Types of variables may be written in an old way, which the layout brings up to date.
    for block in body
        .blocks
        .iter_mut()
        .filter(|block| &*block.kind == "variable")
    {
        block
            .body
            .attributes
            .retain(|attribute| &*attribute.name != "type");
    }
    let mut said = String::new();
    for (index, part) in format!("{body:?}").split("start: ").enumerate() {
        // `start: 12, end: 15`: both numbers go.
        let numbers = |c: char| c.is_ascii_digit();
        let rest = part
            .trim_start_matches(numbers)
            .trim_start_matches(", end: ");
        said.push_str(if index == 0 {
            part
        } else {
            rest.trim_start_matches(numbers)
        });
    }
    said
}
