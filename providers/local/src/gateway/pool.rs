//! The replicas that a gateway knows, and how each of them does.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::balance::{Split, least_busy};
use crate::http::LOOPBACK;
use crate::registration::{Phase, Registration};

/// This many questions in a row must go unanswered before a replica counts as down: one that is
/// busy answers late. A refused connection or an answer other than 200 counts at once.
const LATE_LIMIT: u32 = 3;

/// One replica.
#[derive(Debug)]
pub(super) struct Replica {
    pub(super) version: String,
    pub(super) id: String,
    pub(super) pid: u32,
    pub(super) address: SocketAddr,
    pub(super) health_path: String,
    health: Mutex<Health>,
    late: AtomicU32,
    in_flight: AtomicUsize,
}

/// How a replica does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Health {
    /// It was not asked yet.
    New,
    /// It takes requests.
    Ready,
    /// It does not, because of this.
    Down(String),
}

impl Replica {
    /// `None` if it is not to get requests.
    fn of(registration: &Registration) -> Option<Self> {
        let process = match &registration.phase {
            Phase::Started(process) | Phase::Committed(process) => process,
            Phase::Intended | Phase::Draining(_) => return None,
        };
        Some(Self {
            version: registration.version.clone()?,
            id: registration.id.clone(),
            pid: process.pid,
            address: SocketAddr::new(LOOPBACK, registration.port),
            health_path: registration.health_path.clone(),
            health: Mutex::new(Health::New),
            late: AtomicU32::new(0),
            in_flight: AtomicUsize::new(0),
        })
    }

    fn is_same_process(&self, other: &Self) -> bool {
        (self.pid, self.address) == (other.pid, other.address)
    }

    pub(super) fn health(&self) -> Health {
        lock(&self.health).clone()
    }

    pub(super) fn is_ready(&self) -> bool {
        *lock(&self.health) == Health::Ready
    }

    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// It answered 200.
    pub(super) fn up(&self) {
        self.late.store(0, Ordering::Relaxed);
        *lock(&self.health) = Health::Ready;
    }

    /// It cannot take requests.
    pub(super) fn down(&self, why: String) {
        *lock(&self.health) = Health::Down(why);
    }

    /// It did not answer in time.
    pub(super) fn late(&self, why: String) {
        if self.late.fetch_add(1, Ordering::Relaxed) + 1 >= LATE_LIMIT || !self.is_ready() {
            self.down(why);
        }
    }
}

/// A request that a replica works on; counted until dropped.
#[derive(Debug)]
pub(super) struct InFlight(pub(super) Arc<Replica>);

impl InFlight {
    fn begin(replica: &Arc<Replica>) -> Self {
        replica.in_flight.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(replica))
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

/// All replicas and the split between their versions.
#[derive(Debug, Default)]
pub(super) struct Pool(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    split: Split,
    routes: BTreeMap<String, f64>,
    versions: BTreeMap<String, Version>,
}

#[derive(Debug, Default)]
struct Version {
    replicas: Vec<Arc<Replica>>,
    /// Position of the replica that got the last request.
    last: usize,
}

impl Pool {
    pub(super) fn routes(&self) -> BTreeMap<String, f64> {
        lock(&self.0).routes.clone()
    }

    /// Puts new weights in force; the same weights go on where they are.
    pub(super) fn route(&self, routes: &BTreeMap<String, f64>) {
        let mut inner = lock(&self.0);
        if inner.routes != *routes {
            inner.split = Split::new(routes);
            inner.routes.clone_from(routes);
        }
    }

    /// Takes up new replicas, forgets those that are gone, keeps what is known of the others.
    pub(super) fn replace(&self, registrations: &[Registration]) {
        let mut found: BTreeMap<String, Vec<Arc<Replica>>> = BTreeMap::new();
        let mut inner = lock(&self.0);
        for replica in registrations.iter().filter_map(Replica::of) {
            let known = inner.versions.get(&replica.version);
            let mut known = known.into_iter().flat_map(|version| &version.replicas);
            let known =
                known.find(|known| known.id == replica.id && known.is_same_process(&replica));
            let replica = known.map_or_else(|| Arc::new(replica), Arc::clone);
            found
                .entry(replica.version.clone())
                .or_default()
                .push(replica);
        }
        inner.versions = found
            .into_iter()
            .map(|(version, replicas)| {
                let last = inner
                    .versions
                    .get(&version)
                    .map_or(0, |version| version.last);
                (version, Version { replicas, last })
            })
            .collect();
    }

    /// All replicas in the order of version and start.
    pub(super) fn replicas(&self) -> Vec<Arc<Replica>> {
        let inner = lock(&self.0);
        let versions = inner.versions.values();
        versions
            .flat_map(|version| version.replicas.iter().map(Arc::clone))
            .collect()
    }

    /// The replica that gets the next request, out of those that are ready and not in `tried`.
    /// A request that is tried again stays with the version it was given.
    pub(super) fn choose(&self, tried: &[InFlight]) -> Option<InFlight> {
        let mut inner = lock(&self.0);
        let Inner {
            split, versions, ..
        } = &mut *inner;
        let tried_ids: BTreeSet<&str> = tried.iter().map(|tried| &*tried.0.id).collect();
        let fit = |replica: &Replica| replica.is_ready() && !tried_ids.contains(&*replica.id);
        let has_fit = |version: &str| {
            versions
                .get(version)
                .is_some_and(|version| version.replicas.iter().any(|replica| fit(replica)))
        };
        let same = tried.first().map(|tried| tried.0.version.as_str());
        let chosen = match same.filter(|version| has_fit(version)) {
            Some(version) => version,
            None => split.next(has_fit)?,
        };
        let version = versions.get_mut(chosen)?;
        let in_flight: Vec<usize> = version
            .replicas
            .iter()
            .map(|replica| {
                if fit(replica) {
                    replica.in_flight()
                } else {
                    usize::MAX
                }
            })
            .collect();
        let position = least_busy(&in_flight, version.last)?;
        version.last = position;
        version.replicas.get(position).map(InFlight::begin)
    }
}

/// What a panic elsewhere left behind is still whole: every write here is a single assignment.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
