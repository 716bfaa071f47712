//! What happens to one resource instance, and why.

use isobar_sdk::{Address, Known, Path, Value};

/// What happens to one resource instance.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// Nothing.
    Keep {
        /// What it is.
        now: Known,
    },
    /// It is made.
    Create {
        /// What it will be.
        after: Value,
    },
    /// It is changed in place.
    Update {
        /// What it is.
        before: Known,
        /// What it will be.
        after: Value,
    },
    /// It is destroyed and made anew.
    Replace {
        /// What it is.
        before: Known,
        /// What it will be.
        after: Value,
        /// What cannot be changed in place; empty where it is replaced for another reason.
        because: Vec<Path>,
    },
    /// It is destroyed.
    Delete {
        /// What it is.
        before: Known,
    },
    /// It stays there, and is no longer managed.
    Forget {
        /// What it is.
        before: Known,
    },
}

/// The kinds of changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// Nothing happens.
    Keep,
    /// It is made.
    Create,
    /// It is changed in place.
    Update,
    /// It is destroyed and made anew.
    Replace,
    /// It is destroyed.
    Delete,
    /// It stays there, and is no longer managed.
    Forget,
}

impl Change {
    /// Its kind.
    #[must_use]
    pub const fn action(&self) -> Action {
        match self {
            Self::Keep { .. } => Action::Keep,
            Self::Create { .. } => Action::Create,
            Self::Update { .. } => Action::Update,
            Self::Replace { .. } => Action::Replace,
            Self::Delete { .. } => Action::Delete,
            Self::Forget { .. } => Action::Forget,
        }
    }

    /// What is there before; `None` if nothing is.
    #[must_use]
    pub const fn before(&self) -> Option<&Known> {
        match self {
            Self::Create { .. } => None,
            Self::Keep { now: before }
            | Self::Update { before, .. }
            | Self::Replace { before, .. }
            | Self::Delete { before }
            | Self::Forget { before } => Some(before),
        }
    }

    /// What will be there afterwards; `None` if nothing will be.
    #[must_use]
    pub const fn after(&self) -> Option<&Value> {
        match self {
            Self::Keep { now } => Some(now.value()),
            Self::Create { after } | Self::Update { after, .. } | Self::Replace { after, .. } => {
                Some(after)
            }
            Self::Delete { .. } | Self::Forget { .. } => None,
        }
    }
}

/// Why a change was classified as it was, in Terraform's terms where it has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// An attribute cannot be changed in place.
    CannotUpdate,
    /// Someone said that it is to be replaced.
    Tainted,
    /// Something that it is replaced together with is replaced or changed.
    Triggered,
    /// Its block is no longer in the configuration.
    NoBlock,
    /// It was moved to where there is no block.
    NoMoveTarget,
    /// Its module is no longer called, or this instance of it is not.
    NoModule,
    /// `count` no longer reaches it.
    CountIndex,
    /// `for_each` no longer has its key.
    EachKey,
    /// Its block now has, or no longer has, `count` or `for_each`.
    WrongRepetition,
    /// `enabled` is false.
    NotEnabled,
    /// The deployment no longer runs in this zone, or no longer runs this version.
    NotDeployed,
    /// Destroying was asked for.
    Requested,
}

/// Where a difference between what is and what will be comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum Cause {
    /// The configuration says something else than before, or for the first time.
    Configuration {
        /// The attribute.
        attribute: String,
    },
    /// Someone or something else changed it.
    Drift {
        /// The attribute.
        attribute: String,
        /// What was recorded.
        recorded: Value,
        /// What is there.
        observed: Value,
    },
    /// It comes from something that is changed, too.
    Follows {
        /// The attribute, or `replace_triggered_by`.
        attribute: String,
        /// What is changed: an instance, or a block with several.
        of: Address,
    },
    /// It was there and is gone.
    Gone,
    /// Demand, capacity and placement give another number of replicas.
    Capacity {
        /// The attribute.
        attribute: String,
        /// The zone.
        zone: String,
    },
}
