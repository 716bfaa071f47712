//! The changes that are under way, and those that are written down and wait for their turn.

use std::collections::VecDeque;
use std::pin::pin;

use futures::StreamExt;
use futures::future::{BoxFuture, Either, select};
use futures::stream::FuturesUnordered;
use isobar_sdk::provider::Outcome;

use super::prepare::Prepared;
use crate::plan::Step;

/// The most changes that are written down ahead.
const FARTHEST: usize = 1024;

/// The changes that providers are making.
pub(super) type Running = FuturesUnordered<BoxFuture<'static, Finished>>;

/// A change that was handed to its provider.
pub(super) struct Finished {
    pub(super) step: Step,
    pub(super) outcome: Outcome,
}

/// The changes of an apply between their preparation and their end.
///
/// Writing down what begins takes a wait for the disk. Where changes get done at once, more and
/// more of them are written down together, so that a thousand quick ones wait for it a few times;
/// where they take time, no more than may run: what is written down and was not begun is to be
/// looked after following a crash.
pub(super) struct Lanes {
    pub(super) running: Running,
    /// Written down, and still to begin.
    pub(super) waiting: VecDeque<Prepared>,
    /// The most changes that may be written down and not done.
    window: usize,
}

impl Lanes {
    pub(super) fn new(window: usize) -> Self {
        Self {
            running: Running::new(),
            waiting: VecDeque::new(),
            window,
        }
    }

    /// Whether one more may be prepared beside these.
    pub(super) fn have_room(&self, prepared: usize) -> bool {
        self.running.len() + self.waiting.len() + prepared < self.window
    }

    /// Whether changes got done at once, so far.
    pub(super) const fn are_quick(&self, parallelism: usize) -> bool {
        self.window > parallelism
    }

    /// Looks farther ahead if changes got done at once, and back to what may run if not.
    pub(super) fn adapt(&mut self, parallelism: usize, at_once: bool) {
        self.window = match at_once {
            true => (2 * self.window).min(FARTHEST).max(parallelism),
            false => parallelism,
        };
    }

    /// Waits for `work` while what runs goes on: a provider that lets only so many calls through
    /// at a time would otherwise wait for calls that nobody drives.
    pub(super) async fn meanwhile<T>(
        &mut self,
        finished: &mut Vec<Finished>,
        work: impl Future<Output = T>,
    ) -> T {
        let mut work = pin!(work);
        while !self.running.is_empty() {
            match select(work.as_mut(), self.running.next()).await {
                Either::Left((done, _)) => return done,
                Either::Right((more, _)) => finished.extend(more),
            }
        }
        work.await
    }
}

#[cfg(test)]
mod tests {
    use super::{FARTHEST, Lanes};

    #[test]
    fn only_quick_changes_are_written_down_far_ahead() {
        let mut lanes = Lanes::new(10);
        assert!(lanes.have_room(9) && !lanes.have_room(10));
        lanes.adapt(10, true);
        assert!(lanes.have_room(19) && !lanes.have_room(20));
        (0..20).for_each(|_| lanes.adapt(10, true));
        assert!(lanes.have_room(FARTHEST - 1) && !lanes.have_room(FARTHEST));
        lanes.adapt(10, false);
        assert!(!lanes.have_room(10));
    }
}
