//! Forecasts on their own, without resources, providers or state.

use std::collections::{BTreeMap, BTreeSet};

use isobar_sdk::Diagnostics;

use super::drive::{Driver, Request};
use super::{FrozenForecast, Name, Names, Node};
use crate::event::Sink;
use crate::forecast::Forecast;
use crate::forecast::drift::{self, Recent};
use crate::state::State;
use crate::telemetry::Series;

/// A forecast with the series it was made from.
#[derive(Debug, Clone)]
pub struct Prediction {
    /// The telemetry.
    pub series: Series,
    /// The forecast, with how every method did in the backtest.
    pub forecast: Forecast,
    /// As a plan would keep it.
    pub frozen: FrozenForecast,
    /// Whether recent demand is distributed as before, where there is enough of it to tell.
    pub drift: Option<Recent>,
}

/// Makes all forecasts of a configuration, by the name of their blocks. Those that rest on a
/// resource cannot be made without a plan and are left out.
pub fn forecasts(
    request: &Request<'_>,
    sink: &dyn Sink,
) -> (BTreeMap<String, Prediction>, Diagnostics) {
    let (names, diagnostics) = Names::of(request.config);
    let state = State::new(String::new());
    let mut driver = Driver::new(request, &names, &state, sink, diagnostics);
    let mut out_of_reach: BTreeSet<&Node> = BTreeSet::new();
    for node in names.order() {
        let rests_on_it = names
            .dag
            .dependencies(node)
            .iter()
            .any(|n| out_of_reach.contains(n));
        let forecast = matches!(&node.name, Name::Block(kind, _) if &**kind == "forecast");
        let plain = matches!(
            node.name,
            Name::Variable(_) | Name::Local(_) | Name::Call(_) | Name::Output(_)
        );
        if rests_on_it || !(forecast || plain) {
            out_of_reach.insert(node);
            continue;
        }
        for instance in driver.frames.instances(&node.module) {
            if let Some(block) = driver.value(node, instance) {
                driver.nouns(&block, Driver::forecast);
            }
        }
    }
    let predictions = driver
        .nouns
        .forecasts
        .iter()
        .map(|(name, loaded)| {
            let prediction = Prediction {
                series: loaded.series.clone(),
                forecast: loaded.forecast.clone(),
                frozen: loaded.freeze(request.now),
                drift: drift::recent(&loaded.series),
            };
            (name.clone(), prediction)
        })
        .collect();
    (predictions, driver.diagnostics)
}
