//! The combination of several methods: their weighted median.
//!
//! A median of few, different methods beats picking one of them on most series, because one method
//! that goes astray (a season that ended, a trend that stopped) does not move it.

/// The name of the combination in reports.
pub const POOL: &str = "weighted_median";

/// The methods that are combined: of each way of thinking one, not variants of one.
pub(super) const MEMBERS: [&str; 4] = ["naive", "seasonal_drift", "mstl_ets", "mstl_ets_log"];

/// The fewest members that make a median worth having.
pub(super) const FEWEST_MEMBERS: usize = 3;

/// A weight for every member, from its mean absolute error: in proportion to the error squared, and
/// inversely.
pub(super) fn weights(errors: &[f64]) -> Vec<f64> {
    let best = errors.iter().copied().fold(f64::INFINITY, f64::min);
    // Members without any error share the weight alone.
    let weight = |error: f64| {
        if error > best {
            (best / error).powi(2)
        } else {
            1.0
        }
    };
    errors.iter().copied().map(weight).collect()
}

/// At every step the least value that members of half the weight do not exceed.
pub(super) fn combine(paths: &[&[f64]], weights: &[f64]) -> Vec<f64> {
    let steps = paths.iter().map(|path| path.len()).min().unwrap_or(0);
    let half = weights.iter().sum::<f64>() / 2.0;
    let median = |step: usize| {
        let mut values: Vec<_> = paths
            .iter()
            .zip(weights)
            .map(|(path, weight)| (path[step], *weight))
            .collect();
        values.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut sum = 0.0;
        let crossing = values.iter().find(|(_, weight)| {
            sum += weight;
            sum >= half
        });
        crossing.or(values.last()).map_or(0.0, |(value, _)| *value)
    };
    (0..steps).map(median).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::METHODS;

    #[test]
    fn members_are_methods() {
        for member in MEMBERS {
            assert!(
                METHODS.iter().any(|method| method.name() == member),
                "{member}"
            );
        }
    }

    #[test]
    fn better_members_weigh_more() {
        assert_eq!(weights(&[1.0, 2.0, 1.0]), [1.0, 0.25, 1.0]);
        assert_eq!(weights(&[0.0, 2.0, 0.0]), [1.0, 0.0, 1.0]);
    }

    #[test]
    fn the_median_ignores_an_outlier() {
        let paths: [&[f64]; 3] = [&[1.0, 5.0], &[2.0, 1e9], &[3.0, 6.0]];
        assert_eq!(combine(&paths, &[1.0, 1.0, 1.0]), [2.0, 6.0]);
        assert_eq!(combine(&paths, &[10.0, 1.0, 1.0]), [1.0, 5.0]);
    }
}
