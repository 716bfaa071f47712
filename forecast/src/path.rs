//! The forecast from an origin within a series: with only what was known then.

use super::{Competitors, Forecast, ForecastError, LEVELS, Request, Series, forecast};

/// The point forecast and the quantiles at [`LEVELS`] of each step behind an origin, rounded to seven
/// digits: as they are written down, so that judging them gives the same before and after.
#[derive(Debug, Clone, PartialEq)]
pub struct Path {
    /// The point forecast of each step, under the name that tables of forecasts have for it. A
    /// [`Forecast`] has no mean: its point is the median, which makes the absolute error least.
    pub mean: Vec<f64>,
    /// For each of [`LEVELS`] the quantile of each step.
    pub quantiles: [Vec<f64>; LEVELS.len()],
}

impl Path {
    /// Forecasts the `horizon` steps behind the slot `origin` from that slot and those before it.
    ///
    /// # Errors
    ///
    /// As [`forecast`](super::forecast()).
    pub fn from_origin(
        series: &Series,
        origin: usize,
        horizon: usize,
        methods: &Competitors,
    ) -> Result<Self, ForecastError> {
        let later = series.values().len().saturating_sub(origin + 1);
        let Some(known) = series.before_last(later) else {
            return Err(ForecastError::TooFewObservations {
                present: 0,
                needed: super::FEWEST_OBSERVATIONS,
            });
        };
        // A gap at the origin ends the known series earlier.
        let unknown = (origin + 1).saturating_sub(known.values().len());
        let request = Request {
            methods: methods.clone(),
            ..Request::steps(horizon + unknown)
        };
        let made = forecast(&known, &request)?;
        Ok(Self::of(&made, unknown))
    }

    /// A forecast at [`LEVELS`] without its first steps.
    fn of(forecast: &Forecast, skipped: usize) -> Self {
        let quantiles: [Vec<f64>; LEVELS.len()] = LEVELS.map(|level| {
            let steps = forecast.at(level).into_iter().flatten();
            steps.skip(skipped).copied().map(rounded).collect()
        });
        let [median, ..] = &quantiles;
        Self {
            mean: median.clone(),
            quantiles,
        }
    }
}

/// A number with seven significant digits.
fn rounded(value: f64) -> f64 {
    format!("{value:.6e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::Timestamp;

    use super::*;

    fn series(values: Vec<Option<f64>>) -> Series {
        Series::new(Timestamp::UNIX_EPOCH, Duration::from_secs(3600), values).unwrap()
    }

    fn wave(slots: u32) -> Vec<Option<f64>> {
        let value = |slot: u32| 100.0 + f64::from(slot % 24) + f64::from(slot % 7);
        (0..slots).map(|slot| Some(value(slot))).collect()
    }

    #[test]
    fn what_comes_after_the_origin_does_not_matter() {
        let mut other = wave(200);
        other[150..].fill(Some(9e9));
        let path = Path::from_origin(&series(wave(200)), 149, 12, &Competitors::Usual).unwrap();
        assert_eq!(
            path,
            Path::from_origin(&series(other), 149, 12, &Competitors::Usual).unwrap()
        );
        assert_eq!(
            path,
            Path::from_origin(&series(wave(150)), 149, 12, &Competitors::Usual).unwrap()
        );
        assert!(path.quantiles.iter().all(|steps| steps.len() == 12));
    }

    #[test]
    fn a_gap_at_the_origin_does_not_move_the_steps() {
        let mut gap = wave(160);
        gap[146..150].fill(None);
        let path = Path::from_origin(&series(gap), 149, 12, &Competitors::Usual).unwrap();
        let earlier = Path::from_origin(&series(wave(160)), 145, 16, &Competitors::Usual).unwrap();
        assert_eq!(path.mean, earlier.mean[4..]);
    }

    #[test]
    fn too_little_is_an_error() {
        let found = Path::from_origin(&series(wave(10)), 1, 12, &Competitors::Usual);
        assert!(matches!(
            found,
            Err(ForecastError::TooFewObservations { .. })
        ));
    }

    #[test]
    fn numbers_are_kept_to_seven_digits() {
        let given = [0.0, 1.0 / 3.0, 123_456_789.0, 1e-300];
        assert_eq!(
            given.map(rounded),
            [0.0, 0.333_333_3, 123_456_800.0, 1e-300]
        );
    }
}
