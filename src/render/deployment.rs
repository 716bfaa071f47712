//! A planned deployment: what it must carry, its zones, and what is left without one of them.

use std::collections::BTreeSet;
use std::fmt::Write;

use isobar_sdk::deployment::Scaling;
use isobar_sdk::quantity::Micros;
use jiff::Timestamp;
use unicode_width::UnicodeWidthStr;

use super::chart;
use super::demand::{demand, needed, rounded};
use super::style::{Role, Style, visible};
use crate::deployment::{Quality, ZoneSize};
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
    for need in &planned.sized.needs {
        for line in style.wrap(&needed(need, plan), 4) {
            let _ = writeln!(text, "  {line}");
        }
    }
    text.push_str(&table(&planned.sized.zones, style));
    text.push_str(&losses(planned, style));
    if let Some(quality) = planned.sized.quality.as_ref().map(quality) {
        for (position, line) in style.wrap(&quality, 6).into_iter().enumerate() {
            let indent = if position == 0 { 2 } else { 4 };
            let _ = writeln!(text, "{:indent$}{line}", "");
        }
    }
    text.push_str(&schedule(planned, style));
    text.push_str(&chart(planned, plan, style));
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

/// The columns of a table of zones before the reason, some of which may be left out.
type Cells = Vec<String>;

/// Blanks between columns.
const GAP: usize = 2;
/// The least room for reasons beside the other columns.
const ROOM: usize = 24;

/// Which columns there are something to show in.
#[derive(Clone, Copy)]
struct Columns {
    instance: bool,
    carbon: bool,
    /// Whether the reason begins with the instance, for want of room beside it.
    told: bool,
}

impl Columns {
    fn of(zones: &[ZoneSize]) -> Self {
        Self {
            instance: zones.iter().any(|zone| zone.instance.is_some()),
            carbon: zones.iter().any(|zone| zone.carbon.is_some()),
            told: false,
        }
    }

    fn why(self, zone: &ZoneSize) -> String {
        let why = visible(&zone.why);
        match self.told && zone.instance.is_some() && zone.after > 0 {
            true => format!("{}: {why}", instance(zone)),
            false => why,
        }
    }

    fn pick(self, [zone, provider, instance, replicas, price, carbon]: [String; 6]) -> Cells {
        let all = [
            Some(zone),
            Some(provider),
            self.instance.then_some(instance),
            Some(replicas),
            Some(price),
            self.carbon.then_some(carbon),
        ];
        all.into_iter().flatten().collect()
    }
}

/// What replicas run on, and what they will.
fn instance(zone: &ZoneSize) -> String {
    let after = zone.instance.as_deref().unwrap_or_default();
    let before = zone.was.as_ref().map(|was| was.instance.as_str());
    transition(before.unwrap_or(after), after)
}

fn row(zone: &ZoneSize) -> [String; 6] {
    let region = zone.region.as_ref();
    let region = region.map_or_else(String::new, |region| format!(" {}", visible(region)));
    let (before, after) = (zone.cost_before(), zone.cost_after());
    [
        zone.zone.clone(),
        format!("{}{region}", zone.provider),
        instance(zone),
        transition(&zone.before.to_string(), &zone.after.to_string()),
        transition(&dollars(before), &dollars(after)),
        match (zone.carbon_before(), zone.carbon_after()) {
            (Some(before), Some(after)) => transition(&kilograms(before), &kilograms(after)),
            _ => String::new(),
        },
    ]
}

/// The sums of all zones, and by how much they change.
fn total(zones: &[ZoneSize]) -> ([String; 6], String) {
    let replicas = |of: fn(&ZoneSize) -> u32| {
        let sum: u64 = zones.iter().map(|z| u64::from(of(z))).sum();
        sum.to_string()
    };
    let price = |of: fn(&ZoneSize) -> Micros| -> Micros { zones.iter().map(of).sum() };
    let carbon = |of: fn(&ZoneSize) -> Option<f64>| -> f64 { zones.iter().filter_map(of).sum() };
    let (before, after) = (price(ZoneSize::cost_before), price(ZoneSize::cost_after));
    let (dirty, clean) = (
        carbon(ZoneSize::carbon_before),
        carbon(ZoneSize::carbon_after),
    );
    let mut deltas = Vec::new();
    match (before.0, after.0) {
        (before, after) if before < after => {
            deltas.push(format!("+{} $/h", dollars(Micros(after - before))));
        }
        (before, after) if before > after => {
            deltas.push(format!("−{} $/h", dollars(Micros(before - after))));
        }
        _ => {}
    }
    if kilograms(dirty) != kilograms(clean) {
        let sign = if dirty < clean { '+' } else { '−' };
        deltas.push(format!(
            "{sign}{} kg CO2e/h",
            kilograms((clean - dirty).abs())
        ));
    }
    let cells = [
        "total".to_owned(),
        String::new(),
        String::new(),
        transition(&replicas(|z| z.before), &replicas(|z| z.after)),
        transition(&dollars(before), &dollars(after)),
        transition(&kilograms(dirty), &kilograms(clean)),
    ];
    (cells, deltas.join(", "))
}

/// Kilograms to the gram.
fn kilograms(mass: f64) -> String {
    format!("{mass:.3}")
}

fn table(zones: &[ZoneSize], style: &Style) -> String {
    const HEAD: [&str; 6] = [
        "zone",
        "provider",
        "instance",
        "replicas",
        "$/h",
        "kg CO2e/h",
    ];
    let draw = |columns: Columns| {
        let mut rows = vec![(columns.pick(HEAD.map(str::to_owned)), "why".to_owned())];
        rows.extend(
            zones
                .iter()
                .map(|zone| (columns.pick(row(zone)), columns.why(zone))),
        );
        if zones.len() > 1 {
            let (cells, deltas) = total(zones);
            rows.push((columns.pick(cells), deltas));
        }
        let widths = widths(rows.iter().map(|(cells, _)| cells));
        (rows, widths)
    };
    let columns = Columns::of(zones);
    let (mut rows, mut widths) = draw(columns);
    if widths.iter().map(|width| width + GAP).sum::<usize>() + 4 + ROOM > style.width {
        (rows, widths) = draw(Columns {
            instance: false,
            told: columns.instance,
            ..columns
        });
    }
    let mut text = String::new();
    for (position, (cells, why)) in rows.iter().enumerate() {
        for line in table_row((cells, why), &widths, style) {
            let shown = match position {
                0 => style.paint(Role::Dim, line.trim_end()),
                _ => line.trim_end().to_owned(),
            };
            let _ = writeln!(text, "{shown}");
        }
    }
    text
}

/// The width of the widest cell of each column.
fn widths<'r>(rows: impl Iterator<Item = &'r Cells>) -> Vec<usize> {
    let mut widths = Vec::new();
    for row in rows {
        widths.resize(row.len().max(widths.len()), 0);
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.width());
        }
    }
    widths
}

/// A row over as many lines as its reason needs; where the reason has no room beside the other
/// columns it stands below them.
fn table_row((cells, why): (&Cells, &str), widths: &[usize], style: &Style) -> Vec<String> {
    let mut head = " ".repeat(4);
    for (width, cell) in widths.iter().zip(cells) {
        let _ = write!(head, "{cell}{:1$}", "", width - cell.width() + GAP);
    }
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

/// What is left without each zone, as a table; nothing where that was not asked.
fn losses(planned: &PlannedDeployment, style: &Style) -> String {
    const HEAD: [&str; 5] = [
        "lost",
        "carried by the others, req/s",
        "served",
        "shed",
        "to close it, $/h",
    ];
    let losses = &planned.sized.losses;
    if losses.is_empty() {
        return String::new();
    }
    let demand = planned.sized.demand.rate().unwrap_or_default();
    let mut rows: Vec<Cells> = vec![HEAD.map(str::to_owned).into()];
    rows.extend(losses.iter().map(|loss| {
        let close = loss
            .close_micros_per_hour
            .map(|micros| format!("+{}", dollars(Micros(micros))));
        vec![
            loss.zone.clone(),
            rounded(loss.remaining_capacity),
            rounded((demand - loss.shed).min(loss.remaining_capacity).max(0.0)),
            rounded(loss.shed),
            close.unwrap_or_default(),
        ]
    }));
    let closes = losses
        .iter()
        .any(|loss| loss.close_micros_per_hour.is_some());
    let widths = widths(rows.iter());
    let mut text = String::new();
    for (position, row) in rows.iter().enumerate() {
        let mut line = " ".repeat(4);
        let shown = if closes { row.len() } else { row.len() - 1 };
        for (column, (cell, width)) in row.iter().zip(&widths).take(shown).enumerate() {
            let gap = width - cell.width();
            let _ = match column {
                0 => write!(line, "{cell}{:gap$}", ""),
                _ => write!(line, "   {:gap$}{cell}", ""),
            };
        }
        let line = line.trim_end();
        let _ = match position {
            0 => writeln!(text, "{}", style.paint(Role::Dim, line)),
            _ => writeln!(text, "{line}"),
        };
    }
    text
}

/// How many steps of a schedule are told; the plan has them all.
const STEPS: usize = 8;

/// What happens to the replicas between this apply and the next.
fn schedule(planned: &PlannedDeployment, style: &Style) -> String {
    let steps = steps(planned);
    let until = planned.outlines.values();
    let until = until
        .filter_map(|outline| Some(outline.schedule.as_ref()?.until))
        .max();
    let Some((until, (_, first))) = until.zip(steps.first()) else {
        return String::new();
    };
    let by = |wanted: Scaling| {
        let zones = planned.outlines.iter();
        let zones = zones.filter(move |(_, outline)| outline.scaling == wanted);
        zones.map(|(zone, _)| zone.as_str()).collect::<Vec<_>>()
    };
    let told = steps.iter().take(STEPS).skip(1);
    let told = told.map(|(at, replicas)| format!(", {replicas} from {}", at.strftime("%a %H:%M")));
    let more = steps.len().saturating_sub(STEPS);
    let more = match more {
        0 => String::new(),
        more => format!(" and {more} more steps"),
    };
    let mut text = format!(
        "replicas to come: {first} at first{}{more}, until {}",
        told.collect::<String>(),
        moment(until)
    );
    let followed = by(Scaling::Schedule);
    let bound = by(Scaling::Envelope);
    let fixed = by(Scaling::Fixed);
    if !followed.is_empty() {
        let _ = write!(
            text,
            "; followed by the platform in {}",
            followed.join(", ")
        );
    }
    if !bound.is_empty() {
        let _ = write!(text, "; bounds only in {}", bound.join(", "));
    }
    if !fixed.is_empty() {
        let _ = write!(
            text,
            "; {} stay as they are until the next apply",
            fixed.join(", ")
        );
    }
    let mut lines = String::new();
    for (position, line) in style.wrap(&text, 6).into_iter().enumerate() {
        let indent = if position == 0 { 2 } else { 4 };
        let _ = writeln!(lines, "{:indent$}{line}", "");
    }
    lines
}

/// The replicas of all zones together, each time that they change.
pub(super) fn steps(planned: &PlannedDeployment) -> Vec<(Timestamp, u32)> {
    let schedules = planned
        .outlines
        .values()
        .filter_map(|outline| outline.schedule.as_ref());
    let shifts = schedules.clone().flat_map(|schedule| &schedule.shifts);
    let starts: BTreeSet<Timestamp> = shifts.map(|shift| shift.start).collect();
    let mut steps: Vec<(Timestamp, u32)> = Vec::new();
    for start in starts {
        let bounds = schedules.clone().filter_map(|schedule| schedule.at(start));
        let replicas = bounds.map(|bounds| bounds.min).sum();
        if steps.last().is_none_or(|(_, before)| *before != replicas) {
            steps.push((start, replicas));
        }
    }
    steps
}

/// The demand to come and the replicas planned for it; nothing where demand is no forecast.
fn chart(planned: &PlannedDeployment, plan: &Plan, style: &Style) -> String {
    let forecast = planned.sized.demand.forecast();
    let Some(forecast) = forecast.and_then(|name| plan.forecasts.get(name)) else {
        return String::new();
    };
    let past = forecast.past().into_iter();
    let history: Vec<_> = past.filter_map(|(at, value)| Some((at, value?))).collect();
    let inner = Style {
        width: style.width.saturating_sub(2),
        ..*style
    };
    let drawn = chart::forecast(&history, &steps(planned), forecast, &inner);
    drawn.lines().map(|line| format!("  {line}\n")).collect()
}
