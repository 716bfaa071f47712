//! Axes: from values and times to places, with ticks at round ones.

use jiff::Timestamp;

/// Distances of ticks in seconds that people count in.
const STEPS: [i64; 22] = [
    1, 5, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400,
    172_800, 604_800, 1_209_600, 2_419_200, 7_257_600, 31_449_600,
];
const MINUTE: i64 = 60;
const DAY: i64 = 86_400;
/// 1970-01-05, a Monday: ticks of weeks lie on Mondays.
const MONDAY: i64 = 4 * DAY;

/// From a range of numbers to a range of places.
#[derive(Debug, Clone, Copy)]
pub(super) struct Axis {
    pub(super) values: (f64, f64),
    pub(super) places: (f64, f64),
}

impl Axis {
    /// The place of a value.
    pub(super) fn place(&self, value: f64) -> f64 {
        let (from, to) = self.values;
        let (start, end) = self.places;
        let share = if to > from {
            (value - from) / (to - from)
        } else {
            0.0
        };
        start + share * (end - start)
    }
}

/// Seconds since 1970, with fractions.
pub(super) fn seconds(time: Timestamp) -> f64 {
    time.duration_since(Timestamp::UNIX_EPOCH).as_secs_f64()
}

/// A tick on the axis of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TimeTick {
    pub(super) at: Timestamp,
    /// The time or the day.
    pub(super) label: String,
    /// The day or the year, where it is the first one or another than that of the tick before.
    pub(super) context: Option<String>,
}

/// Ticks at round times from `from` to `to`, up to `most` of them, in UTC.
pub(super) fn times(from: Timestamp, to: Timestamp, most: usize) -> Vec<TimeTick> {
    let (first, last) = (from.as_second(), to.as_second());
    let most = i64::try_from(most).unwrap_or(i64::MAX).max(1);
    let fits = |step: &i64| (last - first) / step < most;
    let step = STEPS.into_iter().find(fits);
    let step = step.unwrap_or_else(|| {
        let years = STEPS[STEPS.len() - 1];
        years * ((last - first) / (years * most) + 1)
    });
    let anchor = if step > DAY { MONDAY } else { 0 };
    let start = (first - anchor).div_euclid(step) * step + anchor;
    let (label, context) = match step {
        ..MINUTE => ("%H:%M:%S", "%b %-d"),
        MINUTE..DAY => ("%H:%M", "%b %-d"),
        _ => ("%b %-d", "%Y"),
    };
    let mut ticks: Vec<TimeTick> = Vec::new();
    let mut known = String::new();
    let mut second = start;
    while second <= last {
        if let (true, Ok(at)) = (second >= first, Timestamp::from_second(second)) {
            let around = at.strftime(context).to_string();
            let changed = around != known;
            known.clone_from(&around);
            ticks.push(TimeTick {
                at,
                label: at.strftime(label).to_string(),
                context: changed.then_some(around),
            });
        }
        second += step;
    }
    ticks
}

/// Round numbers from 0 to the first that is not below `greatest`, about five of them.
pub(super) fn values(greatest: f64) -> Vec<f64> {
    const STEPS: f64 = 5.0;
    if !(greatest > 0.0 && greatest.is_finite()) {
        return vec![0.0, 1.0];
    }
    let rough = greatest / STEPS;
    let power = 10_f64.powf(rough.log10().floor());
    let round = [1.0, 2.0, 2.5, 5.0, 10.0]
        .into_iter()
        .map(|step| step * power);
    let step = round.into_iter().find(|step| *step >= rough * (1.0 - 1e-9));
    let step = step.unwrap_or(rough);
    let mut ticks = vec![0.0];
    while ticks[ticks.len() - 1] < greatest * (1.0 - 1e-9) && ticks.len() < 20 {
        ticks.push(step * ticks.len() as f64);
    }
    ticks
}

/// A number as short as three or four digits say it: `0`, `2.5`, `1,250`, `40k`, `1.5M`.
pub(in crate::render) fn number(value: f64) -> String {
    let (scaled, unit) = match value.abs() {
        size if size >= 1e9 => (value / 1e9, "G"),
        size if size >= 1e6 => (value / 1e6, "M"),
        size if size >= 1e4 => (value / 1e3, "k"),
        _ => (value, ""),
    };
    let decimals = match scaled.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 0.1 || size == 0.0 => 2,
        size if size >= 0.001 => 4,
        _ => return format!("{scaled:.1e}{unit}"),
    };
    let text = format!("{scaled:.decimals$}");
    let text = match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.'),
        false => &text,
    };
    match text.len() {
        4 if !text.contains(['.', '-']) => format!("{},{}{unit}", &text[..1], &text[1..]),
        _ => format!("{text}{unit}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(from: &str, to: &str) -> Vec<String> {
        let ticks = times(from.parse().unwrap(), to.parse().unwrap(), 8);
        let text = |tick: TimeTick| match tick.context {
            Some(context) => format!("{} {context}", tick.label),
            None => tick.label,
        };
        ticks.into_iter().map(text).collect()
    }

    #[test]
    fn ticks_are_round_for_minutes_hours_days_and_weeks() {
        for (from, to, expected) in [
            (
                "2026-11-21T07:03:00Z",
                "2026-11-21T07:33:00Z",
                "07:05 Nov 21|07:10|07:15|07:20|07:25|07:30",
            ),
            (
                "2026-11-21T20:00:00Z",
                "2026-11-22T16:00:00Z",
                "21:00 Nov 21|00:00 Nov 22|03:00|06:00|09:00|12:00|15:00",
            ),
            (
                "2026-12-28T00:00:00Z",
                "2027-01-03T00:00:00Z",
                "Dec 28 2026|Dec 29|Dec 30|Dec 31|Jan 1 2027|Jan 2|Jan 3",
            ),
            (
                "2026-11-01T00:00:00Z",
                "2026-12-01T00:00:00Z",
                "Nov 2 2026|Nov 9|Nov 16|Nov 23|Nov 30",
            ),
        ] {
            assert_eq!(labels(from, to).join("|"), expected);
        }
    }

    #[test]
    fn there_are_never_many_ticks() {
        let from: Timestamp = "2000-01-01T00:00:00Z".parse().unwrap();
        for exponent in 0..33 {
            let to = Timestamp::from_second(from.as_second() + (1_i64 << exponent)).unwrap();
            let ticks = times(from, to, 8);
            assert!(ticks.len() <= 9, "{exponent}: {}", ticks.len());
        }
    }

    #[test]
    fn values_end_at_a_round_number() {
        assert_eq!(values(412.0), [0.0, 100.0, 200.0, 300.0, 400.0, 500.0]);
        assert_eq!(values(1.0), [0.0, 0.2, 0.4, 0.6000000000000001, 0.8, 1.0]);
        assert_eq!(values(0.0), [0.0, 1.0]);
        assert!(values(1e300).len() <= 6);
    }

    #[test]
    fn numbers_are_short() {
        let given = [
            0.0, 0.25, 2.5, 99.94, 100.4, 1250.0, 40_000.0, 1.5e6, 2e9, 0.0771,
        ];
        let texts = given.map(number);
        assert_eq!(
            texts,
            [
                "0", "0.25", "2.5", "99.9", "100", "1,250", "40k", "1.5M", "2G", "0.0771"
            ]
        );
    }
}
