//! Where the states of a configuration are kept: what its block says, and what `init` made of it.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use isobar_sdk::diagnostic::{closest, sentence};
use isobar_sdk::{Diagnostic, Diagnostics, Fault, Type, Value};
use isobar_stores::{Keep, Kind, Lease, Opened, Problem, Settings};
use serde::{Deserialize, Serialize};

use super::encryption;
use super::environment::{Environment, now};
use super::failure::Stopped;
use super::project::{Needs, Project};
use super::session::Session;
use super::shell::Shell;
use crate::eval::{Ambient, Facts, Scope, evaluate};
use crate::language::{BackendBlock, Config, Located, text};
use crate::state::{Backend, Bounds, Cipher, Remote, WebStore};

/// The file, in the folder for data, that says what `init` has chosen.
const FILE: &str = "backend.json";
/// What the files of a configuration hold if it says something about its states.
const WORDS: [&str; 2] = ["backend", "encryption"];
/// What every kind can be told beside its own settings.
const COMMON: [&str; 2] = ["keep", "lease"];

/// What `init` has chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Chosen {
    /// The kind of place.
    pub(super) kind: String,
    /// What the block says.
    pub(super) block: BTreeMap<String, String>,
    /// What `-backend-config` said.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) given: BTreeMap<String, String>,
}

impl Chosen {
    fn settings(&self) -> BTreeMap<String, String> {
        let mut settings = self.block.clone();
        settings.extend(self.given.clone());
        settings
    }

    /// Where the block says; `None` for this machine.
    pub(super) fn of_block(
        block: &BackendBlock,
        (config, facts): (&Config, &Facts),
        variables: &BTreeMap<Arc<str>, Value>,
    ) -> Result<Option<Self>, Diagnostics> {
        let mut diagnostics = Diagnostics::new();
        if &*block.kind == "local" {
            for attribute in &block.attributes {
                let unsupported =
                    crate::language::unsupported_attribute(attribute, std::iter::empty());
                diagnostics.push(unsupported);
            }
            return settled(None, diagnostics);
        }
        let scope = Scope::new(config, facts.clone(), variables.clone());
        let mut said = BTreeMap::new();
        for attribute in &block.attributes {
            match setting(&attribute.value, &scope) {
                Ok(None) => {}
                Ok(Some(text)) => drop(said.insert(attribute.name.to_string(), text)),
                Err(fault) => diagnostics.push(*fault),
            }
        }
        let chosen = Self {
            kind: block.kind.to_string(),
            block: said,
            given: BTreeMap::new(),
        };
        settled(Some(chosen), diagnostics)
    }
}

fn settled(chosen: Option<Chosen>, wrong: Diagnostics) -> Result<Option<Chosen>, Diagnostics> {
    if wrong.has_errors() {
        Err(wrong)
    } else {
        Ok(chosen)
    }
}

/// A setting in a file of them; `None` for null.
pub(super) fn literal(located: &Located) -> Result<Option<String>, Fault> {
    let config = Config::default();
    let scope = Scope::new(&config, Facts::default(), BTreeMap::new());
    setting(located, &scope)
}

fn setting(located: &Located, scope: &Scope<'_>) -> Result<Option<String>, Fault> {
    let value = evaluate(located, scope, &Ambient::default())?;
    plain(&value).ok_or_else(|| {
        let detail =
            "A setting must be text, a number or a bool that is known before anything is planned.";
        Diagnostic::error("C0086", "Backend cannot be used", detail)
            .at(&located.span())
            .help("Write a value, or refer to variables that have one.")
            .into()
    })
}

/// A value as a setting; `None` within for null, `None` for what is none.
fn plain(value: &Value) -> Option<Option<String>> {
    let value = value.reveal_all();
    if !value.is_wholly_known() {
        return None;
    }
    if value.is_null() {
        return Some(None);
    }
    let text = Type::String.convert(&value).ok()?;
    Some(Some(text.as_str()?.to_owned()))
}

/// What `init` has chosen; `None` for this machine.
pub(super) fn recorded(data: &Path) -> Result<Option<Chosen>, Fault> {
    let file = data.join(FILE);
    let broken = |reason: String| {
        let detail = format!("{}: {reason}.", file.display());
        Diagnostic::error("C0088", "Choice of the backend cannot be used", detail)
            .help("Choose again with isobar init -reconfigure.")
            .into()
    };
    match text::read_ordinary(&file, text::LONGEST) {
        Ok(text) => serde_json::from_str(&text)
            .map(Some)
            .map_err(|error| broken(error.to_string())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(broken(error.to_string())),
    }
}

/// Writes down what was chosen, whole or not at all. It may hold secrets, so that only its owner
/// can read it.
pub(super) fn record(data: &Path, chosen: Option<&Chosen>) -> Result<(), Fault> {
    let path = data.join(FILE);
    let write = || -> io::Result<()> {
        let Some(chosen) = chosen else {
            return match std::fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            };
        };
        std::fs::create_dir_all(data)?;
        let mut file = tempfile::NamedTempFile::new_in(data)?;
        serde_json::to_writer_pretty(&mut file, chosen)?;
        file.write_all(b"\n")?;
        file.as_file().sync_all()?;
        file.persist(&path).map_err(|error| error.error)?;
        Ok(())
    };
    write().map_err(|error| {
        let detail = format!("{}: {error}.", path.display());
        Diagnostic::error("C0088", "Choice of the backend cannot be used", detail)
            .help("Check the rights to the folder and the space on the disk.")
            .into()
    })
}

/// The backend that was chosen. Nothing is asked of it yet.
pub(super) fn open(
    chosen: Option<&Chosen>,
    folder: &Path,
    environment: &Environment,
    shell: &Shell,
) -> Result<Backend, Diagnostics> {
    let Some(chosen) = chosen else {
        return Ok(Backend::Local(folder.to_owned()));
    };
    let kind = Kind::named(&chosen.kind).ok_or_else(|| unknown(&chosen.kind))?;
    let mut values = chosen.settings();
    let lease = lease(values.remove("lease").as_deref()).map_err(|fault| *fault)?;
    let keep = keep(values.remove("keep").as_deref()).map_err(|fault| *fault)?;
    let settings = Settings {
        values,
        environment: environment.stores.clone(),
    };
    let opened = kind.open(&settings).map_err(|problems| {
        let mut diagnostics = Diagnostics::new();
        for problem in &problems {
            diagnostics.push(unusable(kind, problem));
        }
        diagnostics
    })?;
    let shell = shell.clone();
    let notice = Arc::new(move |text: &str| shell.tell(text));
    let backend = match opened {
        Opened::Documents(documents) => {
            Remote::new(documents, Arc::new(now), lease, keep, notice).map(Backend::Remote)
        }
        Opened::Web(web) => WebStore::new(*web).map(Backend::Web),
    };
    backend.map_err(|error| {
        let detail = format!("The state cannot be reached: {error}.");
        Diagnostic::error("C0002", "No resources to work with", detail)
            .help("Raise the limit of threads and open files of this user.")
            .into()
    })
}

fn lease(given: Option<&str>) -> Result<Lease, Fault> {
    let Some(text) = given else {
        return Ok(Lease::default());
    };
    let parsed = text.parse::<jiff::SignedDuration>().ok();
    let parsed = parsed.and_then(|length| Duration::try_from(length).ok());
    let parsed = parsed.filter(|length| *length >= Duration::from_secs(1));
    parsed.map(Lease::of).ok_or_else(|| {
        let detail = format!("\"lease\" is {text:?}, which is not a duration of a second or more.");
        Diagnostic::error("C0086", "Backend cannot be used", detail)
            .help("Write how long the silence of a holder is waited for, such as \"60s\".")
            .into()
    })
}

fn keep(given: Option<&str>) -> Result<Keep, Fault> {
    let Some(text) = given else {
        return Ok(Keep::default());
    };
    let bounds = text.parse::<Bounds>().ok();
    let bounds = bounds.filter(|bounds| bounds.count > 0);
    let keep = bounds.map(|Bounds { count, age }| Keep {
        count,
        age,
        ..Keep::default()
    });
    keep.ok_or_else(|| {
        let detail = format!("\"keep\" is {text:?}, which is neither COUNT from 1 on nor COUNT,DAYS.");
        Diagnostic::error("C0086", "Backend cannot be used", detail)
            .help("Write how many versions of a state are kept, such as 50, and after a comma for how many days at most, such as \"50,90\".")
            .into()
    })
}

fn unknown(kind: &str) -> Diagnostic {
    let names = Kind::all().iter().map(|kind| kind.name);
    let names: Vec<&str> = names.chain(["local"]).collect();
    let help = closest(kind, names.iter().copied()).map_or_else(
        || format!("There are: {}.", names.join(", ")),
        |meant| format!("Did you mean {meant:?}?"),
    );
    let detail = format!("There is no backend {kind:?}.");
    Diagnostic::error("C0085", "Unknown backend", detail).help(help)
}

fn unusable(kind: &Kind, problem: &Problem) -> Diagnostic {
    let detail = sentence(&format!("Backend {:?}: {problem}", kind.name));
    let names = kind.settings.iter().map(|setting| setting.name);
    let names: Vec<&str> = names.chain(COMMON).collect();
    let meant = match problem {
        Problem::Unknown { name } => closest(name, names.iter().copied()),
        _ => None,
    };
    let help = match (meant, problem) {
        (Some(meant), _) => format!("Did you mean {meant:?}?"),
        (None, Problem::Unknown { .. }) => format!("It has: {}.", names.join(", ")),
        (None, Problem::Missing { name, .. }) => {
            format!("Write it into the backend block, or give -backend-config={name}=….")
        }
        _ => "Correct the backend block, -backend-config or the environment.".to_owned(),
    };
    Diagnostic::error("C0086", "Backend cannot be used", detail).help(help)
}

/// Refuses a configuration whose block says something else than what `init` has chosen.
/// `said` is what the block says, as far as its values are known by now.
pub(super) fn agree(
    chosen: Option<&Chosen>,
    block: Option<&BackendBlock>,
    said: Option<&Chosen>,
) -> Result<(), Fault> {
    let block = block.filter(|block| &*block.kind != "local");
    let (detail, block) = match (chosen, block) {
        (None, None) => return Ok(()),
        (None, Some(block)) => {
            let detail = format!(
                "The configuration keeps its states in backend {:?}, which is not prepared yet.",
                block.kind
            );
            (detail, Some(block))
        }
        (Some(chosen), None) => {
            let detail = format!(
                "The states are kept in backend {:?}, which the configuration no longer has.",
                chosen.kind
            );
            (detail, None)
        }
        (Some(chosen), Some(block)) if chosen.kind != *block.kind => {
            let detail = format!(
                "The states are kept in backend {:?}, but the configuration says {:?}.",
                chosen.kind, block.kind
            );
            (detail, Some(block))
        }
        (Some(chosen), Some(block)) => match said {
            Some(said) if said.block != chosen.block => {
                let names = differing(&said.block, &chosen.block).join(", ");
                let detail = format!(
                    "The backend {:?} was prepared with other settings: {names}.",
                    chosen.kind
                );
                (detail, Some(block))
            }
            _ => return Ok(()),
        },
    };
    let help = match chosen {
        None => "Run isobar init.",
        Some(_) => {
            "Run isobar init -migrate-state to take the states along, or isobar init -reconfigure to leave them where they are."
        }
    };
    let diagnostic = Diagnostic::error("C0087", "Backend is not prepared", detail)
        .at_maybe(block.map(|block| &block.header))
        .help(help);
    Err(diagnostic.into())
}

fn differing(one: &BTreeMap<String, String>, other: &BTreeMap<String, String>) -> Vec<String> {
    let names = one.keys().chain(other.keys());
    let mut names: Vec<&String> = names
        .filter(|name| one.get(*name) != other.get(*name))
        .collect();
    names.sort();
    names.dedup();
    names.into_iter().cloned().collect()
}

/// Refuses a configuration that says something else than what `init` has chosen.
pub(super) fn agree_with(
    chosen: Option<&Chosen>,
    project: &Project,
    variables: &BTreeMap<Arc<str>, Value>,
) -> Result<(), Diagnostics> {
    let settings = project.config.settings.as_ref();
    let block = settings.and_then(|settings| settings.backend.as_ref());
    let said = match block {
        Some(block) => Chosen::of_block(block, (&project.config, &project.facts), variables)?,
        None => None,
    };
    agree(chosen, block, said.as_ref()).map_err(|fault| Diagnostics::from(*fault))
}

/// The same for a command that needs nothing else of the configuration, with the variables that
/// have a value by now. Where nothing was chosen and no file mentions a backend, nothing is read.
/// Gives what its states are encrypted with.
pub(super) fn check(session: &Session) -> Result<Option<Arc<Cipher>>, Stopped> {
    if session.chosen().is_none() && !mentions(session.folder()) {
        return Ok(None);
    }
    // What else is wrong with the configuration is none of the state.
    let (project, _) = Project::read(session, Needs::Nothing)?;
    let given = project.given_or_default(session, session.assignments())?;
    agree_with(session.chosen(), &project, &given)
        .and_then(|()| encryption::cipher(session, &project, &given))
        .map_err(|wrong| Stopped::new(wrong, &project.sources))
}

fn mentions(folder: &Path) -> bool {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    let mut files = paths.filter(|path| path.extension().is_some_and(|kind| kind == "hcl"));
    files.any(|path| {
        std::fs::read_to_string(path).is_ok_and(|text| WORDS.iter().any(|word| text.contains(word)))
    })
}
