//! The values of the five nouns as typed specifications.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use isobar_sdk::deployment::{Architecture, Model, Performance, Resources, Serve, Zone};
use isobar_sdk::diagnostic::closest;
use isobar_sdk::quantity::{Micros, parse_bytes, parse_duration};
use isobar_sdk::{Path, Step, Value};
use isobar_sources::{Kind, Problem, Settings, Shape};

use super::offer::OfferSpec;
use super::policy::Reach;
use super::{calendar, policy};
use crate::forecast::{Calendar, Competitors, METHODS};
use crate::telemetry::{Aggregate, Meaning, STEP};

/// An attribute that has the right type and still makes no sense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// The attribute.
    pub path: Path,
    /// Why not; behind a semicolon, what to do about it.
    pub reason: String,
}

impl Wrong {
    pub(super) fn new(path: &[&str], reason: impl Into<String>) -> Self {
        let path = path
            .iter()
            .map(|name| Step::Attribute((*name).into()))
            .collect();
        Self {
            path,
            reason: reason.into(),
        }
    }
}

/// A `zone`.
#[derive(Debug, Clone, PartialEq)]
pub struct ZoneSpec {
    /// What its provider is told.
    pub zone: Zone,
    /// The local name of its provider.
    pub provider: String,
    /// What it says itself about the price of a replica-hour.
    pub price: Option<Micros>,
    /// The greatest number of replicas by instance type.
    pub limits: BTreeMap<String, u32>,
    /// Whether it is to be planned without.
    pub down: bool,
    /// What it says itself about what is sold there.
    pub offers: Vec<OfferSpec>,
    /// What it says itself about its grid, in grams of CO2 equivalent per kWh.
    pub carbon_intensity: Option<f64>,
    /// What it says itself about the power of its data centre for each watt of its machines.
    pub pue: Option<f64>,
    /// What it is to requests and spot instances.
    pub reach: Reach,
}

/// A `forecast`.
#[derive(Debug, Clone, PartialEq)]
pub struct ForecastSpec {
    /// The kind of source.
    pub source: String,
    /// What the source is told.
    pub settings: Settings,
    /// What its readings mean.
    pub meaning: Meaning,
    /// Whether a plan may rest on what the source told last, where it fails.
    pub last_good: bool,
    /// What is known of the times to come.
    pub calendar: Arc<Calendar>,
    /// The methods that compete.
    pub methods: Competitors,
    /// How far ahead is forecast.
    pub horizon: Duration,
    /// How long a plan may rest on it.
    pub valid_for: Duration,
}

/// What was measured of a model that its platforms need not know.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// The squared coefficient of variation of the service time.
    pub variability: f64,
    /// The bytes of an answer.
    pub response: u64,
}

/// A value of a noun, with the accessors that its typed form is read with.
pub(super) struct Noun<'a>(pub(super) &'a Value, pub(super) Vec<&'a str>);

impl<'a> Noun<'a> {
    pub(super) fn path(&self, name: &'a str) -> Vec<&'a str> {
        let mut path = self.1.clone();
        path.push(name);
        path
    }

    pub(super) fn field(&self, name: &str) -> Option<&'a Value> {
        self.0.field(name).filter(|value| !value.is_null())
    }

    pub(super) fn block(&self, name: &'a str) -> Option<Self> {
        self.field(name).map(|value| Noun(value, self.path(name)))
    }

    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.field(name).and_then(Value::as_str).map(str::to_owned)
    }

    pub(super) fn number(&self, name: &str) -> Option<f64> {
        self.field(name)
            .and_then(Value::as_number)
            .map(isobar_sdk::Number::as_f64)
    }

    /// An amount of US dollars.
    pub(super) fn dollars(&self, name: &'a str) -> Result<Option<Micros>, Wrong> {
        let price = self.number(name).map(|dollars| {
            let shown = name.replace('_', " ");
            let negative = || format!("The {shown} must not be negative.");
            Micros::from_dollars(dollars).ok_or_else(|| Wrong::new(&self.path(name), negative()))
        });
        price.transpose()
    }

    pub(super) fn duration(&self, name: &'a str) -> Result<Option<Duration>, Wrong> {
        self.text(name)
            .map(|text| {
                parse_duration(&text).map_err(|reason| Wrong::new(&self.path(name), reason))
            })
            .transpose()
    }

    pub(super) fn count(&self, name: &'a str) -> Result<Option<u32>, Wrong> {
        self.field(name)
            .map(|value| {
                let count = value.as_number().and_then(isobar_sdk::Number::as_u64);
                count
                    .and_then(|count| u32::try_from(count).ok())
                    .ok_or_else(|| {
                        Wrong::new(
                            &self.path(name),
                            format!(
                                "{name} must be a whole number from 0 to {}, not {value}.",
                                u32::MAX
                            ),
                        )
                    })
            })
            .transpose()
    }

    /// A number from 0 on.
    pub(super) fn amount(&self, name: &'a str) -> Result<Option<f64>, Wrong> {
        match self.number(name) {
            Some(value) if value < 0.0 => Err(Wrong::new(
                &self.path(name),
                format!("{name} must be 0 or more, but it is {value}."),
            )),
            other => Ok(other),
        }
    }

    /// A share that may be nothing or all.
    pub(super) fn part(&self, name: &'a str) -> Result<Option<f64>, Wrong> {
        match self.number(name) {
            Some(value) if !(0.0..=1.0).contains(&value) => Err(Wrong::new(
                &self.path(name),
                format!("{name} must be from 0 to 1, but it is {value}."),
            )),
            other => Ok(other),
        }
    }

    pub(super) fn share(&self, name: &'a str) -> Result<Option<f64>, Wrong> {
        let share = self.number(name);
        match share {
            Some(value) if value <= 0.0 || value >= 1.0 => Err(Wrong::new(
                &self.path(name),
                format!("{name} must lie between 0 and 1, both excluded, but it is {value}."),
            )),
            other => Ok(other),
        }
    }
}

/// Reads a zone; `name` names it among all zones.
///
/// # Errors
/// The first attribute that makes no sense.
pub fn zone(name: &str, provider: &str, value: &Value, settings: Value) -> Result<ZoneSpec, Wrong> {
    let noun = Noun(value, Vec::new());
    let mut limits = BTreeMap::new();
    if let Some(fields) = noun.field("limits").and_then(Value::fields) {
        let inner = Noun(value.field("limits").unwrap_or(&Value::NULL), Vec::new());
        for instance in fields.keys() {
            let limit = inner
                .count(instance)
                .map_err(|wrong| Wrong::new(&["limits"], wrong.reason))?;
            limits.extend(limit.map(|limit| (instance.to_string(), limit)));
        }
    }
    let offers = offers(&noun)?;
    for offer in &offers {
        if let Some(limit) = offer.limit
            && limits.insert(offer.instance.clone(), limit).is_some()
        {
            let reason = format!(
                "{} is limited in limits and in its offer; only one of them can be set.",
                offer.instance
            );
            return Err(Wrong::new(&["limits"], reason));
        }
    }
    Ok(ZoneSpec {
        zone: Zone {
            name: name.to_owned(),
            region: noun.text("region"),
            settings,
        },
        provider: provider.to_owned(),
        price: noun.dollars("price")?,
        limits,
        down: noun.field("down").and_then(Value::as_bool) == Some(true),
        offers,
        carbon_intensity: noun.amount("carbon_intensity")?,
        pue: pue(&noun)?,
        reach: policy::reach(&noun)?,
    })
}

/// The `offer` blocks of a zone.
fn offers(noun: &Noun<'_>) -> Result<Vec<OfferSpec>, Wrong> {
    let blocks = noun.field("offer").and_then(Value::items);
    let blocks = blocks.into_iter().flat_map(|blocks| blocks.iter());
    let mut offers: Vec<OfferSpec> = Vec::new();
    for block in blocks {
        let offer = OfferSpec::read(&Noun(block, vec!["offer"]))?;
        if offers.iter().any(|other| other.instance == offer.instance) {
            let reason = format!("There are two offers of {:?}.", offer.instance);
            return Err(Wrong::new(&["offer"], reason));
        }
        offers.push(offer);
    }
    Ok(offers)
}

fn pue(noun: &Noun<'_>) -> Result<Option<f64>, Wrong> {
    let pue = noun.number("pue");
    match pue {
        Some(pue) if pue < 1.0 => {
            let reason = format!(
                "The power of a data centre is that of its machines at least, so pue is 1 or more, not {pue}."
            );
            Err(Wrong::new(&["pue"], reason))
        }
        pue => Ok(pue),
    }
}

/// Reads a model.
///
/// # Errors
/// The first attribute that makes no sense.
pub fn model(name: &str, value: &Value) -> Result<(Model, Measured), Wrong> {
    let noun = Noun(value, Vec::new());
    let texts = |name: &str| -> Vec<String> {
        let items = noun.field(name).and_then(Value::items);
        items
            .map(|items| {
                items
                    .iter()
                    .filter_map(|i| i.as_str().map(str::to_owned))
                    .collect()
            })
            .unwrap_or_default()
    };
    let environment = noun.field("environment");
    let secret = environment.is_some_and(Value::is_sensitive);
    let environment = environment.and_then(Value::fields);
    let version = noun.text("version").unwrap_or_default();
    if version.is_empty() {
        return Err(Wrong::new(&["version"], "The version must not be empty."));
    }
    let (performance, measured) = performance(noun.block("performance"))?;
    let model = Model {
        name: name.to_owned(),
        version,
        artifact: noun.text("artifact"),
        digest: None,
        image: noun.text("image"),
        command: texts("command"),
        environment: environment
            .map(|fields| {
                fields
                    .iter()
                    .map(|(n, v)| (n.to_string(), v.clone().sensitive_if(secret)))
                    .collect()
            })
            .unwrap_or_default(),
        serve: serve(noun.block("serve"))?,
        resources: resources(noun.block("resources"))?,
        performance,
    };
    Ok((model, measured))
}

fn serve(block: Option<Noun<'_>>) -> Result<Serve, Wrong> {
    const PROTOCOLS: [&str; 4] = ["raw", "v1", "oip-v2", "openai"];
    let Some(noun) = block else {
        return Ok(Serve {
            port: 8080,
            protocol: "oip-v2".to_owned(),
            health_path: "/v2/health/ready".to_owned(),
        });
    };
    let port = noun.count("port")?.unwrap_or(8080);
    let protocol = noun.text("protocol").unwrap_or_else(|| "oip-v2".to_owned());
    if !PROTOCOLS.contains(&protocol.as_str()) {
        let reason = format!(
            "The protocol {protocol:?} is not known; it can be {}.",
            PROTOCOLS.join(", ")
        );
        return Err(Wrong::new(&["serve", "protocol"], reason));
    }
    Ok(Serve {
        port: u16::try_from(port)
            .map_err(|_| Wrong::new(&["serve", "port"], format!("{port} is not a port.")))?,
        protocol,
        health_path: noun
            .text("health_path")
            .unwrap_or_else(|| "/v2/health/ready".to_owned()),
    })
}

fn resources(block: Option<Noun<'_>>) -> Result<Resources, Wrong> {
    let Some(noun) = block else {
        return Ok(Resources::default());
    };
    let memory = noun.text("memory").map(|text| {
        parse_bytes(&text).map_err(|reason| Wrong::new(&["resources", "memory"], reason))
    });
    let gpu = noun
        .block("gpu")
        .map(|gpu| -> Result<(String, u32), Wrong> {
            Ok((
                gpu.text("type").unwrap_or_default(),
                gpu.count("count")?.unwrap_or(1),
            ))
        });
    Ok(Resources {
        cpu: noun.number("cpu"),
        memory: memory.transpose()?,
        gpu: gpu.transpose()?,
        architecture: architecture(&noun)?,
    })
}

fn architecture(noun: &Noun<'_>) -> Result<Architecture, Wrong> {
    let Some(name) = noun.text("architecture") else {
        return Ok(Architecture::default());
    };
    Architecture::named(&name).ok_or_else(|| {
        let reason = format!("The architecture {name:?} is not known; write amd64 or arm64.");
        Wrong::new(&["resources", "architecture"], reason)
    })
}

/// What a replica does, and what else was measured.
fn performance(block: Option<Noun<'_>>) -> Result<(Performance, Measured), Wrong> {
    let startup = Duration::from_secs(180);
    let Some(noun) = block else {
        return Ok((
            Performance {
                service_time: Duration::ZERO,
                concurrency: 1,
                startup,
            },
            Measured {
                variability: 1.0,
                response: 0,
            },
        ));
    };
    let performance = Performance {
        service_time: noun.duration("service_time")?.unwrap_or_default(),
        concurrency: noun.count("concurrency")?.unwrap_or(1),
        startup: noun.duration("startup")?.unwrap_or(startup),
    };
    if performance.service_time.is_zero() {
        let path = ["performance", "service_time"];
        return Err(Wrong::new(
            &path,
            "The service time must be more than zero.",
        ));
    }
    let response = noun.text("response").map(|text| {
        let path = ["performance", "response"];
        parse_bytes(&text).map_err(|reason| Wrong::new(&path, reason))
    });
    let measured = Measured {
        variability: noun.number("variability").unwrap_or(1.0),
        response: response.transpose()?.unwrap_or(0),
    };
    Ok((performance, measured))
}

/// Reads a forecast.
///
/// # Errors
/// The first attribute that makes no sense.
pub fn forecast(value: &Value) -> Result<ForecastSpec, Wrong> {
    let noun = Noun(value, Vec::new());
    let source = noun.block("source").unwrap_or(Noun(value, Vec::new()));
    let kind = kind(&source.text("type").unwrap_or_default())?;
    let step = noun.duration("step")?;
    if step.is_some_and(|step| step.is_zero()) {
        return Err(Wrong::new(
            &["step"],
            "The step is zero; set it to a duration such as \"5m\".",
        ));
    }
    let settings = settings(kind, &source, step);
    let meaning = Meaning {
        step,
        per: per(&source)?,
        history: noun.duration("history")?,
        counter: settings.counter,
        aggregate: aggregate(kind, &source)?,
    };
    kind.open(&settings).map_err(|problem| unusable(&problem))?;
    Ok(ForecastSpec {
        source: kind.name.to_owned(),
        settings,
        meaning,
        last_good: match noun.text("on_error").as_deref() {
            None | Some("stop") => false,
            Some("last_good") => true,
            Some(other) => {
                let reason = format!(
                    "A plan can \"stop\" or go on with what was \"last_good\", not {other:?}."
                );
                return Err(Wrong::new(&["on_error"], reason));
            }
        },
        calendar: match noun.block("calendar") {
            Some(block) => Arc::new(calendar::calendar(&block)?),
            None => Arc::default(),
        },
        methods: methods(&noun)?,
        horizon: noun
            .duration("horizon")?
            .unwrap_or(Duration::from_secs(86_400)),
        valid_for: noun
            .duration("valid_for")?
            .unwrap_or(Duration::from_secs(21_600)),
    })
}

/// The methods that are named; all of the usual ones where none is.
fn methods(noun: &Noun<'_>) -> Result<Competitors, Wrong> {
    let names = calendar::texts(noun.field("methods"));
    let known = || METHODS.iter().map(|method| method.name());
    if let Some(unknown) = names
        .iter()
        .find(|name| !known().any(|known| known == **name))
    {
        let meant = closest(unknown, known()).map(|meant| format!("; did you mean {meant:?}?"));
        let reason = format!(
            "There is no forecasting method {unknown:?}; methods are {}{}",
            known().collect::<Vec<_>>().join(", "),
            meant.unwrap_or_else(|| ".".to_owned())
        );
        return Err(Wrong::new(&["methods"], reason));
    }
    if names.is_empty() {
        return Ok(Competitors::Usual);
    }
    Ok(Competitors::Named(names.into_iter().collect()))
}

fn kind(name: &str) -> Result<&'static Kind, Wrong> {
    Kind::named(name).ok_or_else(|| {
        let names = Kind::all().iter().map(|kind| kind.name);
        let all: Vec<String> = names.clone().map(|name| format!("{name:?}")).collect();
        let meant = closest(name, names).map(|meant| format!("; did you mean {meant:?}?"));
        let reason = format!(
            "There is no telemetry source {name:?}; sources are {}{}",
            all.join(", "),
            meant.unwrap_or_else(|| ".".to_owned())
        );
        Wrong::new(&["source", "type"], reason)
    })
}

fn settings(kind: &Kind, source: &Noun<'_>, step: Option<Duration>) -> Settings {
    let mut settings = Settings {
        step: step.unwrap_or(STEP),
        counter: source.field("counter").and_then(Value::as_bool) == Some(true),
        ..Settings::default()
    };
    for setting in kind.settings {
        if let Some(value) = source.field(setting.name) {
            if setting.shape == Shape::Text && setting.secret || value.contains_sensitive() {
                settings.secrets.insert(setting.name.to_owned());
            }
            let value = isobar_sdk::json::encode(value);
            settings.values.insert(setting.name.to_owned(), value);
        }
    }
    settings
}

fn per(source: &Noun<'_>) -> Result<Option<Duration>, Wrong> {
    let per = source.duration("per")?;
    let counter = source.field("counter").and_then(Value::as_bool) == Some(true);
    let path = ["source", "per"];
    match per {
        Some(per) if per.is_zero() => Err(Wrong::new(
            &path,
            "per is zero; set it to the duration that a value counts over, such as 1h, or leave it out for rates per second.",
        )),
        Some(_) if counter => Err(Wrong::new(
            &path,
            "What a counter grows by is divided by the time between two readings; remove per.",
        )),
        per => Ok(per),
    }
}

fn aggregate(kind: &Kind, source: &Noun<'_>) -> Result<Option<Aggregate>, Wrong> {
    // A warehouse adds up itself.
    if kind.name == "bigquery" {
        return Ok(None);
    }
    let Some(told) = source.text("aggregate") else {
        return Ok(None);
    };
    let known = Aggregate::WORDS.iter().find(|(word, _)| *word == told);
    known.map(|(_, aggregate)| Some(*aggregate)).ok_or_else(|| {
        let words: Vec<&str> = Aggregate::WORDS.iter().map(|(word, _)| *word).collect();
        let reason = format!(
            "Readings cannot be aggregated by {told:?}; write {}.",
            words.join(", ")
        );
        Wrong::new(&["source", "aggregate"], reason)
    })
}

fn unusable(problem: &Problem) -> Wrong {
    match problem {
        Problem::Missing { help, .. } => Wrong::new(&["source"], format!("{problem}; {help}.")),
        Problem::Wrong { name, help, .. } => {
            Wrong::new(&["source", name], format!("{problem}; {help}."))
        }
        Problem::NotBuilt { feature, .. } => {
            let fix = format!("build it with cargo build --release --features {feature}");
            Wrong::new(&["source"], format!("{problem}; {fix}."))
        }
    }
}
