//! The origins that a backtest forecasts the past from.

use super::History;
use super::anomaly::Anomalies;
use super::series::Series;

/// The most origins.
pub(super) const MOST_FOLDS: usize = 8;

/// One origin: what was known is before it, what came then is `actual`, without what was no demand.
#[derive(Debug, Clone)]
pub(super) struct Fold {
    pub(super) origin: usize,
    pub(super) actual: Vec<Option<f64>>,
    /// How much its errors count, as they are older or were made at another level.
    pub(super) weight: f64,
}

/// A fold counts so much less than the one behind it.
const FADING: f64 = 0.9;
/// What was before a lasting change of level counts so much less than what came behind it.
const BEFORE_SHIFT: f64 = 0.3;

impl Fold {
    /// The values that came, with their place ahead of the origin from 0.
    pub(super) fn known(&self) -> impl Iterator<Item = (usize, f64)> {
        let slots = self.actual.iter().enumerate();
        slots.filter_map(|(step, value)| value.map(|value| (step, value)))
    }
}

/// The folds: up to [`MOST_FOLDS`] origins, evenly spread over the later part of the series with a
/// stride coprime to the day, so that they fall on different times of the day.
///
/// The first lies after 40 % of the series, and after one week or day where that leaves room for
/// several. A quarter of a short series is tested at most.
pub(super) fn folds(series: &Series, horizon: usize, anomalies: &Anomalies) -> Vec<Fold> {
    let slots = series.values();
    let tested = horizon.min((slots.len() / 4).max(1));
    let last = slots.len() - tested;
    let seasons = History::new(&[], series.start(), series.step());
    let fits = |period: &usize| period + MOST_FOLDS <= last;
    let season = [seasons.week(), seasons.day()]
        .into_iter()
        .flatten()
        .find(fits)
        .unwrap_or(2);
    let first = season.max(slots.len() * 2 / 5).min(last);
    let stride = coprime(
        (last - first) / (MOST_FOLDS - 1),
        seasons.day().unwrap_or(1),
    );
    let back = (0..MOST_FOLDS)
        .map(|fold| (fold, fold * stride))
        .take_while(|(_, back)| first + back <= last);
    let mut folds: Vec<Fold> = back
        .map(|(fold, back)| (fold, last - back))
        .map(|(fold, origin)| {
            let slots = slots[origin..origin + tested].iter().enumerate();
            let actual =
                slots.map(|(step, value)| value.filter(|_| !anomalies.is_out(origin + step)));
            let before = anomalies.shift.is_some_and(|shift| origin < shift);
            let fading = FADING.powi(i32::try_from(fold).unwrap_or(i32::MAX));
            Fold {
                origin,
                actual: actual.collect(),
                weight: fading * if before { BEFORE_SHIFT } else { 1.0 },
            }
        })
        .filter(|fold| fold.actual.iter().any(Option::is_some))
        .collect();
    folds.reverse();
    folds
}

/// The greatest number up to `stride`, at least 1, that shares no factor with `period`.
fn coprime(stride: usize, period: usize) -> usize {
    fn divisor(a: usize, b: usize) -> usize {
        if b == 0 { a } else { divisor(b, a % b) }
    }
    (1..=stride)
        .rev()
        .find(|stride| divisor(*stride, period) == 1)
        .unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::Timestamp;

    use super::*;

    fn hourly(values: Vec<Option<f64>>) -> Series {
        Series::new(Timestamp::UNIX_EPOCH, Duration::from_secs(3600), values).unwrap()
    }

    fn origins(slots: usize, horizon: usize) -> Vec<usize> {
        let series = hourly(vec![Some(1.0); slots]);
        let folds = folds(&series, horizon, &Anomalies::default());
        folds.iter().map(|fold| fold.origin).collect()
    }

    #[test]
    fn origins_fall_on_different_hours_and_leave_a_week_to_learn_from() {
        let origins = origins(336, 24);
        assert_eq!(origins.len(), MOST_FOLDS);
        assert_eq!(origins.last(), Some(&312));
        assert!(origins[0] >= 168);
        let hours: std::collections::BTreeSet<_> = origins.iter().map(|at| at % 24).collect();
        assert_eq!(hours.len(), MOST_FOLDS);
    }

    #[test]
    fn short_series_are_tested_on_a_quarter() {
        assert_eq!(origins(4, 24), [2, 3]);
        assert_eq!(origins(40, 24).last(), Some(&30));
        let series = hourly(vec![Some(1.0); 40]);
        let folds = folds(&series, 24, &Anomalies::default());
        assert!(folds.iter().all(|fold| fold.actual.len() == 10));
    }

    #[test]
    fn strides_share_no_factor_with_the_day() {
        assert_eq!(coprime(24, 24), 23);
        assert_eq!(coprime(10, 24), 7);
        assert_eq!(coprime(0, 24), 1);
        assert_eq!(coprime(12, 1), 12);
    }

    #[test]
    fn folds_without_any_value_are_left_out() {
        let mut values = vec![Some(1.0); 100];
        values[60..99].fill(None);
        let folds = folds(&hourly(values), 2, &Anomalies::default());
        assert!(folds.iter().all(|fold| fold.known().next().is_some()));
        assert_eq!(folds.last().map(|fold| fold.origin), Some(98));
    }

    #[test]
    fn old_folds_and_those_before_a_shift_count_less_and_outages_are_no_demand() {
        let anomalies = Anomalies {
            outages: std::iter::once(330..336).collect(),
            bursts: Vec::new(),
            shift: Some(280),
        };
        let folds = folds(&hourly(vec![Some(1.0); 336]), 24, &anomalies);
        let last = &folds[folds.len() - 1];
        assert_eq!((last.weight, last.known().count()), (1.0, 18));
        assert!(folds.is_sorted_by(|a, b| a.weight < b.weight));
        assert!(
            folds
                .iter()
                .all(|fold| fold.origin >= 280 || fold.weight < BEFORE_SHIFT)
        );
    }
}
