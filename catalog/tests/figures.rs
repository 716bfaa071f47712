//! The compact form has the figures that it was made from.
//!
//! Needs the folder `catalog` below `ISOBAR_TEST_DATA`; without it the test says so and ends.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends where its case does not hold"
)]

use std::collections::BTreeMap;
use std::path::PathBuf;

use isobar_catalog::{Basis, Price, cloud, place};
use isobar_sdk::deployment::Form;

type Row = BTreeMap<String, String>;

fn folder() -> Option<PathBuf> {
    let folder =
        std::env::var_os("ISOBAR_TEST_DATA").map(|data| PathBuf::from(data).join("catalog"));
    let folder = folder.filter(|folder| folder.is_dir());
    if folder.is_none() {
        #[expect(
            clippy::print_stderr,
            reason = "whoever runs tests shall see what was skipped"
        )]
        {
            eprintln!("skipped: ISOBAR_TEST_DATA does not name a folder with a catalog in it");
        }
    }
    folder
}

fn rows(folder: &std::path::Path, name: &str) -> Vec<Row> {
    let mut reader = csv::Reader::from_path(folder.join(name)).unwrap();
    reader.deserialize().map(Result::unwrap).collect()
}

/// Derived prices have six significant digits in the table.
fn same(told: &str, basis: &str, found: Option<Price>) -> bool {
    let Some(found) = found else {
        return told.is_empty();
    };
    let told: f64 = told.parse().unwrap();
    let micros = told * 1e6;
    let off = (found.amount.0 as f64 - micros).abs();
    match basis {
        "list" => found.basis == Basis::List && off <= 0.5,
        _ => found.basis == Basis::Derived && off <= 0.5 + 5e-6 * micros,
    }
}

#[test]
fn every_price_is_there() {
    let Some(folder) = folder() else { return };
    let prices = rows(&folder, "prices.csv");
    assert!(prices.len() > 14_000);
    for row in &prices {
        let place = place(&row["cloud"], &row["region"]).unwrap();
        let named =
            |listed: &isobar_catalog::Listed<'_>| listed.instance.name == row["instance_type"];
        let machine = place.offers(Form::Machine).find(named);
        let managed = place.offers(Form::Managed).find(named);
        let price = machine.map(|listed| listed.price);
        assert!(
            same(&row["on_demand_usd_h"], &row["price_basis"], price),
            "{row:?} {price:?}"
        );
        let spot = machine.and_then(|listed| listed.spot);
        assert!(
            same(&row["spot_usd_h"], &row["spot_basis"], spot),
            "{row:?} {spot:?}"
        );
        let managed = managed.map(|listed| listed.price);
        assert!(
            same(&row["managed_usd_h"], &row["managed_basis"], managed),
            "{row:?} {managed:?}"
        );
    }
    let listed: usize = isobar_catalog::clouds()
        .map(|name| cloud(name).unwrap())
        .flat_map(|cloud| {
            cloud
                .regions
                .iter()
                .map(move |region| cloud.place(region.name).unwrap())
        })
        .map(|place| place.offers(Form::Machine).count())
        .sum();
    assert_eq!(listed, prices.len(), "nothing is listed beside them");
}

#[test]
fn every_type_and_region_is_there() {
    let Some(folder) = folder() else { return };
    for row in rows(&folder, "instances.csv") {
        let cloud = cloud(&row["cloud"]).unwrap();
        let Some(instance) = cloud.instances().find(|i| i.name == row["instance_type"]) else {
            panic!("{row:?} is missing");
        };
        assert_eq!(instance.vcpu.to_string(), row["vcpu"]);
        assert_eq!(instance.memory.to_string(), row["memory_gib"]);
        let kind = instance
            .accelerator
            .map_or("", |accelerator| accelerator.kind);
        assert_eq!(kind, row["accelerator"].to_lowercase());
        assert_eq!(instance.managed.unwrap_or_default(), row["managed_type"]);
    }
    for row in rows(&folder, "regions.csv") {
        let grid = place(&row["cloud"], &row["region"]).unwrap().grid();
        let number = |name: &str| row[name].parse::<f64>().ok();
        assert_eq!(grid.map(|grid| grid.intensity), number("carbon_g_per_kwh"));
        assert_eq!(grid.map(|grid| grid.pue), number("pue"));
    }
}
