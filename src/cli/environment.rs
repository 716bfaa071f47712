//! Everything that comes from outside: clock, names, variables, terminal. Read here and nowhere
//! else, so that everything below gets it as an argument.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::PathBuf;

use jiff::Timestamp;

use super::log::Level;
use crate::state::{Bounds, Holder};

/// Widths that are used where there is no terminal to ask.
const WIDTH: usize = 80;

/// What variables begin with that tell how clouds and databases are reached.
const STORES: [&str; 5] = ["AWS_", "AZURE_", "GOOGLE_", "PG", "TF_HTTP_"];

/// What variables begin with that tell how sources of telemetry are reached.
const SOURCES: [&str; 5] = [
    "AZURE_",
    "GOOGLE_",
    "IDENTITY_",
    "ISOBAR_HTTP_JSON_",
    "ISOBAR_PROMETHEUS_",
];

/// Variables that are not to be shown.
#[derive(Clone)]
pub(super) struct Secrets(BTreeMap<String, String>);

impl Secrets {
    pub(super) fn get(&self, name: &str) -> Option<&String> {
        self.0.get(name)
    }
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets(…)")
    }
}

/// What was found when the program began.
#[derive(Debug, Clone)]
pub(super) struct Environment {
    /// The current folder.
    pub(super) folder: PathBuf,
    /// This program.
    pub(super) executable: PathBuf,
    /// The folder for everything but the state, from `ISOBAR_DATA_DIR`.
    pub(super) data: PathBuf,
    /// The user's own folder, from `HOME`.
    pub(super) home: Option<PathBuf>,
    /// Values of variables, from `ISOBAR_VAR_name`.
    pub(super) variables: BTreeMap<String, String>,
    /// All variables, for keys that are named in the configuration.
    pub(super) everything: Secrets,
    /// What places of states are told: by the variables of their clouds and databases.
    pub(super) stores: BTreeMap<String, String>,
    /// What sources of telemetry are told by the environment.
    pub(super) sources: BTreeMap<String, String>,
    /// Arguments of commands, from `ISOBAR_CLI_ARGS` and `ISOBAR_CLI_ARGS_command`.
    pub(super) presets: BTreeMap<String, String>,
    /// The workspace, from `ISOBAR_WORKSPACE`.
    pub(super) workspace: Option<String>,
    /// Whether a program reads what is printed, so that it needs no advice what to type next,
    /// from `ISOBAR_IN_AUTOMATION`.
    pub(super) automation: bool,
    /// Whether questions may be asked, from `ISOBAR_INPUT`.
    pub(super) input: bool,
    /// How many versions of a state are kept, from `ISOBAR_STATE_HISTORY`.
    pub(super) history: Bounds,
    /// What is wrong with that variable.
    pub(super) unbounded: Option<&'static str>,
    /// The folder for what is needed for a short time.
    pub(super) temporary: PathBuf,
    /// How much is logged, from `ISOBAR_LOG`.
    pub(super) log: Option<Level>,
    /// Where to, from `ISOBAR_LOG_PATH`; otherwise to stderr.
    pub(super) log_path: Option<PathBuf>,
    /// User and host.
    pub(super) who: String,
    /// What the streams are connected to.
    pub(super) terminal: Terminal,
}

/// What the streams are connected to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terminal {
    /// Whether someone can answer.
    pub(super) input: bool,
    /// Whether results are read by someone.
    pub(super) output: bool,
    /// Whether progress is read by someone.
    pub(super) error: bool,
    /// Whether terminals get colours.
    pub(super) colour: bool,
    /// Columns.
    pub(super) width: usize,
}

impl Environment {
    /// Reads it.
    pub(super) fn read() -> Self {
        let variables: BTreeMap<String, String> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let text = |name: &str| variables.get(name).filter(|value| !value.is_empty());
        let history = text("ISOBAR_STATE_HISTORY").map(|bounds| bounds.parse::<Bounds>());
        let user = text("USER").or_else(|| text("LOGNAME"));
        let host = gethostname::gethostname();
        let user = user.map_or("unknown", String::as_str);
        Self {
            folder: current_folder(),
            executable: std::env::current_exe().unwrap_or_else(|_| PathBuf::from("isobar")),
            data: text("ISOBAR_DATA_DIR").map_or_else(|| ".isobar".into(), PathBuf::from),
            home: text("HOME").map(PathBuf::from),
            who: format!("{user}@{}", host.display()),
            terminal: Terminal::read(text("NO_COLOR").is_some(), text("COLUMNS")),
            variables: variables
                .iter()
                .filter_map(|(name, value)| {
                    let name = name.strip_prefix("ISOBAR_VAR_")?;
                    Some((name.to_owned(), value.clone()))
                })
                .collect(),
            everything: Secrets(variables.clone()),
            stores: variables
                .iter()
                .filter(|(name, _)| STORES.iter().any(|prefix| name.starts_with(prefix)))
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
            sources: variables
                .iter()
                .filter(|(name, _)| {
                    *name == "HOME" || SOURCES.iter().any(|prefix| name.starts_with(prefix))
                })
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
            presets: variables
                .iter()
                .filter(|(name, _)| name.starts_with("ISOBAR_CLI_ARGS"))
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
            workspace: text("ISOBAR_WORKSPACE").cloned(),
            automation: text("ISOBAR_IN_AUTOMATION").is_some(),
            input: !matches!(
                text("ISOBAR_INPUT").map(String::as_str),
                Some("0" | "false" | "no")
            ),
            history: history.and_then(Result::ok).unwrap_or_default(),
            unbounded: history.and_then(Result::err),
            temporary: std::env::temp_dir(),
            log: text("ISOBAR_LOG").and_then(|level| Level::of(level)),
            log_path: text("ISOBAR_LOG_PATH").map(PathBuf::from),
        }
    }

    /// What the lock says about this process.
    pub(super) fn holder(&self, operation: &str) -> Holder {
        Holder {
            id: fresh_id(),
            operation: operation.to_owned(),
            who: self.who.clone(),
            pid: std::process::id(),
            since: now().to_string(),
        }
    }
}

impl Terminal {
    fn read(no_color: bool, columns: Option<&String>) -> Self {
        let columns = columns.and_then(|columns| columns.parse().ok());
        let measured = || terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
        Self {
            input: std::io::stdin().is_terminal(),
            output: std::io::stdout().is_terminal(),
            error: std::io::stderr().is_terminal(),
            colour: !no_color,
            width: columns.or_else(measured).unwrap_or(WIDTH).max(20),
        }
    }
}

/// The current folder; `.` where it has been removed, so that the next access says so.
#[expect(
    clippy::disallowed_methods,
    reason = "this is where the environment enters"
)]
fn current_folder() -> PathBuf {
    std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."))
}

/// The present.
#[expect(clippy::disallowed_methods, reason = "this is where the clock enters")]
pub(super) fn now() -> Timestamp {
    Timestamp::now()
}

/// A name that nothing else has.
pub(super) fn fresh_id() -> String {
    uuid::Uuid::new_v4().to_string()
}
