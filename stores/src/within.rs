//! The documents below a folder of a place.

use std::sync::Arc;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;

use crate::documents::{Condition, Document, Documents, Fault, Tag};

/// A folder of a place.
#[derive(Debug, Clone)]
pub struct Within {
    place: Arc<dyn Documents>,
    /// Ends with a slash.
    folder: String,
}

impl Within {
    /// The folder of this name.
    #[must_use]
    pub fn new(place: Arc<dyn Documents>, folder: &str) -> Self {
        Self {
            place,
            folder: format!("{folder}/"),
        }
    }

    fn full(&self, name: &str) -> String {
        format!("{}{name}", self.folder)
    }
}

impl Documents for Within {
    fn place(&self) -> String {
        let folder = self.folder.trim_end_matches('/');
        format!("{}/{folder}", self.place.place())
    }

    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<Document>, Fault>> {
        async move { self.place.get(&self.full(name)).await }.boxed()
    }

    fn put<'a>(
        &'a self,
        name: &'a str,
        content: Bytes,
        condition: Condition<'a>,
    ) -> BoxFuture<'a, Result<Tag, Fault>> {
        async move { self.place.put(&self.full(name), content, condition).await }.boxed()
    }

    fn delete<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), Fault>> {
        async move { self.place.delete(&self.full(name)).await }.boxed()
    }

    fn list<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Vec<String>, Fault>> {
        async move {
            let names = self.place.list(&self.full(prefix)).await?;
            let names = names.into_iter();
            let names = names.filter_map(|name| name.strip_prefix(&self.folder).map(str::to_owned));
            Ok(names.collect())
        }
        .boxed()
    }
}
