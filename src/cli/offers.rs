//! `isobar offers`

use isobar_sdk::deployment::Form;
use isobar_sdk::diagnostic::{closest, sentence};
use isobar_sdk::{Diagnostic, Fault};

use super::Exit;
use super::args::Offers as Args;
use super::failure::Stopped;
use super::progress::{Phase, Progress};
use super::project::{Needs, Project};
use super::session::Session;
use crate::catalog::{self, Unlisted};
use crate::deployment::market::Market;
use crate::plan;
use crate::render::{self, offers::Stall};

pub(super) fn run(session: &Session, args: &Args) -> Result<Exit, Stopped> {
    let stall = match (&args.zone, &args.cloud, &args.region) {
        (Some(zone), ..) => of_zone(session, args, zone)?,
        (None, Some(cloud), Some(region)) => of_region(cloud, region, args.managed)?,
        (None, cloud, _) => return regions(session, args, cloud.as_deref()),
    };
    let stall = match &args.gpu {
        Some(kind) => stall.with_gpu(kind),
        None => stall,
    };
    let shell = &session.shell;
    if args.json {
        shell.document(&render::offers::json(&stall));
    } else {
        shell.result(&render::offers::human(&stall, &shell.style()));
    }
    Ok(Exit::Success)
}

/// The regions of a cloud, or of all.
fn regions(session: &Session, args: &Args, cloud: Option<&str>) -> Result<Exit, Stopped> {
    let names: Vec<&str> = catalog::clouds()
        .filter(|name| cloud.is_none_or(|cloud| cloud == *name))
        .collect();
    if let Some(cloud) = cloud {
        catalog::cloud(cloud).map_err(|error| unlisted(&error))?;
    }
    let clouds = names
        .into_iter()
        .filter_map(|name| Some((name, catalog::cloud(name).ok()?)));
    let shell = &session.shell;
    if args.json {
        shell.document(&render::offers::regions_json(clouds));
    } else {
        shell.result(&render::offers::regions(clouds, &shell.style()));
    }
    Ok(Exit::Success)
}

fn of_region(cloud: &str, region: &str, managed: bool) -> Result<Stall, Stopped> {
    let place = catalog::place(cloud, region).map_err(|error| unlisted(&error))?;
    let form = if managed {
        Form::Managed
    } else {
        Form::Machine
    };
    Ok(Stall::of_place(&format!("{cloud} {region}"), place, form))
}

fn unlisted(error: &Unlisted) -> Fault {
    let help = match error {
        Unlisted::Cloud { .. } => "Name one of them.".to_owned(),
        Unlisted::Region {
            near: Some(near), ..
        } => format!("Did you mean {near:?}?"),
        Unlisted::Region { cloud, .. } => {
            format!("isobar offers -cloud={cloud} lists its regions.")
        }
    };
    let text = error.to_string();
    let what = text.split_once(';').map_or(text.as_str(), |(what, _)| what);
    Diagnostic::error("C0140", "Not in the catalogue", sentence(what))
        .help(help)
        .into()
}

fn of_zone(session: &Session, args: &Args, zone: &str) -> Result<Stall, Stopped> {
    let project = Project::load(session, Needs::Configuration)?;
    let variables = project.variables(session, &args.assignments)?;
    let request = project.stateless(session, variables);
    let progress = Progress::begin(&session.shell, Phase::Planning);
    let (mut markets, diagnostics) = session.wait_for(plan::markets(&request, zone, &progress))?;
    drop(progress);
    let names: Vec<String> = markets.keys().cloned().collect();
    project.settle(session, diagnostics)?;
    let found = markets.remove(zone).flatten();
    let found = found.ok_or_else(|| no_zone(zone, &names))?;
    Ok(match found.market {
        Market::Open(offers) => Stall::open(zone, found.grid, offers),
        Market::Down(reason) => Stall::down(zone, found.grid, reason),
    })
}

fn no_zone(zone: &str, names: &[String]) -> Fault {
    let help = match closest(zone, names.iter().map(String::as_str)) {
        Some(meant) => format!("Did you mean {meant:?}?"),
        None if names.is_empty() => format!("Add zone {zone:?} {{ … }}."),
        None => format!("Its zones are {}.", names.join(", ")),
    };
    let detail = format!("The configuration has no zone {zone:?}.");
    Diagnostic::error("C0141", "No such zone", detail)
        .help(help)
        .into()
}
