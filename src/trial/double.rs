//! A provider that makes values up: for everything where it is mocked, else for what is overridden.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use isobar_sdk::address::{Mode, Place};
use isobar_sdk::deployment::{Offers, Target};
use isobar_sdk::provider::{
    Apply, BoxFuture, Import, LookUp, Operation, Outcome, PlanChange, Planned, Read,
};
use isobar_sdk::schema::{Body, Schema};
use isobar_sdk::types::Mismatch;
use isobar_sdk::{Address, Error, Known, Path, Provider, Type, Value};
use sha2::{Digest, Sha256};

use crate::language::config::ProviderName;
use crate::language::trial::Phase;
use crate::registry::{Doubles, Registry};

/// Values that take the place of what a provider would set.
#[derive(Debug, Clone, Default)]
pub(super) struct Script {
    /// By attribute.
    pub(super) values: BTreeMap<Arc<str>, Value>,
    /// When they become known.
    pub(super) phase: Phase,
}

/// What single resources and data sources have.
pub(super) type Overrides = Vec<(Place, Script)>;

/// A provider of which nothing is real.
#[derive(Debug, Clone, Default)]
pub(super) struct Mocked {
    /// By type.
    pub(super) resources: BTreeMap<Arc<str>, Script>,
    /// By type.
    pub(super) data: BTreeMap<Arc<str>, Script>,
    /// Behind those of the run and of the file.
    pub(super) overrides: Overrides,
    /// For types that have no defaults.
    pub(super) otherwise: Script,
}

/// All that stands in for something in a run.
pub(super) struct Cast {
    /// The schemas.
    pub(super) registry: Registry,
    /// Which providers are mocked.
    pub(super) mocks: BTreeMap<ProviderName, Arc<Mocked>>,
    /// Those of the run before those of the file.
    pub(super) overrides: Arc<Overrides>,
}

impl Doubles for Cast {
    fn replaces(&self, name: &ProviderName) -> bool {
        self.mocks.contains_key(name)
    }

    fn of(
        &self,
        name: &ProviderName,
        real: Result<Arc<dyn Provider>, Error>,
    ) -> Result<Arc<dyn Provider>, Error> {
        let mocked = self.mocks.get(name).cloned();
        if mocked.is_none() && self.overrides.is_empty() {
            return real;
        }
        let real = match (real, &mocked) {
            (Ok(real), _) => Some(real),
            (Err(_), Some(_)) => None,
            (Err(error), None) => return Err(error),
        };
        Ok(Arc::new(Double {
            real,
            mocked,
            overrides: Arc::clone(&self.overrides),
            registry: self.registry.clone(),
        }))
    }
}

/// A provider behind which there may be a real one.
struct Double {
    /// Where it is mocked, only asked what deployments are made of and what zones sell. A mocked
    /// provider that cannot be configured without settings has none.
    real: Option<Arc<dyn Provider>>,
    mocked: Option<Arc<Mocked>>,
    overrides: Arc<Overrides>,
    registry: Registry,
}

impl Double {
    /// The values of an instance; `None` where the real provider has to tell. The override that
    /// names the instance most closely counts.
    fn script(&self, address: &Address) -> Option<&Script> {
        let mocked = self.mocked.as_deref();
        let behind = mocked.into_iter().flat_map(|mocked| &mocked.overrides);
        let all = self.overrides.iter().chain(behind);
        let meant: Vec<&(Place, Script)> =
            all.filter(|(place, _)| place.contains(address)).collect();
        // Of equally close ones `max_by_key` takes the last.
        let closest = meant.into_iter().rev().max_by_key(|(place, _)| keys(place));
        let by_type = || {
            let mocked = mocked?;
            let defaults = match address.mode {
                Mode::Managed => mocked.resources.get(address.resource_type()),
                Mode::Data => mocked.data.get(&address.kind),
            };
            Some(defaults.unwrap_or(&mocked.otherwise))
        };
        closest.map(|(_, script)| script).or_else(by_type)
    }

    fn real(&self) -> Result<&dyn Provider, Error> {
        let gone = || Error::unavailable("the provider is mocked");
        self.real.as_deref().ok_or_else(gone)
    }

    /// A value with something in place of all that is unknown in it; where the plan tells already,
    /// of all that the configuration leaves to the provider.
    fn filled(
        &self,
        script: &Script,
        address: &Address,
        (value, configuration): (&Value, Option<&Value>),
    ) -> Result<Value, Error> {
        let found = match address.mode {
            Mode::Managed => self.registry.resource(address.resource_type()),
            Mode::Data => self.registry.data_source(&address.kind),
        };
        let (_, Schema { body, .. }) =
            found.ok_or_else(|| Error::unavailable("the type has no schema"))?;
        fill(body, script, address, (value, configuration))
    }
}

/// How closely a target names an instance.
fn keys(place: &Place) -> usize {
    let modules = place.modules().iter();
    let around = modules.filter(|step| step.key.is_some()).count();
    match place {
        Place::Module(_) => around,
        Place::Resource(address) => {
            around + usize::from(address.key.is_some()) + usize::from(address.zone.is_some())
        }
    }
}

impl Provider for Double {
    fn read(&self, request: Read) -> BoxFuture<'_, Result<Option<Known>, Error>> {
        if self.script(&request.address).is_some() {
            return Box::pin(async { Ok(Some(request.prior)) });
        }
        Box::pin(async { self.real()?.read(request).await })
    }

    fn plan(&self, request: PlanChange) -> BoxFuture<'_, Result<Planned, Error>> {
        Box::pin(async {
            let Some(script) = self.script(&request.address) else {
                return self.real()?.plan(request).await;
            };
            let after = match script.phase {
                Phase::Plan => {
                    let told = (&request.proposed, Some(&request.configuration));
                    self.filled(script, &request.address, told)?
                }
                Phase::Apply => request.proposed,
            };
            Ok(after.into())
        })
    }

    fn apply(&self, request: Apply) -> BoxFuture<'_, Outcome> {
        Box::pin(async {
            let Some(script) = self.script(&request.address) else {
                return match self.real() {
                    Ok(real) => real.apply(request).await,
                    Err(error) => Outcome::Failed(error),
                };
            };
            let planned = match request.operation {
                Operation::Delete { .. } => return Outcome::Done(None),
                Operation::Create { planned } | Operation::Update { planned, .. } => planned,
            };
            match self
                .filled(script, &request.address, (&planned, None))
                .and_then(known)
            {
                Ok(made) => Outcome::Done(Some(made)),
                Err(error) => Outcome::Failed(error),
            }
        })
    }

    fn look_up(&self, request: LookUp) -> BoxFuture<'_, Result<Known, Error>> {
        Box::pin(async {
            let LookUp {
                address,
                configuration,
            } = &request;
            let Some(script) = self.script(address) else {
                return self.real()?.look_up(request).await;
            };
            let schema = self.registry.data_source(&address.kind);
            let (_, schema) = schema.ok_or_else(|| Error::unavailable("there is no schema"))?;
            let asked = schema.body.propose(None, configuration.value());
            known(self.filled(script, address, (&asked, None))?)
        })
    }

    fn import(&self) -> Option<&dyn Import> {
        match self.mocked {
            Some(_) => Some(self),
            None => self.real.as_deref()?.import(),
        }
    }

    fn offers(&self) -> Option<&dyn Offers> {
        self.real.as_deref()?.offers()
    }

    fn target(&self) -> Option<&dyn Target> {
        self.real.as_deref()?.target()
    }
}

impl Import for Double {
    fn import<'a>(
        &'a self,
        _resource_type: &'a str,
        _id: &'a str,
    ) -> BoxFuture<'a, Result<Option<Known>, Error>> {
        let mut error = Error::unavailable("the provider is mocked, so there is nothing to import");
        error.help = Some("Say what is there with override_resource {}.".to_owned());
        Box::pin(async { Err(error) })
    }
}

fn known(value: Value) -> Result<Known, Error> {
    Known::new(value).map_err(|_| Error::unavailable("a mocked value is not known"))
}

/// Puts values in place of unknown ones: those of the script for attributes that the provider sets,
/// made up ones for all others.
fn fill(
    body: &Body,
    script: &Script,
    address: &Address,
    (value, configuration): (&Value, Option<&Value>),
) -> Result<Value, Error> {
    let configured = |name: &str| {
        let field = configuration.and_then(|configuration| configuration.field(name));
        field.is_some_and(|field| !field.is_null())
    };
    let mut filled = value.clone();
    for (name, field) in value.fields().into_iter().flat_map(|fields| fields.iter()) {
        if field.is_wholly_known() || configured(name) {
            continue;
        }
        let seed = format!("{address}.{name}");
        let attribute = body.attributes.get(&**name);
        let field = match (script.values.get(name), attribute) {
            (Some(given), Some(attribute)) if field.is_unknown() => {
                let given = shaped(&attribute.ty, given, &seed);
                let path = || Path::attribute(name);
                let given = given.map_err(|wrong| Error::invalid(path(), wrong.to_string()))?;
                given.marked(field.marks())
            }
            _ => made_up(field, &seed),
        };
        filled = filled.with_field(name, field);
    }
    Ok(filled)
}

/// A value of a type; what an object does not say is made up.
pub(super) fn shaped(ty: &Type, given: &Value, seed: &str) -> Result<Value, Mismatch> {
    let (Type::Object(types), Some(fields)) = (ty, given.fields()) else {
        return ty.convert(given);
    };
    let shaped = types.iter().map(|(name, field)| {
        let seed = format!("{seed}.{name}");
        let value = match fields.get(name) {
            Some(given) => shaped(&field.ty, given, &seed)?,
            None => of_type(&field.ty, &seed),
        };
        Ok((Arc::clone(name), value))
    });
    let shaped = shaped.collect::<Result<Vec<_>, Mismatch>>()?;
    Ok(Value::object(shaped).marked(given.marks()))
}

/// A value with something in place of all that is unknown in it.
fn made_up(value: &Value, seed: &str) -> Value {
    let each = |items: &[Value]| -> Vec<Value> {
        let items = items.iter().enumerate();
        items
            .map(|(position, item)| made_up(item, &format!("{seed}[{position}]")))
            .collect()
    };
    let named = |fields: &isobar_sdk::value::Named| -> Vec<(Arc<str>, Value)> {
        let fields = fields.iter();
        fields
            .map(|(name, field)| (Arc::clone(name), made_up(field, &format!("{seed}.{name}"))))
            .collect()
    };
    match value {
        Value::Unknown(unknown) => of_type(&unknown.ty, seed),
        Value::Marked(marks, inner) => made_up(inner, seed).marked(*marks),
        Value::List(items) => Value::list(each(items)),
        Value::Set(items) => Value::set(each(items)),
        Value::Tuple(items) => Value::tuple(each(items)),
        Value::Map(fields) => Value::map(named(fields)),
        Value::Object(fields) => Value::object(named(fields)),
        known => known.clone(),
    }
}

/// A value of a type; the same for the same seed.
fn of_type(ty: &Type, seed: &str) -> Value {
    match ty {
        Type::Any => Value::NULL,
        Type::Bool => Value::Bool(false),
        Type::Number => Value::from(0_u64),
        Type::String => Value::string(text(seed)),
        Type::List(element) => Value::list_of(element, Vec::new()),
        Type::Set(element) => Value::set_of(element, Vec::new()),
        Type::Map(element) => Value::Map(isobar_sdk::value::Fields::of(element, [])),
        Type::Tuple(elements) => {
            let elements = elements.iter().enumerate();
            Value::tuple(
                elements
                    .map(|(n, ty)| of_type(ty, &format!("{seed}[{n}]")))
                    .collect(),
            )
        }
        Type::Object(fields) => Value::object(fields.iter().map(|(name, field)| {
            (
                Arc::clone(name),
                of_type(&field.ty, &format!("{seed}.{name}")),
            )
        })),
    }
}

/// Eight letters and digits, as ids of platforms often are.
fn text(seed: &str) -> String {
    let hash = Sha256::digest(seed.as_bytes());
    hash.iter().take(4).fold(String::new(), |mut text, byte| {
        let _always_fits = write!(text, "{byte:02x}");
        text
    })
}
