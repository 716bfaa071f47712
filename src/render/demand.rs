//! What a deployment must carry and need, in words.

use super::deployment::moment;
use crate::capacity::Resource;
use crate::deployment::{Demand, Needed};
use crate::plan::{Plan, PlannedDeployment};

/// What it must carry, and what was planned for last.
pub(super) fn demand(planned: &PlannedDeployment, plan: &Plan) -> String {
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
            peak + &origin(name, plan)
        }
    }
}

/// What is needed beside requests.
pub(super) fn needed(needed: &Needed, plan: &Plan) -> String {
    format!(
        "{}: forecast {}: p{} peak {}, {}{}",
        needed.resource,
        needed.forecast,
        rounded(needed.level * 100.0),
        amount(needed),
        moment(needed.at),
        origin(&needed.forecast, plan)
    )
}

/// Memory in GiB, or in MiB where that is less than one; else a plain number.
fn amount(needed: &Needed) -> String {
    const GIB: f64 = 1_073_741_824.0;
    match needed.resource {
        Resource::Memory if needed.peak < GIB => {
            format!("{} MiB", rounded(needed.peak / GIB * 1024.0))
        }
        Resource::Memory => format!("{} GiB", rounded(needed.peak / GIB)),
        Resource::Requests | Resource::Cpu | Resource::Gpu => rounded(needed.peak),
    }
}

/// How a forecast was made, and how long it can be relied on; nothing where the plan has none.
fn origin(name: &str, plan: &Plan) -> String {
    plan.forecasts
        .get(name)
        .map_or_else(String::new, |forecast| {
            format!(
                " ({}, {}, {}, expires {})",
                forecast.method,
                tested(forecast.wape, forecast.folds),
                forecast.source,
                moment(forecast.expires)
            )
        })
}

/// What the backtest says of a forecast.
pub(super) fn tested(wape: Option<f64>, folds: usize) -> String {
    let noun = if folds == 1 { "fold" } else { "folds" };
    match wape {
        Some(wape) => format!("backtest WAPE {:.1} %, {folds} {noun}", wape * 100.0),
        None => "error not measured".to_owned(),
    }
}

/// A number with at most one decimal.
pub(super) fn rounded(number: f64) -> String {
    let text = format!("{number:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}
