//! Time as an argument, so that what waits can be tested without waiting.

use std::time::Duration;

use crate::provider::BoxFuture;

/// Tells the time and lets it pass.
pub trait Clock: Send + Sync {
    /// Time since some fixed instant; never runs backwards.
    fn now(&self) -> Duration;

    /// Returns when `duration` has passed.
    fn pause(&self, duration: Duration) -> BoxFuture<'_, ()>;
}

/// The clock of the tokio runtime; must be used inside one.
#[derive(Debug, Clone, Copy)]
pub struct Runtime {
    start: tokio::time::Instant,
}

impl Runtime {
    /// A clock that starts at zero now.
    #[must_use]
    pub fn start() -> Self {
        Self {
            start: tokio::time::Instant::now(),
        }
    }
}

impl Clock for Runtime {
    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    fn pause(&self, duration: Duration) -> BoxFuture<'_, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}
