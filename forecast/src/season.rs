//! Seasons that the calendar does not know, found in the values.

/// The values that are looked at, from the end.
const MEMORY: usize = 4_000;
/// The longest season that is looked for.
const LONGEST: usize = 700;
/// The autocorrelation from which on values repeat.
const STRONG: f64 = 0.4;
/// How much more than at a known season.
const CLEARLY: f64 = 0.05;
/// Lags closer than this share to a season of the calendar are that season.
const NEAR: f64 = 0.03;

/// The length of a season besides `known` ones: the least lag at which the values resemble
/// themselves strongly, more than at any season that is known, and more than at the lags around it.
pub(super) fn detect(values: &[f64], known: &[usize]) -> Option<usize> {
    let values = &values[values.len().saturating_sub(MEMORY)..];
    let most = (values.len() / 3).min(LONGEST);
    // Differences, so that a slow change of level does not resemble itself at every lag.
    let changes: Vec<f64> = values.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let power: f64 = changes.iter().map(|change| change * change).sum();
    if power <= 0.0 || most < 4 {
        return None;
    }
    let resemblance = |lag: usize| -> f64 {
        let pairs = changes.iter().zip(&changes[lag..]);
        let share = (changes.len() - lag) as f64 / changes.len() as f64;
        pairs.map(|(now, later)| now * later).sum::<f64>() / (power * share)
    };
    let lags: Vec<f64> = (0..=most).map(resemblance).collect();
    let rival = known
        .iter()
        .filter_map(|lag| lags.get(*lag))
        .fold(0.0, |a, b| f64::max(a, *b));
    let related = |lag: usize| {
        known.iter().any(|season| {
            let times = (lag as f64 / *season as f64).round().max(1.0);
            let parts = (*season as f64 / lag as f64).round().max(1.0);
            let near = |ratio: f64| (ratio - 1.0).abs() < NEAR;
            near(lag as f64 / (times * *season as f64)) || near(lag as f64 * parts / *season as f64)
        })
    };
    let peak = |lag: &usize| {
        let here = lags[*lag];
        let highest = here >= lags[lag - 1] && lags.get(lag + 1).is_none_or(|next| here >= *next);
        highest && here > STRONG.max(rival + CLEARLY) && !related(*lag)
    };
    let strongest = (4..most)
        .filter(peak)
        .map(|lag| lags[lag])
        .fold(0.0, f64::max);
    // Multiples of a season resemble as much: the least lag that is nearly as strong.
    (4..most)
        .filter(peak)
        .find(|lag| lags[*lag] > 0.9 * strongest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wave(period: usize, slots: usize) -> Vec<f64> {
        let course = |slot: usize| {
            let noise = (slot * 7919 % 101) as f64 / 101.0;
            10.0 + 5.0 * (slot as f64 / period as f64 * std::f64::consts::TAU).sin() + noise / 10.0
        };
        (0..slots).map(course).collect()
    }

    #[test]
    fn a_season_of_no_calendar_is_found() {
        assert_eq!(detect(&wave(37, 600), &[]), Some(37));
        assert_eq!(detect(&wave(37, 600), &[24, 168]), Some(37));
    }

    #[test]
    fn what_the_calendar_knows_is_not_found_again() {
        assert_eq!(detect(&wave(24, 600), &[24, 168]), None);
        assert_eq!(detect(&wave(12, 600), &[24, 168]), None);
    }

    #[test]
    fn noise_and_constants_have_none() {
        let mut dice = crate::dice::Dice::new(3);
        let noise: Vec<f64> = (0..600).map(|_| dice.share()).collect();
        assert_eq!(detect(&noise, &[]), None);
        assert_eq!(detect(&[4.0; 300], &[]), None);
    }
}
