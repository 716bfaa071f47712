//! The protocol on a place that fails, answers late and lies about what it did, with writers
//! that sleep past their leases and clocks that differ. Time is virtual; a seed names a run.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends where its case does not hold"
)]

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use isobar_stores::{
    AcquireError, Clock, Condition, Document, Documents, Entry, Fault, Holder, Keep, Lease, Memory,
    Shared, Snapshot, Tag, WriteError, Writer,
};
use jiff::{SignedDuration, Timestamp};
use tokio::time::{Instant, sleep};

/// Random numbers from a seed (the finaliser of SplitMix64, Steele et al. 2014).
#[derive(Debug, Clone)]
struct Random(Arc<Mutex<u64>>);

impl Random {
    fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(seed)))
    }

    fn below(&self, end: u64) -> u64 {
        let mut state = self.0.lock().unwrap();
        *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut x = *state;
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (x ^ (x >> 31)) % end
    }

    async fn nap(&self, most: u64) {
        sleep(Duration::from_millis(self.below(most))).await;
    }
}

/// A place in memory behind a bad network.
#[derive(Debug, Clone)]
struct Bad {
    inner: Memory,
    random: Random,
}

impl Bad {
    fn failed(name: &str) -> Fault {
        Fault::Failed {
            name: name.to_owned(),
            reason: "the network is down".to_owned(),
        }
    }
}

impl Documents for Bad {
    fn place(&self) -> String {
        self.inner.place()
    }

    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<Document>, Fault>> {
        async move {
            self.random.nap(20).await;
            match self.random.below(25) {
                0 => Err(Self::failed(name)),
                _ => self.inner.get(name).await,
            }
        }
        .boxed()
    }

    fn put<'a>(
        &'a self,
        name: &'a str,
        content: Bytes,
        condition: Condition<'a>,
    ) -> BoxFuture<'a, Result<Tag, Fault>> {
        async move {
            self.random.nap(20).await;
            match self.random.below(20) {
                // It does not arrive.
                0 => Err(Self::failed(name)),
                // The answer does not arrive.
                1 => {
                    let _ = self.inner.put(name, content, condition).await;
                    Err(Self::failed(name))
                }
                // It arrives long after it was given up.
                2 => {
                    let (place, name) = (self.clone(), name.to_owned());
                    let tag = match condition {
                        Condition::Absent => None,
                        Condition::Still(tag) => Some(tag.clone()),
                    };
                    let fault = Self::failed(&name);
                    tokio::spawn(async move {
                        place.random.nap(600).await;
                        let condition = tag.as_ref().map_or(Condition::Absent, Condition::Still);
                        let _ = place.inner.put(&name, content, condition).await;
                    });
                    Err(fault)
                }
                _ => {
                    let written = self.inner.put(name, content, condition).await;
                    self.random.nap(20).await;
                    written
                }
            }
        }
        .boxed()
    }

    fn delete<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), Fault>> {
        async move {
            match self.random.below(5) {
                0 => Err(Self::failed(name)),
                _ => self.inner.delete(name).await,
            }
        }
        .boxed()
    }

    fn list<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Vec<String>, Fault>> {
        async move {
            self.random.nap(20).await;
            match self.random.below(25) {
                0 => Err(Self::failed(prefix)),
                _ => self.inner.list(prefix).await,
            }
        }
        .boxed()
    }
}

/// A clock that is wrong by a constant.
fn clock(began: Instant, wrong: i64) -> Clock {
    let base = Timestamp::from_second(1_800_000_000).unwrap() + SignedDuration::from_millis(wrong);
    Arc::new(move || base + SignedDuration::try_from(began.elapsed()).unwrap())
}

fn holder(id: String) -> Holder {
    Holder {
        id,
        operation: "apply".to_owned(),
        who: "ann@host".to_owned(),
        pid: 1,
        since: Timestamp::UNIX_EPOCH,
        renewed: Timestamp::UNIX_EPOCH,
        lease_milliseconds: 0,
    }
}

/// The records of a state, and what was recorded since.
fn records(snapshot: &Snapshot) -> Vec<String> {
    let state = snapshot.state.iter().chain(&snapshot.log);
    let text: String = state
        .map(|content| String::from_utf8(content.to_vec()).unwrap())
        .collect();
    text.lines().map(str::to_owned).collect()
}

/// One run of a program: it records things one after the other, sometimes falls asleep, and
/// writes all of it down in the end, if it gets so far.
async fn run(
    shared: &Shared,
    random: &Random,
    id: &str,
    acknowledged: &Mutex<BTreeSet<String>>,
) -> Result<(), WriteError> {
    let patience = Duration::from_secs(3600);
    let acquired = shared.acquire(holder(id.to_owned()), patience, &|_| ());
    let (mut writer, snapshot): (Writer, Snapshot) = match acquired.await {
        Ok(acquired) => acquired,
        Err(AcquireError::Fault(fault)) => return Err(fault.into()),
        Err(AcquireError::Held(_)) => unreachable!("there is an hour to wait"),
    };
    let mut known = records(&snapshot);
    for step in 0..random.below(5) {
        if random.below(12) == 0 {
            random.nap(2_000).await;
        }
        let record = format!("{id}.{step}");
        match writer.append(format!("{record}\n").into()).await {
            Ok(()) => acknowledged.lock().unwrap().insert(record.clone()),
            // It may have been written, or be written later. Some go on.
            Err(WriteError::Fault(_)) if random.below(2) == 0 => break,
            Err(error) => return Err(error),
        };
        known.push(record);
        if random.below(4) == 0 {
            let entry = Entry {
                interim: random.below(2) == 0,
                ..Entry::of("l", 1)
            };
            let content = format!("{}\n", known.join("\n"));
            writer.write(entry, content.into()).await?;
        }
    }
    if random.below(6) == 0 {
        // It is killed.
        return Ok(());
    }
    if !known.is_empty() {
        writer
            .write(Entry::of("l", 1), format!("{}\n", known.join("\n")).into())
            .await?;
    }
    writer.release().await
}

/// Looks again and again whether every version that the head lists can be read. Nothing else
/// happens while it looks: memory answers at once.
async fn watch(place: Memory, clock: Clock, lease: Lease) {
    let shared = Shared::new(Arc::new(place), clock, lease, Keep::of(3));
    loop {
        if let Some(head) = shared.head().await.unwrap() {
            for version in &head.versions {
                shared.version(version).await.unwrap();
            }
        }
        sleep(Duration::from_millis(3)).await;
    }
}

/// What happened in a run.
#[derive(Debug, Default)]
struct Seen {
    /// Records that are there in the end.
    recorded: usize,
    /// Times that someone was told of the loss of his lease.
    lost: usize,
    /// Times that someone took over from one who may have been alive.
    sealed: usize,
}

async fn simulate(seed: u64) -> Seen {
    let random = Random::new(seed);
    let inner = Memory::default();
    let place: Arc<dyn Documents> = Arc::new(Bad {
        inner: inner.clone(),
        random: random.clone(),
    });
    let began = Instant::now();
    let lease = Lease::of(Duration::from_millis(600));
    let acknowledged = Arc::new(Mutex::new(BTreeSet::new()));
    let mut tasks = Vec::new();
    for worker in 0..4 {
        let wrong = i64::try_from(random.below(4_000)).unwrap() - 2_000;
        let shared = Shared::new(Arc::clone(&place), clock(began, wrong), lease, Keep::of(3));
        let (random, acknowledged) = (random.clone(), Arc::clone(&acknowledged));
        tasks.push(tokio::spawn(async move {
            let mut lost = 0;
            for attempt in 0..8 {
                let id = format!("{worker}.{attempt}");
                let ended = run(&shared, &random, &id, &acknowledged).await;
                lost += usize::from(matches!(ended, Err(WriteError::Lost(_))));
                random.nap(300).await;
            }
            lost
        }));
    }
    let mut seen = Seen::default();
    let watch = tokio::spawn(watch(inner.clone(), clock(began, 0), lease));
    for task in tasks {
        seen.lost += task.await.unwrap();
    }
    watch.abort();
    if let Err(ended) = watch.await {
        assert!(ended.is_cancelled(), "seed {seed}: {ended}");
    }
    sleep(Duration::from_secs(10)).await;

    let quiet: Arc<dyn Documents> = Arc::new(inner);
    let writer_place = Arc::clone(&quiet);
    let shared = Shared::new(quiet, clock(began, 0), lease, Keep::of(3));
    let acquired = shared.acquire(holder("last".to_owned()), Duration::from_secs(60), &|_| ());
    let (mut writer, snapshot) = acquired.await.unwrap();
    let found = records(&snapshot);
    let once: BTreeSet<String> = found.iter().cloned().collect();
    assert_eq!(
        once.len(),
        found.len(),
        "seed {seed}: something is there twice"
    );
    let lost: Vec<String> = acknowledged
        .lock()
        .unwrap()
        .difference(&once)
        .cloned()
        .collect();
    assert!(lost.is_empty(), "seed {seed}: {lost:?} of {found:?}");
    // What was left behind by those who were killed goes with the next version.
    let again = snapshot.state.clone().unwrap_or_default();
    writer.write(Entry::of("l", 1), again).await.unwrap();
    let head = shared.head().await.unwrap().unwrap();
    let listed: Vec<String> = head.versions.iter().map(|one| one.name.clone()).collect();
    let there = writer_place.list("states/").await.unwrap();
    assert_eq!(there, listed, "seed {seed}");
    seen.recorded = found.len();
    seen.sealed = snapshot.head.seals.len();
    seen
}

/// How many runs there are; `ISOBAR_SEEDS=100..2000` chooses others.
fn seeds() -> std::ops::Range<u64> {
    let chosen = std::env::var_os("ISOBAR_SEEDS");
    let chosen = chosen.as_ref().and_then(|text| text.to_str());
    let bounds = chosen.and_then(|text| text.split_once(".."));
    bounds.map_or(0..200, |(from, to)| {
        from.parse().unwrap()..to.parse().unwrap()
    })
}

#[tokio::test(start_paused = true)]
async fn nothing_that_was_acknowledged_is_lost_and_nothing_is_there_twice() {
    let mut all = Seen::default();
    for seed in seeds() {
        let seen = simulate(seed).await;
        all.recorded += seen.recorded;
        all.lost += seen.lost;
        all.sealed += seen.sealed;
    }
    println!("{all:?}");
    assert!(
        all.recorded > 0 && all.lost > 0 && all.sealed > 0,
        "{all:?}"
    );
}
