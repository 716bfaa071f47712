//! A forecast as a chart: the layers that show it.

use jiff::Timestamp;

use super::deployment::moment;
use super::forecast::shown;
use super::svg::{self, Chart, Ink, Layer, Points};
use crate::plan::{FrozenForecast, Need, Prediction};

/// The level whose line is drawn: what capacity is usually planned for.
const BOUND: f64 = 0.95;

/// A forecast with the history before it, as SVG.
#[must_use]
pub fn outlook(name: &str, id: &str, prediction: &Prediction) -> String {
    let needs = prediction.needs.iter();
    let stairs = needs.map(|need| stairs(&prediction.frozen, need)).collect();
    let layers = layers(&prediction.frozen, shown(prediction), stairs);
    let title = format!("Demand: forecast.{name}");
    svg::draw(&Chart {
        id: id.to_owned(),
        title,
        description: description(&prediction.frozen),
        unit: "req/s, times in UTC".to_owned(),
        layers,
    })
}

/// The history, the bands between neighbouring levels, the median, a bound and their peaks; between
/// them what is planned.
#[must_use]
pub(super) fn layers(forecast: &FrozenForecast, history: Points, stairs: Vec<Layer>) -> Vec<Layer> {
    let median = nearest(&forecast.levels, 0.5);
    let bound = nearest(&forecast.levels, BOUND);
    let mut layers = bands(forecast, median);
    layers.push(Layer::Line {
        label: "history".to_owned(),
        ink: Ink::History,
        points: history,
    });
    layers.push(Layer::Rule {
        label: "forecast".to_owned(),
        at: forecast.start,
    });
    let mut lines = vec![(median, Ink::Expected, false)];
    if bound != median {
        lines.push((bound, Ink::Bound, true));
    }
    for (place, ink, _) in &lines {
        layers.extend(line(forecast, *place, *ink));
    }
    layers.extend(stairs);
    let marks = lines.into_iter();
    layers.extend(marks.filter_map(|(place, _, above)| mark(forecast, place, above)));
    layers
}

/// The place of the level nearest to one.
fn nearest(levels: &[f64], wanted: f64) -> usize {
    let distance = |level: &f64| (level - wanted).abs();
    let levels = levels.iter().enumerate();
    let nearest = levels.min_by(|(_, a), (_, b)| distance(a).total_cmp(&distance(b)));
    nearest.map_or(0, |(place, _)| place)
}

/// A level as people name it: `p95`, `p99.9`.
pub(super) fn percentile(level: f64) -> String {
    format!("p{}", (level * 1000.0).round() / 10.0)
}

/// The values at a level, each at the start of its slot.
fn values(forecast: &FrozenForecast, place: usize) -> Vec<(Timestamp, f64)> {
    let row = forecast.quantiles.get(place).into_iter().flatten();
    row.enumerate()
        .map(|(slot, value)| (forecast.slot_start(slot), *value))
        .collect()
}

fn bands(forecast: &FrozenForecast, median: usize) -> Vec<Layer> {
    let levels = forecast.levels.windows(2).enumerate();
    let band = |(place, pair): (usize, &[f64])| {
        let lower = values(forecast, place);
        let upper = values(forecast, place + 1);
        let edges = lower
            .iter()
            .zip(&upper)
            .map(|((at, low), (_, high))| (*at, *low, *high));
        Layer::Band {
            label: format!("{} to {}", percentile(pair[0]), percentile(pair[1])),
            depth: if place < median {
                median - place - 1
            } else {
                place - median
            },
            edges: edges.collect(),
        }
    };
    levels.map(band).collect()
}

fn line(forecast: &FrozenForecast, place: usize, ink: Ink) -> Option<Layer> {
    let level = forecast.levels.get(place)?;
    let points = values(forecast, place).into_iter();
    Some(Layer::Line {
        label: percentile(*level),
        ink,
        points: points.map(|(at, value)| (at, Some(value))).collect(),
    })
}

/// What the replicas of a deployment carry, until the end of the forecast.
fn stairs(forecast: &FrozenForecast, need: &Need) -> Layer {
    let counts = || need.stages.iter().map(|stage| stage.replicas);
    let (least, most) = (counts().min().unwrap_or(0), counts().max().unwrap_or(0));
    let points = need
        .stages
        .iter()
        .map(|stage| (stage.start, Some(stage.rate)));
    let last = need
        .stages
        .last()
        .map(|stage| (forecast.end(), Some(stage.rate)));
    Layer::Steps {
        label: format!(
            "carried by {least} to {most} replicas of {}",
            need.deployment
        ),
        ink: Ink::Planned,
        points: points.chain(last).collect(),
    }
}

fn mark(forecast: &FrozenForecast, place: usize, above: bool) -> Option<Layer> {
    let level = forecast.levels.get(place)?;
    let (at, value) = forecast.peak(place)?;
    Some(Layer::Mark {
        label: format!("{} {}", percentile(*level), svg::number(value)),
        at,
        value,
        above,
    })
}

/// What there is to see, in words.
pub(super) fn description(forecast: &FrozenForecast) -> String {
    let levels = forecast.levels.iter().enumerate();
    let peaks = levels.filter_map(|(place, level)| {
        let (at, value) = forecast.peak(place)?;
        let (value, at) = (svg::number(value), moment(at));
        Some(format!(
            "{} peaks at {value} requests per second at {at}",
            percentile(*level)
        ))
    });
    format!(
        "History until {}, then the forecast until {}: {}.",
        moment(forecast.start),
        moment(forecast.end()),
        peaks.collect::<Vec<_>>().join("; ")
    )
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn a_forecast_is_bands_lines_and_marks() {
        let prediction = sample::prediction();
        insta::assert_snapshot!(outlook("web", "chart", &prediction));
    }

    #[test]
    fn bands_fade_away_from_the_median() {
        let mut prediction = sample::prediction();
        let frozen = &mut prediction.frozen;
        let row = frozen.quantiles[0].clone();
        frozen.levels = vec![0.1, 0.5, 0.9, 0.95];
        frozen.quantiles = vec![row; 4];
        let depths: Vec<_> = layers(frozen, Vec::new(), Vec::new())
            .into_iter()
            .filter_map(|layer| match layer {
                Layer::Band { depth, label, .. } => Some((label, depth)),
                _ => None,
            })
            .collect();
        let expected = [("p10 to p50", 0), ("p50 to p90", 0), ("p90 to p95", 1)];
        assert_eq!(
            depths,
            expected.map(|(label, depth)| (label.to_owned(), depth))
        );
    }
}
