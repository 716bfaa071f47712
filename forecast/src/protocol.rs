//! The protocol of a backtest over many series: from which origins each is forecast, and how far.

use std::time::Duration;

const DAY: u128 = 24 * 60 * 60 * 1_000_000_000;
const HOUR: u128 = DAY / 24;
/// Beyond a day, origins of series with short steps lie this much further apart, so that they fall
/// on different times of the day.
const BEYOND_A_DAY: u128 = 155 * HOUR / 60;

/// The three kinds of series that the protocol knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pace {
    /// Steps of one hour.
    Hourly,
    /// Other steps, over at least four days.
    SubHourly,
    /// Other steps, over less than four days.
    Short,
}

impl Pace {
    /// The name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hourly => "hourly",
            Self::SubHourly => "sub-hourly",
            Self::Short => "short",
        }
    }
}

/// What the protocol asks of one series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Protocol {
    /// The kind of series.
    pub pace: Pace,
    /// How many steps are forecast from each origin.
    pub horizon: usize,
    /// The season, in steps, of the naive forecast that errors are scaled by; 1 is none.
    pub season: usize,
    /// The last known slot of each origin, ascending; none where the series is too short.
    pub origins: Vec<usize>,
}

impl Protocol {
    /// The protocol for a series of `slots` steps of length `step`.
    ///
    /// Origins go back from the last one with a whole horizon behind it, evenly, with a stride
    /// that shares no factor with the season; none lies before the first slot that the kind of
    /// series allows.
    #[must_use]
    pub fn of(slots: usize, step: Duration) -> Self {
        let step = step.as_nanos().max(1);
        let per = |span: u128| usize::try_from(span / step).unwrap_or(usize::MAX);
        let day = per(DAY).max(1);
        let rules = if step == HOUR {
            Rules {
                pace: Pace::Hourly,
                horizon: 24,
                season: 24,
                first: 192,
                origins: 8,
                stride: 125,
            }
        } else if slots >= day.saturating_mul(4) {
            Rules {
                pace: Pace::SubHourly,
                horizon: (day / 4).max(1),
                season: day,
                first: day.saturating_mul(7) / 2,
                origins: 6,
                stride: day.saturating_add(per(BEYOND_A_DAY)),
            }
        } else {
            Rules {
                pace: Pace::Short,
                horizon: (day / 12).max(1),
                season: 1,
                first: slots / 2,
                origins: 6,
                stride: usize::MAX,
            }
        };
        Self {
            pace: rules.pace,
            horizon: rules.horizon,
            season: rules.season,
            origins: rules.origins(slots),
        }
    }
}

/// What differs between the kinds of series.
struct Rules {
    pace: Pace,
    horizon: usize,
    season: usize,
    /// How many slots the first origin must know.
    first: usize,
    /// The most origins.
    origins: usize,
    /// The longest distance of two origins.
    stride: usize,
}

impl Rules {
    fn origins(&self, slots: usize) -> Vec<usize> {
        let first = self.first.saturating_sub(1);
        let Some(last) = slots.checked_sub(self.horizon + 1) else {
            return Vec::new();
        };
        let Some(room) = last.checked_sub(first) else {
            return Vec::new();
        };
        let longest = (room / (self.origins - 1)).clamp(1, self.stride);
        let stride = match self.season {
            1 => longest,
            season => coprime(longest, season),
        };
        let back = (0..self.origins).map(|origin| origin * stride);
        let mut origins: Vec<_> = back
            .take_while(|back| *back <= room)
            .map(|back| last - back)
            .collect();
        origins.reverse();
        origins
    }
}

/// The greatest number up to `stride`, at least 1, that shares no factor with `season`.
fn coprime(stride: usize, season: usize) -> usize {
    const fn divisor(a: usize, b: usize) -> usize {
        if b == 0 { a } else { divisor(b, a % b) }
    }
    let mut candidates = (1..=stride).rev();
    candidates
        .find(|stride| divisor(*stride, season) == 1)
        .unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minutes(count: u64) -> Duration {
        Duration::from_secs(60 * count)
    }

    /// The expected origins were computed by another program.
    #[test]
    fn origins_are_those_of_another_program() {
        for (slots, step, pace, horizon, origins) in [
            (
                336,
                60,
                Pace::Hourly,
                24,
                [192, 209, 226, 243, 260, 277, 294, 311].as_slice(),
            ),
            (
                720,
                60,
                Pace::Hourly,
                24,
                &[198, 269, 340, 411, 482, 553, 624, 695],
            ),
            (
                2016,
                60,
                Pace::Hourly,
                24,
                &[1116, 1241, 1366, 1491, 1616, 1741, 1866, 1991],
            ),
            (
                4032,
                5,
                Pace::SubHourly,
                72,
                &[2364, 2683, 3002, 3321, 3640, 3959],
            ),
            (
                1932,
                10,
                Pace::SubHourly,
                36,
                &[1110, 1267, 1424, 1581, 1738, 1895],
            ),
            (
                1152,
                5,
                Pace::SubHourly,
                72,
                &[1014, 1027, 1040, 1053, 1066, 1079],
            ),
            (
                600,
                30,
                Pace::SubHourly,
                12,
                &[322, 375, 428, 481, 534, 587],
            ),
            (1151, 5, Pace::Short, 24, &[576, 686, 796, 906, 1016, 1126]),
            (144, 10, Pace::Short, 12, &[71, 83, 95, 107, 119, 131]),
            (96, 15, Pace::Short, 8, &[47, 55, 63, 71, 79, 87]),
        ] {
            let protocol = Protocol::of(slots, minutes(step));
            let expected = (pace, horizon, origins);
            assert_eq!(
                (protocol.pace, protocol.horizon, protocol.origins.as_slice()),
                expected
            );
        }
    }

    #[test]
    fn what_is_too_short_has_no_origin() {
        for slots in [0, 1, 24, 100, 215] {
            assert_eq!(Protocol::of(slots, minutes(60)).origins, [], "{slots}");
        }
        assert_eq!(Protocol::of(216, minutes(60)).origins, [191]);
    }

    #[test]
    fn steps_of_days_and_weeks_have_a_horizon_too() {
        for step in [24 * 60, 7 * 24 * 60] {
            let protocol = Protocol::of(50, minutes(step));
            assert_eq!((protocol.horizon, protocol.season), (1, 1));
            assert_eq!(protocol.origins.last(), Some(&48));
        }
    }

    #[test]
    fn strides_share_no_factor_with_the_season() {
        for (slots, step) in [(2016, 60), (4032, 5), (1932, 10), (700, 60)] {
            let protocol = Protocol::of(slots, minutes(step));
            let times: std::collections::BTreeSet<_> = protocol
                .origins
                .iter()
                .map(|at| at % protocol.season)
                .collect();
            assert_eq!(times.len(), protocol.origins.len(), "{slots} {step}");
        }
    }
}
