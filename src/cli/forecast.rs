//! `isobar forecast`

use std::collections::BTreeMap;

use isobar_sdk::Diagnostic;
use isobar_sdk::diagnostic::closest;

use super::args::{Forecast, ForecastCommand};
use super::environment::{fresh_id, now};
use super::failure::Stopped;
use super::progress::{Phase, Progress};
use super::project::{Needs, Project};
use super::session::Session;
use super::{Exit, backtest};
use crate::plan::{self, Mode, Prediction, Refresh, Request};
use crate::render;

pub(super) fn run(session: &Session, args: &Forecast) -> Result<Exit, Stopped> {
    if let Some(ForecastCommand::Backtest(args)) = &args.command {
        return backtest::run(session, args);
    }
    let project = Project::load(session, Needs::Configuration)?;
    if let Some(name) = &args.name {
        check_name(&project, name)?;
    }
    let variables = project.variables(session, &args.assignments)?;
    let request = Request {
        config: &project.config,
        sources: &project.sources,
        variables,
        facts: project.facts.clone(),
        folder: session.folder(),
        registry: &project.registry,
        state: None,
        mode: Mode::Normal,
        selection: plan::Selection::default(),
        refresh: Refresh::Skip,
        now: now(),
        id: fresh_id(),
        parallelism: 1,
    };
    let progress = Progress::begin(&session.shell, Phase::Planning);
    let (predictions, diagnostics) = plan::forecasts(&request, &progress);
    drop(progress);
    project.settle(session, diagnostics)?;
    show(session, args, predictions);
    Ok(Exit::Success)
}

fn show(session: &Session, args: &Forecast, forecasts: BTreeMap<String, Prediction>) {
    let wanted = |name: &str| args.name.as_deref().is_none_or(|wanted| wanted == name);
    let mut forecasts = forecasts;
    forecasts.retain(|name, _| wanted(name));
    let shell = &session.shell;
    if args.json {
        let forecasts = forecasts.iter();
        let forecasts: serde_json::Map<_, _> = forecasts
            .map(|(name, prediction)| (name.clone(), render::forecast::json(prediction)))
            .collect();
        return shell.document(&forecasts.into());
    }
    for (name, forecast) in &forecasts {
        shell.result(&render::forecast::human(name, forecast, &shell.style()));
    }
}

fn check_name(project: &Project, name: &str) -> Result<(), Stopped> {
    let names = project.config.declarations.keys();
    let mut names = names.filter_map(|(kind, name)| (&**kind == "forecast").then_some(&**name));
    if names.clone().any(|found| found == name) {
        return Ok(());
    }
    let help = closest(name, names.by_ref()).map_or_else(
        || format!("Add forecast {name:?} {{ … }}."),
        |meant| format!("Did you mean {meant:?}?"),
    );
    let detail = format!("The configuration has no forecast {name:?}.");
    Err(Diagnostic::error("C0027", "No such forecast", detail)
        .help(help)
        .into())
}
