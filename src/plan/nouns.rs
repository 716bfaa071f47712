//! Zones, models, forecasts and capacities: their blocks to specifications.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use isobar_sdk::deployment::Model;
use isobar_sdk::diagnostic::sentence;
use isobar_sdk::schema::{Body as Shape, Presence};
use isobar_sdk::{Diagnostic, Diagnostics, Span, Step, Value};
use isobar_sources::{Bands, Fault, Kind, Settings};
use jiff::Timestamp;

use super::FrozenForecast;
use crate::deployment::CapacitySpec;
use crate::deployment::spec::{self, ForecastSpec, Measured, Wrong, ZoneSpec};
use crate::eval::{Ambient, Scope, decode};
use crate::forecast::{self, Forecast};
use crate::language::body::Body;
use crate::language::{Declaration, noun};
use crate::registry::Registry;
use crate::telemetry::{Desk, Engine, Order, Series, Stale, TelemetryError};

/// The specifications read so far, by the label of their blocks.
#[derive(Debug, Clone, Default)]
pub(super) struct Nouns<'a> {
    pub(super) zones: BTreeMap<String, ZoneSpec>,
    pub(super) zone_blocks: BTreeMap<String, &'a Declaration>,
    pub(super) models: BTreeMap<String, (Model, Measured)>,
    pub(super) model_blocks: BTreeMap<String, &'a Declaration>,
    pub(super) forecasts: BTreeMap<String, Loaded>,
    pub(super) capacities: BTreeMap<String, CapacitySpec>,
    /// The values of all but zones, by kind and label.
    pub(super) values: BTreeMap<(Arc<str>, String), Value>,
}

/// A forecast with what it was made from.
#[derive(Debug, Clone)]
pub(super) struct Loaded {
    pub(super) spec: ForecastSpec,
    /// Where the telemetry comes from, for people.
    pub(super) source: String,
    /// Why the telemetry is not what the source tells now.
    pub(super) stale: Option<Stale>,
    pub(super) series: Series,
    pub(super) forecast: Forecast,
}

impl Loaded {
    /// The forecast with the quantile of this level in it.
    pub(super) fn with_level(&self, level: f64, desk: &Desk) -> Forecast {
        if self.forecast.at(level).is_some() {
            return self.forecast.clone();
        }
        if self.forecast.candidates.is_empty() {
            return self.nearest(level);
        }
        let mut levels = self.forecast.levels.clone();
        levels.push(level);
        levels.sort_by(f64::total_cmp);
        let horizon = self.forecast.quantiles.first().map_or(1, Vec::len);
        let mut request = request(&self.spec, horizon);
        request.levels = levels;
        let made = desk.forecast(&self.series, &request);
        made.unwrap_or_else(|_| self.forecast.clone())
    }

    /// The forecast of a source, which cannot be asked again here, with the quantile of the next
    /// higher level in place of this one; of the highest where there is none above.
    fn nearest(&self, level: f64) -> Forecast {
        let mut forecast = self.forecast.clone();
        let levels = forecast.levels.iter();
        let above = levels.clone().position(|known| *known > level);
        if let Some(taken) = above.or(forecast.levels.len().checked_sub(1)) {
            let quantile = forecast.quantiles[taken].clone();
            let place = above.unwrap_or(forecast.levels.len());
            forecast.levels.insert(place, level);
            forecast.quantiles.insert(place, quantile);
        }
        forecast
    }

    /// As a plan made `now` keeps it.
    pub(super) fn freeze(&self, now: Timestamp) -> FrozenForecast {
        let expires = now.checked_add(self.spec.valid_for);
        let expires = expires.unwrap_or(Timestamp::MAX);
        let mut frozen = FrozenForecast::new(
            &self.forecast,
            (self.source.clone(), &self.series),
            (now, expires),
        );
        let stale = self.stale.iter();
        frozen.notes.extend(stale.map(|stale| {
            let at = stale.taken.strftime("%Y-%m-%d %H:%M UTC");
            format!(
                "the telemetry was taken {} ago, at {at}, because its source failed since",
                age(stale.taken, now)
            )
        }));
        frozen
    }
}

/// The provider of a zone; processes on this machine, where it says nothing.
#[must_use]
pub(super) fn zone_provider(declaration: &Declaration) -> &str {
    declaration
        .provider
        .as_ref()
        .map_or("local", |provider| &provider.name.name)
}

/// The schema of a block that is a noun: a zone has what its provider adds.
#[must_use]
pub(super) fn shape(declaration: &Declaration, registry: &Registry) -> Option<Shape> {
    let mut shape = noun::schema(&declaration.kind)?;
    if &*declaration.kind == "zone"
        && let Some(schema) = registry.provider_schema(zone_provider(declaration))
    {
        shape.attributes.extend(schema.zone.attributes.clone());
        shape.blocks.extend(schema.zone.blocks.clone());
    }
    Some(shape)
}

/// Evaluates the block of a noun; `None` where something is wrong with it.
pub(super) fn evaluate(
    declaration: &Declaration,
    shape: &Shape,
    (scope, ambient): (&Scope<'_>, &Ambient),
    diagnostics: &mut Diagnostics,
) -> Option<Value> {
    let mut found = Diagnostics::new();
    let header = &declaration.header;
    let value = decode(
        &declaration.body,
        shape,
        header,
        (scope, ambient),
        &mut found,
    );
    let failed = found.has_errors();
    diagnostics.extend(found);
    (!failed).then(|| with_defaults(&value, shape))
}

fn with_defaults(value: &Value, shape: &Shape) -> Value {
    shape
        .attributes
        .iter()
        .fold(value.clone(), |value, (name, attribute)| {
            match (&attribute.presence, value.field(name)) {
                (Presence::Default(default), Some(Value::Null(_))) => {
                    value.with_field(name, default.clone())
                }
                _ => value,
            }
        })
}

/// Reports what a plan cannot be made without knowing.
pub(super) fn must_be_known(
    declaration: &Declaration,
    value: &Value,
    diagnostics: &mut Diagnostics,
) -> bool {
    let unknown = value.unknown_paths();
    for path in &unknown {
        diagnostics.push(
            Diagnostic::error(
                "P0005",
                "Not known at plan time",
                format!("{path} of {}.{} is only known after apply, but replicas and placement are decided in the plan.", declaration.kind, declaration.name),
            )
            .at(&place(&declaration.body, path.steps(), &declaration.header))
            .within(&declaration.header)
            .help("Use a value that is known at plan time."),
        );
    }
    unknown.is_empty()
}

/// Reports secrets where they could be seen by everyone: only the environment of a model may
/// hold them.
pub(super) fn must_be_open(
    declaration: &Declaration,
    value: &Value,
    diagnostics: &mut Diagnostics,
) -> bool {
    let mut secret = value.sensitive_paths();
    // A deployment holds the whole model that it runs.
    let environment: &[&str] = match &*declaration.kind {
        "deployment" => &["model", "environment"],
        _ => &["environment"],
    };
    secret.retain(|path| !begins(path, environment) && !is_credential(declaration, path, value));
    for path in &secret {
        diagnostics.push(
            Diagnostic::error(
                "P0017",
                "Sensitive value in a setting",
                format!("{path} of {}.{} is sensitive, but it is shown in plans and to everyone on the platform.", declaration.kind, declaration.name),
            )
            .at(&place(&declaration.body, path.steps(), &declaration.header))
            .within(&declaration.header)
            .help("Hand secrets to a model through environment, and to a source of telemetry through token, password, headers or parameters."),
        );
    }
    secret.is_empty()
}

/// Whether a path leads to what the source of a forecast may be told in secret.
fn is_credential(declaration: &Declaration, path: &isobar_sdk::Path, value: &Value) -> bool {
    let source = value.field("source");
    let kind = source.and_then(|source| Kind::named(source.field("type")?.as_str()?));
    &*declaration.kind == "forecast"
        && kind.is_some_and(|kind| {
            let secret = kind.settings.iter().filter(|setting| setting.secret);
            secret
                .clone()
                .any(|setting| begins(path, &["source", setting.name]))
        })
}

/// Whether a path leads through these attributes at first.
fn begins(path: &isobar_sdk::Path, attributes: &[&str]) -> bool {
    let steps = path.steps();
    let same = |(step, name): (&Step, &&str)| match step {
        Step::Attribute(step) => &**step == *name,
        _ => false,
    };
    steps.len() >= attributes.len() && steps.iter().zip(attributes).all(same)
}

/// The diagnostic for a specification that makes no sense. What stands behind a semicolon in the
/// reason is what to do about it.
pub(super) fn wrong(declaration: &Declaration, wrong: &Wrong) -> Diagnostic {
    let span = place(&declaration.body, wrong.path.steps(), &declaration.header);
    let (what, fix) = match wrong.reason.split_once("; ") {
        Some((what, fix)) => (what, Some(fix)),
        None => (wrong.reason.as_str(), None),
    };
    let mut diagnostic = Diagnostic::error("P0006", "Invalid setting", sentence(what))
        .at(&span)
        .within(&declaration.header);
    diagnostic.help = fix.map(sentence);
    diagnostic
}

/// Where the attribute or block at `steps` stands in a body; `header` where it does not.
pub(super) fn place(body: &Body, steps: &[Step], header: &Span) -> Span {
    let Some((Step::Attribute(name), rest)) = steps.split_first() else {
        return header.clone();
    };
    if let Some(attribute) = body.attribute(name) {
        return attribute.value.span();
    }
    let (nth, rest) = match rest.split_first() {
        Some((Step::Index(nth), rest)) => (*nth, rest),
        _ => (0, rest),
    };
    let mut written = body.blocks.iter().filter(|block| block.kind == *name);
    let mut made = body.blocks.iter().filter_map(|block| block.dynamic()?.ok());
    let made = made.find(|dynamic| dynamic.kind.text == *name);
    match (written.nth(nth), made.map(|dynamic| dynamic.content)) {
        (Some(block), _) | (None, Some(block)) => place(&block.body, rest, &block.header),
        (None, None) => header.clone(),
    }
}

/// The attributes that only zones of its provider have.
#[must_use]
pub(super) fn zone_settings(value: &Value, provider: &str, registry: &Registry) -> Value {
    let Some(schema) = registry.provider_schema(provider) else {
        return Value::NULL;
    };
    let blocks = schema.zone.blocks.keys();
    let names = schema.zone.attributes.keys().cloned();
    let names = names.chain(blocks.map(|name| name.as_str().into()));
    Value::object(names.map(|name| {
        let field = value.field(&name).cloned();
        (name, field.unwrap_or(Value::NULL))
    }))
}

/// Reads a model; a file on this machine is resolved to its digest.
///
/// # Errors
/// The first attribute that makes no sense.
pub(super) fn model(name: &str, value: &Value, folder: &Path) -> Result<(Model, Measured), Wrong> {
    let (mut model, measured) = spec::model(name, value)?;
    if let Some(artifact) = &model.artifact {
        let path = artifact.strip_prefix("file://").unwrap_or(artifact);
        // What is not a file here is for the provider to judge.
        model.digest = isobar_sdk::artifact::digest(&folder.join(path)).ok();
    }
    Ok((model, measured))
}

/// The telemetry that a forecast needs.
pub(super) fn order(spec: &ForecastSpec, folder: &Path, now: Timestamp) -> Order {
    Order {
        kind: spec.source.clone(),
        settings: Settings {
            folder: folder.to_owned(),
            ..spec.settings.clone()
        },
        meaning: spec.meaning,
        engine: Engine {
            horizon: spec.horizon,
            levels: forecast::LEVELS.to_vec(),
        },
        last_good: spec.last_good,
        now,
    }
}

/// Loads the telemetry of a forecast and forecasts it; tells where the telemetry is not what the
/// source says now.
///
/// # Errors
/// What is wrong, with its place in the configuration.
pub(super) fn load(
    declaration: &Declaration,
    spec: ForecastSpec,
    (desk, order): (&Desk, &Order),
    diagnostics: &mut Diagnostics,
) -> Result<Loaded, Box<Diagnostic>> {
    let at_source = |diagnostic: Diagnostic| {
        let steps = ["source", "path"].map(|n| Step::Attribute(n.into()));
        diagnostic
            .at(&place(&declaration.body, &steps, &declaration.header))
            .within(&declaration.header)
    };
    let telemetry = desk.load(order);
    let telemetry = telemetry.map_err(|error| Box::new(at_source(telemetry_diagnostic(&error))))?;
    if let Some(stale) = &telemetry.stale {
        diagnostics.push(at_source(stale_diagnostic(
            &declaration.name,
            stale,
            order.now,
        )));
    }
    let series = telemetry.series;
    let forecast = match telemetry.bands {
        Some(bands) => foreign(&series, bands),
        None => {
            let steps = steps(spec.horizon, series.step());
            let made = desk.forecast(&series, &request(&spec, steps));
            made.map_err(|error| {
                let told = sentence(&error.to_string());
                Box::new(at_source(Diagnostic::error("F0002", "No forecast", told)))
            })?
        }
    };
    Ok(Loaded {
        spec,
        source: telemetry.source,
        stale: telemetry.stale,
        series,
        forecast,
    })
}

/// What is asked of a forecast.
fn request(spec: &ForecastSpec, steps: usize) -> forecast::Request {
    forecast::Request {
        calendar: Arc::clone(&spec.calendar),
        methods: spec.methods.clone(),
        ..forecast::Request::steps(steps)
    }
}

/// How many steps a horizon has, at least one.
fn steps(horizon: Duration, step: Duration) -> usize {
    let steps = horizon.as_secs_f64() / step.as_secs_f64();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a ratio of durations; a float beyond usize saturates and is refused as too long"
    )]
    let steps = (steps.ceil() as usize).max(1);
    steps
}

/// A forecast that the source made itself. There is no backtest of it, so that its error is
/// not measured.
fn foreign(series: &Series, bands: Bands) -> Forecast {
    Forecast {
        start: bands.start,
        step: bands.step,
        levels: bands.levels,
        quantiles: bands.quantiles,
        method: bands.method,
        wape: None,
        coverage: Vec::new(),
        folds: 0,
        candidates: Vec::new(),
        series_digest: series.digest(),
        observations: series.observations(),
        gaps: series.gaps(),
        notes: Vec::new(),
    }
}

fn telemetry_diagnostic(error: &TelemetryError) -> Diagnostic {
    let line = error.fault.line();
    let line = line.map(|line| format!(" line {line}")).unwrap_or_default();
    let what = error.fault.to_string();
    let detail = match what.starts_with(&error.place) {
        true => format!("{what}."),
        false => format!("{}{line}: {what}.", error.place),
    };
    let (code, summary) = match &error.fault {
        Fault::Unavailable { .. } => ("F0011", "Telemetry source does not answer"),
        Fault::Refused { .. } => ("F0012", "Telemetry source refuses access"),
        Fault::Question { .. } | Fault::Unusable { .. } => ("F0001", "Telemetry cannot be used"),
    };
    Diagnostic::error(code, summary, detail).help(sentence(error.fault.help()))
}

fn stale_diagnostic(name: &str, stale: &Stale, now: Timestamp) -> Diagnostic {
    let reason = telemetry_diagnostic(&stale.reason);
    let detail = format!(
        "forecast.{name} rests on what its source told {} ago, at {}. {}",
        age(stale.taken, now),
        stale.taken.strftime("%Y-%m-%d %H:%M UTC"),
        reason.detail
    );
    let warning = Diagnostic::warning("F0010", "Telemetry is not of now", detail);
    warning.help(match stale.reason.fault {
        Fault::Unavailable { .. } => "Check that it runs and can be reached from here.".to_owned(),
        _ => reason.help.unwrap_or_default(),
    })
}

/// How long ago something was, in its largest unit.
pub(super) fn age(then: Timestamp, now: Timestamp) -> String {
    let minutes = now.duration_since(then).as_secs().max(0) / 60;
    let (number, unit) = match minutes {
        0..120 => (minutes, "minute"),
        120..2880 => (minutes / 60, "hour"),
        _ => (minutes / 1440, "day"),
    };
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {unit}{plural}")
}

/// The value of a forecast in expressions.
#[must_use]
pub(super) fn forecast_value(name: &str, loaded: &Loaded) -> Value {
    let number =
        |value: f64| isobar_sdk::Number::from_f64(value).map_or(Value::NULL, Value::Number);
    let peaks = loaded.forecast.levels.iter().filter_map(|level| {
        let label = format!("p{}", (level * 1000.0).round() / 10.0);
        Some((label, number(loaded.forecast.peak(*level)?.value)))
    });
    Value::object([
        ("name", Value::from(name)),
        ("method", Value::from(loaded.forecast.method)),
        ("peak", Value::map(peaks)),
        ("wape", loaded.forecast.wape.map_or(Value::NULL, number)),
    ])
}
