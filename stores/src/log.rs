//! What is being done, in documents that are written once: whoever takes over seals the log of
//! the one before, so that nothing can be added to it behind his back.

use std::collections::BTreeSet;

use bytes::Bytes;

use crate::documents::{Condition, Documents, Fault, settle};

/// The folder of the log.
const FOLDER: &str = "log/";
/// What a seal begins with; no record does.
const SEAL: &[u8] = b"sealed by ";

/// A place in the log: the fencing number of who writes there, and which of its writes it is.
pub(crate) type Position = (u64, u64);

fn name((fence, sequence): Position) -> String {
    format!("{FOLDER}{fence:010}/{sequence:010}")
}

fn position(name: &str) -> Option<Position> {
    let (fence, sequence) = name.strip_prefix(FOLDER)?.split_once('/')?;
    Some((fence.parse().ok()?, sequence.parse().ok()?))
}

/// Writes at a position where nothing is; a conflict says that someone has sealed the log.
pub(crate) async fn append(
    documents: &dyn Documents,
    at: Position,
    content: Bytes,
) -> Result<(), Fault> {
    settle(documents, &name(at), content, Condition::Absent)
        .await
        .map(drop)
}

/// All that was written from a position on, in order, with where it stands; without seals.
pub(crate) async fn since(
    documents: &dyn Documents,
    from: Position,
) -> Result<Vec<(Position, Bytes)>, Fault> {
    let mut found = Vec::new();
    for name in documents.list(FOLDER).await? {
        let Some(at) = position(&name).filter(|at| *at >= from) else {
            continue;
        };
        match documents.get(&name).await? {
            Some(document) if document.content.starts_with(SEAL) => {}
            Some(document) => found.push((at, document.content)),
            None => {
                let reason = "it was removed while it was read".to_owned();
                return Err(Fault::Broken { name, reason });
            }
        }
    }
    found.sort_unstable_by_key(|(at, _)| *at);
    Ok(found)
}

/// Ends the log of one fencing number for good; gives the place of the seal. What was written
/// before `folded` may have been removed, so that its places are free again.
pub(crate) async fn seal(
    documents: &dyn Documents,
    fence: u64,
    folded: Position,
    by: u64,
) -> Result<Position, Fault> {
    let folder = format!("{FOLDER}{fence:010}/");
    let content = Bytes::from([SEAL, by.to_string().as_bytes()].concat());
    let least = if folded.0 == fence { folded.1 } else { 0 };
    loop {
        let last = documents.list(&folder).await?.pop();
        let last = last.as_deref().and_then(position);
        let next = match last.filter(|at| at.1 >= least) {
            None => least,
            Some(at) => {
                let found = documents.get(&name(at)).await?;
                if found.is_some_and(|found| found.content.starts_with(SEAL)) {
                    return Ok(at);
                }
                at.1 + 1
            }
        };
        match append(documents, (fence, next), content.clone()).await {
            // Its holder was quicker; the next place is tried.
            Err(Fault::Conflict { .. }) => {}
            done => return done.map(|()| (fence, next)),
        }
    }
}

/// Removes what is in the state by now. What cannot be removed does no harm. Seals stay: without
/// them, who was sealed off would find a free place.
pub(crate) async fn prune(documents: &dyn Documents, before: Position, seals: &BTreeSet<Position>) {
    let Ok(names) = documents.list(FOLDER).await else {
        return;
    };
    for name in names {
        if position(&name).is_some_and(|at| at < before && !seals.contains(&at)) {
            let _ = documents.delete(&name).await;
        }
    }
}
