//! What the engine tells while it works: a closed set, drawn elsewhere.

use isobar_sdk::{Address, Value};

use crate::change::Action;

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A resource is being read.
    RefreshStart {
        /// Which one.
        address: Address,
    },
    /// A resource was read.
    RefreshComplete {
        /// Which one.
        address: Address,
    },
    /// A forecast is being made.
    ForecastStart {
        /// The name of its block.
        name: String,
    },
    /// A forecast was made.
    ForecastComplete {
        /// The name of its block.
        name: String,
        /// The method that was chosen.
        method: &'static str,
    },
    /// A change begins.
    ApplyStart {
        /// Of this resource.
        address: Address,
        /// What happens to it.
        action: Action,
    },
    /// A change is done.
    ApplyComplete {
        /// Of this resource.
        address: Address,
        /// What happened to it.
        action: Action,
        /// Its `id`, where it has one.
        id: Option<Value>,
    },
    /// A change failed.
    ApplyErrored {
        /// Of this resource.
        address: Address,
        /// What should have happened to it.
        action: Action,
        /// Why it did not.
        message: String,
    },
    /// A change was not begun, because one that it depends on failed or because the user
    /// interrupted.
    ApplySkipped {
        /// Of this resource.
        address: Address,
        /// What should have happened to it.
        action: Action,
    },
}

/// Takes events.
pub trait Sink: Send + Sync {
    /// Takes one event.
    fn emit(&self, event: Event);
}

/// Takes events and does nothing with them.
#[derive(Debug, Clone, Copy)]
pub struct Silent;

impl Sink for Silent {
    fn emit(&self, _: Event) {}
}
