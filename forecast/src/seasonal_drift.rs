//! The typical season, joined to where demand is now.

use super::seasonal_mean::profile;
use super::{Fitted, History, Method, Unfit};

/// A typical day plus the present deviation from it, which fades as deviations did so far: a
/// first-order autoregression around the seasonal mean.
///
/// The profile is that of the week where three weeks are known, else that of the day.
pub(super) struct SeasonalDrift;

struct Fading {
    profile: Vec<f64>,
    deviation: f64,
    persistence: f64,
}

impl Method for SeasonalDrift {
    fn name(&self) -> &'static str {
        "seasonal_drift"
    }

    fn fit(&self, history: &History, _: usize) -> Result<Box<dyn Fitted>, Unfit> {
        let values = history.values();
        let day = history.day().ok_or(Unfit::NoPeriod { period: "day" })?;
        if values.len() < 2 * day {
            return Err(Unfit::TooShort {
                needed: 2 * day,
                present: values.len(),
            });
        }
        let (period, seasons) = match history.week() {
            Some(week) if values.len() >= 3 * week => (week, 4),
            _ => (day, 7),
        };
        let profile = profile(values, period, seasons);
        let seasons = (values.len() / period).min(seasons);
        let recent = &values[values.len() - seasons * period..];
        let deviations: Vec<f64> = recent
            .iter()
            .zip(profile.iter().cycle())
            .map(|(value, typical)| value - typical)
            .collect();
        let deviation = deviations.last().copied().unwrap_or(0.0);
        Ok(Box::new(Fading {
            profile,
            deviation,
            persistence: persistence(&deviations),
        }))
    }
}

/// The autocorrelation at lag 1 about zero, within [0, 1).
fn persistence(deviations: &[f64]) -> f64 {
    let products: f64 = deviations.windows(2).map(|pair| pair[0] * pair[1]).sum();
    let squares: f64 = deviations
        .iter()
        .map(|deviation| deviation * deviation)
        .sum();
    if squares > 0.0 {
        (products / squares).clamp(0.0, 0.999)
    } else {
        0.0
    }
}

impl Fitted for Fading {
    fn point(&self, _: &History, horizon: usize) -> Vec<f64> {
        let mut deviation = self.deviation;
        let step = |typical: &f64| {
            deviation *= self.persistence;
            typical + deviation
        };
        self.profile
            .iter()
            .cycle()
            .take(horizon)
            .map(step)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_deviation_fades_towards_the_profile() {
        let fading = Fading {
            profile: vec![10.0, 20.0],
            deviation: 8.0,
            persistence: 0.5,
        };
        let nothing = History::new(&[], jiff::Timestamp::UNIX_EPOCH, Duration::from_secs(1));
        assert_eq!(fading.point(&nothing, 4), [14.0, 22.0, 11.0, 20.5]);
    }

    #[test]
    fn an_exact_pattern_continues_exactly() {
        let slots: Vec<_> = (0..96).map(|slot| Some(f64::from(slot % 24))).collect();
        let history = History::new(
            &slots,
            jiff::Timestamp::UNIX_EPOCH,
            Duration::from_secs(3600),
        );
        let point = SeasonalDrift
            .fit(&history, 24)
            .map(|fitted| fitted.point(&history, 24))
            .unwrap();
        let expected: Vec<f64> = (0..24).map(f64::from).collect();
        assert_eq!(point, expected);
    }
}
