//! What a learned model knows when it forecasts one slot: levels, the same slot of earlier days
//! and weeks, the calendar.

use super::tree::Binned;
use super::{History, Unfit};

/// The most rows that a model learns from.
const MOST_ROWS: usize = 3_000;

/// The most distances ahead that rows are made for, where a horizon has more slots.
const MOST_DISTANCES: usize = 24;

/// How many earlier days are looked at.
const DAYS: usize = 7;

/// Rows of numbers, by column: one row for every pair of an origin and a slot ahead of it.
#[derive(Debug, Clone, Default)]
pub(super) struct Design {
    pub(super) columns: Vec<Vec<f64>>,
    /// For every row the level that its numbers are multiples of, in the unit of the series.
    pub(super) scales: Vec<f64>,
    /// For every row what came, as a multiple of its level; empty where it is not known yet.
    pub(super) targets: Vec<f64>,
    /// The column that tells the distance.
    pub(super) distance: usize,
}

/// Rows of the past with what came of them, once as numbers and once in bins.
#[derive(Debug, Clone)]
pub(super) struct Lessons {
    pub(super) horizon: usize,
    pub(super) design: Design,
    pub(super) binned: Binned,
}

impl Lessons {
    pub(super) fn of(history: &History, horizon: usize) -> Self {
        let design = Features::new(history, horizon).past();
        Self {
            horizon,
            binned: Binned::new(&design.columns),
            design,
        }
    }

    /// Refuses too few rows to learn from.
    pub(super) fn at_least(&self, rows: usize, history: &History) -> Result<(), Unfit> {
        if self.design.targets.len() >= rows {
            return Ok(());
        }
        let present = history.values().len();
        let more =
            (rows - self.design.targets.len()).div_ceil(self.horizon.clamp(1, MOST_DISTANCES));
        Err(Unfit::TooShort {
            needed: present + 2 * more,
            present,
        })
    }
}

/// Makes rows from a history.
pub(super) struct Features<'a> {
    history: &'a History,
    /// The sum of the values before each slot.
    sums: Vec<f64>,
    /// The slots of a day, or of the shortest season that there is.
    season: Option<usize>,
    /// What "a day" is for levels where there is no season.
    span: usize,
    horizon: usize,
}

impl<'a> Features<'a> {
    pub(super) fn new(history: &'a History, horizon: usize) -> Self {
        let mut sum = 0.0;
        let mut sums = vec![0.0];
        sums.extend(history.values().iter().map(|value| {
            sum += value;
            sum
        }));
        let season = history.season();
        Self {
            history,
            sums,
            season,
            span: season.unwrap_or(horizon.max(12)),
            horizon,
        }
    }

    /// Rows to learn from: origins spread over the history, behind what the features look back on.
    pub(super) fn past(&self) -> Design {
        let slots = self.history.values().len();
        let first = match self.season {
            Some(season) => (7 * season).min(slots / 3),
            None => slots / 4,
        };
        let distances = self.distances();
        let origins = slots.saturating_sub(1 + first);
        let kept = origins.min((MOST_ROWS / distances.len()).max(20));
        let origins = (0..kept).map(|place| first + place * origins / kept);
        let mut design = Design::default();
        for origin in origins {
            for distance in &distances {
                if origin + distance < slots {
                    self.row(origin, *distance, &mut design);
                    let scale = design.scales.last().copied().unwrap_or(1.0);
                    let target = self.history.values()[origin + distance];
                    design.targets.push(target / scale);
                }
            }
        }
        design
    }

    /// The rows of the slots behind the history.
    pub(super) fn future(&self) -> Design {
        let origin = self.history.values().len().saturating_sub(1);
        let mut design = Design::default();
        (1..=self.horizon).for_each(|distance| self.row(origin, distance, &mut design));
        design
    }

    /// The distances ahead to learn from: the first few, then evenly spread ones.
    fn distances(&self) -> Vec<usize> {
        if self.horizon <= MOST_DISTANCES {
            return (1..=self.horizon).collect();
        }
        let rest = MOST_DISTANCES / 2;
        let far = (0..rest).map(|place| 4 + place * (self.horizon - 4) / (rest - 1));
        [1, 2, 3].into_iter().chain(far).collect()
    }

    /// The mean of the `window` values up to and with `origin`.
    fn mean(&self, origin: usize, window: usize) -> f64 {
        let end = origin + 1;
        let begin = end.saturating_sub(window.max(1));
        (self.sums[end] - self.sums[begin]) / (end - begin) as f64
    }

    fn row(&self, origin: usize, distance: usize, design: &mut Design) {
        let scale = self.mean(origin, 7 * self.span).max(self.history.floor());
        let mut row = Vec::with_capacity(40);
        self.levels(origin, &mut row);
        if let Some(season) = self.season {
            self.seasonal(origin, distance, season, &mut row);
        }
        row.iter_mut().for_each(|value| *value /= scale);
        design.distance = row.len();
        row.push(distance as f64 / self.horizon as f64);
        self.history.describe(origin + distance, &mut row);
        if design.columns.is_empty() {
            design.columns = vec![Vec::new(); row.len()];
        }
        for (column, value) in design.columns.iter_mut().zip(row) {
            column.push(value);
        }
        design.scales.push(scale);
    }

    /// The last values and means of ever longer windows.
    fn levels(&self, origin: usize, row: &mut Vec<f64>) {
        let values = self.history.values();
        let span = self.span;
        row.push(values[origin]);
        row.push(values[origin.saturating_sub(1)]);
        let windows = [
            3,
            (span / 8).max(3),
            (span / 4).max(4),
            span,
            2 * span,
            7 * span,
        ];
        row.extend(windows.map(|window| self.mean(origin, window)));
    }

    /// The same slot of earlier seasons: the last known one and older ones, their spread, and how
    /// the season stood at the origin.
    fn seasonal(&self, origin: usize, distance: usize, season: usize, row: &mut Vec<f64>) {
        let values = self.history.values();
        let target = origin + distance;
        // The last season whose slot lies at or before the origin.
        let back = distance.div_ceil(season);
        let level = self.mean(origin, season);
        let slot = |seasons: usize| {
            target
                .checked_sub(seasons * season)
                .map(|slot| values[slot])
        };
        let nearest = slot(back).unwrap_or(level);
        let mut days: [f64; DAYS] = std::array::from_fn(|day| slot(back + day).unwrap_or(nearest));
        let weeks = distance.div_ceil(7 * season) * 7;
        let week = slot(weeks).unwrap_or(nearest);
        row.extend([days[0], days[1], week]);
        row.push(days.iter().sum::<f64>() / DAYS as f64);
        days.sort_unstable_by(f64::total_cmp);
        row.extend([days[DAYS / 2], days[DAYS - 1], days[0]]);
        let before = |slots: usize| origin.checked_sub(slots).map(|slot| values[slot]);
        let day = before(season).unwrap_or(values[0]);
        row.extend([day, before(7 * season).unwrap_or(day)]);
        row.push(slot(weeks + 7).unwrap_or(week));
        let radius = (season / 24).max(1);
        for seasons in [back, weeks] {
            let near = target.checked_sub(seasons * season).map(|slot| {
                let end = (slot + radius).min(origin);
                self.mean(end, end + 1 - slot.saturating_sub(radius))
            });
            row.push(near.unwrap_or(nearest));
        }
    }
}
