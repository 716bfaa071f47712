//! Replicas over time: every slot of a forecast sized, and when to order them.

use jiff::{SignedDuration, Timestamp};

use super::{Capacity, CapacityError, Sizing};
use isobar_forecast::Forecast;

/// What one slot of a forecast needs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slot {
    /// The start of the slot.
    pub start: Timestamp,
    /// When replicas must be ordered to be ready by then.
    pub order_by: Timestamp,
    /// The need.
    pub sizing: Sizing,
}

impl Capacity {
    /// The need in every slot of `forecast` at exactly this level; none for a level that it does
    /// not have.
    ///
    /// # Errors
    ///
    /// As [`Capacity::size`].
    pub fn timeline(&self, forecast: &Forecast, level: f64) -> Result<Vec<Slot>, CapacityError> {
        let startup =
            SignedDuration::try_from(self.performance.startup).unwrap_or(SignedDuration::MAX);
        let slot = |(slot, demand): (usize, &f64)| {
            let start = forecast.slot_start(slot);
            let order_by = start.checked_sub(startup).unwrap_or(Timestamp::MIN);
            Ok(Slot {
                start,
                order_by,
                sizing: self.size(*demand)?,
            })
        };
        forecast
            .at(level)
            .unwrap_or_default()
            .iter()
            .enumerate()
            .map(slot)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{Arrivals, Performance, Target};
    use isobar_forecast::Series;
    use isobar_forecast::{Request, forecast};

    #[test]
    fn replicas_follow_the_forecast_and_are_ordered_ahead() {
        let hour = Duration::from_secs(3600);
        let value = |slot: usize| Some(if slot % 24 < 12 { 10.0 } else { 70.0 });
        let values = (0..240).map(value).collect();
        let series = Series::new(Timestamp::UNIX_EPOCH, hour, values).unwrap();
        let forecast = forecast(&series, &Request::steps(24)).unwrap();
        let performance = Performance {
            service_time: Duration::from_millis(100),
            service_p95: None,
            concurrency: 1,
            variability: 1.0,
            startup: Duration::from_secs(180),
        };
        let capacity =
            Capacity::new(performance, Arrivals::default(), Target::Utilisation(0.7)).unwrap();
        let slots = capacity.timeline(&forecast, 0.95).unwrap();
        let replicas: Vec<_> = slots.iter().map(|slot| slot.sizing.replicas).collect();
        assert_eq!(replicas, [[2; 12], [10; 12]].concat());
        assert_eq!(slots[1].start.to_string(), "1970-01-11T01:00:00Z");
        assert_eq!(slots[1].order_by.to_string(), "1970-01-11T00:57:00Z");
        assert_eq!(capacity.timeline(&forecast, 0.42), Ok(Vec::new()));
    }
}
