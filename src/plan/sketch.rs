//! A configuration as far as it is known before it is planned: for what is imported.

use std::sync::Arc;

use isobar_sdk::{Address, Diagnostics, Fault, Value};

use super::{Name, Names, Node, Request, expand};
use crate::eval::{Frames, Instance};

/// The scopes of a configuration: variables, local values and modules, and of blocks what is
/// recorded.
pub(super) struct Sketch<'a> {
    request: &'a Request<'a>,
    pub(super) names: Names,
    pub(super) frames: Frames<'a>,
    /// What could not be evaluated, which may rest on something that is not there yet.
    pub(super) faults: Diagnostics,
}

impl<'a> Sketch<'a> {
    /// Evaluates what can be.
    pub(super) fn of(request: &'a Request<'a>) -> Self {
        // References to nothing are for the plan to report.
        let (names, _) = Names::of(request.config);
        let order: Vec<Node> = names.order().into_iter().cloned().collect();
        let mut sketch = Self {
            request,
            names,
            frames: request.frames(),
            faults: Diagnostics::new(),
        };
        for node in &order {
            for instance in sketch.frames.instances(&node.module) {
                if let Err(fault) = sketch.node(node, &instance) {
                    sketch.faults.push(*fault);
                }
            }
        }
        sketch
    }

    fn node(&mut self, node: &Node, instance: &Instance) -> Result<(), Fault> {
        match &node.name {
            Name::Variable(name) => self.frames.define_variable(instance, name),
            Name::Output(name) => self.frames.define_output(instance, name),
            Name::Local(name) => match self.frames.get_mut(instance) {
                Some(scope) => scope.define_local(name),
                None => Ok(()),
            },
            Name::Call(name) => self.enter(instance, name),
            Name::Block(..) | Name::Data(..) => {
                self.block(node, instance);
                Ok(())
            }
            Name::Validation(_) | Name::Check(_) => Ok(()),
        }
    }

    fn enter(&mut self, caller: &Instance, name: &Arc<str>) -> Result<(), Fault> {
        let config = self.frames.get(caller).map(|scope| (scope, scope.config()));
        let Some((scope, config)) = config else {
            return Ok(());
        };
        if let Some(call) = config.calls.get(name) {
            let instances = expand(&call.repetition, scope)?;
            self.frames.enter(caller, call, instances);
        }
        Ok(())
    }

    /// Gives a block the value that is recorded, or one that is not known.
    fn block(&mut self, node: &Node, instance: &Instance) {
        let (Some(address), Some(scope)) = (node.address(), self.frames.get_mut(instance)) else {
            return;
        };
        let address = Address {
            module: instance.clone(),
            ..address
        };
        scope.set_at(&address, Value::unknown());
        let recorded = self.request.state.into_iter();
        let recorded = recorded.flat_map(|state| state.instances.range(address.clone()..));
        let here = recorded.take_while(|(recorded, _)| recorded.shares_block(&address));
        for (recorded, found) in here.filter(|(recorded, _)| recorded.native.is_none()) {
            scope.set_instance(recorded, found.attributes.value().clone());
        }
    }
}
