//! What Isobar made and last saw of it.

mod ahead;
mod backend;
mod cipher;
mod deposed;
mod document;
mod elsewhere;
mod file;
mod history;
mod journal;
mod kept;
mod lock;
mod recovery;
mod remote;
mod replace;
mod store;
mod surgery;
mod verify;
mod web;
mod workspace;

pub use ahead::Ahead;
pub use backend::{Backend, Guard, Held, Ledger, Store};
pub use cipher::{
    Cipher, CipherError, Derivation, Material, Randomness, is_sealed, opened, sealed,
};
pub use deposed::{Deposed, DeposedKey};
pub use elsewhere::read_elsewhere;
pub use file::{FormatError, from_json, inspect, to_json};
pub use history::{Bounds, History, Tally, Version};
pub use journal::{Journal, JournalError, Record};
pub use lock::{Holder, Lock, LockError};
pub use recovery::{Damage, Recovered, recovered};
pub use remote::{Notice, Remote, RemoteError, RemoteStore};
pub use store::{LocalStore, StoreError, Unkept};
pub use surgery::{MoveError, Moves, Taken, moves};
pub use verify::{Flaw, Flaws};
pub use web::WebStore;
pub use workspace::{InvalidWorkspace, Workspace};

use std::collections::BTreeMap;

use isobar_sdk::provider::IdempotencyKey;
use isobar_sdk::{Address, Known};

/// All that Isobar manages.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// Names this state for its whole life, so that no other takes its place.
    pub lineage: String,
    /// Raised by one with every version.
    pub serial: u64,
    /// Output values.
    pub outputs: BTreeMap<String, OutputValue>,
    /// Resource instances.
    pub instances: BTreeMap<Address, Instance>,
    /// What was replaced and is still to be destroyed.
    pub deposed: Deposed<Instance>,
    /// What each deployment was sized for when it was last applied, in requests per second.
    pub demands: BTreeMap<String, f64>,
    /// Changes that were begun and whose end is not known: they are tried again with their key.
    pub pending: BTreeMap<Address, IdempotencyKey>,
}

/// The value of an output.
#[derive(Debug, Clone, PartialEq)]
pub struct OutputValue {
    /// The value; marked if it must not be printed.
    pub value: Known,
}

/// One resource instance.
#[derive(Debug, Clone, PartialEq)]
pub struct Instance {
    /// The local name of its provider.
    pub provider: String,
    /// The version of the schema its attributes were written with.
    pub schema_version: u64,
    /// Its attributes, sensitive ones marked.
    pub attributes: Known,
    /// What it depended on when it was last changed.
    pub dependencies: Vec<Address>,
    /// Whether it is as it was meant to be.
    pub status: Status,
    /// What its block said about its life when it was last applied.
    pub life: Life,
}

/// What a block says about the life of its instances, and what holds also when it is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Life {
    /// It must not be destroyed.
    pub protected: bool,
    /// What replaces it is made before it is destroyed.
    pub create_first: bool,
}

/// Whether an instance is as it was meant to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It is.
    Ready,
    /// It is to be replaced, because someone said so.
    Tainted,
}

impl State {
    /// A state without anything in it, of a new lineage.
    #[must_use]
    pub const fn new(lineage: String) -> Self {
        Self {
            lineage,
            serial: 0,
            outputs: BTreeMap::new(),
            instances: BTreeMap::new(),
            deposed: BTreeMap::new(),
            demands: BTreeMap::new(),
            pending: BTreeMap::new(),
        }
    }

    /// Applies one record of a journal.
    pub fn fold(&mut self, record: Record) {
        match record {
            Record::Intent { address, key } => {
                self.pending.insert(address, key);
            }
            Record::Stored { address, instance } => {
                self.pending.remove(&address);
                self.instances.insert(address, *instance);
            }
            Record::Removed { address } => {
                self.pending.remove(&address);
                self.instances.remove(&address);
            }
            Record::Moved { moves } => {
                let taken = self.take(&moves);
                self.put(taken);
            }
            Record::Deposed { address, key } => self.depose(address, key),
            Record::Discarded { address, key } => {
                self.deposed.remove(&(address, key));
            }
            Record::Unchanged { address } => {
                self.pending.remove(&address);
            }
        }
    }
}
