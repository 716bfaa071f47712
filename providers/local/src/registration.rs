//! What is written down about each process, so that any later command knows it again.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::process::Process;

/// How far a process has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Phase {
    /// It is about to be started, or was and its pid did not get written down any more.
    Intended,
    /// It runs, but the change it belongs to is not done.
    Started(Process),
    /// It runs, and the change that started it is done.
    Committed(Process),
    /// It is about to be ended and must get no new requests.
    Draining(Process),
}

/// One process of a resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Registration {
    /// Derived from the change that starts it: the same change makes the same id.
    pub(crate) id: String,
    /// The resource it belongs to, by the resource's `id`.
    pub(crate) resource: String,
    /// Position in the order of starting, across all changes of the resource.
    pub(crate) sequence: u64,
    /// The model version it serves; `None` for a gateway.
    pub(crate) version: Option<String>,
    /// The port it listens on.
    pub(crate) port: u16,
    /// The path that answers 200 when it takes requests.
    pub(crate) health_path: String,
    /// Stands for what it runs, so that a retry with another configuration does not adopt it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) program: Option<String>,
    /// How far it has come.
    pub(crate) phase: Phase,
}

impl Registration {
    /// The process, unless it is only intended.
    pub(crate) const fn process(&self) -> Option<&Process> {
        match &self.phase {
            Phase::Intended => None,
            Phase::Started(process) | Phase::Committed(process) | Phase::Draining(process) => {
                Some(process)
            }
        }
    }

    /// Whether its process runs.
    pub(crate) fn is_alive(&self) -> bool {
        self.process().is_some_and(Process::is_alive)
    }
}

/// A folder with one file per process. Files are small and local, so that reading and writing
/// them is not worth a thread of its own.
#[derive(Debug, Clone)]
pub(crate) struct Registry {
    folder: PathBuf,
}

impl Registry {
    /// The registry in `folder`, which need not exist yet.
    pub(crate) const fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// The file of the process `id`.
    pub(crate) fn path(&self, id: &str) -> PathBuf {
        self.folder.join(format!("{id}.json"))
    }

    /// Where the output of the process `id` goes.
    pub(crate) fn log(&self, id: &str) -> PathBuf {
        self.folder.join(format!("{id}.log"))
    }

    /// Makes the folder.
    pub(crate) fn prepare(&self) -> io::Result<()> {
        fs::create_dir_all(&self.folder)
    }

    /// All registrations in the order of starting; none if the folder does not exist. A file
    /// that cannot be read as one is passed over: it was not written by this program.
    pub(crate) fn all(&self) -> io::Result<Vec<Registration>> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut found = Vec::new();
        for entry in entries {
            let path = entry?.path();
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            if let Ok(text) = fs::read(&path)
                && let Ok(registration) = serde_json::from_slice::<Registration>(&text)
            {
                found.push(registration);
            }
        }
        found.sort_by(|a, b| (a.sequence, &a.id).cmp(&(b.sequence, &b.id)));
        Ok(found)
    }

    /// Writes a registration, wholly or not at all.
    pub(crate) fn write(&self, registration: &Registration) -> io::Result<()> {
        write_json(&self.path(&registration.id), registration)
    }

    /// Removes a registration and, if asked for by [`Output::Discard`], its log.
    pub(crate) fn remove(&self, id: &str, output: Output) -> io::Result<()> {
        absent_is_fine(fs::remove_file(self.path(id)))?;
        match output {
            Output::Keep => Ok(()),
            Output::Discard => absent_is_fine(fs::remove_file(self.log(id))),
        }
    }

    /// Removes the folder with all logs, and those around it up to `outermost` that are empty.
    pub(crate) fn clear(&self, outermost: &Path) -> io::Result<()> {
        absent_is_fine(fs::remove_dir_all(&self.folder))?;
        let around = self.folder.ancestors().skip(1);
        for folder in around.take_while(|folder| folder.starts_with(outermost)) {
            if fs::remove_dir(folder).is_err() {
                break;
            }
        }
        Ok(())
    }
}

/// What becomes of the log when a registration is removed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Output {
    /// It tells why the process failed.
    Keep,
    /// The process was ended on purpose.
    Discard,
}

fn absent_is_fine(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Writes a file wholly or not at all: a new file is flushed to disk and takes the old one's place.
pub(crate) fn write_json<T: Serialize>(path: &Path, content: &T) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    serde_json::to_writer_pretty(&mut file, content)?;
    file.write_all(b"\n")?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

/// A name as one component of a path: what could lead elsewhere or be read as two names is
/// written as `%` and two hexadecimal digits per byte.
pub(crate) fn component(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for (position, byte) in name.bytes().enumerate() {
        let plain = byte.is_ascii_alphanumeric()
            || byte == b'-'
            || (position > 0 && matches!(byte, b'.' | b'_'));
        if plain {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Output, Phase, Registration, Registry, component};

    #[test]
    fn names_cannot_leave_their_folder_or_meet() {
        assert_eq!(component("v1.2_a"), "v1.2_a");
        assert_eq!(component(".."), "%2E.");
        assert_eq!(component("a/b"), "a%2Fb");
        assert_eq!(component("_gateway"), "%5Fgateway");
        assert_ne!(component("a%2Fb"), component("a/b"));
    }

    #[test]
    fn registrations_come_back_in_the_order_of_starting() {
        let folder = tempfile::tempdir().unwrap();
        let registry = Registry::new(folder.path().join("deep"));
        assert!(registry.all().unwrap().is_empty());
        registry.prepare().unwrap();
        for (id, sequence) in [("b", 1), ("a", 2), ("c", 0)] {
            let registration = Registration {
                id: id.to_owned(),
                resource: "r".to_owned(),
                sequence,
                version: None,
                port: 1,
                health_path: "/".to_owned(),
                program: None,
                phase: Phase::Intended,
            };
            registry.write(&registration).unwrap();
        }
        std::fs::write(registry.path("broken"), "{").unwrap();
        let ids = || -> Vec<String> {
            let all = registry.all().unwrap();
            all.into_iter()
                .map(|registration| registration.id)
                .collect()
        };
        assert_eq!(ids(), ["c", "b", "a"]);
        registry.remove("b", Output::Discard).unwrap();
        registry.remove("b", Output::Keep).unwrap();
        assert_eq!(ids(), ["c", "a"]);
    }
}
