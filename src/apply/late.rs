//! What can be told only while a plan is carried out: values that rest on new ones, and data sources.

use std::collections::BTreeSet;
use std::sync::Arc;

use isobar_sdk::{Address, Diagnostic, Diagnostics, Severity, Value, address};

use super::world::World;
use crate::eval::Instance;
use crate::plan::{Deferred, Name, Node, PlannedRead, look_up, not_told};
use crate::registry::Providers;

impl World<'_> {
    /// Evaluates anew what rests on what has become known, and asks the data sources that could
    /// not be asked before; gives back what is wrong with them, once.
    pub(super) async fn catch_up(&mut self, providers: &Providers) -> Diagnostics {
        let mut found = Diagnostics::new();
        for (place, instance) in std::mem::take(&mut self.stale) {
            let Some(node) = self.order.get_index(place).cloned() else {
                continue;
            };
            if self.rests_on_failure(&node) {
                continue;
            }
            if let Err(diagnostics) = self.evaluate_late(&node, instance, providers).await {
                found.extend(diagnostics);
                self.broken.insert(node);
            }
        }
        found
    }

    /// Whether a name rests on one that could not be evaluated, other than through a block.
    pub(super) fn rests_on_failure(&self, node: &Node) -> bool {
        if self.broken.is_empty() {
            return false;
        }
        let mut seen = BTreeSet::new();
        let mut open = vec![node];
        while let Some(next) = open.pop() {
            if self.broken.contains(next) {
                return true;
            }
            if seen.insert(next) {
                let behind = self.names.dag.dependencies(next).into_iter();
                open.extend(behind.filter(|node| !matches!(node.name, Name::Block(..))));
            }
        }
        false
    }

    async fn evaluate_late(
        &mut self,
        node: &Node,
        instance: Instance,
        providers: &Providers,
    ) -> Result<(), Diagnostics> {
        match &node.name {
            Name::Variable(name) => self.frames.define_variable(&instance, name),
            Name::Output(name) => self.frames.define_output(&instance, name),
            Name::Data(kind, name) => {
                let block = Address {
                    module: instance,
                    mode: address::Mode::Data,
                    ..Address::new(kind, name)
                };
                return self.ask_all(&block, providers).await;
            }
            _ => Ok(()),
        }
        .map_err(|fault| Diagnostics::from(*fault))
    }

    /// Asks the instances of a data source that the plan left for now, if they can be asked.
    async fn ask_all(&mut self, block: &Address, providers: &Providers) -> Result<(), Diagnostics> {
        let plan = self.plan;
        let all = plan.reads.range(block.clone()..);
        let here = all.take_while(|(address, _)| address.shares_block(block));
        for (address, read) in here {
            match read.deferred {
                None | Some(Deferred::AskedByCheck) => {}
                Some(Deferred::ConfigurationUnknown | Deferred::DependencyPending) => {
                    self.ask(address, read, providers).await?;
                }
            }
        }
        Ok(())
    }

    /// Asks an instance of a data source, if its configuration is known.
    ///
    /// # Errors
    /// What is wrong with its configuration, what the provider says, and the conditions that do
    /// not hold.
    async fn ask(
        &mut self,
        address: &Address,
        read: &PlannedRead,
        providers: &Providers,
    ) -> Result<(), Diagnostics> {
        let Some((_, schema)) = self.registry.data_source(&address.kind) else {
            return Ok(());
        };
        let Some(provider) = providers.get(&read.provider) else {
            return Ok(());
        };
        let configuration = self.decoded(address, &schema.body)?;
        let Some(configuration) = configuration.filter(Value::is_wholly_known) else {
            return Ok(());
        };
        none(self.broken_before(address))?;
        let told = look_up(&**provider, address, schema, &configuration).await;
        let told = told.map_err(|error| Diagnostics::from(not_told(address, &error)))?;
        none(self.broken_after(address, &told))?;
        if let Some(scope) = self.frames.get_mut(&address.module) {
            scope.set_instance(address, told);
        }
        Ok(())
    }

    /// Asks the data sources that stand in checks, now that everything is done. One that does not
    /// answer is a warning, and not known.
    pub(super) async fn ask_for_checks(&mut self, providers: &Providers) -> Diagnostics {
        let mut found = Diagnostics::new();
        let plan = self.plan;
        let in_checks = |read: &PlannedRead| read.deferred == Some(Deferred::AskedByCheck);
        for (address, read) in plan.reads.iter().filter(|(_, read)| in_checks(read)) {
            let Err(diagnostics) = self.ask(address, read, providers).await else {
                continue;
            };
            if let Some(scope) = self.frames.get_mut(&address.module) {
                scope.set_instance(address, Value::unknown());
            }
            for diagnostic in diagnostics {
                found.push(Diagnostic {
                    severity: Severity::Warning,
                    ..diagnostic
                });
            }
        }
        found
    }
}

/// The node of an address, in all instances of its module.
pub(super) fn node_of(address: &Address) -> Node {
    let path: Vec<Arc<str>> = address.module.iter().map(|s| Arc::clone(&s.name)).collect();
    let (kind, name) = (Arc::clone(&address.kind), Arc::clone(&address.name));
    match address.mode {
        address::Mode::Managed => Name::Block(kind, name),
        address::Mode::Data => Name::Data(kind, name),
    }
    .within(&path.into())
}

/// # Errors
/// What was found, if something is wrong.
fn none(found: Diagnostics) -> Result<(), Diagnostics> {
    if found.has_errors() {
        Err(found)
    } else {
        Ok(())
    }
}
