//! One run of the program: where it works, what it found outside and how it prints.

use std::future::Future;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use isobar_sdk::Diagnostic;
use rayon::ThreadPoolBuilder;
use tokio::runtime::Builder;

use super::args::Assignments;
use super::backend::{self, Chosen};
use super::environment::Environment;
use super::failure::Stopped;
use super::log::Level;
use super::shell::Shell;
use super::workspace;
use crate::package::Place;
use crate::state::{Backend, Cipher, Store, Workspace};

/// One run of the program.
#[derive(Clone)]
pub(super) struct Session {
    /// What was found outside.
    pub(super) environment: Environment,
    /// How it prints.
    pub(super) shell: Shell,
    /// The folder that everything is relative to.
    folder: PathBuf,
    /// Which state it works on.
    workspace: Workspace,
    /// Where states are kept, as `init` has chosen it.
    chosen: Option<Chosen>,
    /// How long it waits for a lock that someone else holds.
    patience: Duration,
    /// What the command gives to variables, for what the configuration says about its state.
    assignments: Assignments,
    /// What states are encrypted with, once the configuration is known to say where they are.
    settled: Arc<OnceLock<Option<Arc<Cipher>>>>,
}

impl Session {
    /// Begins in the current folder, or in another one.
    pub(super) fn open(
        environment: Environment,
        shell: Shell,
        chdir: Option<PathBuf>,
        (patience, assignments): (Duration, Assignments),
    ) -> Result<Self, Stopped> {
        let named = environment.folder.join(chdir.unwrap_or_default());
        let folder = named.canonicalize().and_then(|folder| {
            std::fs::read_dir(&folder)?;
            Ok(folder)
        });
        let folder = folder.map_err(|error| {
            let detail = format!(
                "{} is not a folder that can be read: {error}.",
                named.display()
            );
            Diagnostic::error("C0001", "No such folder", detail)
                .help("Give an existing folder with -chdir=DIR.")
        })?;
        let data = folder.join(&environment.data);
        let workspace = workspace::selected(environment.workspace.as_deref(), &data)?;
        let chosen = backend::recorded(&data)?;
        shell.log(Level::Info, || {
            let version = env!("CARGO_PKG_VERSION");
            let folder = folder.display();
            format!("isobar {version} in {folder}, workspace {workspace}")
        });
        Ok(Self {
            environment,
            shell,
            folder,
            workspace,
            chosen,
            patience,
            assignments,
            settled: Arc::default(),
        })
    }

    /// Notes that the configuration says what `init` has chosen, and what it encrypts with.
    pub(super) fn settle(&self, cipher: Option<Arc<Cipher>>) {
        // The first is as good as the next: both come from the same configuration.
        let _ = self.settled.set(cipher);
    }

    /// What the command gives to variables.
    pub(super) const fn assignments(&self) -> &Assignments {
        &self.assignments
    }

    /// What states are encrypted with; refused where the configuration says something else than
    /// `init` has chosen.
    pub(super) fn cipher(&self) -> Result<Option<Arc<Cipher>>, Stopped> {
        if let Some(cipher) = self.settled.get() {
            return Ok(cipher.clone());
        }
        let cipher = backend::check(self)?;
        self.settle(cipher.clone());
        Ok(cipher)
    }

    /// Where states are kept, as `init` has chosen it; `None` for this machine.
    pub(super) fn chosen(&self) -> Option<&Chosen> {
        self.chosen.as_ref()
    }

    /// Where states are kept.
    pub(super) fn backend(&self) -> Result<Backend, Stopped> {
        self.open_backend(self.chosen.as_ref())
    }

    /// The place that a choice means.
    pub(super) fn open_backend(&self, chosen: Option<&Chosen>) -> Result<Backend, Stopped> {
        Ok(backend::open(
            chosen,
            &self.folder,
            &self.environment,
            &self.shell,
        )?)
    }

    /// How long it waits for a lock that someone else holds.
    pub(super) const fn patience(&self) -> Duration {
        self.patience
    }

    /// The workspace that is selected.
    pub(super) fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    /// The folder of the configuration.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// A path that the user gave.
    pub(super) fn path(&self, given: &Path) -> PathBuf {
        self.folder.join(given)
    }

    /// The folder for everything but the state.
    pub(super) fn data(&self) -> PathBuf {
        self.folder.join(&self.environment.data)
    }

    /// Where packages of modules lie.
    pub(super) fn place(&self) -> Place {
        Place {
            root: self.folder.clone(),
            data: self.environment.data.to_string_lossy().into_owned(),
        }
    }

    /// The folder for what providers keep. Each workspace has its own, so that things of one
    /// name in two workspaces do not get in each other's way.
    pub(super) fn provider_data(&self) -> PathBuf {
        if self.workspace.is_default() {
            return self.data();
        }
        self.data().join("workspaces").join(self.workspace.name())
    }

    /// Where the state is; refused where the configuration says something else.
    pub(super) fn store(&self) -> Result<Store, Stopped> {
        self.store_of(&self.backend()?, &self.workspace)
    }

    /// Where the state of a workspace is.
    pub(super) fn store_of(
        &self,
        backend: &Backend,
        workspace: &Workspace,
    ) -> Result<Store, Stopped> {
        let store = backend.store(workspace).sealed_with(self.cipher()?);
        Ok(store.keeping(self.environment.history))
    }

    /// Makes this thread one of those that share work, for a command with much to do: to hand
    /// everything over to others and to wait for them takes longer where it is little at a time.
    /// There is always another one, which does what is left to it while this one waits.
    pub(super) fn share_work() {
        let processors = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let threads = ThreadPoolBuilder::new().num_threads(processors.max(2));
        // Refused where others share it already, who do it as well.
        let _refused = threads.use_current_thread().build_global();
    }

    /// Runs what waits for something; what is still under way afterwards is given up. What runs
    /// beside it waits for the network or a signal, for which one thread more is enough.
    pub(super) fn wait_for<T>(&self, work: impl Future<Output = T>) -> Result<T, Stopped> {
        within(Builder::new_multi_thread().worker_threads(1), work)
    }

    /// As `wait_for`, for what answers others on all processors.
    pub(super) fn answer<T>(&self, work: impl Future<Output = T>) -> Result<T, Stopped> {
        within(&mut Builder::new_multi_thread(), work)
    }
}

fn within<T>(builder: &mut Builder, work: impl Future<Output = T>) -> Result<T, Stopped> {
    let runtime = builder.enable_all().build().map_err(|error| {
        let detail = format!("The threads of the program could not be started: {error}.");
        Diagnostic::error("C0002", "No resources to work with", detail)
            .help("Raise the limit of threads and open files of this user.")
    })?;
    let result = runtime.block_on(work);
    runtime.shutdown_background();
    Ok(result)
}
