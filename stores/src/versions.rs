//! Versions of the state: documents that are written once and kept for a while.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::documents::{Condition, Documents, Fault, settle};
use crate::head::{Head, Version};

/// The folder of the versions.
const FOLDER: &str = "states/";

/// The SHA-256 of a text, in hexadecimal.
pub(crate) fn digest(content: &[u8]) -> String {
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(content) {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// The name of the next version: no other writer has the same fencing number.
pub(crate) fn next_name(head: &Head) -> String {
    let (fence, written) = (head.fence, head.written);
    format!("{FOLDER}{written:010}.{fence:010}.json")
}

/// Writes a version.
pub(crate) async fn write(
    documents: &dyn Documents,
    version: &Version,
    content: Bytes,
) -> Result<(), Fault> {
    settle(documents, &version.name, content, Condition::Absent)
        .await
        .map(drop)
}

/// The content of a version.
pub(crate) async fn read(documents: &dyn Documents, version: &Version) -> Result<Bytes, Fault> {
    let broken = |reason: &str| Fault::Broken {
        name: version.name.clone(),
        reason: reason.to_owned(),
    };
    let found = documents.get(&version.name).await?;
    let content = found.ok_or_else(|| broken("it is not there"))?.content;
    if digest(&content) == version.digest {
        Ok(content)
    } else {
        Err(broken("its digest is not the one that was recorded"))
    }
}

/// Removes every version up to the current one that the head does not keep. What cannot be
/// removed does no harm.
pub(crate) async fn prune(documents: &dyn Documents, head: &Head) {
    let kept: BTreeSet<&str> = head.versions.iter().map(|one| one.name.as_str()).collect();
    let Some(current) = kept.last() else { return };
    let Ok(names) = documents.list(FOLDER).await else {
        return;
    };
    for name in &names {
        if name.as_str() < *current && !kept.contains(name.as_str()) {
            let _ = documents.delete(name).await;
        }
    }
}
