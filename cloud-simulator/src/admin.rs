//! The hand from outside: what tests and demonstrations may look at and change. It is no part of
//! any cloud, and needs no signature.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::aws::{Answer, Delivery, Key, Request};
use crate::engine::{Bucket, Conditions, Delays, Phase, Rule};
use crate::simulation::{Pace, Simulation};

/// Where all of it is.
pub const PREFIX: &str = "/_simulator/";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Clock {
    now: Option<Timestamp>,
    advance: Option<u32>,
    rate: Option<f64>,
    per_call: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Force {
    region: String,
    endpoint: String,
    phase: Forced,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Forced {
    InService,
    Failed,
    OutOfService,
    /// For so many seconds.
    Maintained(u32),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Load {
    region: String,
    endpoint: String,
    variant: String,
    per_minute: f64,
}

/// Does what was asked for, or says why not. `passed` is the real time since the simulation was
/// made.
pub fn answer(simulation: &mut Simulation, request: &Request, passed: Duration) -> Answer {
    simulation.catch_up(passed);
    let path = request.target.strip_prefix(PREFIX).unwrap_or_default();
    let result = carry_out(simulation, (&request.method, path), &request.body, passed);
    // What was changed may have made something happen.
    simulation.world.advance(simulation.world.clock);
    let (status, value) = match result {
        Ok(value) => (200, value),
        Err(reason) => (400, json!({ "error": reason })),
    };
    Answer {
        status,
        headers: vec![("content-type", "application/json".to_owned())],
        body: format!("{value}\n").into_bytes(),
        delivery: Delivery::Whole,
    }
}

fn carry_out(
    simulation: &mut Simulation,
    what: (&str, &str),
    body: &[u8],
    passed: Duration,
) -> Result<Value, String> {
    let world = &mut simulation.world;
    match what {
        ("GET", "state") => return told(&*world),
        ("GET", "calls") => return told(&simulation.calls),
        ("GET", "clock") => {}
        ("PUT", "clock") => set_clock(simulation, &read(body)?, passed)?,
        ("PUT", "delays") => world.delays = read::<Delays>(body)?,
        ("PUT", "quotas") => {
            for (region, quotas) in read::<BTreeMap<String, BTreeMap<String, u32>>>(body)? {
                world.at(&region).0.quotas = quotas;
            }
        }
        ("PUT", "conditions") => {
            for (region, conditions) in read::<BTreeMap<String, Conditions>>(body)? {
                world.at(&region).0.conditions = conditions;
            }
        }
        ("POST", "faults") => world.faults.extend(read::<Vec<Rule>>(body)?),
        ("DELETE", "faults") => world.faults.clear(),
        ("PUT", "limits") => world.limits = read::<BTreeMap<String, Bucket>>(body)?,
        ("PUT", "keys") => simulation.aws.keys = read::<BTreeMap<String, Key>>(body)?,
        ("PUT", "phase") => force(simulation, &read(body)?)?,
        ("PUT", "load") => load(simulation, read(body)?)?,
        ("POST", "reset") => simulation.reset(passed),
        (method, path) => return Err(format!("there is no {method} {PREFIX}{path}")),
    }
    Ok(json!({ "now": simulation.world.clock, "pace": simulation.pace() }))
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| error.to_string())
}

fn told(value: &impl serde::Serialize) -> Result<Value, String> {
    serde_json::to_value(value).map_err(|error| error.to_string())
}

fn set_clock(simulation: &mut Simulation, clock: &Clock, passed: Duration) -> Result<(), String> {
    let old = simulation.pace();
    let pace = Pace {
        rate: clock.rate.unwrap_or(old.rate),
        per_call: clock.per_call.unwrap_or(old.per_call),
    };
    if !pace.rate.is_finite() || pace.rate < 0.0 {
        return Err(format!("the rate {} is no pace", pace.rate));
    }
    let now = simulation.world.clock;
    let wanted = clock.now.unwrap_or(now);
    if wanted < now {
        return Err(format!(
            "it is {now} already, and time does not run backwards"
        ));
    }
    let step = SignedDuration::from_secs(i64::from(clock.advance.unwrap_or(0)));
    let wanted = wanted
        .checked_add(step)
        .map_err(|error| error.to_string())?;
    simulation.set_pace(pace, wanted, passed);
    Ok(())
}

fn force(simulation: &mut Simulation, force: &Force) -> Result<(), String> {
    let (region, moment) = simulation.world.at(&force.region);
    let phase = match force.phase {
        Forced::InService => Phase::InService,
        Forced::Failed => Phase::Failed,
        Forced::OutOfService => Phase::OutOfService,
        Forced::Maintained(seconds) => Phase::Maintained {
            until: moment.after(seconds),
        },
    };
    let forced = region.force(&force.endpoint, phase, &moment);
    forced.map_err(|refusal| refusal.to_string())
}

fn load(simulation: &mut Simulation, load: Load) -> Result<(), String> {
    if !load.per_minute.is_finite() || load.per_minute < 0.0 {
        return Err(format!("{} requests a minute are no load", load.per_minute));
    }
    let (region, _) = simulation.world.at(&load.region);
    let endpoint = region.endpoints.get_mut(&load.endpoint);
    let endpoint = endpoint.ok_or_else(|| format!("there is no endpoint {:?}", load.endpoint))?;
    endpoint.load.insert(load.variant, load.per_minute);
    Ok(())
}
