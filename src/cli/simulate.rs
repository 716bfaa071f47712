//! `isobar simulate`

use std::path::Path;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use isobar_sdk::diagnostic::sentence;
use isobar_sdk::{Diagnostic, Diagnostics};
use isobar_simulator::{
    Contest, DAY, Engine, Entrant, Grounds, SLOT, SWEEP, Scenario, Service, Trace, Zone,
    home_alone, outage_at_peak, policy, random_outages, standing,
};
use rayon::prelude::*;

use super::Exit;
use super::args::{self, Simulate};
use super::delivery::Delivery;
use super::failure::Stopped;
use super::rehearsal;
use super::session::Session;
use crate::capacity::{CapacityError, Performance, Slo};
use crate::render::contest::{self, Held, Ranked};
use crate::telemetry::{SeriesFile, TableError, request_times, series_files};

/// The length of an outage, in minutes.
const OUTAGE: usize = 30;

pub(super) fn run(session: &Session, args: &Simulate) -> Result<Exit, Stopped> {
    if let Some(folder) = &args.suite {
        return suite(session, args, folder);
    }
    let path = args.trace.as_deref().unwrap_or(Path::new("-"));
    let trace = trace(session, args, path)?;
    let scenario = match &args.deployment {
        Some(name) => {
            let flags = scenario(args, startup(args));
            rehearsal::scenario(session, args, name, flags)?
        }
        None => scenario(args, startup(args)),
    };
    let contest = contest(args, scenario, trace);
    let shared = contest.setting().map_err(|error| unsized_by(&error))?;
    let bar = bar(session, args.seeds);
    let runs = in_pool(args, || {
        let seeds = (args.seed..args.seed.saturating_add(args.seeds)).into_par_iter();
        let runs = seeds.map(|seed| {
            let runs = contest.with_seed(&shared, seed);
            bar.inc(1);
            runs
        });
        runs.collect::<Result<Vec<_>, CapacityError>>()
    });
    session.shell.draw(None);
    let runs = runs.map_err(|error| unsized_by(&error))?;
    let ranked: Vec<Ranked> = contest
        .entrants
        .iter()
        .enumerate()
        .map(|(place, entrant)| Ranked {
            name: entrant.name(),
            runs: runs
                .iter()
                .filter_map(|run| run.get(place))
                .cloned()
                .collect(),
        })
        .collect();
    show(session, args, &contest, &ranked)?;
    Ok(Exit::Success)
}

fn show(
    session: &Session,
    args: &Simulate,
    contest: &Contest,
    ranked: &[Ranked],
) -> Result<(), Stopped> {
    if let Some(file) = &args.svg {
        let mut delivery = Delivery::open(session, file)?;
        delivery.write(&contest::chart(contest, ranked))?;
        delivery.finish()?;
    }
    if args.json {
        session.shell.document(&contest::json(ranked));
    } else if args.svg.as_deref() != Some(Path::new("-")) {
        let style = session.shell.style();
        session.shell.result(&contest::human(ranked, &style));
    }
    Ok(())
}

/// Holds the planner against its targets on every series that is long enough.
fn suite(session: &Session, args: &Simulate, folder: &Path) -> Result<Exit, Stopped> {
    let files = series_files(&session.path(folder)).map_err(|error| {
        let detail = format!("{}: {}", folder.display(), sentence(&error.to_string()));
        Diagnostic::error("C0150", "Folder of traces cannot be read", detail)
            .help("Name an existing folder of CSV files with -suite=FOLDER.")
    })?;
    let mut traces = Vec::new();
    for file in files {
        let trace = trace(session, args, &file.path)?;
        if trace.rates.len() >= slots_of(args.warmup) + DAY {
            traces.push((file.name, trace));
        }
    }
    let cells = traces.len() as u64 * args.startup.len() as u64 * args.seeds;
    let bar = bar(session, cells);
    let Some((_, first)) = traces.first() else {
        let detail = format!(
            "{} has no series that is longer than the warm-up and a day.",
            folder.display()
        );
        let found = Diagnostic::error("C0154", "Nothing to simulate", detail);
        return Err(found
            .help("Give longer series, or a shorter -warmup.")
            .into());
    };
    let zones = scenario(args, startup(args));
    let pool = home_alone(&zones);
    let grounds = Grounds::new(&zones, &pool, first).map_err(|error| unsized_by(&error))?;
    let mut held = Vec::new();
    for (name, trace) in &traces {
        for startup in &args.startup {
            let contest = contest(args, scenario(args, *startup), trace.clone());
            let standing = in_pool(args, || {
                standing(&contest, &grounds, args.seeds, &|| bar.inc(1))
            });
            held.push(Held {
                trace: name.clone(),
                startup: *startup,
                standing: standing.map_err(|error| unsized_by(&error))?,
            });
        }
    }
    session.shell.draw(None);
    if args.json {
        session.shell.document(&contest::held_json(&held));
    } else {
        session.shell.data(&contest::markdown(&held));
    }
    Ok(Exit::Success)
}

fn contest(args: &Simulate, scenario: Scenario, trace: Trace) -> Contest {
    let (slots, zones) = (trace.rates.len(), scenario.zones.len());
    let warmup = scenario.warmup.min(slots.saturating_sub(1));
    let outages = match args.outage {
        args::Outage::None => Vec::new(),
        args::Outage::Peak => vec![outage_at_peak(&trace, warmup, 0, OUTAGE)],
        args::Outage::Random => random_outages(warmup..slots, zones, 1.0, OUTAGE, args.seed),
    };
    let named = args.policy.iter().filter_map(|name| policy(name));
    let sweep = SWEEP.into_iter().filter(|_| args.sweep);
    Contest {
        scenario: Scenario {
            outages,
            warmup,
            ..scenario
        },
        trace,
        noise: args.noise,
        entrants: named
            .map(Entrant::Policy)
            .chain(sweep.map(Entrant::Hpa))
            .collect(),
        engine: match args.engine {
            args::Engine::Slot => Engine::Slot,
            args::Engine::Des => Engine::Des,
        },
    }
}

/// The scenario that the flags describe: the home zone is near, and every other one a little
/// further; all cost the same, so that nothing is gained by moving.
fn scenario(args: &Simulate, startup: Duration) -> Scenario {
    let zone = |place: u64| Zone {
        name: format!("zone-{}", place + 1),
        price: 1.0,
        round_trip: Duration::from_millis(5 * place),
        intensity: 300.0,
        spot: None,
    };
    Scenario {
        service: Service {
            performance: Performance {
                service_time: args.service_time,
                service_p95: None,
                concurrency: args.concurrency.get(),
                variability: 1.0,
                startup,
            },
            slo: Slo {
                latency: args.latency,
                violations: args.violations,
            },
            watts: 300.0,
        },
        zones: (0..args.zones).map(zone).collect(),
        survive: (args.zones > 1).then_some(args.survive),
        outages: Vec::new(),
        budget: args.budget.unwrap_or(args.violations),
        level: None,
        warmup: slots_of(args.warmup),
        seed: args.seed,
    }
}

fn startup(args: &Simulate) -> Duration {
    args.startup
        .first()
        .copied()
        .unwrap_or(Duration::from_secs(180))
}

fn slots_of(time: Duration) -> usize {
    (time.as_secs_f64() / SLOT) as usize
}

/// The demand of a file, in the scale that was asked for.
fn trace(session: &Session, args: &Simulate, path: &Path) -> Result<Trace, Stopped> {
    let path = session.path(path);
    let name = path
        .file_stem()
        .map(|stem| stem.to_string_lossy().into_owned());
    let file = SeriesFile {
        name: name.unwrap_or_default(),
        path: path.clone(),
    };
    let wrong = |detail: String, help: &str| {
        let place = format!("{}: {}", path.display(), sentence(&detail));
        Stopped::from(Diagnostics::from(
            Diagnostic::error("C0151", "Trace cannot be used", place).help(help.to_owned()),
        ))
    };
    let unreadable = |error: TableError| {
        let line = error
            .line
            .map_or_else(String::new, |line| format!("line {line}: "));
        wrong(format!("{line}{}", error.what), &sentence(&error.help))
    };
    let trace = match request_times(&path).map_err(unreadable)? {
        Some(times) => Trace::from_requests(&times),
        None => {
            let series = file.load(None).map_err(unreadable)?;
            Trace::from_bins(series.values(), series.step().as_secs_f64())
        }
    };
    let mut trace =
        trace.map_err(|error| wrong(error.to_string(), "Give another file with -trace=FILE."))?;
    if let Some(horizon) = args.horizon {
        trace.rates.truncate(slots_of(horizon).max(1));
    }
    if !(args.scale.is_finite() && args.scale > 0.0 && args.noise >= 0.0 && args.noise < 1.0) {
        return Err(wrong(
            format!("the scale is {} and the noise {}", args.scale, args.noise),
            "Give -scale a rate above 0, and -noise a share from 0 to below 1.",
        ));
    }
    Ok(trace.scaled(args.scale))
}

/// Runs in as many threads as were asked for.
fn in_pool<T: Send>(args: &Simulate, work: impl FnOnce() -> T + Send) -> T {
    let threads = args.parallelism.map_or(0, std::num::NonZeroUsize::get);
    match rayon::ThreadPoolBuilder::new().num_threads(threads).build() {
        Ok(pool) => pool.install(work),
        Err(_) => work(),
    }
}

fn unsized_by(error: &CapacityError) -> Stopped {
    let detail = sentence(&error.to_string());
    let found = Diagnostic::error("C0152", "Nothing can be simulated", detail)
        .help("Change -latency, -service-time or -scale, or the blocks that the deployment names.");
    Diagnostics::from(found).into()
}

fn bar(session: &Session, runs: u64) -> ProgressBar {
    if !session.shell.terminal().error {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(Some(runs), ProgressDrawTarget::stderr());
    let template = "{bar:24} {pos} of {len} runs, {elapsed} gone, {eta} left";
    let style = ProgressStyle::with_template(template);
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    session.shell.draw(Some(bar.clone()));
    bar
}
