//! The combination of several methods: their weighted median.
//!
//! A median of few, different methods beats picking one of them on most series, because one method
//! that goes astray (a season that ended, a trend that stopped) does not move it.

/// The name of the combination in reports.
pub const POOL: &str = "weighted_median";

/// The methods that are combined: of each way of thinking one, not variants of one. Which they are
/// was measured on recorded series (docs/forecasting.md).
pub(super) const MEMBERS: [&str; 10] = [
    "naive",
    "seasonal_naive_both",
    "ets",
    "theta",
    "mstl_ets",
    "mstl_ets_log",
    "arima",
    "linear_median",
    "random_forest",
    "boosting",
];

/// The fewest members that make a median worth having.
pub(super) const FEWEST_MEMBERS: usize = 3;

/// The members that take part at most: the best.
const MOST_VOICES: usize = 6;

/// A weight for every member from its errors by fold, and the weights of the folds: the square of
/// the inverse error, which in every fold is counted in multiples of the median member's, so that
/// one wild day does not decide alone. All but the best have none.
pub(super) fn weights(errors: &[Vec<f64>], folds: &[f64]) -> Vec<f64> {
    let scales: Vec<f64> = (0..folds.len())
        .map(|fold| {
            let mut all: Vec<f64> = errors.iter().map(|errors| errors[fold]).collect();
            all.sort_unstable_by(f64::total_cmp);
            let middle = all.get(all.len() / 2).copied().unwrap_or(0.0);
            // Where most are exact, the size of an error is all that there is to compare.
            if middle > 0.0 {
                middle
            } else {
                all.last().copied().unwrap_or(0.0)
            }
        })
        .collect();
    let total = |errors: &Vec<f64>| -> f64 {
        let by_fold = errors.iter().zip(&scales).zip(folds);
        by_fold
            .filter(|((_, scale), _)| **scale > 0.0)
            .map(|((error, scale), weight)| weight * error / scale)
            .sum()
    };
    let totals: Vec<f64> = errors.iter().map(total).collect();
    let mut ranked: Vec<usize> = (0..totals.len()).collect();
    ranked.sort_by(|a, b| totals[*a].total_cmp(&totals[*b]));
    let best = ranked.first().map_or(0.0, |first| totals[*first]);
    let mut weights = vec![0.0; totals.len()];
    for place in ranked.into_iter().take(MOST_VOICES) {
        // Members without any error share the weight alone.
        weights[place] = if totals[place] > best {
            (best / totals[place]).powi(2)
        } else {
            1.0
        };
    }
    weights
}

/// At every step the weighted median, on the line between the two values around it.
pub(super) fn combine(paths: &[&[f64]], weights: &[f64]) -> Vec<f64> {
    let steps = paths.iter().map(|path| path.len()).min().unwrap_or(0);
    let half = weights.iter().sum::<f64>() / 2.0;
    let mut values: Vec<(f64, f64)> = Vec::with_capacity(paths.len());
    let median = |step: usize| {
        values.clear();
        let voices = paths
            .iter()
            .zip(weights)
            .filter(|(_, weight)| **weight > 0.0);
        values.extend(voices.map(|(path, weight)| (path[step], *weight)));
        values.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let mut before: Option<(f64, f64)> = None;
        let mut sum = 0.0;
        for (value, weight) in &values {
            // A value stands in the middle of its weight.
            let place = sum + weight / 2.0;
            if place >= half {
                return before.map_or(*value, |(lower, at)| {
                    lower + (value - lower) * (half - at) / (place - at)
                });
            }
            before = Some((*value, place));
            sum += weight;
        }
        before.map_or(0.0, |(value, _)| value)
    };
    (0..steps).map(median).collect()
}

/// At every step how far the members are apart: half of the distance between their quartiles.
pub(super) fn spread(paths: &[&[f64]]) -> Vec<f64> {
    let steps = paths.iter().map(|path| path.len()).min().unwrap_or(0);
    let mut values = Vec::with_capacity(paths.len());
    let apart = |step: usize| {
        values.clear();
        values.extend(paths.iter().map(|path| path[step]));
        values.sort_unstable_by(f64::total_cmp);
        let at = |quarters: usize| {
            let last = values.len().saturating_sub(1);
            values
                .get((quarters * last + 2) / 4)
                .copied()
                .unwrap_or(0.0)
        };
        (at(3) - at(1)) / 2.0
    };
    (0..steps).map(apart).collect()
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
    fn better_members_weigh_more_and_a_wild_day_does_not_decide() {
        let errors = [vec![1.0, 100.0], vec![2.0, 100.0], vec![1.0, 100.0]];
        assert_eq!(weights(&errors, &[1.0, 1.0]), [1.0, 4.0 / 9.0, 1.0]);
        assert_eq!(
            weights(&[vec![0.0], vec![2.0], vec![0.0]], &[1.0]),
            [1.0, 0.0, 1.0]
        );
    }

    #[test]
    fn only_the_best_have_a_voice() {
        let errors: Vec<Vec<f64>> = (1..=9).map(|error| vec![f64::from(error)]).collect();
        let weights = weights(&errors, &[1.0]);
        assert!(weights[..6].iter().all(|weight| *weight > 0.0));
        assert_eq!(weights[6..], [0.0; 3]);
    }

    #[test]
    fn the_median_ignores_an_outlier() {
        let paths: [&[f64]; 3] = [&[1.0, 5.0], &[2.0, 1e9], &[3.0, 6.0]];
        assert_eq!(combine(&paths, &[1.0, 1.0, 1.0]), [2.0, 6.0]);
        // Half of the weight of 12 lies within the first one's 10: its middle is before.
        let leaning = combine(&paths, &[10.0, 1.0, 1.0]);
        assert!(
            (leaning[0] - (1.0 + 1.0 / 5.5)).abs() < 1e-12,
            "{leaning:?}"
        );
    }

    #[test]
    fn the_spread_is_that_of_the_middle_half() {
        let paths: [&[f64]; 5] = [&[1.0], &[2.0], &[3.0], &[4.0], &[1e9]];
        assert_eq!(spread(&paths), [1.0]);
    }
}
