//! What no one means to write: broken bytes, deep nesting, bombs, loops. The real program, with
//! little memory and little time of the processor, must refuse each with a diagnostic.

#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    reason = "a test ends where its case does not hold"
)]

mod confined;
mod documents;
mod files;
mod modules;
mod nesting;
#[path = "../program/mod.rs"]
#[expect(dead_code, reason = "this test looks at failures in its own way")]
mod program;
mod size;
