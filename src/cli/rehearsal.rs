//! A deployment of the configuration as what a simulation runs.

use isobar_sdk::Diagnostic;
use isobar_sdk::diagnostic::closest;
use isobar_simulator::{Scenario, Service, Zone};

use super::args::Simulate;
use super::failure::Stopped;
use super::progress::{Phase, Progress};
use super::project::{Needs, Project};
use super::session::Session;
use crate::capacity::{Performance, Slo, Target};
use crate::plan::{self, Cast};

/// The scenario of a deployment; what the configuration does not say is as the flags say.
pub(super) fn scenario(
    session: &Session,
    args: &Simulate,
    name: &str,
    flags: Scenario,
) -> Result<Scenario, Stopped> {
    let project = Project::load(session, Needs::Configuration)?;
    let variables = project.variables(session, &args.assignments)?;
    let request = project.stateless(session, variables);
    let progress = Progress::begin(&session.shell, Phase::Planning);
    let (casts, diagnostics) = plan::rehearse(&request, &progress);
    drop(progress);
    project.settle(session, diagnostics)?;
    let Some(cast) = casts.get(name) else {
        let meant = closest(name, casts.keys().map(String::as_str));
        let help = meant.map_or_else(
            || "Name a deployment of the configuration with -deployment=NAME.".to_owned(),
            |meant| format!("Did you mean {meant:?}?"),
        );
        let detail = format!("There is no deployment {name:?} that can be told without a plan.");
        return Err(Diagnostic::error("C0153", "No such deployment", detail)
            .help(help)
            .into());
    };
    let slo = match cast.capacity.target {
        Target::Latency(slo) => slo,
        // An objective to judge by, where replicas are sized by utilisation.
        Target::Utilisation(_) => Slo {
            latency: cast.model.performance.service_time * 3,
            ..flags.service.slo
        },
    };
    Ok(staged(cast, slo, args, flags))
}

fn staged(cast: &Cast, slo: Slo, args: &Simulate, flags: Scenario) -> Scenario {
    let zone = |zone: &crate::deployment::ZoneSpec| Zone {
        name: zone.zone.name.clone(),
        price: zone.price.map_or(1.0, |price| price.0 as f64 / 1e6),
        round_trip: std::time::Duration::ZERO,
        intensity: 300.0,
        spot: None,
    };
    let performance = &cast.model.performance;
    Scenario {
        service: Service {
            performance: Performance {
                service_time: performance.service_time,
                service_p95: None,
                concurrency: performance.concurrency,
                variability: cast.variability,
                startup: performance.startup,
            },
            slo,
            ..flags.service
        },
        // Whoever survives the loss of a region or a provider survives that of a zone.
        survive: (cast.capacity.rules.survive.is_some() && cast.zones.len() > 1)
            .then(|| cast.capacity.failover_quantile.unwrap_or(args.survive)),
        budget: args.budget.unwrap_or(slo.violations),
        zones: cast.zones.iter().map(zone).collect(),
        ..flags
    }
}
