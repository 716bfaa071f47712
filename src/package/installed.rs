//! What is installed, checked before it is used.

use std::collections::BTreeMap;

use isobar_sdk::{Diagnostic, Diagnostics};

use super::{Index, LOCK_FILE, Lock, Moment, PackageError, Place, tree};
use crate::language::module::Call;
use crate::language::{Config, Origin, Sources};

/// The folders of all installed packages, by their keys.
#[must_use]
pub fn folders(place: &Place) -> BTreeMap<String, String> {
    let packages = Index::read(&place.modules()).packages;
    let named = packages.into_iter();
    named
        .map(|(key, entry)| (key, place.named(&entry.folder)))
        .collect()
}

/// Holds the packages that files were read from against the lock file.
///
/// # Errors
/// Those that are not what was locked, or a lock file that cannot be understood.
pub fn check(
    place: &Place,
    sources: &Sources,
    config: &Config,
) -> Result<(), (Diagnostics, Sources)> {
    if sources.packages().next().is_none() {
        return Ok(());
    }
    let lock = Lock::read(&place.lock())?;
    let mut found = Diagnostics::new();
    for (key, folder) in sources.packages() {
        let Some(locked) = lock.packages.get(key) else {
            found.push(placed(unlocked(key), caller(key, config)));
            continue;
        };
        let error = match tree::digest(&place.root.join(folder)) {
            Ok(digest) if digest == locked.digest => continue,
            Ok(digest) => PackageError::Differs {
                moment: Moment::Used,
                wanted: locked.digest.clone(),
                found: digest,
            },
            Err(error) => error,
        };
        found.push(placed(error.diagnostic(key), caller(key, config)));
    }
    match found.has_errors() {
        true => Err((found, sources.clone())),
        false => Ok(()),
    }
}

/// Where a package is called.
fn caller<'a>(key: &str, config: &'a Config) -> Option<&'a Call> {
    config.modules().into_iter().find_map(|(_, module)| {
        let mut calls = module.calls.values();
        calls.find(|call| {
            let origin = Origin::of(&module.folder, &call.source);
            matches!(origin, Ok(Origin::Package { package, .. }) if package.key == key)
        })
    })
}

fn placed(diagnostic: Diagnostic, call: Option<&Call>) -> Diagnostic {
    match call {
        Some(call) => diagnostic.at(call.place()).within(&call.header),
        None => diagnostic,
    }
}

fn unlocked(key: &str) -> Diagnostic {
    let detail = format!("{key:?} is installed, but {LOCK_FILE} does not say what it must be.");
    Diagnostic::error("M0009", "Module is not locked", detail)
        .help("Run isobar init, which records it.")
}
