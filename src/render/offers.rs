//! What zones and regions sell, as tables and as JSON.

use std::cmp::Reverse;
use std::fmt::Write;

use isobar_sdk::deployment::{Architecture, Form, Grid, Offer};
use isobar_sdk::quantity::Micros;
use serde_json::{Value as Json, json};
use unicode_width::UnicodeWidthStr;

use super::style::{Role, Style};
use crate::catalog::{Basis, Cloud, Place, Source};

const GIB: f64 = 1_073_741_824.0;

/// What is sold in one place.
#[derive(Debug, Clone, PartialEq)]
pub struct Stall {
    title: String,
    grid: Option<Grid>,
    /// Why nothing is sold there, where the place is down.
    down: Option<String>,
    rows: Vec<Row>,
    sources: Vec<Source<'static>>,
}

#[derive(Debug, Clone, PartialEq)]
struct Row {
    offer: Offer,
    /// Whether the price on demand, and that on spot, was computed from others.
    derived: (bool, bool),
}

impl Stall {
    /// What the catalogue lists for a region.
    #[must_use]
    pub fn of_place(title: &str, place: Place<'static>, form: Form) -> Self {
        let derived = |price: Option<crate::catalog::Price>| {
            price.is_some_and(|price| price.basis == Basis::Derived)
        };
        let rows = place.offers(form).map(|listed| Row {
            offer: listed.offer(),
            derived: (derived(Some(listed.price)), derived(listed.spot)),
        });
        Self {
            title: title.to_owned(),
            grid: place.grid(),
            down: None,
            rows: cheapest_first(rows.collect()),
            sources: place.cloud.sources.clone(),
        }
    }

    /// What a zone sells.
    #[must_use]
    pub fn open(zone: &str, grid: Option<Grid>, offers: Vec<Offer>) -> Self {
        let rows = offers.into_iter().map(|offer| Row {
            offer,
            derived: (false, false),
        });
        Self {
            title: format!("zone.{zone}"),
            grid,
            down: None,
            rows: cheapest_first(rows.collect()),
            sources: Vec::new(),
        }
    }

    /// A zone that is down.
    #[must_use]
    pub fn down(zone: &str, grid: Option<Grid>, reason: String) -> Self {
        Self {
            down: Some(reason),
            ..Self::open(zone, grid, Vec::new())
        }
    }

    /// Only what has accelerators of this type.
    #[must_use]
    pub fn with_gpu(mut self, kind: &str) -> Self {
        self.rows.retain(|row| {
            let gpu = row.offer.gpu.as_ref();
            gpu.is_some_and(|(has, _)| has.eq_ignore_ascii_case(kind))
        });
        self
    }
}

fn cheapest_first(mut rows: Vec<Row>) -> Vec<Row> {
    rows.sort_by(|a, b| {
        (a.offer.price, &a.offer.instance).cmp(&(b.offer.price, &b.offer.instance))
    });
    rows
}

/// A table for people, with a newline at the end.
#[must_use]
pub fn human(stall: &Stall, style: &Style) -> String {
    let mut text = format!("{}\n", style.paint(Role::Bold, &stall.title));
    if let Some(grid) = stall.grid {
        let _ = writeln!(text, "  {} g CO2e/kWh, PUE {}", grid.intensity, grid.pue);
    }
    if let Some(reason) = &stall.down {
        let _ = writeln!(text, "  down: {reason}");
        return text;
    }
    if stall.rows.is_empty() {
        text.push_str("  nothing is sold there that was asked for\n");
        return text;
    }
    let head = [
        "instance", "vCPU", "GiB", "gpu", "$/h", "spot $/h", "W", "g CO2e/h", "quota",
    ];
    let mut rows = vec![head.map(str::to_owned)];
    rows.extend(stall.rows.iter().map(|row| cells(row, stall.grid)));
    text.push_str(&table(&rows, style));
    for source in &stall.sources {
        let line = format!("{}: {}, {}", source.of, source.text, source.date);
        for line in style.wrap(&line, 2) {
            let _ = writeln!(text, "  {}", style.paint(Role::Dim, line));
        }
    }
    if stall.rows.iter().any(|row| row.derived.0 || row.derived.1) {
        let _ = writeln!(
            text,
            "  {}",
            style.paint(Role::Dim, "~ derived from other prices")
        );
    }
    text
}

fn cells(row: &Row, grid: Option<Grid>) -> [String; 9] {
    let offer = &row.offer;
    let gpu = offer.gpu.as_ref();
    let price = |price: Micros, derived: bool| match derived {
        true => format!("{price}~"),
        false => price.to_string(),
    };
    let none = String::new;
    let carbon = offer.watts.zip(grid);
    [
        offer.instance.clone(),
        size(offer.cpu),
        match offer.memory {
            u64::MAX => none(),
            bytes => size(gib(bytes)),
        },
        gpu.map_or_else(none, |(kind, count)| format!("{count} {kind}")),
        price(offer.price, row.derived.0),
        offer
            .spot
            .map_or_else(none, |spot| price(spot, row.derived.1)),
        offer.watts.map_or_else(none, |watts| format!("{watts:.0}")),
        carbon.map_or_else(none, |(watts, grid)| {
            format!("{:.0}", grid.kilograms_per_hour(watts) * 1000.0)
        }),
        offer.quota.map_or_else(none, |quota| quota.to_string()),
    ]
}

/// What is not told of a size is not shown.
fn size(number: f64) -> String {
    match number.is_finite() {
        true => number.to_string(),
        false => String::new(),
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "sizes of machines are far below 2^53 bytes"
)]
fn gib(bytes: u64) -> f64 {
    bytes as f64 / GIB
}

/// Texts to the left, numbers to the right.
fn table<const N: usize>(rows: &[[String; N]], style: &Style) -> String {
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.width());
        }
    }
    let mut text = String::new();
    for (position, row) in rows.iter().enumerate() {
        let mut line = " ".to_owned();
        for (column, (cell, width)) in row.iter().zip(widths).enumerate() {
            match column {
                0 => line.push_str(&format!(" {cell:width$}")),
                _ => line.push_str(&format!("  {cell:>width$}")),
            }
        }
        let line = line.trim_end();
        let _ = match position {
            0 => writeln!(text, "{}", style.paint(Role::Dim, line)),
            _ => writeln!(text, "{line}"),
        };
    }
    text
}

/// The same for programs.
#[must_use]
pub fn json(stall: &Stall) -> Json {
    let offer = |row: &Row| {
        let offer = &row.offer;
        let gpu = offer.gpu.as_ref();
        json!({
            "instance": offer.instance,
            "cpu": offer.cpu.is_finite().then_some(offer.cpu),
            "memory_bytes": (offer.memory < u64::MAX).then_some(offer.memory),
            "gpu": gpu.map(|(kind, count)| json!({ "type": kind, "count": count })),
            "architecture": offer.architecture.map(Architecture::name),
            "price_micros_per_hour": offer.price.0,
            "price_derived": row.derived.0,
            "spot_micros_per_hour": offer.spot.map(|spot| spot.0),
            "spot_derived": row.derived.1,
            "watts": offer.watts,
            "quota": offer.quota,
        })
    };
    json!({
        "place": stall.title,
        "down": stall.down,
        "carbon_intensity": stall.grid.map(|grid| grid.intensity),
        "pue": stall.grid.map(|grid| grid.pue),
        "offers": stall.rows.iter().map(offer).collect::<Vec<_>>(),
        "sources": stall.sources.iter().map(source).collect::<Vec<_>>(),
    })
}

fn source(source: &Source<'_>) -> Json {
    json!({ "of": source.of, "date": source.date, "text": source.text })
}

/// The regions of clouds for people, the cleanest first.
#[must_use]
pub fn regions<'c>(
    clouds: impl Iterator<Item = (&'c str, &'c Cloud<'c>)>,
    style: &Style,
) -> String {
    let mut listed: Vec<_> = clouds
        .flat_map(|(name, cloud)| cloud.regions.iter().map(move |region| (name, region)))
        .collect();
    let dirt = |grid: Option<Grid>| grid.map(|grid| grid.intensity * grid.pue);
    listed.sort_by(|(_, a), (_, b)| {
        let known = Reverse(a.grid.is_some()).cmp(&Reverse(b.grid.is_some()));
        known.then(
            dirt(a.grid)
                .unwrap_or(0.0)
                .total_cmp(&dirt(b.grid).unwrap_or(0.0)),
        )
    });
    let head = [
        "region",
        "country",
        "jurisdiction",
        "g CO2e/kWh",
        "PUE",
        "of",
    ];
    let mut rows = vec![head.map(str::to_owned)];
    rows.extend(listed.iter().map(|(cloud, region)| {
        let grid = |of: fn(Grid) -> f64| {
            region
                .grid
                .map_or_else(String::new, |grid| of(grid).to_string())
        };
        [
            format!("{cloud} {}", region.name),
            region.country.to_owned(),
            region.jurisdiction().to_owned(),
            grid(|grid| grid.intensity),
            grid(|grid| grid.pue),
            region.scope.unwrap_or_default().replace('-', " "),
        ]
    }));
    table(&rows, style)
}

/// The regions of clouds for programs, in name order.
#[must_use]
pub fn regions_json<'c>(clouds: impl Iterator<Item = (&'c str, &'c Cloud<'c>)>) -> Json {
    let cloud = |(name, cloud): (&str, &Cloud<'_>)| {
        let regions = cloud.regions.iter().map(|region| {
            json!({
                "region": region.name,
                "country": region.country,
                "jurisdiction": region.jurisdiction(),
                "carbon_intensity": region.grid.map(|grid| grid.intensity),
                "pue": region.grid.map(|grid| grid.pue),
                "source": region.source,
            })
        });
        let sources = cloud.sources.iter().map(source).collect::<Vec<_>>();
        (
            name.to_owned(),
            json!({ "regions": regions.collect::<Vec<_>>(), "sources": sources }),
        )
    };
    clouds.map(cloud).collect::<serde_json::Map<_, _>>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(instance: &str, price: u64, watts: Option<f64>) -> Offer {
        Offer {
            instance: instance.to_owned(),
            cpu: 4.0,
            memory: 16 << 30,
            gpu: Some(("a10g".to_owned(), 1)),
            architecture: None,
            price: Micros(price),
            spot: None,
            watts,
            quota: Some(20),
        }
    }

    #[test]
    fn the_cheapest_stands_first_and_what_is_not_known_is_blank() {
        let grid = Some(Grid {
            intensity: 311.0,
            pue: 1.135,
        });
        let dear = Offer {
            spot: Some(Micros(540_950)),
            quota: None,
            ..offer("g5.xlarge", 1_258_020, Some(100.25))
        };
        let endless = Offer {
            cpu: f64::INFINITY,
            memory: u64::MAX,
            gpu: None,
            ..offer("box", 10_000, None)
        };
        let stall = Stall::open("frankfurt", grid, vec![dear, endless]);
        insta::assert_snapshot!(human(&stall, &Style::plain(100)));
        let none = human(&stall.with_gpu("h100"), &Style::plain(100));
        assert!(
            none.ends_with("nothing is sold there that was asked for\n"),
            "{none}"
        );
    }

    #[test]
    fn a_region_tells_where_its_prices_come_from() {
        let place = crate::catalog::place("aws", "eu-north-1").unwrap();
        let stall = Stall::of_place("aws eu-north-1", place, Form::Managed).with_gpu("inferentia2");
        insta::assert_snapshot!(human(&stall, &Style::plain(100)));
    }
}
