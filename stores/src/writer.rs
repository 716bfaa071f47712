//! Who holds the lease: the only one that can write, for as long as no one takes over.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::documents::{Fault, Tag};
use crate::head::{Entry, Head, Holder, Version};
use crate::shared::Shared;
use crate::{log, versions};

/// Why something could not be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// Someone else has the right to write now.
    #[error("the lease was lost")]
    Lost(Option<Box<Holder>>),
    /// The place does not do what it is asked for.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// The head as its holder knows it.
#[derive(Debug)]
struct Held {
    head: Head,
    tag: Tag,
    /// How many versions were begun, so that one that failed leaves its name behind.
    begun: u64,
}

/// The holder of the lease. It is renewed until this is dropped; who drops it without
/// [`Writer::release`] leaves it to run out.
#[derive(Debug)]
pub struct Writer {
    shared: Shared,
    held: Arc<Mutex<Held>>,
    fence: u64,
    id: String,
    /// Where the next record stands among those of this writer.
    next: u64,
    /// A record may still appear in the log although its write failed.
    torn: bool,
    heart: JoinHandle<()>,
}

impl Writer {
    pub(crate) fn begin(shared: Shared, head: Head, tag: Tag) -> Self {
        let fence = head.fence;
        let id = head.holder.as_ref().map(|holder| holder.id.clone());
        let id = id.unwrap_or_default();
        let begun = head.written;
        let held = Arc::new(Mutex::new(Held { head, tag, begun }));
        let heart = tokio::spawn(beat(shared.clone(), Arc::clone(&held), fence, id.clone()));
        Self {
            shared,
            held,
            fence,
            id,
            next: 0,
            torn: false,
            heart,
        }
    }

    /// The fencing number of this hold of the lease.
    #[must_use]
    pub const fn fence(&self) -> u64 {
        self.fence
    }

    /// Adds to the log. When this succeeds, whoever comes next will read it.
    ///
    /// After a place has failed, the record may still appear in the log: nothing more is added
    /// before [`Writer::write`] has left it behind.
    ///
    /// # Errors
    /// A lease that was lost, or a place that fails; then nothing may rest on the record.
    pub async fn append(&mut self, content: Bytes) -> Result<(), WriteError> {
        let at = (self.fence, self.next);
        if self.torn {
            let reason = "an earlier record may not have been written".to_owned();
            let name = "log".to_owned();
            return Err(Fault::Failed { name, reason }.into());
        }
        match log::append(&*self.shared.documents, at, content).await {
            Ok(()) => {
                self.next += 1;
                Ok(())
            }
            // Only a seal can stand there.
            Err(Fault::Conflict { .. }) => Err(self.lost().await),
            Err(fault) => {
                self.next += 1;
                self.torn = true;
                Err(fault.into())
            }
        }
    }

    async fn lost(&self) -> WriteError {
        let head = self.shared.head().await.ok().flatten();
        WriteError::Lost(head.and_then(|head| head.holder).map(Box::new))
    }

    /// Makes this the state. All of the log is in it.
    ///
    /// # Errors
    /// A lease that was lost, or a place that fails; the state is what it was before then, and
    /// the log still holds.
    pub async fn write(&mut self, entry: Entry, content: Bytes) -> Result<(), WriteError> {
        let mut held = self.held.lock().await;
        held.begun += 1;
        let mut head = held.head.clone();
        head.written = held.begun;
        let holder = head.holder.as_ref();
        let version = Version {
            name: versions::next_name(&head),
            digest: versions::digest(&content),
            stored: content.len() as u64,
            operation: holder.map(|one| one.operation.clone()).unwrap_or_default(),
            who: holder.map(|one| one.who.clone()).unwrap_or_default(),
            at: (self.shared.clock)(),
            entry,
        };
        versions::write(&*self.shared.documents, &version, content).await?;
        head.versions.retain(|version| !version.entry.interim);
        let now = version.at;
        head.versions.push(version);
        self.shared.keep.bound(&mut head.versions, now);
        head.folded = (self.fence, self.next);
        self.commit(&mut held, head).await?;
        self.torn = false;
        let (documents, head) = (&*self.shared.documents, &held.head);
        log::prune(documents, head.folded, &head.seals).await;
        versions::prune(documents, head).await;
        Ok(())
    }

    /// Replaces the head, which an attempt of ours that seemed to fail may have replaced.
    async fn commit(&self, held: &mut Held, head: Head) -> Result<(), WriteError> {
        loop {
            match self.shared.replace(&head, Some(&held.tag)).await {
                Ok(tag) => {
                    (held.head, held.tag) = (head, tag);
                    return Ok(());
                }
                Err(Fault::Conflict { .. }) => match self.shared.current().await? {
                    Some((now, tag)) if now.is_held_by(self.fence, &self.id) => held.tag = tag,
                    Some((now, _)) => return Err(WriteError::Lost(now.holder.map(Box::new))),
                    None => return Err(WriteError::Lost(None)),
                },
                Err(fault) => return Err(fault.into()),
            }
        }
    }

    /// Gives the lease up.
    ///
    /// # Errors
    /// A lease that was lost, or a place that fails; then it runs out.
    pub async fn release(self) -> Result<(), WriteError> {
        let mut held = self.held.lock().await;
        let mut head = held.head.clone();
        head.holder = None;
        // Who comes next seals what may still appear.
        if !self.torn {
            head.closed = self.fence;
        }
        self.commit(&mut held, head).await
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.heart.abort();
    }
}

/// Says again and again that the holder is still there, until someone else is.
async fn beat(shared: Shared, held: Arc<Mutex<Held>>, fence: u64, id: String) {
    loop {
        sleep(shared.lease.beat).await;
        let mut held = held.lock().await;
        let mut head = held.head.clone();
        if let Some(holder) = &mut head.holder {
            holder.renewed = (shared.clock)();
        }
        match shared.replace(&head, Some(&held.tag)).await {
            Ok(tag) => (held.head, held.tag) = (head, tag),
            Err(Fault::Conflict { .. }) => match shared.current().await {
                Ok(Some((now, tag))) if now.is_held_by(fence, &id) => held.tag = tag,
                Ok(_) => return,
                Err(_) => {}
            },
            Err(_) => {}
        }
    }
}
