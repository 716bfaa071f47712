//! The process table as Linux shows it under `/proc`.

use std::ffi::OsStr;

use procfs::Current;
use procfs::process::{Process, all_processes};

/// Identity of the running process `pid`: the boot and the clock tick at which it began.
///
/// Ticks since boot do not move when the wall clock is set; the boot id keeps a process of before
/// a restart of the machine apart from one that begins at the same tick after it.
pub(super) fn started(pid: u32) -> Option<String> {
    let stat = Process::new(i32::try_from(pid).ok()?).ok()?.stat().ok()?;
    // The first thread may be gone while others still hold sockets and files.
    let has_ended = matches!(stat.state, 'Z' | 'X' | 'x') && stat.num_threads <= 1;
    let boot = procfs::sys::kernel::random::boot_id().ok()?;
    let boot = boot.trim().get(..8)?;
    (!has_ended).then(|| format!("{boot}-{}", stat.starttime))
}

/// The pid of the process group leader whose environment sets `name` to `value`.
pub(super) fn leader_with(name: &str, value: &OsStr) -> Option<u32> {
    let mut processes = all_processes().ok()?.flatten();
    let found = processes.find(|process| {
        let leads = process.stat().is_ok_and(|stat| stat.pgrp == stat.pid);
        let sets = |process: &Process| {
            let environment = process.environ().unwrap_or_default();
            environment
                .get(OsStr::new(name))
                .is_some_and(|v| v == value)
        };
        leads && sets(process)
    })?;
    u32::try_from(found.pid()).ok()
}

/// Bytes of memory that the machine has.
pub(super) fn memory() -> u64 {
    procfs::Meminfo::current().map_or(0, |memory| memory.mem_total)
}
