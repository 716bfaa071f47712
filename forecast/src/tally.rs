//! How good forecasts from many origins of one series were, added up origin by origin.

use super::{LEVELS, Path};

/// The naive errors of a history, which errors of forecasts are divided by to compare series of
/// different size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    absolute: f64,
    squared: f64,
}

/// Below this share of the mean value, and below the second figure, naive errors count as that
/// much: an almost constant series would make every error look infinite.
const LEAST_SHARE: f64 = 1e-3;
const LEAST: f64 = 1e-12;

impl Scale {
    /// The mean absolute and mean squared error of repeating the value of `season` steps before,
    /// within what was known (Hyndman and Koehler 2006). Where less than a season is known, it is
    /// that of repeating the last value. Gaps are filled with the value a season before, or else
    /// on the line between their neighbours.
    #[must_use]
    pub fn of(known: &[Option<f64>], season: usize) -> Self {
        let filled = filled(known, season);
        let lag = if filled.len() > season + 1 { season } else { 1 };
        let pairs = || {
            let later = filled.iter().skip(lag);
            later.zip(&filled).map(|(later, earlier)| later - earlier)
        };
        let level = mean(filled.iter().map(|value| value.abs()));
        let absolute = mean(pairs().map(f64::abs));
        let absolute = absolute.max(LEAST_SHARE * level).max(LEAST);
        let squared = mean(pairs().map(|error| error * error));
        Self {
            absolute,
            squared: squared.max(absolute * absolute * 1e-6),
        }
    }
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (count, sum) = values.fold((0.0, 0.0), |(count, sum), value| (count + 1.0, sum + value));
    sum / f64::max(count, 1.0)
}

/// Values without gaps: a season earlier, then on the line between neighbours, then the nearest.
fn filled(known: &[Option<f64>], season: usize) -> Vec<f64> {
    let mut seasonal = known.to_vec();
    if season > 1 {
        for slot in season..seasonal.len() {
            seasonal[slot] = seasonal[slot].or(seasonal[slot - season]);
        }
    }
    let mut before = None;
    let mut after = next(&seasonal, 0);
    let mut values = Vec::with_capacity(seasonal.len());
    for (slot, value) in seasonal.iter().enumerate() {
        if let Some(value) = *value {
            before = Some((slot, value));
            values.push(value);
            continue;
        }
        if after.is_some_and(|(later, _)| later < slot) {
            after = next(&seasonal, slot);
        }
        values.push(match (before, after) {
            (Some((left, from)), Some((right, to))) => {
                from + (to - from) * (slot - left) as f64 / (right - left) as f64
            }
            (Some((_, only)), None) | (None, Some((_, only))) => only,
            (None, None) => 0.0,
        });
    }
    values
}

/// The first value at `slot` or behind it.
fn next(values: &[Option<f64>], slot: usize) -> Option<(usize, f64)> {
    let later = values.iter().enumerate().skip(slot);
    later
        .filter_map(|(slot, value)| Some((slot, (*value)?)))
        .next()
}

/// The sums over all steps of all origins so far.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tally {
    origins: usize,
    steps: f64,
    demand: f64,
    absolute_demand: f64,
    error: f64,
    symmetric: f64,
    scaled: f64,
    scaled_square: f64,
    pinball: [f64; LEVELS.len()],
    covered: [f64; LEVELS.len()],
    provisioned: f64,
    peaks: f64,
}

/// What is said of forecasts of one series, or on average of several.
///
/// Accuracy, sMAPE and coverage are in percent; the others are ratios.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Marks {
    /// 100 · (1 − Σ|y − median| / Σ|y|), at least 0.
    pub accuracy: f64,
    /// The mean of 200 · |y − median| / (|y| + |median|), where 0/0 is 0.
    pub smape: f64,
    /// The mean absolute error of the median over that of the naive forecast.
    pub mase: f64,
    /// The root of the mean squared error of [`Path::mean`] over that of the naive forecast.
    pub rmsse: f64,
    /// The mean over the levels of twice the pinball loss over the naive absolute error.
    pub spl: f64,
    /// The same of the 95 % quantile alone.
    pub spl95: f64,
    /// The share of values at or below the 90 % quantile.
    pub coverage90: f64,
    /// The same for 95 %.
    pub coverage95: f64,
    /// The same for 99 %.
    pub coverage99: f64,
    /// The sum of the 95 % quantiles over the sum of the values: provisioned for used.
    pub over95: f64,
    /// The share of origins whose greatest value lies within the greatest 95 % quantile.
    pub peak95: f64,
}

impl Tally {
    /// Adds the forecast from one origin and what came then; steps of which nothing is known do
    /// not count, and neither does an origin without any other.
    pub fn add(&mut self, actual: &[Option<f64>], path: &Path, scale: Scale) {
        let (mut most, mut provided) = (f64::NEG_INFINITY, f64::NEG_INFINITY);
        for (step, value) in actual.iter().take(path.mean.len()).enumerate() {
            let Some(value) = *value else { continue };
            self.step(value, path, step, scale);
            most = most.max(value);
            provided = provided.max(path.quantiles[2][step]);
        }
        if most > f64::NEG_INFINITY {
            self.origins += 1;
            self.peaks += f64::from(u8::from(most <= provided));
        }
    }

    fn step(&mut self, value: f64, path: &Path, step: usize, scale: Scale) {
        let quantile = |level: usize| path.quantiles[level][step];
        let error = (value - quantile(0)).abs();
        let size = value.abs() + quantile(0).abs();
        self.steps += 1.0;
        self.demand += value;
        self.absolute_demand += value.abs();
        self.error += error;
        self.scaled += error / scale.absolute;
        self.scaled_square += (value - path.mean[step]).powi(2) / scale.squared;
        self.provisioned += quantile(2);
        if size > 0.0 {
            self.symmetric += 2.0 * error / size;
        }
        for (place, level) in LEVELS.into_iter().enumerate() {
            let over = value - quantile(place);
            let loss = f64::max(level * over, (level - 1.0) * over);
            self.pinball[place] += 2.0 * loss / scale.absolute;
            self.covered[place] += f64::from(u8::from(over <= 0.0));
        }
    }

    /// How many origins were added.
    #[must_use]
    pub fn origins(&self) -> usize {
        self.origins
    }

    /// The marks, if there was anything to judge.
    #[must_use]
    pub fn marks(&self) -> Option<Marks> {
        if self.origins == 0 {
            return None;
        }
        let share = |sum: f64| sum / self.steps;
        let wape = self.error / self.absolute_demand.max(LEAST);
        Some(Marks {
            accuracy: (100.0 * (1.0 - wape)).max(0.0),
            smape: 100.0 * share(self.symmetric),
            mase: share(self.scaled),
            rmsse: share(self.scaled_square).sqrt(),
            spl: self.pinball.iter().map(|sum| share(*sum)).sum::<f64>() / LEVELS.len() as f64,
            spl95: share(self.pinball[2]),
            coverage90: 100.0 * share(self.covered[1]),
            coverage95: 100.0 * share(self.covered[2]),
            coverage99: 100.0 * share(self.covered[3]),
            over95: self.provisioned / self.demand.max(LEAST),
            peak95: 100.0 * self.peaks / self.origins as f64,
        })
    }
}

impl Marks {
    /// All figures with their names, in the order of reports.
    #[must_use]
    pub const fn figures(&self) -> [(&'static str, f64); 11] {
        [
            ("accuracy", self.accuracy),
            ("smape", self.smape),
            ("mase", self.mase),
            ("rmsse", self.rmsse),
            ("spl", self.spl),
            ("spl95", self.spl95),
            ("coverage90", self.coverage90),
            ("coverage95", self.coverage95),
            ("coverage99", self.coverage99),
            ("over95", self.over95),
            ("peak95", self.peak95),
        ]
    }

    /// The mean of each figure over several series, each of which counts the same; `None` without
    /// any.
    #[must_use]
    pub fn mean(series: &[Self]) -> Option<Self> {
        series.first()?;
        let of = |figure: fn(&Self) -> f64| mean(series.iter().map(figure));
        Some(Self {
            accuracy: of(|marks| marks.accuracy),
            smape: of(|marks| marks.smape),
            mase: of(|marks| marks.mase),
            rmsse: of(|marks| marks.rmsse),
            spl: of(|marks| marks.spl),
            spl95: of(|marks| marks.spl95),
            coverage90: of(|marks| marks.coverage90),
            coverage95: of(|marks| marks.coverage95),
            coverage99: of(|marks| marks.coverage99),
            over95: of(|marks| marks.over95),
            peak95: of(|marks| marks.peak95),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::Timestamp;

    use super::super::{Protocol, Series, offset};
    use super::*;

    fn path(mean: &[f64], margin: f64) -> Path {
        let above = |share: f64| mean.iter().map(|value| value + share * margin).collect();
        Path {
            mean: mean.to_vec(),
            quantiles: [above(0.0), above(0.5), above(1.0), above(2.0)],
        }
    }

    #[test]
    fn gaps_are_filled_from_the_season_before_the_line_and_the_nearest() {
        let gap = None;
        let known = [gap, Some(1.0), gap, Some(3.0), gap, gap, gap];
        assert_eq!(filled(&known, 1), [1.0, 1.0, 2.0, 3.0, 3.0, 3.0, 3.0]);
        assert_eq!(filled(&known, 3), [1.0, 1.0, 2.0, 3.0, 1.0, 2.0, 3.0]);
        assert_eq!(filled(&[gap, gap], 1), [0.0, 0.0]);
    }

    #[test]
    fn the_scale_is_the_naive_error_but_never_nothing() {
        let known = [1.0, 3.0, 2.0, 6.0].map(Some);
        let scale = Scale::of(&known, 2);
        assert_eq!((scale.absolute, scale.squared), (2.0, 5.0));
        let scale = Scale::of(&known, 24);
        assert!((scale.absolute - 7.0 / 3.0).abs() < 1e-12);
        let constant = Scale::of(&[Some(10.0); 5], 2);
        assert_eq!(constant.absolute, 0.01);
        assert!(Scale::of(&[Some(0.0)], 1).absolute > 0.0);
    }

    #[test]
    fn marks_by_hand() {
        let scale = Scale::of(&[1.0, 3.0, 2.0, 6.0].map(Some), 2);
        let mut tally = Tally::default();
        tally.add(
            &[Some(4.0), None, Some(2.0)],
            &path(&[2.0, 9.0, 2.0], 1.0),
            scale,
        );
        tally.add(&[None, None, None], &path(&[1.0; 3], 1.0), scale);
        assert_eq!(tally.origins(), 1);
        let marks = tally.marks().unwrap();
        let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-9, "{a} {b}");
        near(marks.accuracy, 100.0 * (1.0 - 2.0 / 6.0));
        near(marks.smape, 100.0 * (4.0 / 6.0) / 2.0);
        near(marks.mase, 0.5);
        near(marks.rmsse, (4.0_f64 / 5.0 / 2.0).sqrt());
        near(marks.spl95, (0.95 * 1.0 + 0.05 * 1.0) / 2.0);
        near(marks.coverage95, 50.0);
        near(marks.coverage99, 100.0);
        near(marks.over95, 6.0 / 6.0);
        near(marks.peak95, 0.0);
    }

    #[test]
    fn nothing_to_judge_gives_no_marks() {
        assert_eq!(Tally::default().marks(), None);
        assert_eq!(Marks::mean(&[]), None);
        let one = Marks {
            accuracy: 2.0,
            ..Marks::default()
        };
        let two = Marks {
            accuracy: 4.0,
            peak95: 1.0,
            ..Marks::default()
        };
        let mean = Marks::mean(&[one, two]).unwrap();
        assert_eq!((mean.accuracy, mean.peak95), (3.0, 0.5));
    }

    /// A table of `testdata/marks` as rows of cells, without its header.
    fn table(name: &str) -> Vec<Vec<String>> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata/marks/");
        let mut reader = csv::Reader::from_path(format!("{folder}{name}")).unwrap();
        let records = reader.records().map(|record| record.unwrap());
        let cells = records.map(|record| record.iter().map(str::to_owned).collect());
        cells.collect()
    }

    /// A series of `testdata/marks`, in the step that its rows keep.
    fn recorded(name: &str, minutes: u64) -> Series {
        let rows = table(&format!("series/{name}.csv"));
        let step = Duration::from_secs(60 * minutes);
        let start: Timestamp = rows[0][0].parse().unwrap();
        let mut values = Vec::new();
        for row in &rows {
            let at: Timestamp = row[0].parse().unwrap();
            let elapsed = Duration::try_from(at.duration_since(start)).unwrap();
            values.resize((elapsed.as_secs() / step.as_secs()) as usize, None);
            values.push(Some(row[1].parse().unwrap()));
        }
        Series::new(start, step, values).unwrap()
    }

    /// `scores.csv` is what another program, in another language, says of `forecasts.csv`.
    #[test]
    fn marks_are_those_of_another_program() {
        let forecasts = table("forecasts.csv");
        let number = |text: &String| -> f64 { text.parse().unwrap() };
        for expected in table("scores.csv") {
            let name = &expected[0];
            let steps = [
                ("web_shop_1h", 60),
                ("cpu_node_30min", 30),
                ("web_burst_10min", 10),
            ];
            let (_, minutes) = steps.into_iter().find(|(known, _)| known == name).unwrap();
            let series = recorded(name, minutes);
            let protocol = Protocol::of(series.values().len(), series.step());
            let mut tally = Tally::default();
            for origin in &protocol.origins {
                let at = offset(series.start(), series.step(), *origin)
                    .unwrap()
                    .to_string();
                let rows = forecasts
                    .iter()
                    .filter(|row| row[0] == *name && row[1] == at);
                let column = |place: usize| rows.clone().map(|row| number(&row[place])).collect();
                let path = Path {
                    mean: column(3),
                    quantiles: [column(4), column(5), column(6), column(7)],
                };
                assert_eq!(path.mean.len(), protocol.horizon);
                let (known, later) = series.values().split_at(origin + 1);
                tally.add(later, &path, Scale::of(known, protocol.season));
            }
            let figures = tally.marks().unwrap().figures();
            assert_eq!(tally.origins().to_string(), expected[1]);
            for ((figure, value), expected) in figures.into_iter().zip(&expected[2..]) {
                assert!(
                    (value - number(expected)).abs() < 1e-8,
                    "{name} {figure} {value}"
                );
            }
        }
    }
}
