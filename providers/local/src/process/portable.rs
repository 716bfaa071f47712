//! The process table where there is no `/proc`.

use std::ffi::OsStr;

use sysinfo::{Pid, ProcessRefreshKind, ProcessStatus, ProcessesToUpdate, System, UpdateKind};

/// Identity of the running process `pid`: the second at which it began.
pub(super) fn started(pid: u32) -> Option<String> {
    let pid = Pid::from_u32(pid);
    let mut system = System::new().ok()?;
    system.refresh_processes_specifics(
        ProcessesToUpdate::Some(&[pid]),
        true,
        ProcessRefreshKind::nothing(),
    );
    let process = system.process(pid)?;
    let has_ended = matches!(
        process.status(),
        ProcessStatus::Zombie | ProcessStatus::Dead
    );
    (!has_ended).then(|| process.start_time().to_string())
}

/// The pid of the oldest process whose environment sets `name` to `value`: what it started in
/// turn carries the same environment.
pub(super) fn leader_with(name: &str, value: &OsStr) -> Option<u32> {
    let mut system = System::new().ok()?;
    system.refresh_processes_specifics(
        ProcessesToUpdate::All,
        true,
        ProcessRefreshKind::nothing().with_environ(UpdateKind::Always),
    );
    let mut assignment = OsStr::new(name).to_owned();
    assignment.push("=");
    assignment.push(value);
    let processes = system.processes().values();
    processes
        .filter(|process| process.environ().contains(&assignment))
        .map(|process| (process.start_time(), process.pid().as_u32()))
        .min()
        .map(|(_, pid)| pid)
}

/// Bytes of memory that the machine has.
pub(super) fn memory() -> u64 {
    System::new().map_or(0, |mut system| {
        system.refresh_memory();
        system.total_memory()
    })
}
