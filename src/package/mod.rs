//! Packages of modules: fetched by the ordinary tools, checked, digested and recorded.
//!
//! - `fetch` has git, curl, tar and unzip bring a package into a folder, `tool` runs them;
//! - `tree` looks through that folder: nothing may lead out of it, and all of it has a digest;
//! - `index` says what is installed here, `lock` what must be, on every machine;
//! - `install` does all that for what a configuration calls, `installed` checks it before use;
//! - `error` says what went wrong.

mod error;
mod fetch;
mod index;
mod install;
mod installed;
mod lock;
mod tool;
mod tree;

pub use error::{Moment, PackageError};
pub use index::{Entry, Index};
pub use install::{Get, Installed, LockMode, Request, Step, install};
pub use installed::{check, folders};
pub use lock::{LOCK_FILE, Lock, Locked};

use std::path::{Path, PathBuf};

use isobar_sdk::Fault;

use crate::language::origin::Fetch;

/// The folder for packages, inside of the folder for data.
const FOLDER: &str = "modules";

/// Where packages lie: on this machine, and as the configuration names them.
#[derive(Debug, Clone)]
pub struct Place {
    /// The folder of the configuration.
    pub root: PathBuf,
    /// The folder for data, as it was named: relative to the root, or absolute.
    pub data: String,
}

impl Place {
    /// The folder for packages on this machine.
    fn modules(&self) -> PathBuf {
        self.root.join(&self.data).join(FOLDER)
    }

    /// The folder of a package as the configuration names it.
    fn named(&self, folder: &str) -> String {
        let data = self.data.trim_start_matches("./").trim_end_matches('/');
        format!("{data}/{FOLDER}/{folder}")
    }

    /// The lock file.
    fn lock(&self) -> PathBuf {
        self.root.join(LOCK_FILE)
    }
}

/// Fetches what a configuration may begin with into `target`, a folder that must not be there:
/// an origin that is not called by anything.
///
/// # Errors
/// Why it cannot be had.
pub fn fetch_once(key: &str, from: &Fetch, root: &Path, target: &Path) -> Result<(), Fault> {
    fetch::fetch(from, None, root, target)
        .and_then(|_| tree::digest(target))
        .map(drop)
        .map_err(|error| Box::new(error.diagnostic(key)))
}
