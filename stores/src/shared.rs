//! A state that one writer at a time may write, from any machine.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use tokio::time::{Instant, sleep};

use crate::Clock;
use crate::documents::{Condition, Documents, Fault, Tag, settle};
use crate::head::{Head, Holder, Version};
use crate::keep::Keep;
use crate::writer::Writer;
use crate::{log, versions};

/// How often a plan begins to read anew because the state is written meanwhile.
const ATTEMPTS: u32 = 20;

/// How long the silence of a holder is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// After this much silence someone else may take over.
    pub length: Duration,
    /// A holder says this often that it is still there.
    pub beat: Duration,
}

impl Default for Lease {
    fn default() -> Self {
        Self::of(Duration::from_secs(60))
    }
}

impl Lease {
    /// A lease of this length, renewed six times in it.
    #[must_use]
    pub fn of(length: Duration) -> Self {
        Self {
            length,
            beat: length / 6,
        }
    }
}

/// What the state is, and what was done since it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// What is known about it.
    pub head: Head,
    /// The state; `None` before the first one.
    pub state: Option<Bytes>,
    /// What was done since, in order.
    pub log: Vec<Bytes>,
}

/// What [`Shared::acquire`] waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Waiting {
    /// For someone who holds the lease to give it up.
    Held(Box<Holder>),
    /// Whether a holder whose lease has run out is still there.
    Silent(Box<Holder>),
}

/// Why the lease could not be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AcquireError {
    /// Someone else holds it.
    #[error("the state is locked")]
    Held(Box<Holder>),
    /// The place does not do what it is asked for.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// A state in a place that several machines reach.
#[derive(Clone)]
pub struct Shared {
    pub(crate) documents: Arc<dyn Documents>,
    pub(crate) clock: Clock,
    pub(crate) lease: Lease,
    /// Which versions are kept.
    pub(crate) keep: Keep,
}

impl Shared {
    /// The state in a place. Versions of it stay there as `keep` says, at least one.
    #[must_use]
    pub fn new(documents: Arc<dyn Documents>, clock: Clock, lease: Lease, keep: Keep) -> Self {
        Self {
            documents,
            clock,
            lease,
            keep,
        }
    }

    /// Where it is, for people.
    #[must_use]
    pub fn place(&self) -> String {
        self.documents.place()
    }

    /// What is known about the state.
    ///
    /// # Errors
    /// A place that fails, or a head that cannot be understood.
    pub async fn head(&self) -> Result<Option<Head>, Fault> {
        Ok(self.current().await?.map(|(head, _)| head))
    }

    pub(crate) async fn current(&self) -> Result<Option<(Head, Tag)>, Fault> {
        let document = self.documents.get(Head::NAME).await?;
        document.as_ref().map(Head::decode).transpose()
    }

    /// The state as it is, without a lease. If it is written meanwhile, it is read again.
    ///
    /// # Errors
    /// A place that fails, or what is broken in it.
    pub async fn read(&self) -> Result<Snapshot, Fault> {
        let mut attempt = 0;
        loop {
            let Some((head, tag)) = self.current().await? else {
                let (state, log) = (None, Vec::new());
                let head = Head::new();
                return Ok(Snapshot { head, state, log });
            };
            let folded = (head.folded, head.written);
            let read = self.read_as(head).await;
            let Err(Fault::Broken { .. }) = &read else {
                return read;
            };
            attempt += 1;
            match self.current().await? {
                Some((now, _)) if attempt < ATTEMPTS && (now.folded, now.written) != folded => {}
                Some((_, now)) if attempt < ATTEMPTS && now != tag => {}
                _ => return read,
            }
        }
    }

    async fn read_as(&self, head: Head) -> Result<Snapshot, Fault> {
        let state = match head.versions.last() {
            Some(version) => Some(versions::read(&*self.documents, version).await?),
            None => None,
        };
        let log = log::since(&*self.documents, head.folded).await?;
        let log = log.into_iter().map(|(_, content)| content).collect();
        Ok(Snapshot { head, state, log })
    }

    /// The content of a version that is kept.
    ///
    /// # Errors
    /// A place that fails, or a version that is broken.
    pub async fn version(&self, version: &Version) -> Result<Bytes, Fault> {
        versions::read(&*self.documents, version).await
    }

    /// Takes the lease, waiting for at most `patience`, and reads what the one before has left.
    ///
    /// A lease that has run out by the clocks is only taken over after a third of its length in
    /// which its holder did not renew it: clocks of two machines may differ. Whether the guess
    /// is right does not matter for the state: the one before can no longer write it.
    ///
    /// # Errors
    /// Who holds it, or what the place says.
    pub async fn acquire(
        &self,
        holder: Holder,
        patience: Duration,
        waiting: &(dyn Fn(Waiting) + Sync),
    ) -> Result<(Writer, Snapshot), AcquireError> {
        let began = Instant::now();
        let mut watched: Option<(Tag, Instant)> = None;
        loop {
            let found = self.current().await?;
            let (mut head, tag) = match found {
                None => (Head::new(), None),
                Some((head, tag)) => (head, Some(tag)),
            };
            if let (Some(other), Some(tag)) = (&head.holder, &tag) {
                let since = match &watched {
                    Some((same, since)) if same == tag => *since,
                    _ => {
                        watched = Some((tag.clone(), Instant::now()));
                        Instant::now()
                    }
                };
                let silent = self.has_run_out(other);
                let watch = if silent {
                    2 * self.lease.beat
                } else {
                    self.lease.length
                };
                if since.elapsed() < watch {
                    if !silent && began.elapsed() >= patience {
                        return Err(AcquireError::Held(Box::new(other.clone())));
                    }
                    let other = Box::new(other.clone());
                    waiting(if silent {
                        Waiting::Silent(other)
                    } else {
                        Waiting::Held(other)
                    });
                    sleep(self.lease.beat / 4).await;
                    continue;
                }
            }
            head.fence += 1;
            head.holder = Some(Holder {
                renewed: (self.clock)(),
                lease_milliseconds: u64::try_from(self.lease.length.as_millis())
                    .unwrap_or(u64::MAX),
                ..holder.clone()
            });
            match self.replace(&head, tag.as_ref()).await {
                Ok(tag) => return Ok(self.take_over(head, tag).await?),
                Err(Fault::Conflict { .. }) => {}
                Err(fault) => return Err(fault.into()),
            }
        }
    }

    /// Whether a lease has run out by the clocks. A holder whose clock is far ahead has run out,
    /// too, or a wrong clock would hold for ever.
    fn has_run_out(&self, holder: &Holder) -> bool {
        let now: Timestamp = (self.clock)();
        let length = Duration::from_millis(holder.lease_milliseconds);
        now.duration_since(holder.renewed).unsigned_abs() > length
    }

    pub(crate) async fn replace(&self, head: &Head, tag: Option<&Tag>) -> Result<Tag, Fault> {
        let condition = tag.map_or(Condition::Absent, Condition::Still);
        settle(&*self.documents, Head::NAME, head.encode(), condition).await
    }

    /// Ends the right of everyone before to write to the log, and reads what they left.
    async fn take_over(&self, mut head: Head, tag: Tag) -> Result<(Writer, Snapshot), Fault> {
        for fence in head.closed + 1..head.fence {
            let seal = log::seal(&*self.documents, fence, head.folded, head.fence).await?;
            head.seals.insert(seal);
        }
        head.closed = head.fence - 1;
        let snapshot = self.read_as(head.clone()).await?;
        Ok((Writer::begin(self.clone(), head, tag), snapshot))
    }

    /// Takes the lease away from whoever holds it; what they do next fails. `id` guards against
    /// taking it from someone else than was meant.
    ///
    /// # Errors
    /// [`Fault::Conflict`] where it is not held under this name, or what the place says.
    pub async fn break_lease(&self, id: &str) -> Result<Holder, Fault> {
        let conflict = || Fault::Conflict {
            name: Head::NAME.to_owned(),
        };
        loop {
            let (mut head, tag) = self.current().await?.ok_or_else(conflict)?;
            let Some(holder) = head.holder.take_if(|holder| holder.id == id) else {
                return Err(conflict());
            };
            head.fence += 1;
            match self.replace(&head, Some(&tag)).await {
                Ok(_) => return Ok(holder),
                // It has just been renewed, or given up.
                Err(Fault::Conflict { .. }) => {}
                Err(fault) => return Err(fault),
            }
        }
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Shared").field(&self.documents).finish()
    }
}
