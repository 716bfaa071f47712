//! Processes of this machine, told apart by pid and start time.

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};
use serde::{Deserialize, Serialize};

#[cfg_attr(target_os = "linux", path = "process/linux.rs")]
#[cfg_attr(not(target_os = "linux"), path = "process/portable.rs")]
mod table;

/// The environment variable that ties a process to its registration, so that it is found again
/// even if its pid was never written down.
pub(crate) const MARKER: &str = "ISOBAR_REGISTRATION";

/// How often a process is looked at while its end is awaited.
const LOOK: Duration = Duration::from_millis(20);
/// After SIGKILL the kernel needs no longer than this, short of a hung disk.
const KILL: Duration = Duration::from_secs(5);

/// One process, never a later one that was given the same pid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Process {
    /// The process id; also the id of its process group.
    pub(crate) pid: u32,
    /// Which boot it belongs to and when in it the process began; opaque, only compared.
    pub(crate) started: String,
}

impl Process {
    /// The process that has this pid now; `None` if there is none or it has ended already and
    /// only waits to be reaped.
    pub(crate) fn of(pid: u32) -> Option<Self> {
        let started = table::started(pid)?;
        Some(Self { pid, started })
    }

    /// The process that was started for the registration at `path`.
    pub(crate) fn registered_at(path: &Path) -> Option<Self> {
        table::leader_with(MARKER, path.as_os_str()).and_then(Self::of)
    }

    /// Whether it still runs.
    pub(crate) fn is_alive(&self) -> bool {
        Self::of(self.pid).as_ref() == Some(self)
    }

    /// Ends it and what it started in its process group: SIGTERM, up to `grace` of patience,
    /// then SIGKILL. That it is gone already is a success.
    ///
    /// # Errors
    /// The system refuses the signal, or the process stays.
    pub(crate) async fn end(&self, grace: Duration) -> io::Result<()> {
        if !self.is_alive() {
            return Ok(());
        }
        self.signal(Signal::TERM)?;
        if self.is_gone_within(grace).await {
            return self.sweep();
        }
        self.signal(Signal::KILL)?;
        if self.is_gone_within(KILL).await {
            return self.sweep();
        }
        Err(io::Error::other(format!(
            "process {} does not end, not even by SIGKILL",
            self.pid
        )))
    }

    /// Ends what the process has left in its group, right after it went: the group keeps its
    /// number while it has members, and without members there is no one to signal.
    fn sweep(&self) -> io::Result<()> {
        let group = i32::try_from(self.pid).ok().and_then(Pid::from_raw);
        match group.map(|group| rustix::process::kill_process_group(group, Signal::KILL)) {
            None | Some(Ok(()) | Err(rustix::io::Errno::SRCH)) => Ok(()),
            Some(Err(error)) => Err(error.into()),
        }
    }

    /// Between the look and the signal lie microseconds, in which the pid would have to be freed
    /// and handed out again; pids are handed out in turn, so that does not happen.
    fn signal(&self, signal: Signal) -> io::Result<()> {
        let Some(group) = i32::try_from(self.pid).ok().and_then(Pid::from_raw) else {
            return Ok(());
        };
        if !self.is_alive() {
            return Ok(());
        }
        match rustix::process::kill_process_group(group, signal) {
            Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    async fn is_gone_within(&self, patience: Duration) -> bool {
        let began = Instant::now();
        while self.is_alive() {
            if began.elapsed() > patience {
                return false;
            }
            tokio::time::sleep(LOOK).await;
        }
        true
    }
}

/// Bytes of memory that this machine has; 0 if it does not tell.
pub(crate) fn memory_of_machine() -> u64 {
    table::memory()
}

#[cfg(test)]
mod tests {
    use super::Process;

    #[test]
    fn a_process_is_itself_and_not_a_later_one_of_the_same_pid() {
        let this = Process::of(std::process::id()).unwrap();
        assert!(this.is_alive());
        let other = Process {
            started: format!("{}0", this.started),
            ..this
        };
        assert!(!other.is_alive());
    }

    #[test]
    fn what_waits_to_be_reaped_is_not_alive() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let began = std::time::Instant::now();
        while Process::of(child.id()).is_some() {
            assert!(began.elapsed().as_secs() < 10, "`true` still runs");
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        child.wait().unwrap();
    }
}
