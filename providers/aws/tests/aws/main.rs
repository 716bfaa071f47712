//! The provider against servers that speak as AWS does: the cloud simulator of this workspace,
//! and moto where `ISOBAR_TEST_PARTS` names the folder that `.ci/parts` has put it into.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends where its case does not hold"
)]

mod bench;
mod conformance;
mod deployments;
mod endpoints;
#[expect(unreachable_pub, dead_code, reason = "it is shared by tests")]
#[path = "../../../../stores/tests/server/process.rs"]
mod process;
mod scaling;
