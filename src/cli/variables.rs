//! The values of variables, by Terraform's precedence: default, environment, automatic files in
//! name order, then the options in the order given. The last one wins.

use std::collections::BTreeMap;
use std::sync::Arc;

use isobar_sdk::diagnostic::closest;
use isobar_sdk::{Diagnostic, Diagnostics, Span, Type, Value};

use super::args::{Assignment, Assignments};
use super::failure::Stopped;
use super::project::unreadable;
use super::session::Session;
use crate::eval::{Ambient, Facts, Scope, accept, evaluate};
use crate::language::config::Variable;
use crate::language::{Attribute, Config, Located, Sources, parse_expression, parse_file};

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
                let text = std::fs::read_to_string(session.path(path))
                    .map_err(|error| unreadable(path, &error))?;
                Choice::File(path.display().to_string(), text)
            }
        });
    }
    Ok(options)
}

/// The values of all variables of a configuration.
pub(super) fn values(config: &Config, sources: &Sources, given: &Given<'_>) -> Found {
    let mut reader = Reader {
        config,
        nothing: &Config::default(),
        values: BTreeMap::new(),
        diagnostics: Diagnostics::new(),
        sources: sources.clone(),
    };
    for (name, text) in given.environment {
        if let Some((name, variable)) = config.variables.get_key_value(name.as_str()) {
            reader.text(name, variable, text);
        }
    }
    for (file, text) in sources.automatic_variables() {
        reader.file(file, text);
    }
    for option in given.options {
        match option {
            Choice::Value(text) => reader.option(text),
            Choice::File(name, text) => {
                let file = reader.sources.insert(name, text.as_str());
                reader.file(&file, text);
            }
        }
    }
    reader.finish()
}

struct Reader<'a> {
    config: &'a Config,
    /// What variables may refer to.
    nothing: &'a Config,
    values: BTreeMap<Arc<str>, Value>,
    diagnostics: Diagnostics,
    sources: Sources,
}

impl Reader<'_> {
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

    /// Fills in defaults and tells what is missing.
    fn finish(mut self) -> Found {
        for (name, variable) in &self.config.variables {
            let given = self.values.get(name);
            let stands = given.is_some_and(|value| variable.nullable || !value.is_null());
            if stands {
                continue;
            }
            match &variable.default {
                Some(default) => self.expression(name, variable, &default.value),
                // A value that was given and is wrong has been told already.
                None if self.diagnostics.has_errors() && given.is_none() => {}
                None => self.diagnostics.push(missing(name, variable)),
            }
        }
        Found {
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
