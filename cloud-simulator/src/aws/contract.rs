//! What requests and answers are held against: JSON Schemas by operation.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use jsonschema::error::ValidationErrorKind;
use jsonschema::{ValidationError, Validator};
use serde_json::{Value, json};

use super::answer::Failure;
use super::shape::{small, unmet, violations};

/// Why a contract cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ContractError {
    /// The file cannot be read.
    #[error("cannot read the contract {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is not a contract.
    #[error("{} is no contract: {reason}", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

/// A document with `operations` (`SERVICE.OPERATION` to `request` and `responses`, references into
/// `$defs`) and `$defs`. Schemas are compiled when they are first needed.
#[derive(Debug)]
pub struct Contract {
    operations: Value,
    definitions: Value,
    compiled: Mutex<BTreeMap<String, Arc<Validator>>>,
}

impl Contract {
    /// Reads a contract.
    ///
    /// # Errors
    /// The file cannot be read, or is none.
    pub fn read(path: &Path) -> Result<Self, ContractError> {
        let text = fs::read(path).map_err(|source| ContractError::Io {
            path: path.to_owned(),
            source,
        })?;
        let corrupt = |reason: String| ContractError::Corrupt {
            path: path.to_owned(),
            reason,
        };
        let mut document: Value =
            serde_json::from_slice(&text).map_err(|error| corrupt(error.to_string()))?;
        let mut part = |name: &str| match document.get_mut(name).map(Value::take) {
            Some(part @ Value::Object(_)) => Ok(part),
            Some(_) | None => Err(corrupt(format!("it has no {name}"))),
        };
        Ok(Self {
            operations: part("operations")?,
            definitions: part("$defs")?,
            compiled: Mutex::default(),
        })
    }

    /// The schema that an operation's request or answer has; `None` where the contract has none.
    fn validator(&self, reference: Option<&Value>) -> Result<Option<Arc<Validator>>, Failure> {
        let Some(reference) = reference.and_then(Value::as_str) else {
            return Ok(None);
        };
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(validator) = compiled.get(reference) {
            return Ok(Some(Arc::clone(validator)));
        }
        let schema = json!({ "$ref": reference, "$defs": self.definitions });
        let validator = jsonschema::validator_for(&schema).map_err(|error| {
            Failure::new(
                500,
                "InternalFailure",
                format!("the contract is broken: {error}"),
            )
        })?;
        let validator = Arc::new(validator);
        compiled.insert(reference.to_owned(), Arc::clone(&validator));
        Ok(Some(validator))
    }

    /// Fails in the services' words where a request does not keep the contract.
    pub(super) fn check_request(&self, operation: &str, body: &Value) -> Result<(), Failure> {
        let reference = self
            .operations
            .get(operation)
            .and_then(|of| of.get("request"));
        let Some(validator) = self.validator(reference)? else {
            return Ok(());
        };
        let wrong: Vec<String> = validator
            .iter_errors(body)
            .flat_map(|error| words(&error))
            .collect();
        violations(&wrong)
    }

    /// Fails as a failure of the simulator where its answer does not keep the contract.
    pub(super) fn check_answer(&self, operation: &str, body: &Value) -> Result<(), Failure> {
        let responses = self
            .operations
            .get(operation)
            .and_then(|of| of.get("responses"));
        let Some(validator) = self.validator(responses.and_then(|of| of.get("200")))? else {
            return Ok(());
        };
        // An operation that answers nothing has an empty body.
        let nothing = json!({});
        let body = if body.is_null() { &nothing } else { body };
        let wrong: Vec<String> = validator
            .iter_errors(body)
            .flat_map(|error| words(&error))
            .collect();
        if wrong.is_empty() {
            return Ok(());
        }
        let message = format!("the simulator broke the contract: {}", wrong.join("; "));
        Err(Failure::new(500, "InternalFailure", message))
    }
}

/// What is wrong, as the services say it; one text for each member.
fn words(error: &ValidationError<'_>) -> Vec<String> {
    let path = place(error.instance_path().as_str());
    let below = |name: &str| {
        let dot = if path.is_empty() { "" } else { "." };
        format!("{path}{dot}{}", small(name))
    };
    match error.kind() {
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            vec![unmet("null", &below(name), "Member must not be null")]
        }
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            let text = |name: &String| unmet(name, &below(name), "Member must be known");
            unexpected.iter().map(text).collect()
        }
        kind => {
            let value = match error.instance().as_ref() {
                Value::String(text) => format!("'{text}'"),
                other => format!("'{other}'"),
            };
            vec![unmet(&value, &path, &constraint(kind))]
        }
    }
}

fn constraint(kind: &ValidationErrorKind) -> String {
    match kind {
        ValidationErrorKind::Pattern { pattern } => {
            let bare = pattern.trim_start_matches("^(?:").trim_end_matches(")$");
            format!("Member must satisfy regular expression pattern: {bare}")
        }
        ValidationErrorKind::MaxLength { limit } | ValidationErrorKind::MaxItems { limit } => {
            format!("Member must have length less than or equal to {limit}")
        }
        ValidationErrorKind::MinLength { limit } | ValidationErrorKind::MinItems { limit } => {
            format!("Member must have length greater than or equal to {limit}")
        }
        ValidationErrorKind::Maximum { limit } => {
            format!("Member must have value less than or equal to {limit}")
        }
        ValidationErrorKind::Minimum { limit } => {
            format!("Member must have value greater than or equal to {limit}")
        }
        ValidationErrorKind::Enum { options } => {
            let options = options.as_array().into_iter().flatten();
            let options: Vec<&str> = options.filter_map(Value::as_str).collect();
            format!(
                "Member must satisfy enum value set: [{}]",
                options.join(", ")
            )
        }
        other => format!("Member must satisfy {}", other.keyword()),
    }
}

/// `/ProductionVariants/0/InstanceType` as `productionVariants.1.member.instanceType`.
fn place(pointer: &str) -> String {
    let parts = pointer
        .split('/')
        .skip(1)
        .map(|part| match part.parse::<usize>() {
            Ok(index) => format!("{}.member", index + 1),
            Err(_) => small(part),
        });
    parts.collect::<Vec<_>>().join(".")
}
