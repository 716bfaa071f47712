//! A folder with a configuration and a state, planned and applied by the library.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use isobar::apply::{self, Report};
use isobar::change::Action;
use isobar::eval::Facts;
use isobar::event::Silent;
use isobar::language::{self, Config, Sources};
use isobar::plan::{self, Mode, Plan, Refresh, Selection};
use isobar::registry::Registry;
use isobar::state::{Holder, LocalStore, State, Store};
use isobar_sdk::{Diagnostics, Factory, Value};
use isobar_sim::Cloud;
use jiff::Timestamp;
use tokio::sync::watch;

pub(crate) struct Workspace {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) registry: Registry,
    pub(crate) now: Timestamp,
    pub(crate) selection: Selection,
    pub(crate) refresh: Refresh,
    runs: std::cell::Cell<u32>,
}

impl Workspace {
    pub(crate) fn new() -> Self {
        Self::wrapped(|factory| factory)
    }

    /// A workspace whose providers come from wrapped factories.
    pub(crate) fn wrapped(wrap: impl Fn(Arc<dyn Factory>) -> Arc<dyn Factory>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let factories: [Arc<dyn Factory>; 2] = [
            Arc::new(isobar_data::factory_with(outputs_beside(folder.path()))),
            Arc::new(isobar_sim::factory(folder.path().to_owned())),
        ];
        Self {
            registry: Registry::new(factories.map(wrap)),
            now: "2026-11-21T09:00:00Z".parse().unwrap(),
            selection: Selection::default(),
            refresh: Refresh::Full,
            runs: std::cell::Cell::new(0),
            folder,
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, file: &str, text: &str) {
        let path = self.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// The cloud of provider `sim`, to be looked at and disturbed from outside.
    pub(crate) fn cloud(&self) -> Cloud {
        Cloud::open(self.path().join("cloud.json"))
    }

    pub(crate) fn store(&self) -> Store {
        LocalStore::new(self.path()).into()
    }

    pub(crate) fn state(&self) -> Option<State> {
        self.store().read().unwrap()
    }

    /// Plans what the files of the folder say.
    pub(crate) async fn propose(&self, mode: Mode) -> (Option<Plan>, Diagnostics) {
        let sources = Sources::read_folder(self.path()).unwrap();
        let (config, mut diagnostics) = language::load(&sources);
        if diagnostics.has_errors() {
            return (None, diagnostics);
        }
        let state = self.state();
        let request = self.request(mode, (&config, &sources), state.as_ref());
        let (plan, found) = plan::propose(&request, &Silent).await;
        diagnostics.extend(found);
        (plan, diagnostics)
    }

    /// What the engine is asked for a configuration.
    fn request<'a>(
        &'a self,
        mode: Mode,
        (config, sources): (&'a Config, &'a Sources),
        state: Option<&'a State>,
    ) -> plan::Request<'a> {
        let variables: BTreeMap<Arc<str>, Value> = config
            .variables
            .iter()
            .filter_map(|(name, variable)| {
                let scope = isobar::eval::Scope::new(config, Facts::default(), BTreeMap::new());
                let default = &variable.default.as_ref()?.value;
                let value = isobar::eval::evaluate(default, &scope, &isobar::eval::Ambient::None);
                Some((
                    Arc::clone(name),
                    value.unwrap().sensitive_if(variable.sensitive),
                ))
            })
            .collect();
        self.runs.set(self.runs.get() + 1);
        plan::Request {
            config,
            sources,
            variables,
            facts: Facts::default(),
            folder: self.path(),
            registry: &self.registry,
            state,
            mode,
            selection: self.selection.clone(),
            refresh: self.refresh,
            // Each plan reads its files anew.
            telemetry: Box::leak(Box::default()),
            now: self.now,
            id: format!("plan-{}", self.runs.get()),
            parallelism: NonZeroUsize::new(10),
        }
    }

    /// Asks something else than for a plan.
    pub(crate) async fn asked<T>(&self, ask: impl AsyncFnOnce(plan::Request<'_>) -> T) -> T {
        let sources = Sources::read_folder(self.path()).unwrap();
        let (config, _) = language::load(&sources);
        let state = self.state();
        ask(self.request(Mode::Normal, (&config, &sources), state.as_ref())).await
    }

    /// A plan without errors.
    pub(crate) async fn plan(&self) -> Plan {
        let (plan, diagnostics) = self.propose(Mode::Normal).await;
        plan.unwrap_or_else(|| panic!("{diagnostics:#?}"))
    }

    pub(crate) async fn apply_plan(&self, plan: &Plan) -> Report {
        let (_sender, interrupted) = watch::channel(false);
        self.apply_until(plan, interrupted, 10).await
    }

    pub(crate) fn holder(&self) -> Holder {
        Holder {
            id: "test".to_owned(),
            operation: "apply".to_owned(),
            who: "test".to_owned(),
            pid: std::process::id(),
            since: self.now.to_string(),
        }
    }

    /// Applies until the user interrupts; with a parallelism of 0 as much at once as the providers
    /// take.
    pub(crate) async fn apply_until(
        &self,
        plan: &Plan,
        interrupted: watch::Receiver<bool>,
        parallelism: usize,
    ) -> Report {
        let holder = self.holder();
        let store = self.store();
        let request = apply::Request {
            plan,
            config: None,
            registry: &self.registry,
            store: &store,
            holder: &holder,
            guard: None,
            patience: Duration::ZERO,
            now: self.now,
            new_lineage: "lineage".to_owned(),
            parallelism: NonZeroUsize::new(parallelism),
            interrupted,
        };
        apply::apply(request, &Silent).await
    }

    /// Plans and applies; afterwards nothing is left to do.
    pub(crate) async fn converge(&self) -> Plan {
        let plan = self.plan().await;
        // What is saved is what is applied.
        let plan = plan::from_json(&plan::to_json(&plan)).unwrap();
        let report = self.apply_plan(&plan).await;
        assert!(
            !report.diagnostics.has_errors(),
            "{:#?}",
            report.diagnostics
        );
        let again = self.plan().await;
        assert!(!again.has_changes(), "{:#?}", actions(&again));
        plan
    }
}

/// What a plan does, one line a change.
pub(crate) fn actions(plan: &Plan) -> Vec<String> {
    let word = |action: Action| match action {
        Action::Keep => "keep",
        Action::Create => "create",
        Action::Update => "update",
        Action::Replace => "replace",
        Action::Delete => "delete",
        Action::Forget => "forget",
    };
    plan.actions()
        .map(|(address, p)| format!("{} {address}", word(p.change.action())))
        .collect()
}

/// Reads the outputs of states in a folder.
fn outputs_beside(folder: &Path) -> isobar_data::ReadOutputs {
    let folder = folder.to_owned();
    Arc::new(move |source| {
        let Some(path) = source.config.get("path") else {
            return Err("nothing but files can be read here".to_owned());
        };
        let Ok(text) = std::fs::read_to_string(folder.join(path)) else {
            return Ok(None);
        };
        let state = isobar::state::from_json(&text).map_err(|error| error.to_string())?;
        let outputs = state.outputs.into_iter();
        let outputs = outputs.map(|(name, output)| (name, output.value.value().clone()));
        Ok(Some(Value::object(outputs)))
    })
}
