//! Deployments on Amazon SageMaker.
//!
//! The provider (`provider "aws" {}`) makes models, endpoint configurations and endpoints, and what
//! scales them; one serves all regions, since zones and resources name theirs. [`Factory`] makes
//! it. Calls are our own (`client`), signed with `aws-sigv4` and the credentials of `aws-config`:
//! the SDK of SageMaker alone takes minutes to compile, and twenty operations are needed of its
//! four hundred.

mod account;
mod attribute;
mod client;
mod contract;
mod data_source;
mod endpoint;
mod endpoint_configuration;
mod factory;
mod fault;
mod kind;
mod model;
mod name;
mod offers;
mod place;
mod provider;
mod scalable;
mod scalable_target;
mod scaler;
mod scaling_policy;
mod scheduled_action;
mod service;
mod tags;
mod target;

pub use factory::{AwsFactory, factory};
