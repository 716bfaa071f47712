//! Why the cloud does not do what it was asked for.

use std::fmt;

/// A kind of resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Noun {
    /// A model: containers and the files that they serve.
    Model,
    /// What an endpoint is to run, written down once.
    Configuration,
    /// Instances behind one address.
    Endpoint,
    /// A variant of an endpoint.
    Variant,
    /// A variant whose count a rule may change.
    Target,
    /// Such a rule.
    Policy,
    /// A change of a target's bounds at a time.
    Action,
}

impl fmt::Display for Noun {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Model => "model",
            Self::Configuration => "configuration",
            Self::Endpoint => "endpoint",
            Self::Variant => "variant",
            Self::Target => "scalable target",
            Self::Policy => "scaling policy",
            Self::Action => "scheduled action",
        })
    }
}

/// Why a call was refused; nothing has changed then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no such thing.
    #[error("there is no {noun} {name:?}")]
    Missing {
        /// What kind.
        noun: Noun,
        /// Its name.
        name: String,
    },
    /// Its name is taken.
    #[error("there is a {noun} {name:?} already")]
    Exists {
        /// What kind.
        noun: Noun,
        /// Its name.
        name: String,
    },
    /// The endpoint is changing.
    #[error("endpoint {endpoint:?} is changing")]
    Busy {
        /// Its name.
        endpoint: String,
    },
    /// The endpoint can only be deleted.
    #[error("endpoint {endpoint:?} can only be deleted")]
    Broken {
        /// Its name.
        endpoint: String,
    },
    /// Something rests on it.
    #[error("{noun} {name:?} is in use by endpoint {by:?}")]
    InUse {
        /// What kind.
        noun: Noun,
        /// Its name.
        name: String,
        /// The endpoint that uses it.
        by: String,
    },
    /// More instances than the account may have.
    #[error("{used} + {wanted} instances of {instance_type} are more than {limit}")]
    Quota {
        /// Of this type.
        instance_type: String,
        /// What the account may have.
        limit: u32,
        /// What it has.
        used: u32,
        /// What was asked for beside that.
        wanted: u32,
    },
    /// These variants would lose what their scaling rests on.
    #[error("variants {variants:?} are scaled automatically")]
    Scaled {
        /// Their names.
        variants: Vec<String>,
    },
    /// Nobody can act as this role.
    #[error("nobody can act as {role}")]
    Role {
        /// Its name.
        role: String,
    },
    /// The request contradicts itself or the resource.
    #[error("{0}")]
    Invalid(String),
}
