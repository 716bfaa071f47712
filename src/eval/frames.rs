//! The instances of modules, each with a scope of its own.

use std::collections::BTreeMap;
use std::sync::Arc;

use isobar_sdk::address::ModuleStep;
use isobar_sdk::{Fault, Key, Value};

use super::{Ambient, Facts, Scope, ephemeral, evaluate, variable};
use crate::language::Config;
use crate::language::config::Repetition;
use crate::language::module::Call;

/// An instance of a module: the steps that lead to it; none for the root.
pub type Instance = Vec<ModuleStep>;

/// The scopes of all instances of modules that are known so far.
#[derive(Debug, Clone)]
pub struct Frames<'a> {
    facts: Facts,
    frames: BTreeMap<Instance, Frame<'a>>,
    /// The instances of each module, by the calls that lead to it.
    by_path: BTreeMap<Vec<Arc<str>>, Vec<Instance>>,
}

#[derive(Debug, Clone)]
struct Frame<'a> {
    scope: Scope<'a>,
    /// What `each` and `count` mean in the call.
    ambient: Ambient,
}

impl<'a> Frames<'a> {
    /// The root alone, in which only variables have values.
    #[must_use]
    pub fn new(config: &'a Config, facts: Facts, variables: BTreeMap<Arc<str>, Value>) -> Self {
        let root = Frame {
            scope: Scope::new(config, facts.clone(), variables),
            ambient: Ambient::None,
        };
        Self {
            facts,
            frames: BTreeMap::from([(Instance::new(), root)]),
            by_path: BTreeMap::from([(Vec::new(), vec![Instance::new()])]),
        }
    }

    /// The scope of an instance.
    #[must_use]
    pub fn get(&self, instance: &[ModuleStep]) -> Option<&Scope<'a>> {
        self.frames.get(instance).map(|frame| &frame.scope)
    }

    /// The scope of an instance, to be changed.
    pub fn get_mut(&mut self, instance: &[ModuleStep]) -> Option<&mut Scope<'a>> {
        self.frames.get_mut(instance).map(|frame| &mut frame.scope)
    }

    /// The instances of the module that the calls in `path` lead to, in order.
    #[must_use]
    pub fn instances(&self, path: &[Arc<str>]) -> Vec<Instance> {
        self.by_path.get(path).cloned().unwrap_or_default()
    }

    /// All instances with their scopes.
    pub fn iter(&self) -> impl Iterator<Item = (&Instance, &Scope<'a>)> {
        self.frames
            .iter()
            .map(|(instance, frame)| (instance, &frame.scope))
    }

    /// Makes the instances of a module that `caller` calls, none of whose outputs is known yet.
    pub fn enter(
        &mut self,
        caller: &Instance,
        call: &'a Call,
        instances: Vec<(Option<Key>, Ambient)>,
    ) {
        let value = value_of(&call.repetition, &instances);
        for (key, ambient) in instances {
            let step = ModuleStep {
                name: Arc::clone(&call.name),
                key,
            };
            let instance: Instance = caller.iter().cloned().chain([step]).collect();
            let scope = Scope::new(&call.config, self.facts.clone(), BTreeMap::new());
            let path = instance.iter().map(|step| Arc::clone(&step.name)).collect();
            self.by_path.entry(path).or_default().push(instance.clone());
            self.frames.insert(instance, Frame { scope, ambient });
        }
        if let Some(scope) = self.get_mut(caller) {
            scope.set_block("module", &call.name, value);
        }
    }

    /// Evaluates a variable of an instance: what its caller gives, or its default. The variables
    /// of the root have values from the beginning.
    ///
    /// # Errors
    /// What is wrong with the value.
    pub fn define_variable(&mut self, instance: &Instance, name: &Arc<str>) -> Result<(), Fault> {
        let Some((step, caller)) = instance.split_last() else {
            return Ok(());
        };
        let (Some(frame), Some(outside)) = (self.frames.get(instance), self.get(caller)) else {
            return Ok(());
        };
        let Some(variable) = frame.scope.config().variables.get(name) else {
            return Ok(());
        };
        let call = outside.config().calls.get(&step.name);
        let argument = call.and_then(|call| call.arguments.get(name));
        let given = argument
            .map(|argument| evaluate(&argument.value, outside, &frame.ambient))
            .transpose()?
            .filter(|value| variable.nullable || !value.is_null());
        let default = || variable::default_of(name, variable);
        let value = match (given, argument) {
            (Some(value), Some(argument)) => {
                let span = argument.value.span();
                ephemeral::entering(name, variable, &value, &span)?;
                variable::accept(name, variable, &value, &span)?
            }
            (None, Some(argument)) => {
                let span = argument.value.span();
                default()?.ok_or_else(|| variable::not_null(name, variable, &span))?
            }
            // That it is not given is told where the call is read.
            (_, None) => default()?.unwrap_or(Value::NULL),
        };
        if let Some(scope) = self.get_mut(instance) {
            scope.set_variable(name, value);
        }
        Ok(())
    }

    /// Evaluates an output of an instance and gives it to its caller; those of the root are for
    /// the user, and are not kept here.
    ///
    /// # Errors
    /// What is wrong with the value.
    pub fn define_output(&mut self, instance: &Instance, name: &Arc<str>) -> Result<(), Fault> {
        let Some((step, caller)) = instance.split_last() else {
            return Ok(());
        };
        let Some(scope) = self.get(instance) else {
            return Ok(());
        };
        let Some(output) = scope.config().outputs.get(name) else {
            return Ok(());
        };
        let value = evaluate(&output.value.value, scope, &Ambient::None)?;
        let fit = ephemeral::leaving(name, output, &value);
        let value = value.marked(output.marks());
        if let Some(scope) = self.get_mut(caller) {
            scope.set_output(step, name, value);
        }
        fit
    }

    /// Makes an output of an instance unknown to its caller.
    pub fn leave_output(&mut self, instance: &Instance, name: &Arc<str>) {
        if let Some((step, caller)) = instance.split_last()
            && let Some(scope) = self.get_mut(caller)
        {
            scope.set_output(step, name, Value::unknown());
        }
    }

    /// What `each` and `count` mean in the call of an instance.
    #[must_use]
    pub fn ambient(&self, instance: &[ModuleStep]) -> Option<&Ambient> {
        self.frames.get(instance).map(|frame| &frame.ambient)
    }
}

/// The value of a module without outputs: an object, or as many as there are instances.
fn value_of(repetition: &Repetition, instances: &[(Option<Key>, Ambient)]) -> Value {
    let nothing = || Value::object::<Arc<str>>([]);
    match repetition {
        Repetition::If(_) if instances.is_empty() => Value::NULL,
        Repetition::Once | Repetition::If(_) => nothing(),
        Repetition::Count(_) => Value::tuple(instances.iter().map(|_| nothing()).collect()),
        Repetition::ForEach(_) => {
            Value::object(instances.iter().filter_map(|(key, _)| match key {
                Some(Key::Text(key)) => Some((Arc::clone(key), nothing())),
                _ => None,
            }))
        }
    }
}
