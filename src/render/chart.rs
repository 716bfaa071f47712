//! A forecast with the history before it, as a chart of characters.

use std::fmt::Write;

use jiff::{SignedDuration, Timestamp};
use unicode_width::UnicodeWidthStr;

use super::style::{Role, Style};
use crate::plan::FrozenForecast;

/// Rows of the plot; the lowest is zero.
const HEIGHT: usize = 11;
/// The fewest columns of the plot, on however narrow a terminal.
const NARROWEST: usize = 24;
const HISTORY: char = '•';
const MEDIAN: char = 'o';
const UPPER: char = '^';
const START: char = '┊';
const PLANNED: char = '═';

/// Draws the history (start of each slot, requests per second; missing ones left out), the
/// quantile nearest to the median and the highest one over time. Where several values fall into
/// one column the greatest is drawn, and where lines meet the higher quantile.
///
/// `planned` are replicas, each from its time on; their line has a scale of its own, which the
/// legend tells.
#[must_use]
pub fn forecast(
    history: &[(Timestamp, f64)],
    planned: &[(Timestamp, u32)],
    forecast: &FrozenForecast,
    style: &Style,
) -> String {
    let Some((median, upper)) = levels(forecast) else {
        return "The forecast is empty.\n".to_owned();
    };
    let series = |level: usize| -> Vec<(Timestamp, f64)> {
        let quantiles = forecast.quantiles.get(level).into_iter().flatten();
        quantiles
            .enumerate()
            .map(|(slot, value)| (forecast.slot_start(slot), *value))
            .collect()
    };
    let (median_line, upper_line) = (series(median), series(upper));
    let lines = [
        (HISTORY, history),
        (MEDIAN, median_line.as_slice()),
        (UPPER, upper_line.as_slice()),
    ];
    let values = lines.iter().flat_map(|(_, line)| line.iter());
    let top = ceiling(values.map(|(_, value)| *value).fold(0.0, f64::max));
    let labels = [top, top / 2.0, 0.0].map(number);
    let margin = labels.iter().map(|label| label.width()).max().unwrap_or(0);
    let start = history.first().map_or(forecast.start, |(time, _)| *time);
    let axis = Axis {
        start: start.min(forecast.start),
        end: forecast.slot_start(upper_line.len()),
        columns: style.width.saturating_sub(margin + 3).max(NARROWEST),
    };
    let mut canvas = Canvas::new(axis.columns);
    canvas.upright(axis.column(forecast.start), START);
    let most = planned.iter().map(|(_, replicas)| *replicas).max();
    let replicas = ceiling(f64::from(most.unwrap_or(0)));
    canvas.stairs(&axis, (PLANNED, replicas), planned);
    for (character, line) in lines {
        canvas.line(&axis, forecast, (character, top), line);
    }
    let mut text = legend(forecast, (median, upper), most.map(|_| replicas), style);
    text.push_str(&canvas.draw(&labels, margin));
    text.push_str(&times(&axis, forecast.start, margin));
    text
}

/// The positions of the level nearest to the median and of the highest one.
fn levels(forecast: &FrozenForecast) -> Option<(usize, usize)> {
    let distance = |level: &f64| (level - 0.5).abs();
    let levels = forecast.levels.iter().enumerate();
    let median = levels.min_by(|(_, a), (_, b)| distance(a).total_cmp(&distance(b)))?;
    let filled = forecast.quantiles.iter().all(|line| !line.is_empty());
    filled.then_some((median.0, forecast.levels.len() - 1))
}

/// The least of 1, 2, 2.5 or 5 times a power of ten that is not below `greatest`.
fn ceiling(greatest: f64) -> f64 {
    if greatest <= 0.0 || !greatest.is_finite() {
        return 1.0;
    }
    let power = 10_f64.powf(greatest.log10().floor());
    let steps = [1.0, 2.0, 2.5, 5.0, 10.0].into_iter();
    let mut enough = steps
        .map(|step| step * power)
        .filter(|top| *top >= greatest);
    enough.next().unwrap_or(greatest)
}

fn number(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn legend(
    forecast: &FrozenForecast,
    (median, upper): (usize, usize),
    replicas: Option<f64>,
    style: &Style,
) -> String {
    let level = |place: usize| {
        let level = forecast.levels.get(place).copied().unwrap_or_default();
        number(level * 100.0)
    };
    let planned = replicas.map_or_else(String::new, |top| {
        format!("   {PLANNED} planned replicas, 0 to {}", number(top))
    });
    let text = format!(
        "req/s   {HISTORY} history   {MEDIAN} p{}   {UPPER} p{}   {START} start of the forecast{planned}   (UTC)",
        level(median),
        level(upper)
    );
    let lines = style.wrap(&text, 0).into_iter();
    lines
        .map(|line| format!("{}\n", style.paint(Role::Dim, line)))
        .collect()
}

/// Time from left to right.
struct Axis {
    start: Timestamp,
    end: Timestamp,
    columns: usize,
}

impl Axis {
    fn column(&self, time: Timestamp) -> usize {
        let seconds = |from: Timestamp, to: Timestamp| to.duration_since(from).as_secs_f64();
        let share = seconds(self.start, time) / seconds(self.start, self.end).max(1.0);
        scaled(share, self.columns).min(self.columns - 1)
    }
}

/// A share of a small whole number, rounded down.
fn scaled(share: f64, whole: usize) -> usize {
    let whole = f64::from(u32::try_from(whole).unwrap_or(u32::MAX));
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to lie between 0 and a u32"
    )]
    let scaled = (share * whole).clamp(0.0, whole) as usize;
    scaled
}

struct Canvas(Vec<Vec<char>>);

impl Canvas {
    fn new(columns: usize) -> Self {
        Self(vec![vec![' '; columns]; HEIGHT])
    }

    fn upright(&mut self, column: usize, character: char) {
        for row in &mut self.0 {
            row[column] = character;
        }
    }

    /// Draws each value over all columns of its slot.
    fn line(
        &mut self,
        axis: &Axis,
        forecast: &FrozenForecast,
        (character, top): (char, f64),
        values: &[(Timestamp, f64)],
    ) {
        let step = SignedDuration::try_from(forecast.step).unwrap_or_default();
        let mut greatest: Vec<Option<f64>> = vec![None; axis.columns];
        for (time, value) in values {
            let end = time.checked_add(step).unwrap_or(axis.end);
            let first = axis.column(*time);
            let last = axis.column(end).max(first + 1).min(axis.columns);
            for column in &mut greatest[first..last] {
                *column = Some(column.map_or(*value, |most| most.max(*value)));
            }
        }
        for (column, value) in greatest.iter().enumerate() {
            if let Some(value) = value {
                let row = scaled(value / top + 0.5 / (HEIGHT - 1) as f64, HEIGHT - 1);
                self.0[HEIGHT - 1 - row][column] = character;
            }
        }
    }

    /// Draws each value until the next one, the last one to the end.
    fn stairs(&mut self, axis: &Axis, (character, top): (char, f64), values: &[(Timestamp, u32)]) {
        for (place, (time, value)) in values.iter().enumerate() {
            let end = values.get(place + 1).map_or(axis.end, |(next, _)| *next);
            let first = axis.column(*time.max(&axis.start));
            let last = axis.column(end).max(first + 1).min(axis.columns);
            let share = f64::from(*value) / top;
            let row = scaled(share + 0.5 / (HEIGHT - 1) as f64, HEIGHT - 1);
            for column in first..last {
                self.0[HEIGHT - 1 - row][column] = character;
            }
        }
    }

    fn draw(&self, labels: &[String; 3], margin: usize) -> String {
        let mut text = String::new();
        for (position, row) in self.0.iter().enumerate() {
            let (label, edge) = match position {
                0 => (labels[0].as_str(), '┤'),
                _ if position == HEIGHT / 2 => (labels[1].as_str(), '┤'),
                _ if position == HEIGHT - 1 => (labels[2].as_str(), '┤'),
                _ => ("", '│'),
            };
            let row: String = row.iter().collect();
            let line = format!("{label:>margin$} {edge}{row}");
            let _ = writeln!(text, "{}", line.trim_end());
        }
        let columns = self.0.first().map_or(0, Vec::len);
        let _ = writeln!(text, "{:margin$} └{}", "", "─".repeat(columns));
        text
    }
}

/// The first time, the start of the forecast and the end, as far as there is room.
fn times(axis: &Axis, start: Timestamp, margin: usize) -> String {
    let shown = |time: Timestamp| time.strftime("%m-%d %H:%M").to_string();
    let (first, middle, last) = (shown(axis.start), shown(start), shown(axis.end));
    let mut line = format!("{:1$}{first}", "", margin + 2);
    let place = margin + 2 + axis.column(start);
    let end = (margin + 2 + axis.columns).saturating_sub(last.width());
    if place > line.width() && place + middle.width() < end {
        let _ = write!(line, "{:1$}{middle}", "", place - line.width());
    }
    let gap = end.saturating_sub(line.width()).max(1);
    format!("{line}{:gap$}{last}\n", "")
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::super::sample;
    use super::{ceiling, forecast};
    use crate::plan::FrozenForecast;
    use crate::render::Style;

    fn history(frozen: &FrozenForecast) -> Vec<(Timestamp, f64)> {
        (1..=48)
            .rev()
            .map(|hour| {
                let time = frozen.start - SignedDuration::from_hours(hour);
                (
                    time,
                    150.0 + 100.0 * f64::from(u8::try_from(hour % 24).unwrap()) / 24.0,
                )
            })
            .collect()
    }

    #[test]
    fn the_lines_are_told_apart_without_colour() {
        let frozen = sample::forecast();
        insta::assert_snapshot!(forecast(&history(&frozen), &[], &frozen, &Style::plain(80)));
    }

    #[test]
    fn replicas_are_stairs_with_a_scale_of_their_own() {
        let frozen = sample::forecast();
        let at = |hours| frozen.start + SignedDuration::from_hours(hours);
        let planned = [(frozen.start, 4), (at(1), 9), (at(2), 6)];
        insta::assert_snapshot!(forecast(&[], &planned, &frozen, &Style::plain(60)));
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        let frozen = sample::forecast();
        for width in [40, 80, 133] {
            let text = forecast(&history(&frozen), &[], &frozen, &Style::plain(width));
            for line in text.lines() {
                assert!(
                    unicode_width::UnicodeWidthStr::width(line) <= width,
                    "{line}"
                );
            }
        }
    }

    #[test]
    fn without_history_or_demand_there_is_still_a_chart() {
        let mut frozen = sample::forecast();
        frozen.quantiles = vec![vec![0.0], vec![0.0]];
        let text = forecast(&[], &[], &frozen, &Style::plain(40));
        assert!(text.contains('^') && text.contains("11-21 07:00"));
        frozen.quantiles = vec![Vec::new(), Vec::new()];
        assert_eq!(
            forecast(&[], &[], &frozen, &Style::plain(40)),
            "The forecast is empty.\n"
        );
    }

    #[test]
    fn the_axis_ends_at_a_round_number() {
        assert_eq!(
            [0.0, 412.0, 1.0, 2.1, 0.03].map(ceiling),
            [1.0, 500.0, 1.0, 2.5, 0.05]
        );
    }
}
