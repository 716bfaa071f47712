//! The resource types, so that every `match` covers them all.

use isobar_sdk::schema::Schema;
use isobar_sdk::{Error, Path};

use crate::{
    endpoint, endpoint_configuration, model, scalable_target, scaling_policy, scheduled_action,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Model,
    Configuration,
    Endpoint,
    Target,
    Policy,
    Action,
}

impl Kind {
    pub(crate) const ALL: [Self; 6] = [
        Self::Model,
        Self::Configuration,
        Self::Endpoint,
        Self::Target,
        Self::Policy,
        Self::Action,
    ];

    pub(crate) fn of(name: &str) -> Result<Self, Error> {
        let found = Self::ALL.into_iter().find(|kind| kind.name() == name);
        found.ok_or_else(|| {
            Error::invalid(Path::root(), format!("aws has no resource type {name:?}"))
        })
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Model => model::TYPE,
            Self::Configuration => endpoint_configuration::TYPE,
            Self::Endpoint => endpoint::TYPE,
            Self::Target => scalable_target::TYPE,
            Self::Policy => scaling_policy::TYPE,
            Self::Action => scheduled_action::TYPE,
        }
    }

    pub(crate) fn schema(self) -> Schema {
        match self {
            Self::Model => model::schema(),
            Self::Configuration => endpoint_configuration::schema(),
            Self::Endpoint => endpoint::schema(),
            Self::Target => scalable_target::schema(),
            Self::Policy => scaling_policy::schema(),
            Self::Action => scheduled_action::schema(),
        }
    }

    /// The attributes that name one of this type.
    pub(crate) const fn identity(self) -> &'static [&'static str] {
        match self {
            Self::Model | Self::Configuration | Self::Endpoint => &["name"],
            Self::Target => &["resource_id"],
            Self::Policy | Self::Action => &["resource_id", "name"],
        }
    }
}
