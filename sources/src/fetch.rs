//! A source and a cache together: only what may have changed is asked for.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::MAX_READINGS;
use crate::cache::{Cache, Kept};
use crate::fault::Fault;
use crate::source::{Extent, Reading, Source, Window, floor};

/// How long after a time its readings may still change: what is written late is written by then.
const SETTLES: Duration = Duration::from_secs(2 * 3600);

/// Which readings are wanted.
#[derive(Debug, Clone)]
pub struct Demand {
    /// The window.
    pub window: Window,
    /// The present.
    pub now: Timestamp,
    /// What the cache knows the source by.
    pub identity: String,
}

/// Readings as a source told them, in part earlier.
#[derive(Debug, Clone, PartialEq)]
pub struct Fetched {
    /// In order of time; of equal times as the source gave them.
    pub readings: Vec<Reading>,
    /// How many of them were not asked for now.
    pub recalled: usize,
    /// Readings before this do not change any more.
    settled: Timestamp,
    taken: Timestamp,
}

impl Fetched {
    /// As the cache keeps it.
    #[must_use]
    pub fn kept(&self) -> Kept {
        let readings = self.readings.iter();
        Kept {
            taken: self.taken,
            settled: self.settled,
            readings: readings.map(|r| Reading { line: None, ..*r }).collect(),
        }
    }
}

/// Reads a window of a source, what is long past from the cache where it is there.
///
/// # Errors
/// What the source says.
pub async fn fetch(
    source: &dyn Source,
    demand: &Demand,
    cache: Option<&Cache>,
) -> Result<Fetched, Fault> {
    let window = demand.window;
    if source.extent() == Extent::Whole {
        let readings = source.read(window).await?;
        return Ok(fetched(readings, 0, demand.now, demand.now));
    }
    if window.slots() > MAX_READINGS as u128 {
        return Err(Fault::question(
            format!(
                "{} steps are asked for, more than {MAX_READINGS}",
                window.slots()
            ),
            "use a longer `step` or a shorter `history`",
        ));
    }
    let known = cache.and_then(|cache| cache.get(&demand.identity));
    let mut readings = known.map_or_else(Vec::new, |kept| settled_part(kept, &window));
    let recalled = readings.len();
    for missing in missing(&window, &readings) {
        readings.extend(source.read(missing).await?);
    }
    let settles = window.step.max(SETTLES);
    let settles = SignedDuration::try_from(settles).unwrap_or(SignedDuration::MAX);
    let settled = window.until.checked_sub(settles).unwrap_or(Timestamp::MIN);
    let settled = floor(settled, window.step);
    Ok(fetched(readings, recalled, settled, demand.now))
}

fn fetched(
    mut readings: Vec<Reading>,
    recalled: usize,
    settled: Timestamp,
    taken: Timestamp,
) -> Fetched {
    readings.sort_by_key(|reading| reading.at);
    Fetched {
        readings,
        recalled,
        settled,
        taken,
    }
}

/// What is kept and does not change any more, within the window.
fn settled_part(kept: Kept, window: &Window) -> Vec<Reading> {
    let settled = kept.settled.min(window.until);
    let mut readings = kept.readings;
    readings.retain(|reading| reading.at >= window.from && reading.at < settled);
    readings
}

/// The parts of a window that are not known: before the first known reading, because a source
/// that told nothing there may have been filled since, and behind the last.
fn missing(window: &Window, known: &[Reading]) -> Vec<Window> {
    let (Some(first), Some(last)) = (known.first(), known.last()) else {
        return vec![*window];
    };
    let step = SignedDuration::try_from(window.step).unwrap_or(SignedDuration::MAX);
    let behind = floor(last.at, window.step).checked_add(step);
    let (before, behind) = (
        floor(first.at, window.step),
        behind.unwrap_or(Timestamp::MAX),
    );
    let parts = [(window.from, before), (behind, window.until)];
    let parts = parts.into_iter().filter(|(from, until)| from < until);
    parts
        .map(|(from, until)| Window {
            from,
            until,
            step: window.step,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use futures::FutureExt as _;
    use futures::future::BoxFuture;

    use super::*;

    const STEP: Duration = Duration::from_secs(300);

    /// One reading a step, and a list of what was asked for.
    #[derive(Debug, Default)]
    struct Counting(Mutex<Vec<(i64, i64)>>);

    impl Source for Counting {
        fn place(&self) -> String {
            "counting".to_owned()
        }

        fn read(&self, window: Window) -> BoxFuture<'_, Result<Vec<Reading>, Fault>> {
            let (from, until) = (window.from.as_second(), window.until.as_second());
            self.0.lock().unwrap().push((from, until));
            let times = (from..until).step_by(300);
            let readings = times.map(|at| Reading {
                at: Timestamp::from_second(at).unwrap(),
                value: Some(at as f64),
                line: None,
            });
            let readings: Vec<Reading> = readings.collect();
            async move { Ok(readings) }.boxed()
        }
    }

    fn demand(now: i64, history: u64) -> Demand {
        let now = Timestamp::from_second(now).unwrap();
        Demand {
            window: Window::ending(now, STEP, Duration::from_secs(history)),
            now,
            identity: "x".to_owned(),
        }
    }

    #[tokio::test]
    async fn what_is_long_past_is_asked_for_once() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path().to_owned());
        let source = Counting::default();
        let day = 86_400;
        let first = fetch(&source, &demand(10 * day, 86_400), Some(&cache))
            .await
            .unwrap();
        cache.put("x", "counting", &first.kept()).unwrap();
        let later = demand(10 * day + 650, 86_400);
        let second = fetch(&source, &later, Some(&cache)).await.unwrap();
        let alone = fetch(&source, &later, None).await.unwrap();
        assert_eq!(second.readings, alone.readings);
        assert_eq!(
            (second.readings.len(), second.recalled),
            (288, 288 - 24 - 2)
        );
        cache.put("x", "counting", &second.kept()).unwrap();
        fetch(&source, &demand(10 * day + 650, 2 * 86_400), Some(&cache))
            .await
            .unwrap();
        let asked = source.0.lock().unwrap().clone();
        let until = 10 * day + 600;
        assert_eq!(
            asked,
            [
                (9 * day, 10 * day),
                (10 * day - 7200, until),
                (9 * day + 600, until),
                (8 * day + 600, 9 * day + 600),
                (until - 7200, until),
            ]
        );
    }

    #[test]
    fn windows_are_cut_without_a_seam() {
        let window = demand(1_000_000, 30_000).window;
        assert_eq!(window.slots(), 100);
        let parts = window.parts(33);
        assert_eq!(
            parts.iter().map(Window::slots).collect::<Vec<_>>(),
            [33, 33, 33, 1]
        );
        assert_eq!((parts[0].from, parts[3].until), (window.from, window.until));
        assert!(parts.windows(2).all(|pair| pair[0].until == pair[1].from));
    }
}
