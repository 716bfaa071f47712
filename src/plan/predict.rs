//! Forecasts on their own, without resources, providers or state.

use std::collections::{BTreeMap, BTreeSet};

use isobar_sdk::Diagnostics;

use super::drive::{Driver, Request};
use super::need::{Need, needs};
use super::specify::Specify;
use super::{FrozenForecast, Mode, Name, Names, Node};
use crate::event::{Silent, Sink};
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
    /// What deployments need for it.
    pub needs: Vec<Need>,
}

/// Orders the telemetry of all forecasts that rest on no resource, at the same time, so that the
/// walk behind finds it. What is wrong is told there.
pub(super) fn order_ahead(request: &Request<'_>, names: &Names) {
    let modules = request.config.modules();
    let declarations = modules
        .iter()
        .flat_map(|(_, module)| module.declarations.keys());
    let forecasts = declarations.filter(|(kind, _)| &**kind == "forecast");
    if request.mode == Mode::Destroy || forecasts.count() < 2 {
        return;
    }
    let state = State::new(String::new());
    let mut driver = Driver::new(request, names, &state, &Silent, Diagnostics::new());
    reach(&mut driver, names, &[("forecast", Driver::order)]);
    request.telemetry.load_all(&driver.orders);
}

/// Evaluates the blocks of some kinds that rest on variables, local values, and one another.
pub(super) fn reach<'a>(driver: &mut Driver<'a>, names: &'a Names, kinds: &[(&str, Specify<'a>)]) {
    let mut out_of_reach: BTreeSet<&Node> = BTreeSet::new();
    for node in names.order() {
        let rests_on_it = names
            .dag
            .dependencies(node)
            .iter()
            .any(|n| out_of_reach.contains(n));
        let specify = match &node.name {
            Name::Block(kind, _) => kinds.iter().find(|(wanted, _)| **wanted == **kind),
            _ => None,
        };
        let plain = matches!(
            node.name,
            Name::Variable(_) | Name::Local(_) | Name::Call(_) | Name::Output(_)
        );
        if rests_on_it || !(specify.is_some() || plain) || !driver.reach.has(node) {
            out_of_reach.insert(node);
            continue;
        }
        for instance in driver.frames.instances(&node.module) {
            if let (Some(block), Some((_, specify))) = (driver.value(node, instance), specify) {
                driver.nouns(&block, *specify);
            }
        }
    }
}

/// Makes all forecasts of a configuration, by the name of their blocks. Those that rest on a
/// resource cannot be made without a plan and are left out.
pub fn forecasts(
    request: &Request<'_>,
    sink: &dyn Sink,
) -> (BTreeMap<String, Prediction>, Diagnostics) {
    let (names, diagnostics) = Names::of(request.config);
    order_ahead(request, &names);
    let state = State::new(String::new());
    let mut driver = Driver::new(request, &names, &state, sink, diagnostics);
    reach(&mut driver, &names, &[("forecast", Driver::forecast)]);
    let mut needs = needs(request, &names);
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
                needs: needs.remove(name).unwrap_or_default(),
            };
            (name.clone(), prediction)
        })
        .collect();
    (predictions, driver.diagnostics)
}
