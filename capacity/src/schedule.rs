//! Replicas over the horizon of a forecast, to be set ahead of time, and the bounds in between.

use std::time::Duration;

use isobar_forecast::Forecast;
use jiff::Timestamp;

use super::{Capacity, CapacityError, Slot, fill_valleys};

/// A stage of a schedule: from its start to that of the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stage {
    /// When the replicas must be ready.
    pub start: Timestamp,
    /// When they must be ordered for that; earlier than the start only where there are more of
    /// them than before.
    pub order_by: Timestamp,
    /// The replicas that an autoscaler may not go below.
    pub min: u32,
    /// The replicas that it need not go above.
    pub max: u32,
}

/// Stages in order of time; adjacent ones differ.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Schedule {
    /// The stages.
    pub stages: Vec<Stage>,
    /// The end of the last one.
    pub end: Option<Timestamp>,
}

/// The two levels of a forecast that bound what an autoscaler may do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Band {
    /// The level whose demand must be ready for.
    pub level: f64,
    /// The level that bounds what may be added.
    pub ceiling: f64,
    /// Never fewer replicas.
    pub least: u32,
    /// Never more, where there is a bound.
    pub most: Option<u32>,
}

impl Schedule {
    /// The schedule of one pool: in every slot of `forecast` the replicas for its demand at
    /// `band.level`, at most those for `band.ceiling`. Valleys up to the startup are filled, since
    /// replicas that are given up for less cost more than they save. Empty where the forecast lacks
    /// a level.
    ///
    /// # Errors
    ///
    /// As [`Capacity::size`].
    pub fn of(capacity: &Capacity, forecast: &Forecast, band: Band) -> Result<Self, CapacityError> {
        let floors = capacity.timeline(forecast, band.level)?;
        let ceilings = capacity.timeline(forecast, band.ceiling)?;
        let valley = slots(capacity.performance().startup, forecast.step);
        let bounded = |slots: &[Slot]| {
            let replicas = slots.iter().map(|slot| slot.sizing.replicas);
            let mut replicas: Vec<u32> = replicas.collect();
            fill_valleys(&mut replicas, valley);
            let most = band.most.unwrap_or(u32::MAX);
            replicas
                .iter_mut()
                .for_each(|count| *count = (*count).max(band.least).min(most));
            replicas
        };
        let bounds = bounded(&floors).into_iter().zip(bounded(&ceilings));
        let mut stages: Vec<Stage> = Vec::new();
        for (slot, (min, ceiling)) in floors.iter().zip(bounds) {
            let max = ceiling.max(min);
            let last = stages.last().map(|stage| (stage.min, stage.max));
            if last == Some((min, max)) {
                continue;
            }
            let more = last.is_none_or(|(before, _)| min > before);
            stages.push(Stage {
                start: slot.start,
                order_by: if more { slot.order_by } else { slot.start },
                min,
                max,
            });
        }
        let end = (!stages.is_empty()).then(|| forecast.end());
        Ok(Self { stages, end })
    }

    /// The stage that holds at `time`.
    #[must_use]
    pub fn at(&self, time: Timestamp) -> Option<&Stage> {
        let held = self.end.is_some_and(|end| time < end);
        let begun = self.stages.iter().rev().find(|stage| stage.start <= time);
        begun.filter(|_| held)
    }

    /// The least and the greatest number of replicas of all stages: the bounds of an autoscaler
    /// that cannot be given a schedule must not be narrower.
    #[must_use]
    pub fn envelope(&self) -> Option<(u32, u32)> {
        let least = self.stages.iter().map(|stage| stage.min).min()?;
        let most = self.stages.iter().map(|stage| stage.max).max()?;
        Some((least, most))
    }
}

/// Whole slots within a time.
fn slots(time: Duration, step: Duration) -> usize {
    (time.as_secs_f64() / step.as_secs_f64()).floor() as usize
}

#[cfg(test)]
mod tests {
    use isobar_forecast::{Request, Series, forecast};

    use super::*;
    use crate::{Arrivals, Performance, Target};

    fn capacity(startup: u64) -> Capacity {
        let performance = Performance {
            service_time: Duration::from_millis(100),
            service_p95: None,
            concurrency: 1,
            variability: 1.0,
            startup: Duration::from_secs(startup),
        };
        Capacity::new(performance, Arrivals::default(), Target::Utilisation(0.7)).unwrap()
    }

    fn days() -> Forecast {
        let hour = Duration::from_secs(3600);
        let demand = |hour: usize| match hour % 24 {
            8..=11 | 13..=17 => 70.0,
            _ => 14.0,
        };
        let values = (0..240).map(|hour| Some(demand(hour))).collect();
        let series = Series::new(Timestamp::UNIX_EPOCH, hour, values).unwrap();
        forecast(&series, &Request::steps(24)).unwrap()
    }

    const BAND: Band = Band {
        level: 0.95,
        ceiling: 0.99,
        least: 1,
        most: None,
    };

    #[test]
    fn stages_follow_the_forecast_and_are_ordered_ahead() {
        let schedule = Schedule::of(&capacity(180), &days(), BAND).unwrap();
        let seen: Vec<_> = schedule
            .stages
            .iter()
            .map(|stage| (stage.start.to_string(), stage.min))
            .collect();
        let at = |hour: &str, min| (format!("1970-01-11T{hour}:00:00Z"), min);
        let expected = [
            at("00", 2),
            at("08", 10),
            at("12", 2),
            at("13", 10),
            at("18", 2),
        ];
        assert_eq!(seen, expected);
        let orders: Vec<_> = schedule.stages[1..3]
            .iter()
            .map(|stage| stage.order_by.to_string())
            .collect();
        assert_eq!(orders, ["1970-01-11T07:57:00Z", "1970-01-11T12:00:00Z"]);
        assert_eq!(schedule.envelope(), Some((2, 10)));
    }

    #[test]
    fn a_valley_as_short_as_the_startup_is_filled() {
        let schedule = Schedule::of(&capacity(3600), &days(), BAND).unwrap();
        let replicas: Vec<_> = schedule.stages.iter().map(|stage| stage.min).collect();
        assert_eq!(replicas, [2, 10, 2]);
    }

    #[test]
    fn a_schedule_keeps_to_its_bounds_and_its_time() {
        let band = Band {
            least: 3,
            most: Some(8),
            ..BAND
        };
        let forecast = days();
        let schedule = Schedule::of(&capacity(180), &forecast, band).unwrap();
        assert_eq!(schedule.envelope(), Some((3, 8)));
        let noon = "1970-01-11T12:59:59Z".parse().unwrap();
        assert_eq!(schedule.at(noon).map(|stage| stage.min), Some(3));
        assert_eq!(schedule.at(forecast.end()), None);
        assert_eq!(schedule.at(Timestamp::UNIX_EPOCH), None);
        let other = Band {
            level: 0.42,
            ..BAND
        };
        assert_eq!(
            Schedule::of(&capacity(180), &forecast, other),
            Ok(Schedule::default())
        );
    }
}
