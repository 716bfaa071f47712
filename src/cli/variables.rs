//! The values of variables, by Terraform's precedence: default, environment, automatic files in
//! name order, then the options in the order given. The last one wins.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use isobar_sdk::diagnostic::closest;
use isobar_sdk::{Diagnostic, Diagnostics, Span, Type, Value};

use super::args::{Assignment, Assignments};
use super::failure::Stopped;
use super::project::unreadable;
use super::session::Session;
use crate::eval::{Ambient, Facts, Scope, accept, default_of, evaluate};
use crate::language::config::Variable;
use crate::language::{Attribute, Config, Located, Sources, parse_expression, parse_file, text};
use crate::plan::Plan;

/// What is given from outside.
#[derive(Debug)]
pub(super) struct Given<'a> {
    /// By name, from the environment.
    pub(super) environment: &'a BTreeMap<String, String>,
    /// From the command line.
    pub(super) options: &'a [Choice],
}

/// An option with the file that it names read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Choice {
    /// `NAME=VALUE`
    Value(String),
    /// A file with its text.
    File(String, String),
}

/// The values, and what is to be told about them.
#[derive(Debug)]
pub(super) struct Found {
    /// Of all variables, converted to their types.
    pub(super) values: BTreeMap<Arc<str>, Value>,
    /// The ephemeral ones that were given.
    pub(super) again: BTreeSet<Arc<str>>,
    /// What is wrong.
    pub(super) diagnostics: Diagnostics,
    /// What the diagnostics point into.
    pub(super) sources: Sources,
}

/// Reads the files that options name.
pub(super) fn read(session: &Session, given: &Assignments) -> Result<Vec<Choice>, Stopped> {
    let mut options = Vec::new();
    for assignment in &given.0 {
        options.push(match assignment {
            Assignment::Value(text) => Choice::Value(text.clone()),
            Assignment::File(path) => {
                let text = text::read(&session.path(path), text::LONGEST)
                    .map_err(|error| unreadable(path, &error))?;
                Choice::File(path.display().to_string(), text)
            }
        });
    }
    Ok(options)
}

/// The values of all variables of a configuration.
pub(super) fn values(config: &Config, sources: &Sources, given: &Given<'_>) -> Found {
    let nothing = Config::default();
    let mut reader = Reader::new(config, &nothing, sources);
    reader.all(given);
    reader.finish()
}

/// The values of those variables of a configuration that are given.
pub(super) fn given(config: &Config, sources: &Sources, given: &Given<'_>) -> Found {
    let nothing = Config::default();
    let mut reader = Reader::new(config, &nothing, sources);
    reader.all(given);
    reader.found()
}

/// The values of those variables of a configuration that are given or have a default.
pub(super) fn given_or_default(config: &Config, sources: &Sources, given: &Given<'_>) -> Found {
    let nothing = Config::default();
    let mut reader = Reader::new(config, &nothing, sources);
    reader.all(given);
    for (name, variable) in &config.variables {
        if reader.misses(name, variable) {
            reader.default(name, variable);
        }
    }
    reader.found()
}

/// The values of ephemeral variables for a plan from a file: those that were given when it was
/// made must be given, and no others. The values of all other variables are in the plan.
pub(super) fn again(config: &Config, sources: &Sources, given: &Given<'_>, plan: &Plan) -> Found {
    let nothing = Config::default();
    let ephemeral = |variable: &Variable| variable.ephemeral;
    let mut options = Reader::new(config, &nothing, sources);
    options.options(given);
    let mut reader = Reader::new(config, &nothing, sources);
    reader.all(given);
    reader
        .values
        .retain(|name, _| config.variables.get(name).is_some_and(ephemeral));
    reader.compare(plan, &options.values);
    for (name, variable) in config.variables.iter().filter(|(_, v)| ephemeral(v)) {
        if variable.default.is_some() && reader.misses(name, variable) {
            reader.default(name, variable);
        }
    }
    reader.found()
}

fn other_value(name: &str) -> Diagnostic {
    let detail = format!("Variable {name:?} has another value in the plan.");
    Diagnostic::error("C0020", "Saved plan with planning options", detail)
        .help("Leave it out: the plan holds the values of all variables that are not ephemeral.")
}

/// The diagnostic for an ephemeral variable that is given now and was not, or the other way round.
fn not_as_planned(name: &str, variable: &Variable, now: bool) -> Diagnostic {
    let (detail, help) = if now {
        (
            format!("Variable {name:?} is ephemeral and was not given when the plan was made."),
            "Leave it out, or make a new plan with it.".to_owned(),
        )
    } else {
        (
            format!("Variable {name:?} is ephemeral, so the plan does not hold its value."),
            format!("Give it again, with -var {name}=VALUE, -var-file=FILE or ISOBAR_VAR_{name}."),
        )
    };
    Diagnostic::error("C0070", "Ephemeral variable not as planned", detail)
        .at(&variable.header)
        .help(help)
}

struct Reader<'a> {
    config: &'a Config,
    /// What variables may refer to.
    nothing: &'a Config,
    values: BTreeMap<Arc<str>, Value>,
    /// Variables for which something was given, be it wrong.
    tried: BTreeSet<Arc<str>>,
    diagnostics: Diagnostics,
    sources: Sources,
}

impl<'a> Reader<'a> {
    fn new(config: &'a Config, nothing: &'a Config, sources: &Sources) -> Self {
        Self {
            config,
            nothing,
            values: BTreeMap::new(),
            tried: BTreeSet::new(),
            diagnostics: Diagnostics::new(),
            sources: sources.clone(),
        }
    }

    /// All that is given, the last one winning.
    fn all(&mut self, given: &Given<'_>) {
        for (name, text) in given.environment {
            if let Some((name, variable)) = self.config.variables.get_key_value(name.as_str()) {
                self.text(name, variable, text);
            }
        }
        let files = self.sources.clone();
        for (file, text) in files.automatic_variables() {
            self.file(file, text);
        }
        self.options(given);
    }

    fn options(&mut self, given: &Given<'_>) {
        for option in given.options {
            match option {
                Choice::Value(text) => self.option(text),
                Choice::File(name, text) => {
                    let file = self.sources.insert(name, text.as_str());
                    self.file(&file, text);
                }
            }
        }
    }

    /// `NAME=VALUE`.
    fn option(&mut self, text: &str) {
        let Some((name, value)) = text.split_once('=') else {
            let detail = format!("{text:?} does not say which variable has which value.");
            self.diagnostics.push(
                Diagnostic::error("C0010", "Invalid value of -var", detail)
                    .help("Write -var NAME=VALUE."),
            );
            return;
        };
        let name = name.trim();
        match self.config.variables.get_key_value(name) {
            Some((name, variable)) => self.text(name, variable, value),
            None => {
                let detail = format!(
                    "-var gives a value to {name:?}, but the configuration has no such variable."
                );
                let diagnostic = Diagnostic::error("C0011", "Undeclared variable", detail);
                self.diagnostics.push(diagnostic.help(self.meant(name)));
            }
        }
    }

    /// A value given as text: as it is for scalars, as an expression for everything else.
    fn text(&mut self, name: &Arc<str>, variable: &Variable, text: &str) {
        self.tried.insert(Arc::clone(name));
        let label = format!("<value for var.{name}>");
        let file = self.sources.insert(&label, text);
        let scalar = [Type::Any, Type::String, Type::Number, Type::Bool];
        if scalar.contains(&variable.ty) {
            let span = Span::new(&file, 0..text.len());
            return self.set(name, variable, &Value::from(text), &span);
        }
        match parse_expression(&file, text) {
            Ok(located) => self.expression(name, variable, &located),
            Err(diagnostic) => self.diagnostics.push(diagnostic.help(format!(
                "The variable is of type {}, so its value is written as an expression, such as '[\"a\", \"b\"]'.",
                variable.ty
            ))),
        }
    }

    /// A file of `name = value`.
    fn file(&mut self, file: &Arc<str>, text: &str) {
        let (body, diagnostics) = parse_file(file, text);
        self.diagnostics.extend(diagnostics);
        for block in &body.blocks {
            let detail = format!(
                "{:?} is a block, but a file of values has none.",
                block.kind
            );
            self.diagnostics.push(
                Diagnostic::error("C0012", "Block in a file of values", detail)
                    .at(&block.header)
                    .help("Write NAME = VALUE, or move the block into a configuration file."),
            );
        }
        for attribute in &body.attributes {
            self.assignment(attribute);
        }
    }

    fn assignment(&mut self, attribute: &Attribute) {
        match self.config.variables.get_key_value(&attribute.name) {
            Some((name, variable)) => self.expression(name, variable, &attribute.value),
            None => {
                let detail = format!(
                    "The configuration has no variable {:?}, so this value is not used.",
                    attribute.name
                );
                let diagnostic = Diagnostic::warning("C0011", "Undeclared variable", detail)
                    .at(&attribute.name_span);
                let help = self.meant(&attribute.name);
                self.diagnostics.push(diagnostic.help(help));
            }
        }
    }

    fn meant(&self, name: &str) -> String {
        let names = self.config.variables.keys().map(|name| &**name);
        closest(name, names).map_or_else(
            || format!("Add variable {name:?} {{}}, or leave the value out."),
            |meant| format!("Did you mean {meant:?}?"),
        )
    }

    fn expression(&mut self, name: &Arc<str>, variable: &Variable, located: &Located) {
        self.tried.insert(Arc::clone(name));
        let scope = Scope::new(self.nothing, Facts::default(), BTreeMap::new());
        match evaluate(located, &scope, &Ambient::None) {
            Ok(value) => self.set(name, variable, &value, &located.span()),
            Err(fault) => self.diagnostics.push(*fault),
        }
    }

    fn set(&mut self, name: &Arc<str>, variable: &Variable, value: &Value, span: &Span) {
        match accept(name, variable, value, span) {
            Ok(value) => {
                self.values.insert(Arc::clone(name), value);
            }
            Err(fault) => self.diagnostics.push(*fault),
        }
    }

    /// Tells what is given otherwise than when a plan was made.
    fn compare(&mut self, plan: &Plan, options: &BTreeMap<Arc<str>, Value>) {
        for (name, value) in options {
            let planned = plan.variables.get(name);
            if planned.is_some_and(|planned| planned != value) {
                self.diagnostics.push(other_value(name));
            }
        }
        for (name, variable) in &self.config.variables {
            let now = self.values.contains_key(name);
            if variable.ephemeral && now != plan.given_again.contains(name) {
                self.diagnostics.push(not_as_planned(name, variable, now));
            }
        }
    }

    fn default(&mut self, name: &Arc<str>, variable: &Variable) {
        match default_of(name, variable) {
            Ok(value) => self
                .values
                .extend(value.map(|value| (Arc::clone(name), value))),
            Err(fault) => self.diagnostics.push(*fault),
        }
    }

    /// Fills in defaults and tells what is missing.
    fn finish(mut self) -> Found {
        let again = self.again();
        for (name, variable) in &self.config.variables {
            let given = self.values.get(name);
            if !self.misses(name, variable) {
                continue;
            }
            match &variable.default {
                Some(_) => self.default(name, variable),
                // A value that was given and is wrong has been told already.
                None if given.is_none() && self.tried.contains(name) => {}
                None => self.diagnostics.push(missing(name, variable)),
            }
        }
        Found {
            again,
            ..self.found()
        }
    }

    /// Whether no value is given that the variable takes.
    fn misses(&self, name: &str, variable: &Variable) -> bool {
        let given = self.values.get(name);
        !given.is_some_and(|value| variable.nullable || !value.is_null())
    }

    /// The ephemeral variables that have values.
    fn again(&self) -> BTreeSet<Arc<str>> {
        let ephemeral = |name: &&Arc<str>| {
            let variable = self.config.variables.get(*name);
            variable.is_some_and(|variable| variable.ephemeral)
        };
        self.values.keys().filter(ephemeral).cloned().collect()
    }

    fn found(self) -> Found {
        Found {
            again: self.again(),
            values: self.values,
            diagnostics: self.diagnostics,
            sources: self.sources,
        }
    }
}

fn missing(name: &str, variable: &Variable) -> Diagnostic {
    let purpose = variable.description.as_deref();
    let purpose = purpose.map_or_else(String::new, |text| format!(" ({text})"));
    let detail = format!("Variable {name:?}{purpose} has no default, and no value is given.");
    Diagnostic::error("C0014", "No value for required variable", detail)
        .at(&variable.header)
        .help(format!(
            "Give it with -var {name}=VALUE, in a file with -var-file=FILE or ending in .auto.vars.hcl, or as ISOBAR_VAR_{name}."
        ))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use isobar_sdk::Value;

    use super::{Choice, Found, Given, values};
    use crate::language::{Sources, load};

    const CONFIGURATION: &str = r#"
variable "size" {
  type    = number
  default = 1
}
variable "names" {
  type    = list(string)
  default = []
}
variable "secret" {
  type      = string
  default   = "x"
  sensitive = true
}
variable "solid" {
  type     = string
  default  = "d"
  nullable = false
}
"#;

    fn found(files: &[(&str, &str)], environment: &[(&str, &str)], options: &[Choice]) -> Found {
        let mut sources = Sources::default();
        sources.insert("main.hcl", CONFIGURATION);
        for (file, text) in files {
            sources.insert(file, *text);
        }
        let (config, diagnostics) = load(&sources);
        assert!(diagnostics.is_empty(), "{diagnostics:?}");
        let environment = environment
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect::<BTreeMap<_, _>>();
        let given = Given {
            environment: &environment,
            options,
        };
        values(&config, &sources, &given)
    }

    fn size(found: &Found) -> Option<i64> {
        found.values["size"]
            .as_number()
            .and_then(isobar_sdk::Number::as_i64)
    }

    #[test]
    fn the_last_one_wins() {
        let environment = [("size", "2"), ("unheard", "of")];
        let first = ("a.auto.vars.hcl", "size = 3");
        let second = ("b.auto.vars.hcl", "size = 4");
        let file = Choice::File("f.vars.hcl".to_owned(), "size = 5".to_owned());
        let option = Choice::Value("size=6".to_owned());
        for (files, environment, options, expected) in [
            (vec![], &[][..], vec![], 1),
            (vec![], &environment[..], vec![], 2),
            (vec![first], &environment[..], vec![], 3),
            (vec![second, first], &environment[..], vec![], 4),
            (vec![first], &environment[..], vec![file.clone()], 5),
            (vec![], &[][..], vec![file.clone(), option.clone()], 6),
            (vec![], &[][..], vec![option, file], 5),
        ] {
            let found = found(&files, environment, &options);
            assert!(found.diagnostics.is_empty(), "{:?}", found.diagnostics);
            assert_eq!(size(&found), Some(expected));
        }
    }

    #[test]
    fn text_is_an_expression_where_the_type_is_none_of_text() {
        let options = [Choice::Value("names=[\"a\", \"b=c\"]".to_owned())];
        let given = found(&[], &[], &options);
        let expected = Value::list(vec!["a".into(), "b=c".into()]);
        assert_eq!(given.values["names"], expected);
        let options = [Choice::Value("solid=[\"a\"]".to_owned())];
        let given = found(&[], &[], &options);
        assert_eq!(given.values["solid"], Value::from("[\"a\"]"));
    }

    #[test]
    fn all_that_is_missing_is_told_but_for_what_is_wrong() {
        let more = "variable \"a\" {}\nvariable \"b\" { type = number }\nvariable \"c\" {}\n";
        let options = [Choice::Value("b=many".to_owned())];
        let found = found(&[("more.hcl", more)], &[], &options);
        let told: Vec<_> = found.diagnostics.iter().map(|d| d.code).collect();
        assert_eq!(told, ["C0013", "C0014", "C0014"]);
    }

    #[test]
    fn null_takes_the_default_where_it_is_not_allowed() {
        let file = Choice::File("f".to_owned(), "solid = null\nsecret = null".to_owned());
        let found = found(&[], &[], &[file]);
        assert_eq!(found.values["solid"], Value::from("d"));
        assert!(found.values["secret"].is_null());
    }

    #[test]
    fn mistakes_are_told_without_secrets() {
        let options = [
            Choice::Value("size=many".to_owned()),
            Choice::Value("sise=1".to_owned()),
            Choice::Value("size".to_owned()),
            Choice::Value("names=[".to_owned()),
            Choice::File(
                "f".to_owned(),
                "other = 1\nsecret = [\"hidden\"]".to_owned(),
            ),
        ];
        let found = found(&[], &[], &options);
        let codes: Vec<_> = found.diagnostics.iter().map(|d| d.code).collect();
        assert_eq!(codes[..3], ["C0013", "C0011", "C0010"]);
        assert_eq!(codes[4..], ["C0011", "C0013"]);
        let secret = found.diagnostics.iter().last().unwrap();
        assert!(secret.subject.is_none() && !secret.detail.contains("hidden"));
        let sise = found.diagnostics.iter().nth(1).unwrap();
        assert_eq!(sise.help.as_deref(), Some("Did you mean \"size\"?"));
    }
}
