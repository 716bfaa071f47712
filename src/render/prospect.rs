//! A planned deployment as a chart: demand, what is forecast of it, and what is planned for it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::deployment::steps;
use super::outlook::{description, layers};
use super::svg::{self, Chart, Ink, Layer, Points};
use crate::deployment::schedule::Outline;
use crate::plan::{FrozenForecast, Plan, PlannedDeployment};

/// The charts of all deployments of a plan that follow a forecast, as SVG, by their names.
#[must_use]
pub fn prospects(plan: &Plan) -> BTreeMap<&str, String> {
    let charts = plan.deployments.iter().filter_map(|(name, planned)| {
        let forecast = plan.forecasts.get(planned.sized.demand.forecast()?)?;
        Some((name.as_str(), draw(name, planned, forecast)))
    });
    charts.collect()
}

fn draw(name: &str, planned: &PlannedDeployment, forecast: &FrozenForecast) -> String {
    let stairs = stairs(planned, forecast);
    let told = match &stairs {
        Some(Layer::Steps { label, .. }) => format!(" What is planned: {label}."),
        _ => String::new(),
    };
    svg::draw(&Chart {
        id: "chart".to_owned(),
        title: format!("Plan: deployment.{name}"),
        description: description(forecast) + &told,
        unit: "req/s, times in UTC".to_owned(),
        layers: layers(forecast, forecast.past(), stairs.into_iter().collect()),
    })
}

/// What the replicas of all zones carry together, each time that it changes, until the end.
fn stairs(planned: &PlannedDeployment, forecast: &FrozenForecast) -> Option<Layer> {
    let counts = steps(planned);
    let counts = || counts.iter().map(|(_, replicas)| *replicas);
    let (least, most) = (counts().min()?, counts().max()?);
    let outlines = planned.outlines.values();
    let shifts = outlines
        .clone()
        .filter_map(|outline| outline.schedule.as_ref());
    let starts: BTreeSet<Timestamp> = shifts
        .flat_map(|schedule| &schedule.shifts)
        .map(|shift| shift.start)
        .collect();
    let rate = |at| -> f64 {
        outlines
            .clone()
            .filter_map(|outline| carried(outline, at))
            .sum()
    };
    let mut points: Points = starts.into_iter().map(|at| (at, Some(rate(at)))).collect();
    let last = points.last().map(|(_, rate)| (forecast.end(), *rate));
    points.extend(last);
    Some(Layer::Steps {
        label: format!("carried by {least} to {most} replicas, when they are ordered"),
        ink: Ink::Planned,
        points,
    })
}

/// What a zone carries at a time.
fn carried(outline: &Outline, at: Timestamp) -> Option<f64> {
    let shifts = &outline.schedule.as_ref()?.shifts;
    let begun = shifts.partition_point(|shift| shift.start <= at);
    outline.rates.get(begun.checked_sub(1)?).copied()
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn a_deployment_is_its_demand_and_what_is_planned_for_it() {
        let plan = sample::create();
        let charts = prospects(&plan);
        assert_eq!(charts.keys().copied().collect::<Vec<_>>(), ["reranker"]);
        insta::assert_snapshot!(charts["reranker"]);
    }

    #[test]
    fn what_follows_no_forecast_has_no_chart() {
        let mut plan = sample::create();
        plan.forecasts.clear();
        assert!(prospects(&plan).is_empty());
    }
}
