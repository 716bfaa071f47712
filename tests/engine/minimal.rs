//! A minimal refresh: what it reads, and what it leaves to the state.

use std::sync::{Arc, Mutex};

use isobar::plan::{self, Mode, Plan, Refresh};
use isobar::state::{State, Status};
use isobar_sdk::provider::{
    Apply, BoxFuture, IdempotencyKey, LookUp, Outcome, PlanChange, Planned, Read,
};
use isobar_sdk::{Address, Error, Known, Provider};

use crate::workspace::{Workspace, actions};
use crate::wrapper;

/// What was read, in its order; `data` for each question to a data source.
type Log = Arc<Mutex<Vec<String>>>;

/// Writes down what is read.
struct Counted {
    inner: Arc<dyn Provider>,
    log: Log,
    /// Whether reads fail.
    deaf: bool,
}

impl Provider for Counted {
    fn read(&self, request: Read) -> BoxFuture<'_, Result<Option<Known>, Error>> {
        self.log.lock().unwrap().push(request.address.to_string());
        match self.deaf {
            true => Box::pin(async { Err(Error::unavailable("nobody answers")) }),
            false => self.inner.read(request),
        }
    }

    fn plan(&self, request: PlanChange) -> BoxFuture<'_, Result<Planned, Error>> {
        self.inner.plan(request)
    }

    fn apply(&self, request: Apply) -> BoxFuture<'_, Outcome> {
        self.inner.apply(request)
    }

    fn look_up(&self, request: LookUp) -> BoxFuture<'_, Result<Known, Error>> {
        self.log.lock().unwrap().push("data".to_owned());
        self.inner.look_up(request)
    }
}

/// A workspace that tells what is read in it.
struct Watched {
    workspace: Workspace,
    log: Log,
    deaf: Arc<Mutex<bool>>,
}

impl Watched {
    /// Everything applied that `text` says.
    async fn applied(text: &str) -> Self {
        let (log, deaf) = (Log::default(), Arc::new(Mutex::new(false)));
        let (here, hears) = (Arc::clone(&log), Arc::clone(&deaf));
        let mut workspace = wrapper::workspace(move |inner| {
            let (log, deaf) = (Arc::clone(&here), *hears.lock().unwrap());
            Arc::new(Counted { inner, log, deaf })
        });
        let other = isobar::state::to_json(&State::new("other".to_owned()));
        workspace.write("other.json", &other);
        workspace.write("main.hcl", text);
        workspace.converge().await;
        workspace.refresh = Refresh::Minimal;
        Self {
            workspace,
            log,
            deaf,
        }
    }

    /// A plan of what a text says, and what was read for it.
    async fn plan(&self, text: &str) -> (Plan, Vec<String>) {
        self.workspace.write("main.hcl", text);
        self.log.lock().unwrap().clear();
        let plan = self.workspace.plan().await;
        let read = std::mem::take(&mut *self.log.lock().unwrap());
        (plan, read)
    }

    /// The same for everything to be destroyed.
    async fn destroyed(&self) -> Vec<String> {
        self.log.lock().unwrap().clear();
        let (plan, _) = self.workspace.propose(Mode::Destroy).await;
        plan.unwrap();
        std::mem::take(&mut *self.log.lock().unwrap())
    }

    /// Writes a state that records say more about.
    fn record(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.workspace.state().unwrap();
        change(&mut state);
        let path = self.workspace.path().join("isobar.state.json");
        std::fs::write(path, isobar::state::to_json(&state)).unwrap();
    }

    /// What the cloud calls an endpoint.
    fn id(&self, address: &str) -> String {
        let state = self.workspace.state().unwrap();
        let instance = &state.instances[&address.parse::<Address>().unwrap()];
        let id = instance.attributes.field("id").unwrap();
        id.as_str().unwrap().to_owned()
    }
}

/// So many endpoints; the one at `grown` has two replicas in place of one.
fn endpoints(count: usize, grown: Option<usize>) -> String {
    let grown = grown.map_or(-1, |index| i64::try_from(index).unwrap());
    format!(
        r#"
        resource "sim_endpoint" "e" {{
          count         = {count}
          name          = "e-${{count.index}}"
          zone          = "sim-us-east"
          version       = "1"
          instance_type = "c1.small"
          replicas      = count.index == {grown} ? 2 : 1
        }}
        "#
    )
}

/// Two endpoints, the second one resting on the id of the first.
fn pair(replicas: u32) -> String {
    let endpoint = |name: &str, rest: &str| {
        format!(
            r#"
            resource "sim_endpoint" "{name}" {{
              name          = "{name}"
              zone          = "sim-us-east"
              version       = "1"
              instance_type = "c1.small"
              {rest}
            }}
            "#
        )
    };
    let top = "replicas = 1\nartifact = sim_endpoint.base.id";
    endpoint("base", &format!("replicas = {replicas}")) + &endpoint("top", top)
}

#[tokio::test]
async fn of_a_hundred_only_the_one_that_changes_is_read() {
    let watched = Watched::applied(&endpoints(100, None)).await;
    let (plan, read) = watched.plan(&endpoints(100, None)).await;
    assert_eq!((actions(&plan).len(), read.len()), (0, 0));
    let (plan, read) = watched.plan(&endpoints(100, Some(40))).await;
    assert_eq!(actions(&plan), ["update sim_endpoint.e[40]"]);
    assert_eq!(read, ["sim_endpoint.e[40]"]);
    assert_eq!(plan.refresh, Refresh::Minimal);
    let kept = plan::from_json(&plan::to_json(&plan)).unwrap();
    assert_eq!(kept.refresh, Refresh::Minimal);
    // What is destroyed is read; what is made anew has nothing that could be.
    let (plan, read) = watched.plan(&endpoints(99, None)).await;
    assert_eq!(actions(&plan), ["delete sim_endpoint.e[99]"]);
    assert_eq!(read, ["sim_endpoint.e[99]"]);
    let (plan, read) = watched.plan(&endpoints(101, None)).await;
    assert_eq!(actions(&plan), ["create sim_endpoint.e[100]"]);
    assert_eq!(read, Vec::<String>::new());
    assert_eq!(watched.destroyed().await.len(), 100);
}

#[tokio::test]
async fn what_is_not_certain_is_read() {
    let watched = Watched::applied(&endpoints(5, None)).await;
    let place = |index: usize| -> Address { format!("sim_endpoint.e[{index}]").parse().unwrap() };
    watched.record(|state| {
        let tainted = state.instances.get_mut(&place(1)).unwrap();
        tainted.status = Status::Tainted;
        let key = IdempotencyKey::new("plan-0/3/update");
        state.pending.insert(place(3), key);
    });
    let (plan, read) = watched.plan(&endpoints(5, None)).await;
    assert_eq!(actions(&plan), ["replace sim_endpoint.e[1]"]);
    assert_eq!(read, ["sim_endpoint.e[1]", "sim_endpoint.e[3]"]);
}

#[tokio::test]
async fn what_changed_elsewhere_is_not_noticed() {
    let mut watched = Watched::applied(&endpoints(3, None)).await;
    let cloud = watched.workspace.cloud();
    cloud.delete(&watched.id("sim_endpoint.e[0]")).unwrap();
    cloud.delete(&watched.id("sim_endpoint.e[2]")).unwrap();
    let (plan, read) = watched.plan(&endpoints(3, Some(2))).await;
    assert_eq!(actions(&plan), ["create sim_endpoint.e[2]"]);
    assert_eq!(read, ["sim_endpoint.e[2]"]);
    assert_eq!(plan.drift.len(), 1);
    let report = watched.workspace.apply_plan(&plan).await;
    assert!(
        !report.diagnostics.has_errors(),
        "{:#?}",
        report.diagnostics
    );
    watched.workspace.refresh = Refresh::Full;
    let (plan, read) = watched.plan(&endpoints(3, Some(2))).await;
    assert_eq!(actions(&plan), ["create sim_endpoint.e[0]"]);
    assert_eq!(read.len(), 3);
}

#[tokio::test]
async fn what_changes_because_of_what_was_read_is_read_too() {
    let watched = Watched::applied(&pair(1)).await;
    let id = watched.id("sim_endpoint.base");
    let (plan, read) = watched.plan(&pair(2)).await;
    assert_eq!(actions(&plan), ["update sim_endpoint.base"]);
    assert_eq!(read, ["sim_endpoint.base"]);
    // As it is gone, it is made anew, and its id will be another one.
    watched.workspace.cloud().delete(&id).unwrap();
    let (plan, read) = watched.plan(&pair(2)).await;
    let expected = ["create sim_endpoint.base", "update sim_endpoint.top"];
    assert_eq!(actions(&plan), expected);
    assert_eq!(read, ["sim_endpoint.base", "sim_endpoint.top"]);
}

#[tokio::test]
async fn what_does_not_answer_is_asked_once() {
    let watched = Watched::applied(&pair(1)).await;
    *watched.deaf.lock().unwrap() = true;
    watched.workspace.write("main.hcl", &pair(2));
    watched.log.lock().unwrap().clear();
    let (plan, diagnostics) = watched.workspace.propose(Mode::Normal).await;
    assert!(plan.is_none());
    let codes: Vec<_> = diagnostics.iter().map(|found| found.code).collect();
    assert_eq!(codes, ["P0010"]);
    assert_eq!(*watched.log.lock().unwrap(), ["sim_endpoint.base"]);
}

#[tokio::test]
async fn data_sources_are_asked_once() {
    let text = |replicas: u32| {
        let data = r#"
            data "isobar_remote_state" "o" {
              backend  = "local"
              config   = { path = "other.json" }
              defaults = { one = 1 }
            }
        "#;
        data.to_owned() + &pair(replicas)
    };
    let watched = Watched::applied(&text(1)).await;
    let (_, read) = watched.plan(&text(2)).await;
    assert_eq!(read, ["data", "sim_endpoint.base"]);
}

#[tokio::test]
async fn what_moves_is_not_read() {
    let watched = Watched::applied(&pair(1)).await;
    let moved = pair(1)
        .replace("base\"", "root\"")
        .replace("sim_endpoint.base", "sim_endpoint.root")
        .replace("name          = \"root\"", "name          = \"base\"");
    let moved = moved + "moved {\n  from = sim_endpoint.base\n  to   = sim_endpoint.root\n}";
    let (plan, read) = watched.plan(&moved).await;
    assert_eq!(plan.moves.len(), 1);
    assert_eq!(read, Vec::<String>::new());
}
