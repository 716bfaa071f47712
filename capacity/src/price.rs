//! The quantile of demand that is worth its price.

/// What a violation and a replica cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stakes {
    /// The price of a replica-hour.
    pub replica_hour: f64,
    /// What a request that is too slow costs, in the same currency.
    pub violation: f64,
    /// The requests per second that a replica serves.
    pub rate: f64,
}

impl Stakes {
    /// The level of the demand's quantile at which the next replica costs as much as it saves: the
    /// newsvendor's Cu / (Cu + Co) (Arrow, Harris and Marschak 1951), where a missing replica costs
    /// Cu = violation · rate · 3600 an hour and an idle one Co = its price. None unless all are more
    /// than 0 and finite.
    #[must_use]
    pub fn level(&self) -> Option<f64> {
        let usable = |value: f64| value.is_finite() && value > 0.0;
        let missing = self.violation * self.rate * 3600.0;
        let level = missing / (missing + self.replica_hour);
        (usable(self.replica_hour) && usable(missing) && level < 1.0).then_some(level)
    }
}

/// What a choice, such as a level of the quantile, led to in a replay of the past.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trial<T> {
    /// The choice.
    pub of: T,
    /// The share of requests that were too slow.
    pub violations: f64,
    /// The cost, in any unit.
    pub cost: f64,
}

/// The cheapest of the trials that keeps to the budget of violations; where none does, the one with
/// the fewest violations. Of equal ones the first; none of none.
#[must_use]
pub fn cheapest_within<T: Copy>(trials: &[Trial<T>], budget: f64) -> Option<Trial<T>> {
    let within = trials.iter().filter(|trial| trial.violations <= budget);
    let cheapest = within.min_by(|a, b| a.cost.total_cmp(&b.cost));
    let least = || {
        trials.iter().min_by(|a, b| {
            let fewest = a.violations.total_cmp(&b.violations);
            fewest.then(a.cost.total_cmp(&b.cost))
        })
    };
    cheapest.or_else(least).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_level_follows_from_what_is_at_stake() {
        let stakes = Stakes {
            replica_hour: 1.0,
            violation: 0.0005,
            rate: 10.0,
        };
        let level = stakes.level().unwrap();
        assert!((level - 18.0 / 19.0).abs() < 1e-12, "{level}");
        let free = Stakes {
            violation: 0.0,
            ..stakes
        };
        assert_eq!(free.level(), None);
        let unknown = Stakes {
            replica_hour: f64::NAN,
            ..stakes
        };
        assert_eq!(unknown.level(), None);
    }

    #[test]
    fn the_cheapest_that_keeps_the_budget_is_chosen() {
        let trial = |of, violations, cost| Trial {
            of,
            violations,
            cost,
        };
        let trials = [
            trial(0.9, 0.03, 10.0),
            trial(0.95, 0.009, 12.0),
            trial(0.99, 0.001, 15.0),
        ];
        let level = |budget| cheapest_within(&trials, budget).map(|trial| trial.of);
        assert_eq!(level(0.01), Some(0.95));
        assert_eq!(level(0.05), Some(0.9));
        assert_eq!(level(1e-6), Some(0.99));
        assert_eq!(cheapest_within::<f64>(&[], 0.01), None);
    }
}
