//! The file that holds the world, and the hand that disturbs it from outside.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use isobar_sdk::{Error, ErrorKind};
use jiff::{SignedDuration, Timestamp};

use crate::fault::{Call, Fault, Injection};
use crate::world::{Outage, World, listing};

/// Why the file of the cloud could not be used, or not be disturbed in this way.
#[derive(Debug, thiserror::Error)]
pub enum CloudError {
    /// The file system refused.
    #[error("cannot use the cloud file {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is not a cloud.
    #[error("{} is not a cloud file of format 1: {source}", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: serde_json::Error,
    },
    /// There is no such zone.
    #[error("sim has no zone {0:?}")]
    NoZone(String),
    /// There is no such endpoint or router.
    #[error("sim has nothing with the id {0:?}")]
    NoResource(String),
}

impl From<CloudError> for Error {
    fn from(error: CloudError) -> Self {
        let kind = match &error {
            CloudError::Io { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                ErrorKind::Denied
            }
            CloudError::Io { .. } => ErrorKind::Unavailable,
            CloudError::Corrupt { .. } | CloudError::NoZone(_) => ErrorKind::Invalid {
                path: isobar_sdk::Path::root(),
            },
            CloudError::NoResource(_) => ErrorKind::NotFound,
        };
        Self::new(kind, error.to_string())
    }
}

/// Whether a zone works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ZoneState {
    /// It does.
    Up,
    /// It does not; the text says why.
    Down(String),
}

/// A handle on the file of a cloud. Every change reads, changes and replaces the file as one
/// step under a lock that all processes share; whoever only looks needs no lock.
///
/// Calls block on the file, for no longer than others hold the lock.
#[derive(Debug, Clone)]
pub struct Cloud {
    path: PathBuf,
}

impl Cloud {
    /// The cloud in this file. A file that is missing is a new cloud, made with the first change.
    #[must_use]
    pub fn open(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// All there is now.
    ///
    /// # Errors
    /// The file cannot be read, or is no cloud.
    pub fn inventory(&self) -> Result<World, CloudError> {
        Ok(self.load()?.unwrap_or_default())
    }

    /// Takes a zone down or brings it up again, from now on.
    ///
    /// # Errors
    /// No such zone, or trouble with the file.
    pub fn set_zone(&self, zone: &str, state: ZoneState) -> Result<(), CloudError> {
        self.on_zone(zone, |outages, now| {
            // What was to come later still comes; what lasts now ends now.
            for outage in outages.iter_mut().filter(|outage| outage.covers(now)) {
                outage.until = Some(now);
            }
            if let ZoneState::Down(reason) = state {
                outages.push(Outage {
                    from: now,
                    until: None,
                    reason,
                });
            }
        })
    }

    /// Takes a zone down for a time to come.
    ///
    /// # Errors
    /// No such zone, or trouble with the file.
    pub fn schedule_outage(&self, zone: &str, outage: Outage) -> Result<(), CloudError> {
        self.on_zone(zone, |outages, _| outages.push(outage))
    }

    fn on_zone(
        &self,
        zone: &str,
        change: impl FnOnce(&mut Vec<Outage>, u64),
    ) -> Result<(), CloudError> {
        self.change(|world| {
            let now = world.clock;
            let found = match listing(zone) {
                Some(_) => Some(world.zones.entry(zone.to_owned()).or_default()),
                None => world.zones.get_mut(zone),
            };
            let outages = &mut found
                .ok_or_else(|| CloudError::NoZone(zone.to_owned()))?
                .outages;
            change(outages, now);
            Ok(())
        })?
    }

    /// Ends up to `count` running replicas of an endpoint.
    ///
    /// # Errors
    /// No such endpoint, or trouble with the file.
    pub fn kill_replicas(&self, endpoint_id: &str, count: u32) -> Result<(), CloudError> {
        self.change(|world| {
            let endpoint = world.endpoints.get_mut(endpoint_id);
            let endpoint =
                endpoint.ok_or_else(|| CloudError::NoResource(endpoint_id.to_owned()))?;
            endpoint.running = endpoint.running.saturating_sub(count);
            Ok(())
        })?
    }

    /// Deletes an endpoint or a router, as someone would who knows nothing of the state.
    ///
    /// # Errors
    /// Nothing has this id, or trouble with the file.
    pub fn delete(&self, id: &str) -> Result<(), CloudError> {
        self.change(|world| {
            let endpoint = world.endpoints.remove(id).is_some();
            if !endpoint
                && world.routers.remove(id).is_none()
                && world.schedules.remove(id).is_none()
                && world.secrets.remove(id).is_none()
            {
                return Err(CloudError::NoResource(id.to_owned()));
            }
            world.forget(id);
            Ok(())
        })?
    }

    /// Spoils the `nth` of these calls from now on: 1 is the next one.
    ///
    /// # Errors
    /// Trouble with the file.
    pub fn inject(&self, call: Call, nth: u64, fault: Fault) -> Result<(), CloudError> {
        self.change(|world| {
            let nth = world.calls.get(&call).copied().unwrap_or_default() + nth;
            world.faults.push(Injection { call, nth, fault });
        })
    }

    /// Lets virtual time pass.
    ///
    /// # Errors
    /// Trouble with the file.
    pub fn advance(&self, seconds: u64) -> Result<(), CloudError> {
        self.change(|world| world.clock += seconds)
    }

    /// Moves the time of day, without letting time pass.
    ///
    /// # Errors
    /// Trouble with the file.
    pub fn set_time(&self, now: Timestamp) -> Result<(), CloudError> {
        self.change(|world| {
            let clock = i64::try_from(world.clock).unwrap_or(i64::MAX);
            let epoch = now.checked_sub(SignedDuration::from_secs(clock));
            world.epoch = epoch.unwrap_or(Timestamp::MIN);
        })
    }

    /// What is in the file; `None` if there is none.
    pub(crate) fn load(&self) -> Result<Option<World>, CloudError> {
        let text = match fs::read(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.io(error)),
        };
        let world: World = serde_json::from_slice(&text).map_err(|source| self.corrupt(source))?;
        if world.format == 1 {
            return Ok(Some(world));
        }
        let source = serde::de::Error::custom(format!("its format is {}", world.format));
        Err(self.corrupt(source))
    }

    /// Changes the world in one step that no other process sees half of.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut World) -> T) -> Result<T, CloudError> {
        let _lock = self.lock().map_err(|error| self.io(error))?;
        let mut world = self.load()?.unwrap_or_default();
        let result = change(&mut world);
        let mut text = serde_json::to_vec_pretty(&world).map_err(|source| self.corrupt(source))?;
        text.push(b'\n');
        self.replace(&text).map_err(|error| self.io(error))?;
        Ok(result)
    }

    /// Waits for the lock, which ends when the file is dropped, at the latest with the process.
    /// It is a file of its own, as the file of the cloud is another one after every change.
    fn lock(&self) -> io::Result<File> {
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder)?;
        }
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(self.beside("lock"))?;
        file.lock()?;
        Ok(file)
    }

    /// Survives the end of the process at any instant, but not that of the machine: waiting for
    /// the disk would be most of the time of every call.
    fn replace(&self, text: &[u8]) -> io::Result<()> {
        let new = self.beside("new");
        fs::write(&new, text)?;
        fs::rename(&new, &self.path)
    }

    fn beside(&self, ending: &str) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(format!(".{ending}"));
        name.into()
    }

    fn io(&self, source: io::Error) -> CloudError {
        CloudError::Io {
            path: self.path.clone(),
            source,
        }
    }

    fn corrupt(&self, source: serde_json::Error) -> CloudError {
        CloudError::Corrupt {
            path: self.path.clone(),
            source,
        }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}
