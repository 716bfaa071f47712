//! A planned deployment: what it must carry, its zones, and what is left without one of them.

use std::fmt::Write;

use isobar_sdk::quantity::Micros;
use jiff::Timestamp;
use unicode_width::UnicodeWidthStr;

use super::style::{Role, Style, visible};
use crate::deployment::{Demand, Quality, ZoneSize};
use crate::plan::{Plan, PlannedDeployment};

/// A time to the minute, with its day.
pub(super) fn moment(time: Timestamp) -> String {
    time.strftime("%a %Y-%m-%d %H:%M UTC").to_string()
}

/// A deployment with its zones, with a newline at the end.
pub(super) fn draw(name: &str, planned: &PlannedDeployment, plan: &Plan, style: &Style) -> String {
    let title = format!("deployment.{name}");
    let mut text = format!("{}\n", style.paint(Role::Bold, title));
    for line in style.wrap(&demand(planned, plan), 4) {
        let _ = writeln!(text, "  {line}");
    }
    text.push_str(&table(&planned.sized.zones, style));
    if let Some(losses) = losses(planned) {
        for (position, line) in style.wrap(&losses, 6).into_iter().enumerate() {
            let indent = if position == 0 { 2 } else { 4 };
            let _ = writeln!(text, "{:indent$}{line}", "");
        }
    }
    if let Some(quality) = planned.sized.quality.as_ref().map(quality) {
        for (position, line) in style.wrap(&quality, 6).into_iter().enumerate() {
            let indent = if position == 0 { 2 } else { 4 };
            let _ = writeln!(text, "{:indent$}{line}", "");
        }
    }
    text
}

/// How good the placement is, and what the dearest of its constraints cost.
fn quality(quality: &Quality) -> String {
    const MOST: usize = 3;
    let shadows = quality
        .shadows
        .iter()
        .filter(|(_, saves)| saves.0 >= WORTH_TELLING);
    let shadows = shadows
        .take(MOST)
        .map(|(what, saves)| format!("{what} {} $/h", dollars(*saves)));
    let shadows: Vec<String> = shadows.collect();
    let worth = match shadows.is_empty() {
        true => String::new(),
        false => format!("; would save: {}", visible(&shadows.join(", "))),
    };
    format!("placement: {}{worth}", quality.gap)
}

/// What saves less than this many millionths of a dollar per hour is not told.
const WORTH_TELLING: u64 = 100;

/// A deployment of which nothing changes, on one line with its end.
pub(super) fn unchanged(name: &str, planned: &PlannedDeployment) -> String {
    let zones = &planned.sized.zones;
    let replicas: u64 = zones.iter().map(|zone| u64::from(zone.after)).sum();
    let price = zones.iter().map(ZoneSize::cost_after).sum();
    let running = zones.iter().filter(|zone| zone.after > 0);
    let running: Vec<&str> = running.map(|zone| zone.zone.as_str()).collect();
    let noun = if replicas == 1 { "replica" } else { "replicas" };
    let place = match running.as_slice() {
        [] => String::new(),
        names => format!(" in {}", names.join(", ")),
    };
    format!(
        "deployment.{name} stays at {replicas} {noun}{place} for {} $/h\n",
        dollars(price)
    )
}

fn demand(planned: &PlannedDeployment, plan: &Plan) -> String {
    match &planned.sized.demand {
        Demand::Rate(rate) => {
            let was = planned
                .sized
                .previous
                .filter(|was| rounded(*was) != rounded(*rate));
            let was = was.map_or_else(String::new, |was| {
                format!(" ({} at the last apply)", rounded(was))
            });
            format!(
                "demand: {} req/s{was}, set in the configuration",
                rounded(*rate)
            )
        }
        Demand::Replicas(_) => "replicas: fixed in the configuration".to_owned(),
        Demand::Forecast {
            name,
            level,
            peak,
            at,
        } => {
            let was = planned
                .sized
                .previous
                .filter(|was| rounded(*was) != rounded(*peak));
            let was = was.map_or_else(String::new, |was| {
                format!(" ({} at the last apply)", rounded(was))
            });
            let peak = format!(
                "forecast {name}: p{} peak {} req/s{was}, {}",
                rounded(level * 100.0),
                rounded(*peak),
                moment(*at)
            );
            let Some(forecast) = plan.forecasts.get(name) else {
                return peak;
            };
            let folds = if forecast.folds == 1 { "fold" } else { "folds" };
            format!(
                "{peak} ({}, backtest WAPE {:.1} %, {} {folds}, {}, expires {})",
                forecast.method,
                forecast.wape * 100.0,
                forecast.folds,
                forecast.source,
                moment(forecast.expires)
            )
        }
    }
}

/// A number with at most one decimal.
fn rounded(number: f64) -> String {
    let text = format!("{number:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// `before → after`, or one of them where they are equal.
fn transition(before: &str, after: &str) -> String {
    match before == after {
        true => after.to_owned(),
        false => format!("{before} → {after}"),
    }
}

/// A price per hour to the cent; one below ten cents with as many decimals as it has.
fn dollars(price: Micros) -> String {
    const CENT: u64 = 10_000;
    match price.0 < 10 * CENT {
        true => price.to_string(),
        false => Micros((price.0 + CENT / 2) / CENT * CENT).to_string(),
    }
}

/// Zone, provider, replicas, price, reason.
type Row = [String; 5];

fn row(zone: &ZoneSize) -> Row {
    let region = zone.region.as_ref();
    let region = region.map_or_else(String::new, |region| format!(" {}", visible(region)));
    let (before, after) = (zone.cost_before(), zone.cost_after());
    [
        zone.zone.clone(),
        format!("{}{region}", zone.provider),
        transition(&zone.before.to_string(), &zone.after.to_string()),
        transition(&dollars(before), &dollars(after)),
        visible(&zone.why),
    ]
}

fn total(zones: &[ZoneSize]) -> Row {
    let replicas = |of: fn(&ZoneSize) -> u32| {
        let sum: u64 = zones.iter().map(|z| u64::from(of(z))).sum();
        sum.to_string()
    };
    let price = |of: fn(&ZoneSize) -> Micros| -> Micros { zones.iter().map(of).sum() };
    let (before, after) = (price(ZoneSize::cost_before), price(ZoneSize::cost_after));
    let delta = match (before.0, after.0) {
        (before, after) if before < after => format!("+{} $/h", dollars(Micros(after - before))),
        (before, after) if before > after => format!("−{} $/h", dollars(Micros(before - after))),
        _ => String::new(),
    };
    [
        "total".to_owned(),
        String::new(),
        transition(&replicas(|z| z.before), &replicas(|z| z.after)),
        transition(&dollars(before), &dollars(after)),
        delta,
    ]
}

fn table(zones: &[ZoneSize], style: &Style) -> String {
    const HEAD: [&str; 5] = ["zone", "provider", "replicas", "$/h", "why"];
    let mut rows = vec![HEAD.map(str::to_owned)];
    rows.extend(zones.iter().map(row));
    if zones.len() > 1 {
        rows.push(total(zones));
    }
    let mut widths = [0; 4];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.width());
        }
    }
    let mut text = String::new();
    for (position, row) in rows.iter().enumerate() {
        for line in table_row(row, &widths, style) {
            let shown = match position {
                0 => style.paint(Role::Dim, line.trim_end()),
                _ => line.trim_end().to_owned(),
            };
            let _ = writeln!(text, "{shown}");
        }
    }
    text
}

/// A row over as many lines as its reason needs; where the reason has no room beside the other
/// columns it stands below them.
fn table_row(row: &Row, widths: &[usize; 4], style: &Style) -> Vec<String> {
    const ROOM: usize = 24;
    let mut head = " ".repeat(4);
    for (width, cell) in widths.iter().zip(row) {
        let _ = write!(head, "{cell}{:1$}", "", width - cell.width() + 3);
    }
    let [.., why] = row;
    let column = head.width();
    if column + ROOM > style.width {
        let below = style.wrap(why, 8).into_iter();
        let below = below.map(|line| format!("{:8}{line}", ""));
        return std::iter::once(head).chain(below).collect();
    }
    let mut lines = style.wrap(why, column).into_iter();
    let first = format!("{head}{}", lines.next().unwrap_or_default());
    std::iter::once(first)
        .chain(lines.map(|line| format!("{:column$}{line}", "")))
        .collect()
}

fn losses(planned: &PlannedDeployment) -> Option<String> {
    let losses = &planned.sized.losses;
    let parts: Vec<String> = losses
        .iter()
        .map(|loss| {
            let shed = match loss.shed > 0.0 {
                true => format!("shed {} req/s", rounded(loss.shed)),
                false => "enough".to_owned(),
            };
            let left = rounded(loss.remaining_capacity);
            format!("{} lost → {left} req/s left, {shed}", loss.zone)
        })
        .collect();
    (!parts.is_empty()).then(|| format!("without a zone: {}", parts.join("; ")))
}
