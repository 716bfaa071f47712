//! The targets that the planner is held against, on one trace at one startup time.

use rayon::prelude::*;

use isobar_capacity::CapacityError;

use super::contest::{Contest, Entrant, Ratio, SWEEP, matched, mean, ratio, violations};
use super::engine::Engine;
use super::policies::{Setting, policy};
use super::scenario::{Scenario, outage_at_peak};
use super::tally::Totals;
use super::trace::Trace;

/// How long the home zone is lost, in minutes.
const OUTAGE: usize = 30;

/// Who takes part in one pool, beside the swept autoscalers.
const POOL: [&str; 3] = ["none", "planned+guard", "oracle"];

/// Who takes part in several zones.
const ZONES: [&str; 2] = ["none", "planned+guard"];

/// What the planner is tuned to where it is held against the oracle, which asks for at most 1 % of
/// late requests: a fifth is left for what the days before did not show.
const NEAR_ORACLE: f64 = 0.008;

/// The share of the violations of `none` that the planner may have: the published ratio.
pub const PROMISED: f64 = 0.286;

/// The bounds of a budget.
const BUDGETS: (f64, f64) = (0.000_2, 0.01);

/// What came of it.
#[derive(Debug, Clone)]
pub struct Standing {
    /// Of the planner in several zones that survives any one of them, over `none`: late requests.
    pub violations: Option<Ratio>,
    /// The same: cost.
    pub cost: Option<Ratio>,
    /// The violations of both, of `none` first.
    pub shares: (f64, f64),
    /// In one pool: the planner's cost over that of the best swept autoscaler with as many
    /// violations.
    pub matched: f64,
    /// In one pool, tuned to at most 1 %: the planner's violations and its cost over the oracle's.
    pub oracle: (f64, f64),
    /// The swept autoscalers: target, violations and cost over the oracle's.
    pub frontier: Vec<(f64, f64, f64)>,
    /// Minutes of downtime when the home zone is lost at the peak, of `none` first.
    pub downtime: (f64, f64),
    /// Late requests over those of `none` in the same run.
    pub violations_amid: Option<Ratio>,
    /// Seconds within which 95 % of requests are answered in that run, of `none` first.
    pub response: (f64, f64),
}

/// What all traces and startup times of a service share: sizes and placements of one pool and of
/// all zones.
#[derive(Debug)]
pub struct Grounds<'a> {
    pool: Setting<'a>,
    zones: Setting<'a>,
}

/// The scenario with the home zone alone, which no loss is survived in.
#[must_use]
pub fn home_alone(scenario: &Scenario) -> Scenario {
    Scenario {
        zones: scenario.zones.iter().take(1).cloned().collect(),
        survive: None,
        ..scenario.clone()
    }
}

impl<'a> Grounds<'a> {
    /// The grounds of a scenario, of the same [home alone](home_alone), and of any demand.
    ///
    /// # Errors
    ///
    /// When the scenario cannot be sized for.
    pub fn new(
        zones: &'a Scenario,
        pool: &'a Scenario,
        trace: &'a Trace,
    ) -> Result<Self, CapacityError> {
        Ok(Self {
            pool: Setting::new(pool, trace)?,
            zones: Setting::new(zones, trace)?,
        })
    }
}

/// Runs one pool and several zones over all seeds, in parallel. The contest's scenario has the
/// zones; the pool is its first one.
///
/// # Errors
///
/// When a policy cannot be made.
pub fn standing(
    contest: &Contest,
    grounds: &Grounds<'_>,
    seeds: u64,
    done: &(dyn Fn() + Sync),
) -> Result<Standing, CapacityError> {
    let pool = home_alone(&contest.scenario);
    let runs = (0..seeds).into_par_iter().map(|seed| {
        let runs = seeded(contest, (&pool, &grounds.pool), &grounds.zones, seed);
        done();
        runs
    });
    let runs: Vec<Seeded> = runs.collect::<Result<_, CapacityError>>()?;
    Ok(judged(&runs))
}

/// The runs of one seed, in the order of the constants.
struct Seeded {
    sweep: Vec<Totals>,
    pool: Vec<Totals>,
    lenient: Vec<Totals>,
    zones: Vec<Totals>,
    amid: Vec<Totals>,
}

fn seeded(
    contest: &Contest,
    (pool, apart): (&Scenario, &Setting<'_>),
    shared: &Setting<'_>,
    seed: u64,
) -> Result<Seeded, CapacityError> {
    let trace = contest.trace.clone().noisy(contest.noise, seed);
    let budget = budget((pool, apart), &trace, seed)?;
    let seeded = |scenario: &Scenario| Scenario {
        seed,
        budget,
        ..scenario.clone()
    };
    let all = |names: &[&str], setting: &Setting<'_>| -> Result<Vec<Totals>, CapacityError> {
        let entrants = names.iter().filter_map(|name| policy(name));
        entrants
            .map(|kind| Entrant::Policy(kind).run(setting, Engine::Slot))
            .collect()
    };
    let pool = seeded(pool);
    let pool_setting = apart.with(&pool, &trace);
    let lenient = Scenario {
        budget: NEAR_ORACLE,
        ..pool.clone()
    };
    let sweep = SWEEP.map(|target| Entrant::Hpa(target).run(&pool_setting, Engine::Slot));
    let zones = seeded(&contest.scenario);
    let zones_setting = shared.with(&zones, &trace);
    let amid = Scenario {
        outages: vec![outage_at_peak(&trace, zones.warmup, 0, OUTAGE)],
        ..zones.clone()
    };
    Ok(Seeded {
        sweep: sweep.into_iter().collect::<Result<_, _>>()?,
        pool: all(&POOL, &pool_setting)?,
        lenient: all(&POOL[1..2], &pool_setting.amid(&lenient))?,
        zones: all(&ZONES, &zones_setting)?,
        amid: all(&ZONES, &zones_setting.amid(&amid))?,
    })
}

/// What the planner is tuned to, from the warm-up alone: the published share of the violations that
/// a fixed number for the first half of it had in the second half.
fn budget(
    (pool, apart): (&Scenario, &Setting<'_>),
    trace: &Trace,
    seed: u64,
) -> Result<f64, CapacityError> {
    let known = pool.warmup.min(trace.rates.len());
    let scenario = Scenario {
        warmup: known / 2,
        seed,
        ..pool.clone()
    };
    let trace = Trace {
        rates: trace.rates[..known].to_vec(),
    };
    let setting = apart.with(&scenario, &trace);
    let none = policy(POOL[0]).map(Entrant::Policy);
    let totals = none
        .map(|none| none.run(&setting, Engine::Slot))
        .transpose()?;
    let share = totals.map_or(0.0, |totals| totals.violations());
    Ok((PROMISED * share).clamp(BUDGETS.0, BUDGETS.1))
}

fn judged(runs: &[Seeded]) -> Standing {
    let of = |pick: fn(&Seeded) -> &Vec<Totals>, place: usize| -> Vec<Totals> {
        let runs = runs.iter().filter_map(|run| pick(run).get(place));
        runs.cloned().collect()
    };
    let cost = |runs: &[Totals]| mean(runs, |run| run.cost);
    let [planned, oracle] = [1, 2].map(|place| of(|run| &run.pool, place));
    let lenient = of(|run| &run.lenient, 0);
    let [none, safe] = [0, 1].map(|place| of(|run| &run.zones, place));
    let [none_amid, safe_amid] = [0, 1].map(|place| of(|run| &run.amid, place));
    let best = cost(&oracle).max(f64::MIN_POSITIVE);
    let sweep: Vec<(f64, f64)> = (0..SWEEP.len())
        .map(|place| of(|run| &run.sweep, place))
        .map(|runs| (violations(&runs), cost(&runs)))
        .collect();
    let share = violations(&planned);
    let hpa = matched(share, &sweep).unwrap_or(best);
    let frontier = SWEEP.iter().zip(&sweep);
    let downtime = |runs: &[Totals]| mean(runs, |run| run.downtime);
    let response = |runs: &[Totals]| mean(runs, |run| run.response_p95);
    Standing {
        violations: ratio(&safe, &none, |day| day.late),
        cost: ratio(&safe, &none, |day| day.cost),
        shares: (violations(&none), violations(&safe)),
        matched: cost(&planned) / hpa,
        oracle: (violations(&lenient), cost(&lenient) / best),
        frontier: frontier
            .map(|(target, (share, cost))| (*target, *share, cost / best))
            .collect(),
        downtime: (downtime(&none_amid), downtime(&safe_amid)),
        violations_amid: ratio(&safe_amid, &none_amid, |day| day.late),
        response: (response(&none_amid), response(&safe_amid)),
    }
}
