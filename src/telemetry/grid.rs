//! Readings to a series: the grid, counters, what several readings of one step become, duplicates
//! and gaps.

use std::collections::BTreeMap;
use std::time::Duration;

use isobar_sources::{Fault, Reading};
use jiff::{SignedDuration, Timestamp};

use super::{MAX_SLOTS, Series, SeriesError};

/// What readings mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meaning {
    /// The length of a slot; `None` takes the most common distance of two readings.
    pub step: Option<Duration>,
    /// Values are counts per this long and are divided by it; `None` means requests per second.
    pub per: Option<Duration>,
    /// Only the last this much is kept; `None` keeps everything.
    pub history: Option<Duration>,
    /// Values are those of a counter, which only grows, but for when it begins anew at zero.
    pub counter: bool,
    /// What several readings in one slot become; `None` allows but one.
    pub aggregate: Option<Aggregate>,
}

/// What several readings in one slot become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aggregate {
    /// Their sum.
    Sum,
    /// Their mean.
    Mean,
    /// The greatest.
    Max,
    /// The last in time.
    Last,
}

impl Aggregate {
    /// The words of the configuration.
    pub const WORDS: [(&str, Self); 4] = [
        ("sum", Self::Sum),
        ("mean", Self::Mean),
        ("max", Self::Max),
        ("last", Self::Last),
    ];

    /// Of values in the order of time; `None` of none.
    fn of(self, values: &[f64]) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "a slot never has 2^53 readings")]
        let count = values.len() as f64;
        let last = values.last()?;
        Some(match self {
            Self::Sum => values.iter().sum(),
            Self::Mean => values.iter().sum::<f64>() / count,
            Self::Max => values.iter().copied().fold(0.0, f64::max),
            Self::Last => *last,
        })
    }
}

impl Meaning {
    /// The series that readings are, which may come in any order. Of two of the same time the
    /// later one wins, unless they are aggregated.
    ///
    /// # Errors
    /// Why they are none, with the line where one is at fault.
    pub fn series(&self, mut readings: Vec<Reading>) -> Result<Series, Fault> {
        let per = self.per.map_or(1.0, |per| per.as_secs_f64());
        if per <= 0.0 {
            return Err(wrong(
                "`per` is zero",
                "set `per` to the duration that a value counts over, such as 1h, or leave it out for rates per second",
            ));
        }
        // Stable, so that of equal times the later one stays behind.
        readings.sort_by_key(|reading| reading.at);
        let given = readings.len();
        if self.aggregate.is_none() || self.counter {
            readings = distinct(readings);
        }
        let duplicates = given - readings.len();
        let step = match self.step {
            Some(step) => step,
            None => common_distance(&readings)?,
        };
        if step.is_zero() {
            let help = "set `step` to a duration such as \"5m\", or leave it out";
            return Err(wrong("`step` is zero", help));
        }
        if self.counter {
            readings = rates(&readings, step);
        }
        for reading in &mut readings {
            reading.value = reading.value.map(|value| value / per);
        }
        let series = grid(&readings, step, self.aggregate)?.with_duplicates(duplicates);
        Ok(self
            .history
            .map_or_else(|| series.clone(), |history| series.latest(history)))
    }
}

fn wrong(what: impl Into<String>, help: &str) -> Fault {
    at_line(None, what, help)
}

fn at_line(line: Option<u64>, what: impl Into<String>, help: &str) -> Fault {
    Fault::Unusable {
        line,
        what: what.into(),
        help: help.to_owned(),
    }
}

/// Readings by time, of equal times the last.
fn distinct(readings: Vec<Reading>) -> Vec<Reading> {
    let mut distinct: Vec<Reading> = Vec::with_capacity(readings.len());
    for reading in readings {
        match distinct.last_mut() {
            Some(last) if last.at == reading.at => *last = reading,
            _ => distinct.push(reading),
        }
    }
    distinct
}

/// What a counter grew by from one reading to the next, per second. A reading that is lower than
/// the one before is of a counter that began anew, so that all of it is growth. Where readings are
/// missing between two it is not known when it grew.
fn rates(readings: &[Reading], step: Duration) -> Vec<Reading> {
    let known = readings.iter().filter(|reading| reading.value.is_some());
    let known: Vec<&Reading> = known.collect();
    let pairs = known.windows(2).map(|pair| {
        let (from, to) = (pair[0].value.unwrap_or(0.0), pair[1].value.unwrap_or(0.0));
        let growth = if to < from { to } else { to - from };
        let distance = Duration::try_from(pair[1].at.duration_since(pair[0].at));
        let distance = distance.unwrap_or_default();
        Reading {
            value: (distance <= step).then(|| growth / distance.as_secs_f64()),
            ..*pair[0]
        }
    });
    pairs.collect()
}

/// The most common distance of neighbours; of equally common ones the shortest.
fn common_distance(readings: &[Reading]) -> Result<Duration, Fault> {
    let mut counts: BTreeMap<Duration, usize> = BTreeMap::new();
    for pair in readings.windows(2) {
        let distance = Duration::try_from(pair[1].at.duration_since(pair[0].at));
        if let Some(distance) = distance.ok().filter(|distance| !distance.is_zero()) {
            *counts.entry(distance).or_default() += 1;
        }
    }
    let mut best = None;
    for (distance, count) in counts {
        if best.is_none_or(|(_, most)| count > most) {
            best = Some((distance, count));
        }
    }
    let help = "set `step`, for example \"5m\", or give more rows";
    best.map(|(distance, _)| distance)
        .ok_or_else(|| wrong("one time alone does not tell the step", help))
}

fn grid(
    readings: &[Reading],
    step: Duration,
    aggregate: Option<Aggregate>,
) -> Result<Series, Fault> {
    let first = readings
        .first()
        .map_or(Timestamp::UNIX_EPOCH, |reading| reading.at);
    // Slots that readings are put into begin at whole steps; readings that are slots, where they
    // are.
    let start = match aggregate {
        Some(_) => floor(first, step),
        None => first,
    };
    let mut values: Vec<Option<f64>> = Vec::new();
    let mut within = Vec::new();
    for reading in readings {
        let slot = place(start, step, reading, aggregate.is_some())?;
        if slot >= values.len() {
            within.clear();
            values.resize(slot, None);
            values.push(None);
        }
        within.extend(reading.value);
        values[slot] = match aggregate {
            Some(aggregate) => aggregate.of(&within),
            None => reading.value,
        };
    }
    Series::new(start, step, values).map_err(|error| {
        let help = match error {
            SeriesError::Empty => "give at least one row a value",
            _ => "check the times and values",
        };
        wrong(error.to_string(), help)
    })
}

fn floor(at: Timestamp, step: Duration) -> Timestamp {
    let step = i128::try_from(step.as_nanos()).unwrap_or(i128::MAX);
    let beyond = at.as_nanosecond().rem_euclid(step);
    let beyond = SignedDuration::from_nanos(i64::try_from(beyond).unwrap_or(0));
    at.checked_sub(beyond).unwrap_or(at)
}

/// The slot of a reading on the grid.
fn place(
    start: Timestamp,
    step: Duration,
    reading: &Reading,
    within: bool,
) -> Result<usize, Fault> {
    let elapsed = reading.at.duration_since(start).as_nanos().unsigned_abs();
    let (slot, beyond) = (elapsed / step.as_nanos(), elapsed % step.as_nanos());
    if slot >= MAX_SLOTS as u128 {
        let what = format!(
            "from {start} to {} there are {slot} slots of {step:?}, more than {MAX_SLOTS}",
            reading.at
        );
        let help = "check for a mistyped date, use a longer `step`, or keep fewer rows";
        return Err(at_line(reading.line, what, help));
    }
    if beyond > 0 && !within {
        let what = format!(
            "column timestamp: {} lies {:?} off the grid of {step:?} that begins at {start}",
            reading.at,
            Duration::from_nanos_u128(beyond)
        );
        let help = "round the times to the step, set `step` to the distance of the rows, or say with `aggregate` what becomes of several rows in one step";
        return Err(at_line(reading.line, what, help));
    }
    Ok(slot as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn meaning() -> Meaning {
        Meaning {
            step: None,
            per: None,
            history: None,
            counter: false,
            aggregate: None,
        }
    }

    fn readings(points: &[(i64, Option<f64>)]) -> Vec<Reading> {
        let reading = |(at, value): &(i64, Option<f64>)| Reading {
            at: Timestamp::from_second(*at).unwrap(),
            value: *value,
            line: None,
        };
        points.iter().map(reading).collect()
    }

    #[test]
    fn a_counter_becomes_rates_across_resets_and_gaps() {
        let points = [
            (0, Some(100.0)),
            (60, Some(160.0)),
            (120, Some(30.0)),
            (180, Some(90.0)),
            (360, Some(390.0)),
            (420, None),
            (480, Some(400.0)),
            (540, Some(460.0)),
        ];
        let counter = Meaning {
            counter: true,
            step: Some(MINUTE),
            ..meaning()
        };
        let series = counter.series(readings(&points)).unwrap();
        let some = |values: &[f64]| values.iter().copied().map(Some).collect::<Vec<_>>();
        let mut expected = some(&[1.0, 0.5, 1.0]);
        expected.extend([None; 5]);
        expected.extend(some(&[1.0]));
        assert_eq!(series.values(), expected);
        assert_eq!(series.start(), Timestamp::UNIX_EPOCH);
    }

    #[test]
    fn several_readings_in_a_step_become_one() {
        let points = [
            (70, Some(1.0)),
            (119, Some(5.0)),
            (100, Some(3.0)),
            (130, None),
            (190, Some(2.0)),
        ];
        let of = |aggregate| {
            let meaning = Meaning {
                aggregate: Some(aggregate),
                step: Some(MINUTE),
                ..meaning()
            };
            let series = meaning.series(readings(&points)).unwrap();
            assert_eq!(series.start(), Timestamp::from_second(60).unwrap());
            series.values().to_vec()
        };
        let gap = |first| vec![Some(first), None, Some(2.0)];
        assert_eq!(of(Aggregate::Sum), gap(9.0));
        assert_eq!(of(Aggregate::Mean), gap(3.0));
        assert_eq!(of(Aggregate::Max), gap(5.0));
        assert_eq!(of(Aggregate::Last), gap(5.0));
    }

    #[test]
    fn of_two_readings_of_one_time_the_later_wins_and_is_counted() {
        let points = [
            (0, Some(1.0)),
            (60, Some(2.0)),
            (0, Some(3.0)),
            (120, None),
            (120, Some(4.0)),
        ];
        let series = meaning().series(readings(&points)).unwrap();
        assert_eq!(series.values(), [Some(3.0), Some(2.0), Some(4.0)]);
        assert_eq!(series.duplicates(), 2);
    }

    #[test]
    fn clocks_that_are_put_back_repeat_no_time() {
        // Berlin, 2024-10-27: two o'clock comes twice.
        let texts = [
            "2024-10-27T01:00:00+02:00",
            "2024-10-27T02:00:00+02:00",
            "2024-10-27T02:00:00+01:00",
            "2024-10-27T03:00:00+01:00",
        ];
        let reading = |(place, text): (usize, &str)| Reading {
            at: text.parse().unwrap(),
            value: Some(place as f64),
            line: None,
        };
        let readings = texts.into_iter().enumerate().map(reading).collect();
        let series = meaning().series(readings).unwrap();
        assert_eq!(series.step(), MINUTE * 60);
        assert_eq!((series.gaps(), series.duplicates()), (0, 0));
        assert_eq!(
            series.values(),
            [Some(0.0), Some(1.0), Some(2.0), Some(3.0)]
        );
    }
}
