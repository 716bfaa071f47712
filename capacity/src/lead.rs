//! The time that replicas ordered now must cover.

use std::time::Duration;

use isobar_forecast::{Ahead, Forecast};
use jiff::{SignedDuration, Timestamp};

/// From an order to the end of what it is for.
///
/// What is ordered at t is ready at t + startup, and what is ordered at the next plan not before
/// t + startup + replan; so the order must cover all that comes between the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lead {
    /// From the order of a replica until it is ready.
    pub startup: Duration,
    /// From one plan to the next.
    pub replan: Duration,
    /// How old the newest observation is when a plan is made.
    pub lag: Duration,
}

impl Lead {
    /// The slots of length `step` that an order covers, counted from the last observed one; one at
    /// least.
    #[must_use]
    pub fn ahead(&self, step: Duration) -> Ahead {
        let slots = |time: Duration| time.as_secs_f64() / step.as_secs_f64();
        let begin = slots(self.startup + self.lag).floor() as usize + 1;
        let end = slots(self.startup + self.lag + self.replan).ceil() as usize;
        Ahead {
            lead: begin,
            length: (end + 1).saturating_sub(begin).max(1),
        }
    }

    /// The greatest demand at `level` within the time that an order at `now` covers: from
    /// `now` + startup to `now` + startup + replan, both slots at its ends included. None where the
    /// forecast does not reach it or has no such level.
    #[must_use]
    pub fn demand(&self, forecast: &Forecast, level: f64, now: Timestamp) -> Option<f64> {
        let time = |duration| SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX);
        let begin = now.checked_add(time(self.startup)).ok()?;
        let end = begin.checked_add(time(self.replan)).ok()?;
        let values = forecast.at(level)?.iter().enumerate();
        let covered = values.filter(|(slot, _)| {
            forecast.slot_start(*slot) <= end && begin < forecast.slot_start(slot + 1)
        });
        covered.map(|(_, value)| *value).reduce(f64::max)
    }
}

#[cfg(test)]
mod tests {
    use isobar_forecast::{Request, Series, forecast};

    use super::*;

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn the_slots_of_an_order_begin_when_it_is_ready_and_end_when_the_next_is() {
        let ahead = |startup, replan, lag| {
            let lead = Lead {
                startup: seconds(startup),
                replan: seconds(replan),
                lag: seconds(lag),
            };
            let ahead = lead.ahead(seconds(60));
            (ahead.lead, ahead.length)
        };
        // 180 to 240 s: the fourth minute; half a minute later it takes the next, too.
        assert_eq!(ahead(180, 60, 0), (4, 1));
        assert_eq!(ahead(180, 60, 30), (4, 2));
        assert_eq!(ahead(0, 0, 0), (1, 1));
        assert_eq!(ahead(90, 300, 0), (2, 6));
    }

    #[test]
    fn the_demand_is_the_greatest_of_the_time_that_is_covered() {
        let values = (0..240).map(|hour| Some(f64::from(10 * (1 + hour % 24))));
        let series = Series::new(Timestamp::UNIX_EPOCH, seconds(3600), values.collect());
        let forecast = forecast(&series.unwrap(), &Request::steps(24)).unwrap();
        let start = forecast.slot_start(0);
        let lead = |startup, replan| Lead {
            startup: seconds(startup),
            replan: seconds(replan),
            lag: Duration::ZERO,
        };
        let at = |lead: Lead| lead.demand(&forecast, 0.95, start);
        assert_eq!(at(lead(180, 60)), Some(10.0));
        assert_eq!(at(lead(3500, 300)), Some(20.0));
        assert_eq!(at(lead(3600, 5 * 3600)), Some(70.0));
        assert_eq!(at(lead(25 * 3600, 60)), None);
        assert_eq!(lead(0, 60).demand(&forecast, 0.42, start), None);
    }
}
