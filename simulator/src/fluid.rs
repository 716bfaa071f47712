//! The slot engine's service: demand as a flow, queues as what does not fit.

use std::sync::Arc;

use super::engine::{Offer, Served, Server};
use super::scenario::Scenario;
use super::sizes::Sizes;
use super::trace::SLOT;
use super::waiting::{TIMES, Waiting};

/// A queue that would take longer than this many seconds is cut off.
pub(super) const LONGEST_QUEUE: f64 = 5.0;

/// The queue of every zone, in requests.
#[derive(Debug)]
pub(super) struct Fluid {
    /// By zone.
    waiting: Vec<Arc<Waiting>>,
    queues: Vec<f64>,
    slack: Vec<f64>,
    /// Requests per second and replica at full load.
    rate: f64,
}

impl Fluid {
    pub(super) fn new(scenario: &Scenario, sizes: &Sizes) -> Self {
        let performance = sizes.capacity().performance();
        let slack: Vec<_> = scenario
            .zones
            .iter()
            .map(|zone| scenario.slack(zone))
            .collect();
        Self {
            waiting: slack.iter().map(|slack| sizes.waiting(*slack)).collect(),
            queues: vec![0.0; slack.len()],
            slack: slack.iter().map(std::time::Duration::as_secs_f64).collect(),
            rate: f64::from(performance.concurrency) / performance.service_time.as_secs_f64(),
        }
    }
}

impl Server for Fluid {
    fn serve(&mut self, zone: usize, offer: &Offer) -> Served {
        let arrived = offer.rate * SLOT;
        let queue = self.queues[zone];
        if offer.lost || offer.replicas == 0 {
            // Nothing serves, so nothing may wait.
            self.queues[zone] = 0.0;
            return Served::nothing(arrived, queue);
        }
        let full = f64::from(offer.replicas) * self.rate;
        let busy = offer.rate / full;
        let unbounded = (queue + (offer.rate - full) * SLOT).max(0.0);
        let after = unbounded.min(LONGEST_QUEUE * full);
        let shed = unbounded - after;
        self.queues[zone] = after;
        let stationary = self.waiting[zone].shares(offer.replicas, busy);
        let (begin, end) = (queue / full, unbounded / full);
        let mut served = Served {
            arrived,
            served: queue + arrived - after - shed,
            shed,
            late: stationary.late * arrived,
            busy: busy.min(1.0),
            queued: after,
            waited: 0.0,
            longer: stationary.longer.map(|share| f64::from(share) * arrived),
        };
        if begin > 0.0 || end > 0.0 {
            let above = |wait: f64| share_above(begin, end, wait) * arrived;
            served.late = served
                .late
                .max(above(self.slack[zone]))
                .max(shed)
                .min(arrived);
            for (longer, time) in served.longer.iter_mut().zip(TIMES) {
                *longer = longer.max(above(time as f64 / 1e3)).min(arrived);
            }
        }
        served
    }
}

/// The share of a slot in which a wait that goes from `begin` to `end` in a straight line is above
/// `wait`.
fn share_above(begin: f64, end: f64, wait: f64) -> f64 {
    let (low, high) = (begin.min(end), begin.max(end));
    if low > wait {
        1.0
    } else if high <= wait {
        0.0
    } else {
        (high - wait) / (high - low)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_crosses_a_bound_in_proportion() {
        assert_eq!(share_above(0.0, 2.0, 0.5), 0.75);
        assert_eq!(share_above(2.0, 0.0, 0.5), 0.75);
        assert_eq!(share_above(1.0, 1.0, 0.5), 1.0);
        assert_eq!(share_above(0.0, 0.5, 0.5), 0.0);
    }
}
