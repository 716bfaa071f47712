//! `isobar forecast`

use std::collections::BTreeMap;

use isobar_sdk::Diagnostic;
use isobar_sdk::diagnostic::closest;

use super::args::{Forecast, ForecastCommand};
use super::drawing::deliver;
use super::failure::Stopped;
use super::progress::{Phase, Progress};
use super::project::{Needs, Project};
use super::session::Session;
use super::{Exit, backtest, distribution};
use crate::plan::{self, Prediction};
use crate::render;

pub(super) fn run(session: &Session, args: &Forecast) -> Result<Exit, Stopped> {
    match &args.command {
        Some(ForecastCommand::Backtest(args)) => return backtest::run(session, args),
        Some(ForecastCommand::Drift(args)) => return distribution::run(session, args),
        None => {}
    }
    let project = Project::load(session, Needs::Configuration)?;
    if let Some(name) = &args.name {
        check_name(&project, name)?;
    }
    let variables = project.variables(session, &args.assignments)?;
    let request = project.stateless(session, variables);
    let progress = Progress::begin(&session.shell, Phase::Planning);
    let (predictions, diagnostics) = plan::forecasts(&request, &progress);
    drop(progress);
    project.settle(session, diagnostics)?;
    show(session, args, predictions)?;
    Ok(Exit::Success)
}

fn show(
    session: &Session,
    args: &Forecast,
    mut forecasts: BTreeMap<String, Prediction>,
) -> Result<(), Stopped> {
    let wanted = |name: &str| args.name.as_deref().is_none_or(|wanted| wanted == name);
    forecasts.retain(|name, _| wanted(name));
    let shell = &session.shell;
    if let Some(file) = &args.svg {
        let mut all = forecasts.iter();
        let (Some((name, prediction)), None) = (all.next(), all.next()) else {
            return Err(not_one(&forecasts).into());
        };
        let chart = render::outlook(name, "chart", prediction);
        deliver(session, file, &chart)?;
    }
    if let Some(file) = &args.html {
        let all = forecasts
            .iter()
            .map(|(name, forecast)| (name.as_str(), forecast));
        deliver(session, file, &render::page::page(all))?;
    }
    if args.json {
        let forecasts = forecasts.iter();
        let forecasts: serde_json::Map<_, _> = forecasts
            .map(|(name, prediction)| (name.clone(), render::forecast::json(prediction)))
            .collect();
        shell.document(&forecasts.into());
    } else if args.svg.is_none() && args.html.is_none() {
        for (name, forecast) in &forecasts {
            shell.result(&render::forecast::human(name, forecast, &shell.style()));
        }
    }
    Ok(())
}

fn not_one(forecasts: &BTreeMap<String, Prediction>) -> Diagnostic {
    let names: Vec<_> = forecasts.keys().map(String::as_str).collect();
    let detail = match names.as_slice() {
        [] => "There is no forecast to draw.".to_owned(),
        names => format!(
            "A chart shows one forecast, and there are {}.",
            names.join(", ")
        ),
    };
    Diagnostic::error("C0126", "Not one forecast to draw", detail)
        .help("Name one, as in isobar forecast NAME -svg=FILE; -html takes all of them.")
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
