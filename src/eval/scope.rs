//! What names mean while an expression is evaluated.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use isobar_sdk::address::{Mode, ModuleStep};
use isobar_sdk::{Address, Fault, Key, Value};
use jiff::Timestamp;

use super::evaluate;
use super::functions::Library;
use super::host::{Machine, Moment};
use crate::language::Config;

/// The values of everything in one module that has been evaluated so far.
///
/// Local values that rest on something unknown are evaluated anew each time they are asked
/// for, so that during apply they become known together with what they rest on.
#[derive(Debug, Clone)]
pub struct Scope<'a> {
    config: &'a Config,
    facts: Facts,
    variables: BTreeMap<Arc<str>, Value>,
    locals: BTreeMap<Arc<str>, Value>,
    /// Local values that may still change, as they are now; emptied when a block changes.
    passing: Passing,
    blocks: Blocks,
    /// `self`, while a postcondition is looked at.
    this: Option<Value>,
}

/// Values that several threads may ask for and find at the same time.
#[derive(Debug)]
struct Passing(RwLock<BTreeMap<Arc<str>, Value>>);

impl Passing {
    fn get(&self, name: &str) -> Option<Value> {
        let values = self.0.read().unwrap_or_else(PoisonError::into_inner);
        values.get(name).cloned()
    }

    fn keep(&self, name: &Arc<str>, value: &Value) {
        let mut values = self.0.write().unwrap_or_else(PoisonError::into_inner);
        values.insert(Arc::clone(name), value.clone());
    }

    fn clear(&mut self) {
        self.0
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }
}

impl Clone for Passing {
    fn clone(&self) -> Self {
        let values = self.0.read().unwrap_or_else(PoisonError::into_inner);
        Self(RwLock::new(values.clone()))
    }
}

/// The values of blocks, by type and name.
type Blocks = BTreeMap<Arc<str>, BTreeMap<Arc<str>, Value>>;

/// What the environment contributes; read once, by the CLI.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// `path.module` and `path.root`.
    pub folder: String,
    /// `isobar.workspace`.
    pub workspace: String,
    /// `plantimestamp()`.
    pub planned: Option<Timestamp>,
    /// Whether `timestamp()` and the like have values.
    pub moment: Moment,
    /// Where files are read.
    pub machine: Machine,
    /// What can be called.
    pub library: Library,
}

impl Facts {
    /// For a plan that is made at this time.
    #[must_use]
    pub fn planned_at(&self, time: Timestamp) -> Self {
        Self {
            planned: Some(time),
            moment: Moment::Planning,
            ..self.clone()
        }
    }

    /// For an apply, or where nothing is planned.
    #[must_use]
    pub fn acting(&self) -> Self {
        Self {
            moment: Moment::Acting,
            ..self.clone()
        }
    }
}

/// What `each` and `count` mean in an instance.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Ambient {
    /// Neither is there.
    #[default]
    None,
    /// `count.index`.
    Count(usize),
    /// `each.key` and `each.value`.
    Each(Arc<str>, Value),
}

impl<'a> Scope<'a> {
    /// A scope in which only variables have values.
    #[must_use]
    pub const fn new(
        config: &'a Config,
        facts: Facts,
        variables: BTreeMap<Arc<str>, Value>,
    ) -> Self {
        Self {
            config,
            facts,
            variables,
            locals: BTreeMap::new(),
            passing: Passing(RwLock::new(BTreeMap::new())),
            blocks: Blocks::new(),
            this: None,
        }
    }

    /// What the environment contributes.
    #[must_use]
    pub(super) const fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Evaluates a local value and keeps it, if nothing in it can change any more.
    ///
    /// # Errors
    /// What is wrong with its expression.
    pub fn define_local(&mut self, name: &Arc<str>) -> Result<(), Fault> {
        let Some(attribute) = self.config.locals.get(name) else {
            return Ok(());
        };
        let value = evaluate(&attribute.value, self, &Ambient::None)?;
        if value.is_wholly_known() {
            self.locals.insert(Arc::clone(name), value);
        }
        Ok(())
    }

    /// Sets the value of a block that stands for one thing, or of one that stands for several
    /// and has no instance yet.
    pub fn set_block(&mut self, kind: &str, name: &str, value: Value) {
        self.passing.clear();
        self.insert(kind.into(), name.into(), value);
    }

    fn insert(&mut self, kind: Arc<str>, name: Arc<str>, value: Value) {
        self.blocks.entry(kind).or_default().insert(name, value);
    }

    fn get_mut(&mut self, kind: &str, name: &str) -> Option<&mut Value> {
        self.blocks.get_mut(kind)?.get_mut(name)
    }

    /// Sets the value of one instance; instances of `count` must be set in order at first.
    pub fn set_instance(&mut self, address: &Address, value: Value) {
        self.passing.clear();
        let kind = kind_of(address);
        let whole = match &address.key {
            None => value,
            Some(key) => match (key, self.get_mut(&kind, &address.name)) {
                (Key::Text(key), Some(Value::Object(fields))) => {
                    fields.insert(Arc::clone(key), value);
                    return;
                }
                (Key::Number(index), Some(Value::Tuple(items))) => {
                    let index = usize::try_from(*index).ok();
                    match index.and_then(|index| items.get_mut(index)) {
                        Some(item) => *item = value,
                        None => items.push(value),
                    }
                    return;
                }
                (Key::Text(key), _) => Value::object([(Arc::clone(key), value)]),
                (Key::Number(_), _) => Value::tuple(vec![value]),
            },
        };
        self.insert(kind, Arc::clone(&address.name), whole);
    }

    /// Says what `self` means from now on.
    pub fn set_self(&mut self, this: Option<Value>) {
        self.this = this;
    }

    /// Sets the value of a variable.
    pub fn set_variable(&mut self, name: &Arc<str>, value: Value) {
        self.passing.clear();
        self.variables.insert(Arc::clone(name), value);
    }

    /// Sets an output of the module `call`, or of one of its instances, which must have a value.
    pub(super) fn set_output(&mut self, step: &ModuleStep, output: &Arc<str>, value: Value) {
        self.passing.clear();
        let whole = self.get_mut("module", &step.name);
        let instance = match (whole, &step.key) {
            (Some(Value::Object(keys)), Some(Key::Text(key))) => keys.get_mut(key),
            (Some(Value::Tuple(items)), Some(Key::Number(index))) => usize::try_from(*index)
                .ok()
                .and_then(|index| items.get_mut(index)),
            (whole, None) => whole,
            _ => None,
        };
        if let Some(Value::Object(fields)) = instance {
            fields.insert(Arc::clone(output), value);
        }
    }

    /// The configuration of the module.
    #[must_use]
    pub const fn config(&self) -> &'a Config {
        self.config
    }

    /// Sets the value of the block at an address, as `set_block` does.
    pub fn set_at(&mut self, address: &Address, value: Value) {
        self.passing.clear();
        self.insert(kind_of(address), Arc::clone(&address.name), value);
    }

    /// The value of a block.
    #[must_use]
    pub fn block(&self, kind: &str, name: &str) -> Option<&Value> {
        self.blocks.get(kind)?.get(name)
    }

    /// The value of the block at an address.
    #[must_use]
    pub fn at(&self, address: &Address) -> Option<&Value> {
        self.block(&kind_of(address), &address.name)
    }

    /// The value of a variable.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&Value> {
        self.variables.get(name)
    }

    /// What `root.name` means, or `root` alone.
    ///
    /// # Errors
    /// A fault of a local value that had to be evaluated; `Ok(None)` where the name means
    /// nothing.
    pub(super) fn lookup(
        &self,
        ambient: &Ambient,
        root: &str,
        name: Option<&str>,
    ) -> Result<Option<Value>, Fault> {
        let Some(name) = name else { return Ok(None) };
        let value = match (root, ambient) {
            ("var", _) => self.variables.get(name).cloned(),
            ("local", _) => return self.local(name),
            ("path", _) => match name {
                "module" if !self.config.folder.is_empty() => {
                    Some(Value::from(&*self.config.folder))
                }
                "module" | "root" | "cwd" => Some(Value::from(self.facts.folder.as_str())),
                _ => None,
            },
            ("isobar" | "terraform", _) => {
                (name == "workspace").then(|| Value::from(self.facts.workspace.as_str()))
            }
            ("data", _) => Some(self.data_of(name)),
            ("self", _) => match &self.this {
                Some(this) if this.is_unknown() => Some(Value::unknown()),
                this => this.as_ref().and_then(|this| this.field(name)).cloned(),
            },
            ("count", Ambient::Count(index)) => (name == "index").then(|| Value::from(*index)),
            ("each", Ambient::Each(key, value)) => match name {
                "key" => Some(Value::String(Arc::clone(key))),
                "value" => Some(value.clone()),
                _ => None,
            },
            _ => self.block(root, name).cloned(),
        };
        Ok(value)
    }

    /// The data sources of a type, by name.
    fn data_of(&self, kind: &str) -> Value {
        let found = self.blocks.get(&*data_kind(kind));
        let found = found.into_iter().flatten();
        Value::object(found.map(|(name, value)| (Arc::clone(name), value.clone())))
    }

    fn local(&self, name: &str) -> Result<Option<Value>, Fault> {
        if let Some(value) = self.locals.get(name) {
            return Ok(Some(value.clone()));
        }
        if let Some(value) = self.passing.get(name) {
            return Ok(Some(value));
        }
        let Some((name, attribute)) = self.config.locals.get_key_value(name) else {
            return Ok(None);
        };
        let value = evaluate(&attribute.value, self, &Ambient::None)?;
        self.passing.keep(name, &value);
        Ok(Some(value))
    }
}

/// What blocks of data sources are kept under, as a resource may have the same type and name.
fn data_kind(kind: &str) -> Arc<str> {
    format!("data.{kind}").into()
}

fn kind_of(address: &Address) -> Arc<str> {
    match address.mode {
        Mode::Managed => Arc::clone(&address.kind),
        Mode::Data => data_kind(&address.kind),
    }
}
