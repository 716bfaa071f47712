//! Ctrl-C and its relatives.

use std::io;

use isobar_sdk::Address;
use tokio::sync::watch;

use super::shell::Shell;

/// Hears the wish to stop while changes are made. The first time, nothing new is begun; the
/// second time, the program ends at once with exit code 130 and says what may be left.
///
/// Must be called inside a runtime.
pub(super) fn listen(
    shell: Shell,
    under_way: impl Fn() -> Vec<Address> + Send + 'static,
) -> watch::Receiver<bool> {
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(async move {
        // Without the signals the program ends at the first one, as every program does.
        let Ok(mut signals) = Signals::new() else {
            return;
        };
        signals.next().await;
        shell.tell("\nStopping: what is running is finished and recorded, nothing new is begun. Stop again to end at once.");
        stop.send_replace(true);
        signals.next().await;
        shell.draw(None);
        shell.tell(&left_behind(&under_way()));
        // Only ending the process stops what the engine is doing at this moment.
        std::process::exit(130);
    });
    stopped
}

fn left_behind(under_way: &[Address]) -> String {
    if under_way.is_empty() {
        return "Ended at once. Nothing was under way; the next plan takes up what was recorded."
            .to_owned();
    }
    let list: Vec<String> = under_way
        .iter()
        .map(|address| format!("  {address}"))
        .collect();
    format!(
        "Ended at once. It is not known what became of these; the next apply tries them again under the same key:\n{}",
        list.join("\n")
    )
}

/// Ready at the first SIGINT or SIGTERM. From now on SIGHUP is ignored, so that what is started
/// outlives the terminal. Must be called inside a runtime.
///
/// # Errors
/// When the system does not let signals be heard.
pub(super) fn termination() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    let mut signals = Signals::new()?;
    #[cfg(unix)]
    let hangup = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup())?;
    Ok(async move {
        signals.next().await;
        #[cfg(unix)]
        drop(hangup);
    })
}

/// The signals by which people and supervisors ask a program to end.
struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    #[cfg(unix)]
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    #[cfg(not(unix))]
    fn new() -> io::Result<Self> {
        Ok(Self {})
    }

    #[cfg(unix)]
    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    #[cfg(not(unix))]
    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    }
}
