//! The keys of `encryption {}`, fetched from where the block says.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use isobar_sdk::{Diagnostic, Diagnostics, Fault, Value};

use super::project::Project;
use super::session::Session;
use crate::eval::{Ambient, Scope, evaluate};
use crate::language::{Attribute, KeyBlock, unsupported_attribute};
use crate::state::{Cipher, Derivation, Material};

/// Where a key can come from.
const SOURCES: [&str; 4] = ["passphrase", "file", "env", "command"];
/// All that a key can be told.
const KNOWN: [&str; 5] = ["passphrase", "file", "env", "command", "derivation"];
/// The shortest passphrase.
const SHORTEST: usize = 16;

/// What the configuration encrypts with; `None` if it does not.
pub(super) fn cipher(
    session: &Session,
    project: &Project,
    variables: &BTreeMap<Arc<str>, Value>,
) -> Result<Option<Arc<Cipher>>, Diagnostics> {
    let settings = project.config.settings.as_ref();
    let Some(block) = settings.and_then(|settings| settings.encryption.as_ref()) else {
        return Ok(None);
    };
    let scope = Scope::new(&project.config, project.facts.clone(), variables.clone());
    let mut wrong = Diagnostics::new();
    let mut take =
        |result: Result<Material, Fault>| result.map_err(|fault| wrong.push(*fault)).ok();
    let first = take(material(session, &block.key, &scope));
    let others = block.fallbacks.iter();
    let others: Vec<Material> = others
        .filter_map(|fallback| take(material(session, fallback, &scope)))
        .collect();
    let enforced = match &block.enforced {
        None => false,
        Some(attribute) => match evaluate(&attribute.value, &scope, &Ambient::default()) {
            Ok(value) => value.as_bool().unwrap_or_else(|| {
                wrong.push(*unusable(attribute, "it must be true or false"));
                false
            }),
            Err(fault) => {
                wrong.push(*fault);
                false
            }
        },
    };
    let Some(first) = first.filter(|_| !wrong.has_errors()) else {
        return Err(wrong);
    };
    let randomness =
        Arc::new(|bytes: &mut [u8]| getrandom::fill(bytes).map_err(|error| error.to_string()));
    let cipher = Cipher::new(first, others, enforced, randomness);
    cipher
        .map(|cipher| Some(Arc::new(cipher)))
        .map_err(|error| {
            Diagnostic::error("C0093", "Encryption cannot be used", format!("{error}."))
                .help("Run it where the system gives random numbers.")
                .into()
        })
}

fn unusable(attribute: &Attribute, reason: &str) -> Fault {
    let detail = format!("{:?} cannot be used: {reason}.", attribute.name);
    let diagnostic = Diagnostic::error("C0093", "Encryption cannot be used", detail);
    diagnostic.at(&attribute.value.span()).into()
}

/// The key of a block.
fn material(session: &Session, block: &KeyBlock, scope: &Scope<'_>) -> Result<Material, Fault> {
    let known = |name: &str| KNOWN.contains(&name);
    if let Some(odd) = block.attributes.iter().find(|one| !known(&one.name)) {
        return Err(unsupported_attribute(odd, KNOWN.into_iter()).into());
    }
    let sources = block.attributes.iter();
    let mut sources = sources.filter(|one| SOURCES.contains(&&*one.name));
    let (Some(source), None) = (sources.next(), sources.next()) else {
        let detail = "A key comes from exactly one of passphrase, file, env and command.";
        return Err(
            Diagnostic::error("C0093", "Encryption cannot be used", detail)
                .at(&block.header)
                .help("Write one of them.")
                .into(),
        );
    };
    let value = evaluate(&source.value, scope, &Ambient::default())?.reveal_all();
    let derivation = block
        .attributes
        .iter()
        .find(|one| &*one.name == "derivation");
    let derivation = derivation.map_or(Ok(Derivation::Argon2id), |one| kind(one, scope))?;
    let text = || {
        let text = value.as_str();
        text.ok_or_else(|| unusable(source, "it must be text that is known"))
    };
    match &*source.name {
        "passphrase" => {
            let text = text()?;
            if text.chars().count() < SHORTEST {
                return Err(unusable(source, "it has fewer than 16 characters"));
            }
            Ok(Material::Passphrase {
                text: text.to_owned(),
                derivation,
            })
        }
        "file" => {
            let path = session.path(text()?.as_ref());
            let read = std::fs::read(&path);
            let read = read.map_err(|error| unusable(source, &error.to_string()))?;
            key(source, &read)
        }
        "env" => {
            let name = text()?;
            let found = session.environment.everything.get(name);
            let found = found.ok_or_else(|| unusable(source, "there is no such variable"))?;
            key(source, found.as_bytes())
        }
        _ => key(source, &told(session, source, &value)?),
    }
}

fn kind(attribute: &Attribute, scope: &Scope<'_>) -> Result<Derivation, Fault> {
    let value = evaluate(&attribute.value, scope, &Ambient::default())?;
    match value.as_str() {
        Some("argon2id") => Ok(Derivation::Argon2id),
        Some("pbkdf2") => Ok(Derivation::Pbkdf2),
        _ => Err(unusable(attribute, "it must be \"argon2id\" or \"pbkdf2\"")),
    }
}

/// What a command prints, such as that of a key management service.
fn told(session: &Session, source: &Attribute, value: &Value) -> Result<Vec<u8>, Fault> {
    let words = value.items().into_iter().flat_map(|items| items.iter());
    let words: Option<Vec<&str>> = words.map(Value::as_str).collect();
    let words = words.filter(|words| !words.is_empty());
    let words = words.ok_or_else(|| unusable(source, "it must be a list of words"))?;
    let run = Command::new(words[0])
        .args(&words[1..])
        .current_dir(session.folder())
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output();
    let run = run.map_err(|error| unusable(source, &format!("{}: {error}", words[0])))?;
    if run.status.success() {
        Ok(run.stdout)
    } else {
        let reason = format!("{} ended with {}", words[0], run.status);
        Err(unusable(source, &reason))
    }
}

/// A key of 32 bytes: as they are, in hexadecimal or in base64.
fn key(source: &Attribute, given: &[u8]) -> Result<Material, Fault> {
    let text = std::str::from_utf8(given).unwrap_or_default().trim();
    let raw = <[u8; 32]>::try_from(given).ok();
    let hexadecimal = || {
        let digits = (0..text.len()).step_by(2).map(|at| text.get(at..at + 2));
        let bytes = digits.map(|two| u8::from_str_radix(two?, 16).ok());
        <[u8; 32]>::try_from(bytes.collect::<Option<Vec<u8>>>()?).ok()
    };
    let encoded = || <[u8; 32]>::try_from(BASE64.decode(text).ok()?).ok();
    let found = raw.or_else(hexadecimal).or_else(encoded);
    found.map(Material::Key).ok_or_else(|| {
        let mut fault = unusable(
            source,
            "it gives no key of 32 bytes, in hexadecimal or base64",
        );
        *fault = fault.help("Make one with: openssl rand -base64 32");
        fault
    })
}
