//! Documents in the memory of this process, for tests.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures::FutureExt;
use futures::future::{BoxFuture, ready};

use crate::documents::{Condition, Document, Documents, Fault, Tag};

/// Documents in memory. Clones are the same place.
#[derive(Debug, Clone, Default)]
pub struct Memory(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    documents: BTreeMap<String, Document>,
    /// How many writes there were: the tag of the last one.
    writes: u64,
}

impl Memory {
    fn with<T>(&self, work: impl FnOnce(&mut Kept) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Documents for Memory {
    fn place(&self) -> String {
        "memory".to_owned()
    }

    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<Document>, Fault>> {
        let found = self.with(|kept| kept.documents.get(name).cloned());
        ready(Ok(found)).boxed()
    }

    fn put<'a>(
        &'a self,
        name: &'a str,
        content: Bytes,
        condition: Condition<'a>,
    ) -> BoxFuture<'a, Result<Tag, Fault>> {
        let written = self.with(|kept| {
            let holds = match (condition, kept.documents.get(name)) {
                (Condition::Absent, found) => found.is_none(),
                (Condition::Still(tag), found) => found.is_some_and(|found| found.tag == *tag),
            };
            if !holds {
                return Err(Fault::Conflict {
                    name: name.to_owned(),
                });
            }
            kept.writes += 1;
            let tag = Tag(kept.writes.to_string());
            let document = Document {
                content,
                tag: tag.clone(),
            };
            kept.documents.insert(name.to_owned(), document);
            Ok(tag)
        });
        ready(written).boxed()
    }

    fn delete<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), Fault>> {
        self.with(|kept| kept.documents.remove(name));
        ready(Ok(())).boxed()
    }

    fn list<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Vec<String>, Fault>> {
        let found = self.with(|kept| {
            let names = kept.documents.keys();
            names
                .filter(|name| name.starts_with(prefix))
                .cloned()
                .collect()
        });
        ready(Ok(found)).boxed()
    }
}
