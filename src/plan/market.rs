//! What zones sell, asked of their providers.

use std::collections::BTreeMap;

use isobar_sdk::deployment::Market;
use isobar_sdk::diagnostic::sentence;
use isobar_sdk::{Diagnostic, Diagnostics, Error, ErrorKind, Path};

use super::drive::{Driver, Request, configured};
use super::{Names, nouns, predict};
use crate::deployment::ZoneSpec;
use crate::deployment::market::{Conditions, SAID};
use crate::eval::Scope;
use crate::event::Sink;
use crate::language::Declaration;
use crate::state::State;

impl Driver<'_> {
    /// What holds in a zone: what its provider tells, the catalogue and the configuration.
    pub(super) async fn conditions(&self, zone: &ZoneSpec) -> Result<Conditions, Error> {
        let provider = self.providers.get(&zone.provider).ok_or_else(|| {
            Error::unavailable(format!("provider {:?} is not configured", zone.provider))
        })?;
        // A zone that is said to be down may not even answer.
        let told = match provider.offers() {
            _ if zone.down => Market::Down(SAID.to_owned()),
            Some(offers) => offers.offers(&zone.zone).await?,
            None => Market::Open(Vec::new()),
        };
        Conditions::of(zone, told)
            .map_err(|error| Error::invalid(Path::attribute("region"), error.to_string()))
    }
}

/// What holds in one zone of a configuration, by its name; what zones there are, where there is
/// none of that name. Zones that rest on a resource are left out.
pub async fn markets(
    request: &Request<'_>,
    zone: &str,
    sink: &dyn Sink,
) -> (BTreeMap<String, Option<Conditions>>, Diagnostics) {
    let (names, mut diagnostics) = Names::of(request.config);
    let state = State::new(String::new());
    let scope = Scope::new(
        request.config,
        request.facts.clone(),
        request.variables.clone(),
    );
    let providers = configured(request, &state, &scope, &mut diagnostics).await;
    let mut driver = Driver::new(request, &names, &state, sink, diagnostics);
    driver.providers = providers;
    predict::reach(&mut driver, &names, &[("zone", Driver::zone)]);
    let mut markets = BTreeMap::new();
    for (name, spec) in &driver.nouns.zones {
        let asked = match name == zone {
            true => Some(driver.conditions(spec).await),
            false => None,
        };
        let told = match asked.transpose() {
            Ok(told) => told,
            Err(error) => {
                let block = driver.nouns.zone_blocks.get(name);
                driver
                    .diagnostics
                    .push(unasked(name, block.copied(), error));
                None
            }
        };
        markets.insert(name.clone(), told);
    }
    (markets, driver.diagnostics)
}

/// The diagnostic for a zone of which it is not known what it sells.
fn unasked(name: &str, declaration: Option<&Declaration>, error: Error) -> Diagnostic {
    let steps = match &error.kind {
        ErrorKind::Invalid { path } => path.steps(),
        _ => &[],
    };
    let at =
        declaration.map(|declaration| nouns::place(&declaration.body, steps, &declaration.header));
    let detail = format!("Zone {name:?}: {}", sentence(&error.message));
    let mut diagnostic = Diagnostic::error("P0046", "Zone does not tell what it sells", detail)
        .at_maybe(at.as_ref());
    diagnostic.help = error.help;
    diagnostic
}
