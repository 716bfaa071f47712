//! Scale out at once, scale in slowly.

use std::collections::VecDeque;
use std::time::Duration;

/// The time that autoscalers wait before they scale in, as that of Kubernetes does.
pub const USUAL_HOLD: Duration = Duration::from_secs(300);

/// The demand that is provided for, over a sequence of plans: it rises with a plan at once and
/// falls only to the greatest plan of the last `hold`.
///
/// A replica that is given up takes its startup to come back, so plans made within the startup and
/// one more plan are still to be kept to; and to keep one through a valley costs less than to start
/// another exactly when the valley is shorter than the price of a start over the price of an hour
/// (ski rental; that is the startup where it is paid for). So `hold` is the startup and one period
/// of planning. A drop of less than the share `band` is ignored.
#[derive(Debug, Clone)]
pub struct Hold {
    plans: usize,
    band: f64,
    /// Plans that may still be the greatest, with their numbers: descending.
    greatest: VecDeque<(usize, f64)>,
    next: usize,
    held: f64,
}

impl Hold {
    /// Plans are made every `replan`; `band` is at least 0 and below 1.
    #[must_use]
    pub fn new(hold: Duration, replan: Duration, band: f64) -> Self {
        let plans = hold.as_secs_f64() / replan.as_secs_f64();
        Self {
            plans: (plans.ceil() as usize).max(1),
            band,
            greatest: VecDeque::new(),
            next: 0,
            held: 0.0,
        }
    }

    /// Takes the demand of a new plan; the demand to provide for.
    pub fn settle(&mut self, plan: f64) -> f64 {
        while self.greatest.back().is_some_and(|(_, last)| *last <= plan) {
            self.greatest.pop_back();
        }
        self.greatest.push_back((self.next, plan));
        self.next += 1;
        let oldest = self.next.saturating_sub(self.plans);
        while self
            .greatest
            .front()
            .is_some_and(|(number, _)| *number < oldest)
        {
            self.greatest.pop_front();
        }
        let greatest = self.greatest.front().map_or(plan, |(_, plan)| *plan);
        if greatest > self.held || greatest <= self.held * (1.0 - self.band) {
            self.held = greatest;
        }
        self.held
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn held(hold: Duration, band: f64, plans: &[f64]) -> Vec<f64> {
        let mut hold = Hold::new(hold, MINUTE, band);
        plans.iter().map(|plan| hold.settle(*plan)).collect()
    }

    #[test]
    fn a_rise_counts_at_once_and_a_fall_when_the_last_plans_are_over() {
        let plans = [5.0, 9.0, 4.0, 4.0, 6.0, 3.0, 3.0, 3.0];
        let expected = [5.0, 9.0, 9.0, 9.0, 6.0, 6.0, 6.0, 3.0];
        assert_eq!(held(3 * MINUTE, 0.0, &plans), expected);
        assert_eq!(held(Duration::ZERO, 0.0, &plans), plans);
    }

    #[test]
    fn small_drops_are_ignored() {
        assert_eq!(
            held(MINUTE, 0.1, &[10.0, 9.5, 9.1, 9.0, 9.05]),
            [10.0, 10.0, 10.0, 9.0, 9.05]
        );
    }
}
