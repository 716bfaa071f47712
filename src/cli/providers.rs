//! `isobar providers`

use std::collections::BTreeSet;

use isobar_sdk::Diagnostic;

use super::Exit;
use super::args::{Providers as Args, ProvidersCommand};
use super::failure::Stopped;
use super::project::{self, Needs as Reads, Project};
use super::session::Session;
use crate::plan::Needs;
use crate::registry::ProviderKey;
use crate::render;

pub(super) fn run(session: &Session, args: &Args) -> Result<Exit, Stopped> {
    match &args.command {
        None => tree(session)?,
        Some(ProvidersCommand::Schema { json: true }) => schema(session)?,
        Some(ProvidersCommand::Schema { json: false }) => {
            let detail = "Schemas are printed as JSON only.";
            return Err(Diagnostic::error("C0054", "Schemas as JSON only", detail)
                .help("Add -json.")
                .into());
        }
    }
    Ok(Exit::Success)
}

fn tree(session: &Session) -> Result<(), Stopped> {
    let project = Project::load(session, Reads::Configuration)?;
    let needs = Needs::of(&project.config, &project.registry);
    let text = render::providers(&needs, &recorded(session)?);
    session.shell.result(&text);
    Ok(())
}

/// The providers of what is recorded.
fn recorded(session: &Session) -> Result<BTreeSet<String>, Stopped> {
    let state = project::state(session)?;
    let instances = state.iter().flat_map(|state| state.instances.values());
    let names =
        instances.map(|instance| ProviderKey::parse(&instance.provider).name.name.to_string());
    Ok(names.collect())
}

/// The schemas of the providers that the configuration or the state needs; of all where there is
/// neither.
fn schema(session: &Session) -> Result<(), Stopped> {
    let project = Project::load(session, Reads::Nothing)?;
    let mut names = Needs::of(&project.config, &project.registry).all();
    names.extend(recorded(session)?);
    if names.is_empty() {
        names.extend(project.registry.names().map(str::to_owned));
    }
    let schemas = names.iter().filter_map(|name| {
        let schema = project.registry.provider_schema(name)?;
        Some((name.as_str(), schema))
    });
    session.shell.document(&render::json::schemas(schemas));
    Ok(())
}
