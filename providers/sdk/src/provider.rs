//! The contract between the engine and a provider.
//!
//! The life of a change: `read` tells what is there; the engine proposes what should be;
//! `plan` says what it will be and whether the resource must be replaced, without writing;
//! `apply` makes it so and tells what is there now. The laws that bind both sides are checked
//! by the conformance suite.

use std::fmt;
use std::future::Future;
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::sync::Arc;

use crate::deployment::{Offers, Target};
use crate::limit::{Allowance, Limits};
use crate::schema::ProviderSchema;
use crate::{Address, Error, Function, Known, Path, Value};

/// A future that a trait object can return.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Makes providers; knows the schema without any IO.
pub trait Factory: Send + Sync {
    /// The local name, as in `provider "local" {}`.
    fn name(&self) -> &'static str;

    /// All that the provider offers.
    fn schema(&self) -> &ProviderSchema;

    /// The functions that it offers, which need no provider that is ready.
    fn functions(&self) -> &'static [Function] {
        &[]
    }

    /// How often the platform may be called; ten calls of each kind at the same time where it does
    /// not say.
    fn limits(&self) -> Limits {
        Allowance::at_once(NonZeroUsize::MIN.saturating_add(9)).into()
    }

    /// A provider that is ready to be used. `configuration` has the shape of
    /// [`ProviderSchema::configuration`], defaults filled in.
    ///
    /// # Errors
    /// Wrong settings or credentials.
    fn configure<'a>(
        &'a self,
        configuration: &'a Known,
    ) -> BoxFuture<'a, Result<Arc<dyn Provider>, Error>>;
}

/// Reads, plans and applies resources of one platform.
///
/// What only some platforms can do is asked for by method: `None` means that it cannot.
pub trait Provider: Send + Sync {
    /// What is there now; `None` if the resource is gone. Never writes.
    fn read(&self, request: Read) -> BoxFuture<'_, Result<Option<Known>, Error>>;

    /// What the resource will be. Never writes.
    fn plan(&self, request: PlanChange) -> BoxFuture<'_, Result<Planned, Error>>;

    /// Makes the change. The same key twice means the same call twice: the second adopts what
    /// the first has made.
    fn apply(&self, request: Apply) -> BoxFuture<'_, Outcome>;

    /// What a data source tells. Never writes. Which data sources there are, the schema says.
    fn look_up(&self, request: LookUp) -> BoxFuture<'_, Result<Known, Error>> {
        let reason = format!("the provider has no data source {}", request.address.kind);
        Box::pin(async { Err(Error::unavailable(reason)) })
    }

    /// Adopts what exists.
    fn import(&self) -> Option<&dyn Import> {
        None
    }

    /// Tells what zones sell.
    fn offers(&self) -> Option<&dyn Offers> {
        None
    }

    /// Turns deployments into native resources.
    fn target(&self) -> Option<&dyn Target> {
        None
    }
}

/// Adopts what exists.
pub trait Import: Send + Sync {
    /// What is there under the platform's own id.
    fn import<'a>(
        &'a self,
        resource_type: &'a str,
        id: &'a str,
    ) -> BoxFuture<'a, Result<Option<Known>, Error>>;
}

/// A question what is there now.
#[derive(Debug, Clone)]
pub struct Read {
    /// Which resource; `address.resource_type()` names its schema.
    pub address: Address,
    /// What the state holds.
    pub prior: Known,
}

/// A question to a data source.
#[derive(Debug, Clone)]
pub struct LookUp {
    /// Which one; `address.kind` names its schema.
    pub address: Address,
    /// Its configuration, null where it sets nothing.
    pub configuration: Known,
}

/// A question what a resource will be.
#[derive(Debug, Clone)]
pub struct PlanChange {
    /// Which resource.
    pub address: Address,
    /// What is there; `None` if it will be created.
    pub prior: Option<Known>,
    /// What the configuration sets, null where it sets nothing; may hold unknown parts.
    pub configuration: Value,
    /// What the schema alone makes of prior and configuration: see [`crate::schema::Body::propose`].
    pub proposed: Value,
}

/// What a resource will be.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// What it will be; unknown parts become known when it is applied, known parts stay.
    pub after: Value,
    /// Attributes whose change forces a replacement, beside those that the schema marks.
    pub replace: Vec<Path>,
}

impl From<Value> for Planned {
    fn from(after: Value) -> Self {
        Self {
            after,
            replace: Vec::new(),
        }
    }
}

/// A change to make.
#[derive(Debug, Clone)]
pub struct Apply {
    /// Which resource.
    pub address: Address,
    /// What to do.
    pub operation: Operation,
    /// What the configuration sets, null where it sets nothing: the only place where values of
    /// write-only attributes are. Null when nothing is configured, as for a destruction.
    pub configuration: Value,
    /// The same for every try of this change, and for no other change.
    pub key: IdempotencyKey,
}

/// What to do with a resource.
#[derive(Debug, Clone)]
pub enum Operation {
    /// Make it; unknown parts of `planned` are for the provider to fill in.
    Create {
        /// What it was planned to be.
        planned: Value,
    },
    /// Change it in place.
    Update {
        /// What is there.
        prior: Known,
        /// What it was planned to be.
        planned: Value,
    },
    /// Destroy it. That it is gone already is a success.
    Delete {
        /// What is there.
        prior: Known,
    },
}

/// Names one change, so that trying it again does not make a second thing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct IdempotencyKey(Arc<str>);

impl IdempotencyKey {
    /// A key from its text.
    #[must_use]
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What became of a change.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Done; `None` after a delete.
    Done(Option<Known>),
    /// Something is there, but not what was planned: it is stored, and planned anew next time.
    Partial {
        /// What is there.
        state: Known,
        /// Why it is not what was planned.
        error: Error,
    },
    /// Nothing changed, as far as can be told.
    Failed(Error),
}
