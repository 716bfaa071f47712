//! What every place must do, whoever runs it.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test ends where its case does not hold, and has a clock"
)]

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use isobar_stores::{
    AcquireError, Clock, Condition, Documents, Entry, Fault, Holder, Keep, Lease, Shared,
    WriteError,
};
use jiff::Timestamp;

const LONG: Duration = Duration::from_secs(3600);

fn clock() -> Clock {
    Arc::new(Timestamp::now)
}

fn holder(id: &str) -> Holder {
    Holder {
        id: id.to_owned(),
        operation: "apply".to_owned(),
        who: "ann@host".to_owned(),
        pid: 1,
        since: Timestamp::now(),
        renewed: Timestamp::now(),
        lease_milliseconds: 0,
    }
}

fn shared(place: &Arc<dyn Documents>, length: Duration, beat: Duration) -> Shared {
    Shared::new(
        Arc::clone(place),
        clock(),
        Lease { length, beat },
        Keep::of(5),
    )
}

/// Documents are written on a condition, listed in order and removed.
pub async fn documents(place: &dyn Documents) {
    assert_eq!(place.get("a/1").await.unwrap(), None);
    let first = Bytes::from_static(b"one");
    let tag = place.put("a/1", first.clone(), Condition::Absent).await;
    let tag = tag.unwrap();
    let again = place.put("a/1", "x".into(), Condition::Absent).await;
    assert!(matches!(again, Err(Fault::Conflict { .. })), "{again:?}");
    let found = place.get("a/1").await.unwrap().unwrap();
    assert_eq!((found.content, &found.tag), (first, &tag));

    let second = place.put("a/1", "two".into(), Condition::Still(&tag));
    let second = second.await.unwrap();
    let stale = place.put("a/1", "three".into(), Condition::Still(&tag));
    let stale = stale.await;
    assert!(matches!(stale, Err(Fault::Conflict { .. })), "{stale:?}");
    let found = place.get("a/1").await.unwrap().unwrap();
    assert_eq!((&found.content[..], found.tag), (&b"two"[..], second));

    for name in ["a/10", "a/2", "ab/3", "b"] {
        let put = place.put(name, name.into(), Condition::Absent);
        put.await.unwrap();
    }
    assert_eq!(place.list("a/").await.unwrap(), ["a/1", "a/10", "a/2"]);
    let all = ["a/1", "a/10", "a/2", "ab/3", "b"];
    assert_eq!(place.list("").await.unwrap(), all);
    for name in all {
        place.delete(name).await.unwrap();
        place.delete(name).await.unwrap();
    }
    assert_eq!(place.list("").await.unwrap(), Vec::<String>::new());
    let gone = place.put("a/1", "x".into(), Condition::Still(&tag)).await;
    assert!(matches!(gone, Err(Fault::Conflict { .. })), "{gone:?}");
}

/// Of many that write one document at once, exactly one succeeds.
pub async fn races(place: &Arc<dyn Documents>, rounds: usize) {
    for round in 0..rounds {
        let name = format!("race/{round}");
        let mut condition = None;
        for step in 0..2 {
            let racers = (0..16).map(|racer| {
                let (place, name, condition) = (Arc::clone(place), name.clone(), condition.clone());
                tokio::spawn(async move {
                    let content = Bytes::from(format!("{step} {racer}"));
                    let condition = condition
                        .as_ref()
                        .map_or(Condition::Absent, Condition::Still);
                    place.put(&name, content, condition).await.is_ok()
                })
            });
            let mut winners = 0;
            for racer in racers.collect::<Vec<_>>() {
                winners += usize::from(racer.await.unwrap());
            }
            assert_eq!(winners, 1, "{name}");
            condition = Some(place.get(&name).await.unwrap().unwrap().tag);
        }
        place.delete(&name).await.unwrap();
    }
}

/// Many writers raise a number in turn; none of their changes is lost, and what one records is
/// there for the next.
pub async fn writers(place: &Arc<dyn Documents>, count: usize) {
    let tasks = (0..count).map(|number| {
        let place = Arc::clone(place);
        tokio::spawn(async move {
            let lease = Duration::from_secs(30);
            let shared = shared(&place, lease, Duration::from_millis(200));
            let acquired = shared.acquire(holder(&number.to_string()), LONG, &|_| ());
            let (mut writer, snapshot) = acquired.await.unwrap();
            let before = snapshot.state.map_or_else(Vec::new, |state| state.to_vec());
            assert!(snapshot.log.is_empty(), "all who came before gave it up");
            writer.append(format!("{number};").into()).await.unwrap();
            let mut after = before;
            after.extend_from_slice(format!("{number};").as_bytes());
            let serial = snapshot.head.written + 1;
            writer
                .write(Entry::of("l", serial), after.into())
                .await
                .unwrap();
            writer.release().await.unwrap();
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    let shared = shared(place, LONG, LONG);
    let snapshot = shared.read().await.unwrap();
    let state = String::from_utf8(snapshot.state.unwrap().to_vec()).unwrap();
    let mut numbers: Vec<usize> = state
        .split_terminator(';')
        .map(|number| number.parse().unwrap())
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..count).collect::<Vec<_>>());
    assert_eq!(snapshot.head.versions.len(), 5.min(count));
    assert_eq!(place.list("states/").await.unwrap().len(), 5.min(count));
    assert_eq!(place.list("log/").await.unwrap(), Vec::<String>::new());
    for version in &snapshot.head.versions {
        shared.version(version).await.unwrap();
    }
}

/// A writer that sleeps past its lease cannot write any more, and what it recorded before is
/// with the one that took over.
pub async fn fencing(place: &Arc<dyn Documents>) {
    // A heart that does not beat is one of a process that was stopped.
    let sleeper = shared(place, Duration::from_millis(50), LONG);
    let (mut asleep, _) = sleeper.acquire(holder("a"), LONG, &|_| ()).await.unwrap();
    asleep.write(Entry::of("l", 1), "one".into()).await.unwrap();
    asleep.append("begun by a".into()).await.unwrap();

    let awake = shared(place, LONG, Duration::from_millis(40));
    let (mut writer, snapshot) = awake.acquire(holder("b"), LONG, &|_| ()).await.unwrap();
    assert_eq!(snapshot.state.as_deref(), Some(&b"one"[..]));
    assert_eq!(snapshot.log, ["begun by a"]);

    let lost = asleep.append("more by a".into()).await.unwrap_err();
    let WriteError::Lost(Some(by)) = lost else {
        panic!("{lost}")
    };
    assert_eq!(by.id, "b");
    let lost = asleep.write(Entry::of("l", 2), "two by a".into()).await;
    assert!(matches!(lost, Err(WriteError::Lost(_))), "{lost:?}");
    writer.append("begun by b".into()).await.unwrap();
    let lost = asleep.append("more by a".into()).await;
    assert!(matches!(lost, Err(WriteError::Lost(_))), "{lost:?}");
    assert!(matches!(asleep.release().await, Err(WriteError::Lost(_))));

    let snapshot = awake.read().await.unwrap();
    assert_eq!(snapshot.log, ["begun by a", "begun by b"]);
    writer
        .write(Entry::of("l", 2), "two by b".into())
        .await
        .unwrap();
    let snapshot = awake.read().await.unwrap();
    assert_eq!(snapshot.state.as_deref(), Some(&b"two by b"[..]));
    assert!(snapshot.log.is_empty());

    let held = awake.acquire(holder("c"), Duration::ZERO, &|_| ()).await;
    let Err(AcquireError::Held(by)) = held else {
        panic!("{held:?}")
    };
    assert_eq!(by.id, "b");
    assert!(matches!(
        awake.break_lease("a").await,
        Err(Fault::Conflict { .. })
    ));
    assert_eq!(awake.break_lease("b").await.unwrap().id, "b");
    assert!(matches!(
        writer.append("late".into()).await,
        Ok(()) | Err(WriteError::Lost(_))
    ));
    let acquired = awake.acquire(holder("c"), Duration::ZERO, &|_| ());
    let (third, snapshot) = acquired.await.unwrap();
    assert_eq!(snapshot.state.as_deref(), Some(&b"two by b"[..]));
    let late = writer.append("too late".into()).await;
    assert!(matches!(late, Err(WriteError::Lost(_))), "{late:?}");
    third.release().await.unwrap();
}

/// All of it, in folders of their own.
pub async fn all(open: &dyn Fn(&str) -> Arc<dyn Documents>, count: usize, rounds: usize) {
    documents(&*open("documents")).await;
    races(&open("races"), rounds).await;
    fencing(&open("fencing")).await;
    writers(&open("writers"), count).await;
}
