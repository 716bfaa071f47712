//! The processes of one resource, as registry and process table together tell.

use isobar_sdk::Error;
use isobar_sdk::provider::IdempotencyKey;
use sha2::{Digest, Sha256};

use crate::launch::{GRACE, failed};
use crate::process::Process;
use crate::registration::{Output, Phase, Registration, Registry};

/// A short text that stands for a change; the same for every try of it.
pub(crate) fn fingerprint(key: &IdempotencyKey) -> String {
    let digest = Sha256::digest(key.as_str().as_bytes());
    digest
        .iter()
        .take(4)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The processes of the resource with id `resource` in its registry.
#[derive(Debug, Clone)]
pub(crate) struct Members {
    /// Where they are written down; no other resource may use it.
    pub(crate) registry: Registry,
    /// The `id` of the resource.
    pub(crate) resource: String,
}

impl Members {
    /// All registrations of the resource in the order of starting, dead ones included. Where the
    /// pid was not written down any more, the process is searched for. Writes nothing.
    pub(crate) fn registered(&self) -> Result<Vec<Registration>, Error> {
        let mut members = self.registry.all().map_err(failed)?;
        members.retain(|member| member.resource == self.resource);
        for member in &mut members {
            if member.phase == Phase::Intended
                && let Some(process) = Process::registered_at(&self.registry.path(&member.id))
            {
                member.phase = Phase::Started(process);
            }
        }
        Ok(members)
    }

    /// Those that run and are not about to be ended.
    pub(crate) fn alive(&self) -> Result<Vec<Registration>, Error> {
        let mut members = self.registered()?;
        members.retain(|member| member.is_alive() && !matches!(member.phase, Phase::Draining(_)));
        Ok(members)
    }

    /// Takes what an earlier command left behind out of the way: registrations without a process
    /// are forgotten, and what was being ended, or was started for another resource by a change
    /// that never got done, is ended.
    ///
    /// # Errors
    /// [`isobar_sdk::ErrorKind::Conflict`] if another resource has processes here.
    pub(crate) async fn tidy(&self) -> Result<(), Error> {
        self.sweep(&[Leftover::Draining]).await?;
        for stranger in self.strangers()? {
            let others = Self {
                registry: self.registry.clone(),
                resource: stranger.resource,
            };
            let ended = [Leftover::Draining, Leftover::Unfinished];
            others.sweep(&ended).await?;
        }
        let strangers = self.strangers()?;
        if strangers.is_empty() {
            return Ok(());
        }
        let processes = strangers.iter().filter_map(Registration::process);
        let pids: Vec<String> = processes.map(|process| process.pid.to_string()).collect();
        let pids = pids.join(" ");
        Err(Error::conflict(format!(
            "processes that the state does not know run under the same name, zone and version: {pids}"
        ))
        .help(format!(
            "if no other configuration uses this data folder, end them with `kill {pids}` and apply again"
        )))
    }

    /// Ends processes that run something else than `program`: an earlier try of the same change
    /// started them from another configuration.
    pub(crate) async fn end_others(&self, program: &str) -> Result<(), Error> {
        for member in self.registered()? {
            let other = member
                .program
                .as_deref()
                .is_some_and(|runs| runs != program);
            if other && member.is_alive() {
                self.end(&member).await?;
            }
        }
        Ok(())
    }

    /// What another resource has in this registry.
    fn strangers(&self) -> Result<Vec<Registration>, Error> {
        let mut strangers = self.registry.all().map_err(failed)?;
        strangers.retain(|member| member.resource != self.resource);
        Ok(strangers)
    }

    /// Forgets what is dead and ends what is among `ended`.
    async fn sweep(&self, ended: &[Leftover]) -> Result<(), Error> {
        for member in self.registered()? {
            match Leftover::of(&member) {
                Some(Leftover::Dead) => {
                    let removed = self.registry.remove(&member.id, Output::Keep);
                    removed.map_err(failed)?;
                }
                Some(leftover) if ended.contains(&leftover) => self.end(&member).await?,
                _ => {}
            }
        }
        Ok(())
    }

    /// Ends a process, and then forgets it together with its log.
    pub(crate) async fn end(&self, member: &Registration) -> Result<(), Error> {
        if let Some(process) = member.process() {
            process.end(GRACE).await.map_err(failed)?;
        }
        let removed = self.registry.remove(&member.id, Output::Discard);
        removed.map_err(failed)
    }

    /// Marks a process as one that gets no new requests.
    pub(crate) fn drain(&self, member: &Registration) -> Result<(), Error> {
        let Some(process) = member.process().cloned() else {
            return Ok(());
        };
        self.rewrite(member, Phase::Draining(process))
    }

    /// Marks a process as one that serves and that the state is about to know.
    pub(crate) fn commit(&self, member: &Registration) -> Result<(), Error> {
        match &member.phase {
            Phase::Started(process) => self.rewrite(member, Phase::Committed(process.clone())),
            Phase::Intended | Phase::Committed(_) | Phase::Draining(_) => Ok(()),
        }
    }

    fn rewrite(&self, member: &Registration, phase: Phase) -> Result<(), Error> {
        let member = Registration {
            phase,
            ..member.clone()
        };
        self.registry.prepare().map_err(failed)?;
        self.registry.write(&member).map_err(failed)
    }
}

/// What an earlier command left behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leftover {
    /// A registration whose process has ended.
    Dead,
    /// A process that was being ended.
    Draining,
    /// A process whose change was not done.
    Unfinished,
}

impl Leftover {
    fn of(member: &Registration) -> Option<Self> {
        match &member.phase {
            _ if !member.is_alive() => Some(Self::Dead),
            Phase::Draining(_) => Some(Self::Draining),
            Phase::Intended | Phase::Started(_) => Some(Self::Unfinished),
            Phase::Committed(_) => None,
        }
    }
}
