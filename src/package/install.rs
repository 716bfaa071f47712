//! Installs the packages that a configuration calls, those of modules in modules too.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::PathBuf;

use isobar_sdk::{Diagnostic, Diagnostics, Fault};

use super::index::Entry;
use super::{Index, LOCK_FILE, Lock, Locked, Moment, PackageError, Place, fetch, tree};
use crate::language::module::Call;
use crate::language::origin::Package;
use crate::language::source::Unplaced;
use crate::language::{Config, NOT_INSTALLED, Origin, Sources, load};

/// More packages than any configuration has: modules that call ever new ones come to an end.
const MOST: usize = 500;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// Where packages lie.
    pub place: Place,
    /// A name that nothing else has.
    pub id: String,
    /// Which packages are fetched.
    pub get: Get,
    /// Whether the lock file may be written.
    pub lock: LockMode,
}

/// Which packages are fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Get {
    /// Those that are not there as they were locked.
    Missing,
    /// All, as they are now.
    All,
    /// None.
    Nothing,
}

/// Whether the lock file may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockMode {
    /// What is new is recorded.
    Update,
    /// All must be recorded already.
    ReadOnly,
}

/// What happens to a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<'a> {
    /// It is being fetched.
    Fetching,
    /// It was fetched and is what it was before, or new.
    Fetched(&'a Entry),
    /// It was fetched and is another than before.
    Changed {
        /// What it was.
        from: &'a Locked,
        /// What it is.
        to: &'a Entry,
    },
    /// It was there.
    Kept(&'a Entry),
}

/// A configuration with all that it calls.
#[derive(Debug)]
pub struct Installed {
    /// The texts.
    pub sources: Sources,
    /// What they say.
    pub config: Config,
    /// Warnings.
    pub diagnostics: Diagnostics,
    /// Whether the lock file was written.
    pub locked: bool,
}

/// Installs; what is refused leaves everything as it was.
///
/// # Errors
/// What is wrong, with the texts that it points into.
pub fn install(
    request: &Request,
    tell: &mut dyn FnMut(&str, Step<'_>),
) -> Result<Installed, Box<(Diagnostics, Sources)>> {
    let place = &request.place;
    let lock = Lock::read(&place.lock()).map_err(Box::new)?;
    let mut work = Work {
        request,
        index: Index::read(&place.modules()),
        lock,
        done: BTreeMap::new(),
        made: Vec::new(),
        guard: None,
    };
    let result = work.run(tell);
    if result.is_err() {
        for folder in &work.made {
            // What stays behind is never looked at, and the next run removes it.
            let _left = fs::remove_dir_all(folder);
        }
    }
    work.clean();
    result
}

struct Work<'a> {
    request: &'a Request,
    index: Index,
    lock: Lock,
    /// What is there now, as it should be.
    done: BTreeMap<String, Entry>,
    /// Folders that this run has made.
    made: Vec<PathBuf>,
    /// Keeps others from installing at the same time.
    guard: Option<File>,
}

type Refused = Box<(Diagnostics, Sources)>;

impl Work<'_> {
    fn run(&mut self, tell: &mut dyn FnMut(&str, Step<'_>)) -> Result<Installed, Refused> {
        loop {
            let root = &self.request.place.root;
            let sources = Sources::read_with(root, self.folders());
            let sources = sources.map_err(|error| stopped(unreadable(&error)))?;
            let (config, diagnostics) = load(&sources);
            let open = self.open(&config, &sources);
            let mut found = Diagnostics::new();
            for diagnostic in &diagnostics {
                // What is about to be installed is not missed yet.
                if open.is_empty() || diagnostic.code != NOT_INSTALLED {
                    found.push(diagnostic.clone());
                }
            }
            if found.has_errors() {
                return Err(Box::new((found, sources)));
            }
            if open.is_empty() {
                let locked = self.settle(&sources).map_err(|fault| stopped(*fault))?;
                return Ok(Installed {
                    sources,
                    config,
                    diagnostics,
                    locked,
                });
            }
            for (package, call) in open {
                if let Err(diagnostic) = self.ensure(&package, tell) {
                    found.push(diagnostic.at(call.place()).within(&call.header));
                }
            }
            if found.has_errors() {
                return Err(Box::new((found, sources)));
            }
        }
    }

    /// The packages that are called and not looked at yet, with their first calls.
    fn open(&self, config: &Config, sources: &Sources) -> Vec<(Package, Call)> {
        let mut found: BTreeMap<String, (Package, Call)> = BTreeMap::new();
        for (_, module) in config.modules() {
            for call in module.calls.values() {
                let (folder, source) = (&module.folder, &call.source);
                let placed = sources.module_folder(folder, source);
                let Ok(Origin::Package { package, .. }) = Origin::of(folder, source) else {
                    continue;
                };
                if placed == Err(Unplaced::NotInstalled) && !self.forbidden(&package) {
                    let entry = found.entry(package.key.clone());
                    entry.or_insert_with(|| (package, call.clone()));
                }
            }
        }
        found.into_values().collect()
    }

    /// Whether a package is not there and may not be fetched.
    fn forbidden(&self, package: &Package) -> bool {
        self.request.get == Get::Nothing && self.usable(&package.key).is_none()
    }

    fn folders(&self) -> BTreeMap<String, String> {
        let place = &self.request.place;
        let pairs = self.done.iter();
        pairs
            .map(|(key, entry)| (key.clone(), place.named(&entry.folder)))
            .collect()
    }

    /// What is installed for a key, if it is what it was and what was locked.
    fn usable(&self, key: &str) -> Option<&Entry> {
        let entry = self.index.packages.get(key)?;
        let locked = self.lock.packages.get(key);
        let folder = self.request.place.modules().join(&entry.folder);
        let whole = tree::digest(&folder).is_ok_and(|digest| digest == entry.digest);
        let meant = locked.is_none_or(|locked| locked.digest == entry.digest);
        (whole && meant).then_some(entry)
    }

    /// Sees to it that a package is there.
    fn ensure(
        &mut self,
        package: &Package,
        tell: &mut dyn FnMut(&str, Step<'_>),
    ) -> Result<(), Fault> {
        let key = &package.key;
        let kept = match self.request.get {
            Get::All => None,
            Get::Missing | Get::Nothing => self.usable(key).cloned(),
        };
        if let Some(entry) = kept {
            tell(key, Step::Kept(&entry));
            self.done.insert(key.clone(), entry);
            return Ok(());
        }
        if self.done.len() >= MOST {
            let detail = format!("The configuration calls more than {MOST} packages.");
            return Err(
                Diagnostic::error("M0010", "Modules cannot be installed", detail)
                    .help("Check whether modules call ever new ones.")
                    .into(),
            );
        }
        tell(key, Step::Fetching);
        let entry = self
            .fetch(package)
            .map_err(|error| Box::new(error.diagnostic(key)))?;
        match self.lock.packages.get(key) {
            Some(from) if from.digest != entry.digest => {
                tell(key, Step::Changed { from, to: &entry });
            }
            _ => tell(key, Step::Fetched(&entry)),
        }
        self.done.insert(key.clone(), entry);
        Ok(())
    }

    /// Fetches into a folder beside the others, which then gets its name.
    fn fetch(&mut self, package: &Package) -> Result<Entry, PackageError> {
        self.begin()?;
        let place = &self.request.place;
        let modules = place.modules();
        let temporary = modules.join(format!("{NEW}{}", self.request.id));
        let target = temporary.join("package");
        let _former = fs::remove_dir_all(&temporary);
        fs::create_dir_all(&temporary).map_err(|error| PackageError::io(&temporary, &error))?;
        let locked = self.lock.packages.get(&package.key);
        let locked = locked.filter(|_| self.request.get != Get::All);
        let commit = locked.and_then(|locked| locked.commit.as_deref());
        let commit = fetch::fetch(&package.fetch, commit, &place.root, &target)?;
        let digest = tree::digest(&target)?;
        if let Some(locked) = locked
            && locked.digest != digest
        {
            return Err(PackageError::Differs {
                moment: Moment::Fetched,
                wanted: locked.digest.clone(),
                found: digest,
            });
        }
        let folder = folder_name(package, &digest);
        let home = modules.join(&folder);
        if !tree::digest(&home).is_ok_and(|there| there == digest) {
            let _spoilt = fs::remove_dir_all(&home);
            fs::rename(&target, &home).map_err(|error| PackageError::io(&home, &error))?;
            self.made.push(home);
        }
        Ok(Entry {
            folder,
            digest,
            commit,
        })
    }

    /// Makes the folder for packages and keeps others out of it.
    fn begin(&mut self) -> Result<(), PackageError> {
        if self.guard.is_some() {
            return Ok(());
        }
        let modules = self.request.place.modules();
        fs::create_dir_all(&modules).map_err(|error| PackageError::io(&modules, &error))?;
        let path = modules.join(GUARD);
        let guard = File::create(&path).map_err(|error| PackageError::io(&path, &error))?;
        if guard.try_lock().is_err() {
            let said = format!("another isobar init works in {}", modules.display());
            return Err(PackageError::Io(said));
        }
        self.guard = Some(guard);
        Ok(())
    }

    /// Records what is there: first for all machines, then for this one. A run that ends in
    /// between leaves what the next one installs.
    fn settle(&mut self, sources: &Sources) -> Result<bool, Fault> {
        let place = &self.request.place;
        let used: BTreeMap<&str, &str> = sources.packages().collect();
        let done = self
            .done
            .iter()
            .filter(|(key, _)| used.contains_key(key.as_str()));
        let lock = Lock {
            packages: done
                .map(|(key, entry)| {
                    let locked = Locked {
                        digest: entry.digest.clone(),
                        commit: entry.commit.clone(),
                    };
                    (key.clone(), locked)
                })
                .collect(),
        };
        let new = lock.packages.iter().filter(|(key, locked)| {
            let before = self.lock.packages.get(*key);
            before.is_none_or(|before| before.digest != locked.digest)
        });
        let new: Vec<&str> = new.map(|(key, _)| key.as_str()).collect();
        if self.request.lock == LockMode::ReadOnly {
            if !new.is_empty() {
                return Err(Box::new(read_only(&new)));
            }
        } else if lock != self.lock {
            let path = place.lock();
            lock.write(&path)
                .map_err(|error| failed(&PackageError::io(&path, &error)))?;
        }
        let index = Index {
            packages: self.done.clone(),
        };
        if index != self.index {
            self.begin().map_err(|error| failed(&error))?;
            let modules = self.request.place.modules();
            index
                .write(&modules)
                .map_err(|error| failed(&PackageError::io(&modules, &error)))?;
            self.index = index;
        }
        Ok(self.request.lock == LockMode::Update && lock != self.lock)
    }

    /// Removes what no entry of the index leads to. What cannot be removed does no harm.
    fn clean(&self) {
        if self.guard.is_none() {
            return;
        }
        let modules = self.request.place.modules();
        let kept: Vec<&str> = self.index.packages.values().map(|e| &*e.folder).collect();
        for entry in fs::read_dir(&modules).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if is_folder && !kept.contains(&&*name) {
                let _left = fs::remove_dir_all(entry.path());
            }
        }
    }
}

/// How the names of folders begin that are being filled.
const NEW: &str = ".new-";

/// The file whose lock keeps others out.
const GUARD: &str = ".lock";

/// A folder's name: what people call the package, and its content.
fn folder_name(package: &Package, digest: &str) -> String {
    let address = package.key.split('?').next().unwrap_or_default();
    let last = address.trim_end_matches('/').rsplit(['/', ':']).next();
    let name = last.and_then(|name| name.split('.').find(|part| !part.is_empty()));
    let name: String = name
        .unwrap_or("module")
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .take(40)
        .collect();
    let digits: String = digest
        .trim_start_matches("sha256:")
        .chars()
        .take(16)
        .collect();
    format!("{name}-{digits}")
}

fn stopped(diagnostic: Diagnostic) -> Refused {
    Box::new((diagnostic.into(), Sources::default()))
}

fn failed(error: &PackageError) -> Fault {
    Box::new(error.diagnostic(""))
}

fn unreadable(error: &std::io::Error) -> Diagnostic {
    Diagnostic::error("C0008", "Configuration cannot be read", format!("{error}."))
        .help("Check that the files are UTF-8 text and that you may read them.")
}

fn read_only(new: &[&str]) -> Diagnostic {
    let detail = format!(
        "{LOCK_FILE} does not hold the content of {}.",
        new.join(", ")
    );
    Diagnostic::error("M0008", "Lock file would change", detail).help(
        "Run isobar init without -lockfile=readonly, and keep the lock file in version control.",
    )
}
