//! A chart over time as SVG: layers over one another between two axes.

mod axis;

use std::fmt::Write;

use jiff::Timestamp;

pub(super) use self::axis::number;
use self::axis::{Axis, seconds};

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 400.0;
const LEFT: f64 = 62.0;
const RIGHT: f64 = 18.0;
const BOTTOM: f64 = 50.0;
/// Above the plot: the title, and a line of the legend each.
const TITLE: f64 = 34.0;
const LEGEND: f64 = 20.0;
/// About the width of a character, to place what stands beside text.
const CHARACTER: f64 = 6.6;
/// Ticks of time that have room for their labels.
const MOST_TIMES: usize = 9;
/// More points of a line than this are drawn as the least and greatest of groups.
const MOST_POINTS: usize = 1600;

/// A chart. All times are drawn in UTC, and values from 0 on.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    /// A word that no other chart of the same page has.
    pub id: String,
    /// What it shows, in few words.
    pub title: String,
    /// What there is to see, for who cannot.
    pub description: String,
    /// What the values are in.
    pub unit: String,
    /// What is drawn, the first at the bottom.
    pub layers: Vec<Layer>,
}

/// Values at times in order; `None` is a gap, which stays open.
pub type Points = Vec<(Timestamp, Option<f64>)>;

/// One thing to draw.
#[derive(Debug, Clone, PartialEq)]
pub enum Layer {
    /// A line through values.
    Line {
        /// What it is, in the legend.
        label: String,
        /// How it looks.
        ink: Ink,
        /// The values.
        points: Points,
    },
    /// A line that keeps each value until the next one, such as planned replicas.
    Steps {
        /// What it is, in the legend.
        label: String,
        /// How it looks.
        ink: Ink,
        /// The values.
        points: Points,
    },
    /// What lies between two values, at times in order.
    Band {
        /// What it is, in the legend.
        label: String,
        /// How strong it is drawn: 0 is the strongest.
        depth: usize,
        /// Time, lower and upper value.
        edges: Vec<(Timestamp, f64, f64)>,
    },
    /// A place worth a word.
    Mark {
        /// The word.
        label: String,
        /// When.
        at: Timestamp,
        /// How much.
        value: f64,
        /// Whether the word stands above the place, or else below.
        above: bool,
    },
    /// A time from which on something is different.
    Rule {
        /// What.
        label: String,
        /// When.
        at: Timestamp,
    },
}

/// How a line looks; each differs from the others by its dashes, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    /// What was measured.
    History,
    /// What is expected.
    Expected,
    /// A bound of it.
    Bound,
    /// What is planned for it.
    Planned,
}

impl Ink {
    const fn class(self) -> &'static str {
        match self {
            Self::History => "history",
            Self::Expected => "expected",
            Self::Bound => "bound",
            Self::Planned => "planned",
        }
    }
}

const STYLE: &str = "\
.paper{fill:#fff}.label{fill:#374151;font:12px system-ui,sans-serif}\
.title{fill:#111827;font:600 15px system-ui,sans-serif}\
.halo{stroke:#fff;stroke-width:4px;stroke-linejoin:round;paint-order:stroke}\
.grid{stroke:#e5e7eb}.edge{stroke:#9ca3af}.rule{stroke:#6b7280;stroke-dasharray:2 3}\
.line{fill:none;stroke-linejoin:round;stroke-linecap:round}\
.history{stroke:#4b5563;stroke-width:1.5}.expected{stroke:#1d4ed8;stroke-width:2}\
.bound{stroke:#1d4ed8;stroke-width:1.2;stroke-dasharray:6 3}\
.planned{stroke:#b45309;stroke-width:2;stroke-dasharray:10 3 2 3}\
.band{fill:#1d4ed8}.dot{fill:#1d4ed8;stroke:#fff}\
@media (prefers-color-scheme:dark){.paper{fill:#111827}.label{fill:#d1d5db}.title{fill:#f9fafb}\
.halo{stroke:#111827}.grid{stroke:#2b3443}.edge{stroke:#6b7280}.rule{stroke:#9ca3af}\
.history{stroke:#cbd5e1}.expected,.bound{stroke:#8ab4ff}.planned{stroke:#fbbf24}\
.band,.dot{fill:#8ab4ff}.dot{stroke:#111827}}";

/// Draws a chart as a document of its own, which can also stand within a page.
#[must_use]
pub fn draw(chart: &Chart) -> String {
    let legend = legend(&chart.layers);
    let top = TITLE + LEGEND * legend.len() as f64;
    let frame = Frame::of(chart, top);
    let id = escaped(&chart.id);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         role=\"img\" aria-labelledby=\"{id}-title {id}-desc\">\n\
         <title id=\"{id}-title\">{}</title>\n<desc id=\"{id}-desc\">{}</desc>\n\
         <style>{STYLE}</style>\n<rect class=\"paper\" width=\"{WIDTH}\" height=\"{HEIGHT}\"/>\n\
         <text class=\"title\" x=\"{LEFT}\" y=\"22\">{}<tspan class=\"label\" dx=\"8\">{}</tspan></text>\n",
        escaped(&chart.title),
        escaped(&chart.description),
        escaped(&chart.title),
        escaped(&chart.unit)
    );
    for (row, entries) in legend.iter().enumerate() {
        text.push_str(&legend_row(entries, TITLE + LEGEND * row as f64 + 6.0));
    }
    text.push_str(&frame.axes());
    for layer in &chart.layers {
        text.push_str(&frame.layer(layer));
    }
    text.push_str("</svg>\n");
    text
}

/// Text within a document.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            // These cannot stand in a document at all.
            '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' => safe.push('\u{fffd}'),
            other => safe.push(other),
        }
    }
    safe
}

/// An entry of the legend: how it looks and what it is.
type Entry<'a> = (String, &'a str);

/// The entries in rows that are not wider than the chart.
fn legend(layers: &[Layer]) -> Vec<Vec<Entry<'_>>> {
    let mut rows: Vec<Vec<Entry<'_>>> = Vec::new();
    let mut used = f64::INFINITY;
    for layer in layers {
        let (sample, label) = match layer {
            Layer::Line { label, ink, .. } | Layer::Steps { label, ink, .. } => {
                let class = ink.class();
                let sample = format!("<path class=\"line {class}\" d=\"M0 0h26\"/>");
                (sample, label)
            }
            Layer::Band { label, depth, .. } => {
                let opacity = opacity(*depth);
                let sample = format!(
                    "<rect class=\"band\" fill-opacity=\"{opacity}\" y=\"-5\" width=\"26\" height=\"10\"/>"
                );
                (sample, label)
            }
            Layer::Mark { .. } | Layer::Rule { .. } => continue,
        };
        let width = entry_width(label);
        if used + width > WIDTH - LEFT - RIGHT {
            rows.push(Vec::new());
            used = 0.0;
        }
        used += width;
        if let Some(row) = rows.last_mut() {
            row.push((sample, label));
        }
    }
    rows
}

fn entry_width(label: &str) -> f64 {
    54.0 + CHARACTER * label.chars().count() as f64
}

fn legend_row(entries: &[Entry<'_>], y: f64) -> String {
    let mut text = String::new();
    let mut x = LEFT;
    for (sample, label) in entries {
        let _ = writeln!(
            text,
            "<g transform=\"translate({x:.1} {y:.1})\">{sample}<text class=\"label\" x=\"32\" y=\"4\">{}</text></g>",
            escaped(label)
        );
        x += entry_width(label);
    }
    text
}

/// How strong a band is.
fn opacity(depth: usize) -> f64 {
    [0.36, 0.24, 0.14, 0.09].get(depth).copied().unwrap_or(0.06)
}

/// Where everything lies.
struct Frame {
    times: (Timestamp, Timestamp),
    across: Axis,
    up: Axis,
    ticks: Vec<f64>,
}

impl Frame {
    fn of(chart: &Chart, top: f64) -> Self {
        let (mut times, mut greatest) = (Vec::new(), 0.0_f64);
        for layer in &chart.layers {
            match layer {
                Layer::Line { points, .. } | Layer::Steps { points, .. } => {
                    times.extend(points.iter().map(|(at, _)| *at));
                    let values = points.iter().filter_map(|(_, value)| *value);
                    greatest = values.fold(greatest, f64::max);
                }
                Layer::Band { edges, .. } => {
                    times.extend(edges.iter().map(|(at, ..)| *at));
                    greatest = edges.iter().fold(greatest, |most, edge| most.max(edge.2));
                }
                Layer::Mark { at, value, .. } => {
                    times.push(*at);
                    greatest = greatest.max(*value);
                }
                Layer::Rule { at, .. } => times.push(*at),
            }
        }
        let first = times.iter().min().copied().unwrap_or_default();
        let last = times.iter().max().copied().unwrap_or_default();
        let ticks = axis::values(greatest);
        let highest = ticks.last().copied().unwrap_or(1.0);
        Self {
            times: (first, last),
            across: Axis {
                values: (seconds(first), seconds(last)),
                places: (LEFT, WIDTH - RIGHT),
            },
            up: Axis {
                values: (0.0, highest),
                places: (HEIGHT - BOTTOM, top + 12.0),
            },
            ticks,
        }
    }

    fn x(&self, at: Timestamp) -> f64 {
        self.across.place(seconds(at))
    }

    fn y(&self, value: f64) -> f64 {
        self.up.place(value)
    }

    fn axes(&self) -> String {
        let (low, _) = self.up.places;
        let (left, right) = self.across.places;
        let mut text = String::new();
        for tick in &self.ticks {
            let y = self.y(*tick);
            let _ = writeln!(
                text,
                "<path class=\"grid\" d=\"M{left} {y:.1}H{right}\"/><text class=\"label\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                left - 8.0,
                y + 4.0,
                number(*tick)
            );
        }
        let _ = writeln!(text, "<path class=\"edge\" d=\"M{left} {low}H{right}\"/>");
        for tick in axis::times(self.times.0, self.times.1, MOST_TIMES) {
            let x = self.x(tick.at);
            let _ = write!(
                text,
                "<path class=\"edge\" d=\"M{x:.1} {low}v5\"/><text class=\"label\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
                low + 19.0,
                tick.label
            );
            if let Some(context) = tick.context {
                let y = low + 35.0;
                let _ = write!(
                    text,
                    "<text class=\"label\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"middle\">{context}</text>"
                );
            }
            text.push('\n');
        }
        text
    }

    fn layer(&self, layer: &Layer) -> String {
        match layer {
            Layer::Line { ink, points, .. } => self.path(*ink, &thinned(points), false),
            Layer::Steps { ink, points, .. } => self.path(*ink, points, true),
            Layer::Band { depth, edges, .. } => self.band(*depth, edges),
            Layer::Mark {
                label,
                at,
                value,
                above,
            } => self.mark(label, (*at, *value), *above),
            Layer::Rule { label, at } => self.rule(label, *at),
        }
    }

    /// A line that is interrupted at gaps; a value between two gaps is a dot.
    fn path(&self, ink: Ink, points: &[(Timestamp, Option<f64>)], stairs: bool) -> String {
        let mut path = String::new();
        let mut drawing = false;
        for (at, value) in points {
            let x = self.x(*at);
            let Some(value) = *value else {
                if drawing && stairs {
                    let _ = write!(path, "H{x:.1}");
                }
                drawing = false;
                continue;
            };
            let y = self.y(value);
            let _ = match (drawing, stairs) {
                (false, _) => write!(path, "M{x:.1} {y:.1}h0"),
                (true, false) => write!(path, "L{x:.1} {y:.1}"),
                (true, true) => write!(path, "H{x:.1}V{y:.1}"),
            };
            drawing = true;
        }
        format!("<path class=\"line {}\" d=\"{path}\"/>\n", ink.class())
    }

    fn band(&self, depth: usize, edges: &[(Timestamp, f64, f64)]) -> String {
        let there = edges.iter().map(|(at, _, upper)| (at, upper));
        let back = edges.iter().rev().map(|(at, lower, _)| (at, lower));
        let mut path = String::new();
        for (at, value) in there.chain(back) {
            let command = if path.is_empty() { 'M' } else { 'L' };
            let _ = write!(path, "{command}{:.1} {:.1}", self.x(*at), self.y(*value));
        }
        let opacity = opacity(depth);
        format!("<path class=\"band\" fill-opacity=\"{opacity}\" d=\"{path}Z\"/>\n")
    }

    fn mark(&self, label: &str, (at, value): (Timestamp, f64), above: bool) -> String {
        let (x, y) = (self.x(at), self.y(value));
        let half = CHARACTER * label.chars().count() as f64 / 2.0;
        let (left, right) = self.across.places;
        let (place, anchor) = if x + half > right {
            (right, "end")
        } else if x - half < left {
            (left + 4.0, "start")
        } else {
            (x, "middle")
        };
        let line = if above { y - 8.0 } else { y + 18.0 };
        format!(
            "<circle class=\"dot\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\"/><text class=\"label halo\" x=\"{place:.1}\" y=\"{line:.1}\" text-anchor=\"{anchor}\">{}</text>\n",
            escaped(label)
        )
    }

    fn rule(&self, label: &str, at: Timestamp) -> String {
        let x = self.x(at);
        let (low, high) = self.up.places;
        let width = CHARACTER * label.chars().count() as f64;
        let anchor = if x + width > WIDTH { "end" } else { "start" };
        format!(
            "<path class=\"rule\" d=\"M{x:.1} {low}V{high}\"/><text class=\"label halo\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{}</text>\n",
            high - 4.0,
            escaped(label)
        )
    }
}

/// The least and greatest values of groups, where there are more points than could be seen.
fn thinned(points: &[(Timestamp, Option<f64>)]) -> Points {
    if points.len() <= MOST_POINTS {
        return points.to_vec();
    }
    let size = points.len().div_ceil(MOST_POINTS / 2);
    let mut kept = Points::new();
    for group in points.chunks(size) {
        let known = |(_, a): &&(Timestamp, Option<f64>), (_, b): &&(Timestamp, Option<f64>)| {
            a.unwrap_or(0.0).total_cmp(&b.unwrap_or(0.0))
        };
        let values = group.iter().filter(|(_, value)| value.is_some());
        let (Some(least), Some(most)) = (values.clone().min_by(known), values.max_by(known)) else {
            kept.extend(group.first().copied());
            continue;
        };
        let (before, after) = if least.0 <= most.0 {
            (least, most)
        } else {
            (most, least)
        };
        kept.extend([*before, *after]);
    }
    kept
}

#[cfg(test)]
mod tests;
