//! A folder with its configuration, as the commands use it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::apply::check::unreadable as unreadable_state;
use isobar_sdk::Fault;
use isobar_sdk::diagnostic::sentence;
use isobar_sdk::{Diagnostic, Diagnostics, Value};

use super::args::Assignments;
use super::backend;
use super::encryption;
use super::environment::{fresh_id, now};
use super::failure::Stopped;
use super::log::Level;
use super::machine::machine;
use super::session::Session;
use super::variables::{self, Found};
use crate::eval::Facts;
use crate::language::{self, Config, Sources};
use crate::package;
use crate::plan::{Mode, Plan, Refresh, Request, Selection};
use crate::providers::{self, Surroundings};
use crate::registry::Registry;
use crate::state::{Ahead, LocalStore, State, Store};
use crate::telemetry::Desk;

/// A configuration with the providers that it can use.
pub(super) struct Project {
    /// The texts.
    pub(super) sources: Sources,
    /// What they say.
    pub(super) config: Config,
    /// The providers.
    pub(super) registry: Registry,
    /// What the environment contributes to expressions.
    pub(super) facts: Facts,
    /// Where telemetry is ordered.
    pub(super) telemetry: Desk,
}

/// Whether a folder may be without configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Needs {
    /// It must have one.
    Configuration,
    /// It may be empty: what is there is destroyed.
    Nothing,
}

impl Project {
    /// Reads the folder of the session; warnings are told.
    pub(super) fn load(session: &Session, needs: Needs) -> Result<Self, Stopped> {
        let (project, diagnostics) = Self::read(session, needs)?;
        project.settle(session, diagnostics)?;
        Ok(project)
    }

    /// Reads the folder of the session, with all that is wrong with the texts.
    pub(super) fn read(session: &Session, needs: Needs) -> Result<(Self, Diagnostics), Stopped> {
        let place = session.place();
        let installed = package::folders(&place);
        let sources = Sources::read_with(session.folder(), installed).map_err(|error| {
            let detail = format!("{error}.");
            Diagnostic::error("C0008", "Configuration cannot be read", detail)
                .help("Check that the files are UTF-8 text and that you may read them.")
        })?;
        if needs == Needs::Configuration && sources.configuration().next().is_none() {
            let detail = format!(
                "There is no file that ends in .hcl in {}.",
                session.folder().display()
            );
            let help = match holds_terraform(session.folder()) {
                true => {
                    "The files of Terraform are there: copy them to names that end in .hcl; docs/terraform-differences.md says what differs."
                }
                false => "Write main.hcl, or name the folder of the configuration with -chdir=DIR.",
            };
            return Err(Diagnostic::error("C0007", "No configuration", detail)
                .help(help)
                .into());
        }
        let (config, diagnostics) = language::load(&sources);
        // What a spoilt module says is not worth reporting.
        package::check(&place, &sources, &config)
            .map_err(|(diagnostics, sources)| Stopped::new(diagnostics, &sources))?;
        let registry = registry(session);
        let project = Self {
            sources,
            config,
            facts: Facts {
                folder: ".".to_owned(),
                workspace: session.workspace().name().to_owned(),
                machine: machine(session),
                library: registry.functions(),
                ..Facts::default()
            },
            telemetry: Desk::new(
                session.environment.sources.clone(),
                session.data().join("telemetry"),
            ),
            registry,
        };
        Ok((project, diagnostics))
    }

    /// Tells warnings; stops at errors.
    pub(super) fn settle(
        &self,
        session: &Session,
        diagnostics: Diagnostics,
    ) -> Result<(), Stopped> {
        if diagnostics.has_errors() {
            return Err(Stopped::new(diagnostics, &self.sources));
        }
        session.shell.diagnostics(&diagnostics, &self.sources);
        Ok(())
    }

    /// What asks the configuration alone: nothing recorded counts, and nothing is read.
    pub(super) fn stateless<'a>(
        &'a self,
        session: &'a Session,
        variables: BTreeMap<Arc<str>, Value>,
    ) -> Request<'a> {
        Request {
            config: &self.config,
            sources: &self.sources,
            variables,
            facts: self.facts.clone(),
            folder: session.folder(),
            registry: &self.registry,
            state: None,
            mode: Mode::Normal,
            selection: Selection::default(),
            refresh: Refresh::Skip,
            telemetry: &self.telemetry,
            now: now(),
            id: fresh_id(),
            parallelism: None,
        }
    }

    /// The values of all variables.
    pub(super) fn variables(
        &self,
        session: &Session,
        assignments: &Assignments,
    ) -> Result<BTreeMap<Arc<str>, Value>, Stopped> {
        Ok(self.given(session, assignments)?.values)
    }

    /// The values of all variables, and which of them are to be given again.
    pub(super) fn given(
        &self,
        session: &Session,
        assignments: &Assignments,
    ) -> Result<Found, Stopped> {
        let files = variables::read(session, assignments)?;
        let given = variables::Given {
            environment: &session.environment.variables,
            options: &files,
        };
        let found = Self::told(
            session,
            variables::values(&self.config, &self.sources, &given),
        )?;
        let agreed = backend::agree_with(session.chosen(), self, &found.values);
        agreed.map_err(|wrong| Stopped::new(wrong, &self.sources))?;
        let cipher = encryption::cipher(session, self, &found.values);
        session.settle(cipher.map_err(|wrong| Stopped::new(wrong, &self.sources))?);
        Ok(found)
    }

    /// The values of those variables that are given from outside.
    pub(super) fn given_alone(
        &self,
        session: &Session,
        assignments: &Assignments,
    ) -> Result<BTreeMap<Arc<str>, Value>, Stopped> {
        let files = variables::read(session, assignments)?;
        let given = variables::Given {
            environment: &session.environment.variables,
            options: &files,
        };
        let found = variables::given(&self.config, &self.sources, &given);
        Ok(Self::told(session, found)?.values)
    }

    /// The values of those variables that are given from outside or have a default.
    pub(super) fn given_or_default(
        &self,
        session: &Session,
        assignments: &Assignments,
    ) -> Result<BTreeMap<Arc<str>, Value>, Stopped> {
        let files = variables::read(session, assignments)?;
        let given = variables::Given {
            environment: &session.environment.variables,
            options: &files,
        };
        let found = variables::given_or_default(&self.config, &self.sources, &given);
        Ok(Self::told(session, found)?.values)
    }

    /// The values of ephemeral variables for a plan from a file.
    pub(super) fn given_again(
        &self,
        session: &Session,
        assignments: &Assignments,
        plan: &Plan,
    ) -> Result<Found, Stopped> {
        let files = variables::read(session, assignments)?;
        let given = variables::Given {
            environment: &session.environment.variables,
            options: &files,
        };
        let found = variables::again(&self.config, &self.sources, &given, plan);
        Self::told(session, found)
    }

    fn told(session: &Session, found: Found) -> Result<Found, Stopped> {
        if found.diagnostics.has_errors() {
            return Err(Stopped::new(found.diagnostics, &found.sources));
        }
        session
            .shell
            .diagnostics(&found.diagnostics, &found.sources);
        Ok(found)
    }
}

/// The providers that are there.
pub(super) fn registry(session: &Session) -> Registry {
    providers::registry(&Surroundings {
        executable: session.environment.executable.clone(),
        data: session.provider_data(),
        base: session.folder().to_owned(),
        stores: session.environment.stores.clone(),
    })
}

/// Begins to read the state while the configuration is read, where that can be done.
pub(super) fn state_ahead(session: &Session) -> Option<Ahead> {
    match session.chosen() {
        Some(_) => None,
        None => Ahead::begin(&LocalStore::of(session.folder(), session.workspace())),
    }
}

/// The state; `None` if there is none yet.
pub(super) fn state(session: &Session) -> Result<Option<State>, Stopped> {
    state_of(session, None)
}

/// The state, which may have been read ahead; `None` if there is none yet.
pub(super) fn state_of(session: &Session, ahead: Option<Ahead>) -> Result<Option<State>, Stopped> {
    let store = session.store()?;
    let state = match (ahead, &store) {
        (Some(ahead), Store::Local(store)) => ahead.finish(store),
        _ => store.read(),
    };
    let state = state.map_err(|error| unreadable_state(&error))?;
    session.shell.log(Level::Debug, || {
        let path = store.place();
        state.as_ref().map_or_else(
            || format!("state: none in {path}"),
            |state| {
                let State {
                    lineage, serial, ..
                } = state;
                let count = state.instances.len();
                format!("state: {path}, lineage {lineage}, serial {serial}, {count} instances")
            },
        )
    });
    Ok(state)
}

/// A file that the user named cannot be read.
pub(super) fn unreadable(path: &Path, error: &std::io::Error) -> Fault {
    let detail = format!("{}: {}", path.display(), sentence(&error.to_string()));
    Diagnostic::error("C0009", "File cannot be read", detail)
        .help("Check the name of the file and that you may read it.")
        .into()
}

fn holds_terraform(folder: &Path) -> bool {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths = entries.map(|entry| entry.path());
    paths.any(|path| path.extension().is_some_and(|extension| extension == "tf"))
}
