//! What editors are told about open texts: the core of the language server.
//!
//! - `buffer` holds a text as an editor has it, `location` is where files are for editors,
//!   `cursor` says what stands at a place of a text, finished or not.
//! - `grammar` is what can stand in a block, `clause` the part of it that no schema has, `scope`
//!   what can be named in an expression.
//! - `folder` is a folder of configuration with the open texts over its files; `check` finds what
//!   is wrong with it, `completion`, `hover` and `definition` answer about one place, `outline`
//!   lists what a file declares.
//! - `desk` has the texts that are open, `wire` the form in which messages travel, and `server`
//!   answers them.

mod buffer;
mod check;
mod clause;
mod completion;
mod cursor;
mod definition;
mod desk;
mod folder;
mod grammar;
mod hover;
mod location;
mod outline;
mod scope;
mod server;
mod wire;

pub use folder::Surroundings;
pub use server::{End, serve};
pub use wire::{Message, receive};
