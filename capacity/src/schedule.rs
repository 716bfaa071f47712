//! Replicas over the horizon of a forecast, to be set ahead of time, and the bounds in between.

use std::time::Duration;

use isobar_forecast::Forecast;
use jiff::{SignedDuration, Timestamp};

use super::{Capacity, CapacityError, Hold, Need, Resource, USUAL_HOLD, fill_valleys};

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
    /// The replicas that it need not go above at any time of the stage.
    pub max: u32,
}

/// Stages in order of time; adjacent ones differ in the least replicas.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Schedule {
    /// The stages.
    pub stages: Vec<Stage>,
    /// The end of the last one.
    pub end: Option<Timestamp>,
}

/// The levels of a forecast that bound what an autoscaler may do, and how still it is kept.
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
    /// A fall by less than this part of the replicas is not followed; from 0 to below 1.
    pub still: f64,
}

/// What a pool takes of a resource over time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Load<'a> {
    /// The resource.
    pub resource: Resource,
    /// What all pools together take of it.
    pub forecast: &'a Forecast,
    /// The part of that which this pool takes.
    pub share: f64,
    /// What one replica offers of it, at the utilisation that is aimed at.
    pub per_replica: f64,
    /// What all pools take where the forecast does not reach.
    pub beyond: f64,
}

impl Load<'_> {
    /// The need between two times: the greatest of the slots that meet them.
    fn need(&self, level: f64, (start, end): (Timestamp, Timestamp)) -> Need {
        let forecast = self.forecast;
        let values = forecast.at(level).unwrap_or_default().iter().enumerate();
        let met = values.filter(|(slot, _)| {
            forecast.slot_start(*slot) < end && start < forecast.slot_start(slot + 1)
        });
        let known = forecast.slot_start(0) <= start && end <= forecast.end();
        let beyond = (!known).then_some(self.beyond);
        let greatest = met.map(|(_, value)| *value).chain(beyond);
        Need {
            resource: self.resource,
            total: greatest.fold(0.0, f64::max) * self.share,
            per_replica: self.per_replica,
        }
    }
}

impl Schedule {
    /// The schedule of one pool: in every slot of `forecast` the replicas for its demand and for
    /// all `loads` at `band.level`, at most those for `band.ceiling`. Empty where the forecast
    /// lacks a level.
    ///
    /// Replicas are held through valleys that are not longer than a start and the usual hold of an
    /// autoscaler take, since giving them up for less costs more than it saves ([`fill_valleys`]); a
    /// single one also through a single slot, which rounding makes as often as demand does; and all
    /// through falls that are smaller than the band.
    ///
    /// # Errors
    ///
    /// As [`Capacity::size_for`].
    pub fn of(
        capacity: &Capacity,
        forecast: &Forecast,
        band: Band,
        loads: &[Load<'_>],
    ) -> Result<Self, CapacityError> {
        let startup = capacity.performance().startup;
        let bounded = |level| -> Result<Vec<u32>, CapacityError> {
            let mut replicas = counts(capacity, forecast, level, loads)?;
            fill_valleys(&mut replicas, slots(startup + USUAL_HOLD, forecast.step));
            fill_dents(&mut replicas);
            keep_still(&mut replicas, forecast.step, band.still);
            let most = band.most.unwrap_or(u32::MAX);
            let within = |count: u32| count.max(band.least).min(most);
            Ok(replicas.into_iter().map(within).collect())
        };
        let bounds = bounded(band.level)?.into_iter().zip(bounded(band.ceiling)?);
        let startup = SignedDuration::try_from(startup).unwrap_or(SignedDuration::MAX);
        let mut stages: Vec<Stage> = Vec::new();
        for (slot, (min, ceiling)) in bounds.enumerate() {
            let max = ceiling.max(min);
            // A higher bound than some of its slots need costs a stage nothing, unlike a step.
            let last = match stages.last_mut() {
                Some(stage) if stage.min == min => {
                    stage.max = stage.max.max(max);
                    continue;
                }
                last => last.map(|stage| stage.min),
            };
            let start = forecast.slot_start(slot);
            let order_by = match last.is_none_or(|before| min > before) {
                true => start.checked_sub(startup).unwrap_or(Timestamp::MIN),
                false => start,
            };
            stages.push(Stage {
                start,
                order_by,
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

/// What every slot of `forecast` needs at exactly this level.
fn counts(
    capacity: &Capacity,
    forecast: &Forecast,
    level: f64,
    loads: &[Load<'_>],
) -> Result<Vec<u32>, CapacityError> {
    let values = forecast.at(level).unwrap_or_default().iter().enumerate();
    let count = |(slot, demand): (usize, &f64)| {
        let times = (forecast.slot_start(slot), forecast.slot_start(slot + 1));
        let needs: Vec<Need> = loads.iter().map(|load| load.need(level, times)).collect();
        Ok(capacity.size_for(*demand, &needs)?.replicas)
    };
    values.map(count).collect()
}

/// Takes away what falls by one replica for one slot.
fn fill_dents(replicas: &mut [u32]) {
    let mut filled = replicas.to_vec();
    fill_valleys(&mut filled, 1);
    let counts = replicas.iter_mut().zip(filled);
    counts
        .filter(|(count, filled)| *filled == **count + 1)
        .for_each(|(count, filled)| *count = filled);
}

/// Takes away what falls by less than the part `band`.
fn keep_still(replicas: &mut [u32], step: Duration, band: f64) {
    let mut hold = Hold::new(step, step, band);
    for count in replicas {
        *count = hold.settle(f64::from(*count)) as u32;
    }
}

/// The slots that a time takes, to the nearest.
fn slots(time: Duration, step: Duration) -> usize {
    (time.as_secs_f64() / step.as_secs_f64()).round() as usize
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
        still: 0.0,
    };

    #[test]
    fn stages_follow_the_forecast_and_are_ordered_ahead() {
        let schedule = Schedule::of(&capacity(180), &days(), BAND, &[]).unwrap();
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
        let schedule = Schedule::of(&capacity(3600), &days(), BAND, &[]).unwrap();
        let replicas: Vec<_> = schedule.stages.iter().map(|stage| stage.min).collect();
        assert_eq!(replicas, [2, 10, 2]);
    }

    #[test]
    fn a_dent_of_one_replica_and_small_falls_are_held() {
        let mut dents = vec![5, 4, 5, 3, 5, 4, 4, 5, 6, 5];
        fill_dents(&mut dents);
        assert_eq!(dents, [5, 5, 5, 3, 5, 4, 4, 5, 6, 5]);
        let mut falls = vec![50, 49, 48, 47, 30, 31, 30];
        keep_still(&mut falls, Duration::from_secs(60), 0.04);
        assert_eq!(falls, [50, 50, 48, 48, 30, 31, 31]);
    }

    #[test]
    fn what_another_resource_needs_is_scheduled_too() {
        let forecast = days();
        let later = Forecast {
            start: forecast.slot_start(6),
            ..forecast.clone()
        };
        let load = |forecast| Load {
            resource: Resource::Memory,
            forecast,
            share: 0.5,
            per_replica: 2.5,
            beyond: 30.0,
        };
        let stages = |load| {
            let schedule = Schedule::of(&capacity(180), &forecast, BAND, &[load]).unwrap();
            let stages = schedule.stages.iter();
            let stages: Vec<_> = stages.map(|s| (s.start.to_string(), s.min)).collect();
            stages
        };
        // 70 of it by day need 14 replicas where 70 requests/s need 10.
        let day = |from: &str, min| (format!("1970-01-11T{from}:00:00Z"), min);
        let at_once = stages(load(&forecast));
        assert_eq!(at_once[..3], [day("00", 3), day("08", 14), day("12", 3)]);
        let later = stages(load(&later));
        assert_eq!(
            later[..4],
            [day("00", 6), day("06", 3), day("08", 10), day("12", 3)]
        );
    }

    #[test]
    fn a_schedule_keeps_to_its_bounds_and_its_time() {
        let band = Band {
            least: 3,
            most: Some(8),
            ..BAND
        };
        let forecast = days();
        let schedule = Schedule::of(&capacity(180), &forecast, band, &[]).unwrap();
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
            Schedule::of(&capacity(180), &forecast, other, &[]),
            Ok(Schedule::default())
        );
    }
}
