//! Conditions that could not be told when the plan was made, or that hold for what was made.

use std::sync::Arc;

use isobar_sdk::address::Mode;
use isobar_sdk::{Address, Diagnostic, Diagnostics, Severity, Value};

use super::world::World;
use crate::eval::condition::{self, Verdict};
use crate::eval::{Ambient, Scope};
use crate::language::config::Declaration;
use crate::language::lifecycle::Condition;
use crate::plan::{CheckStatus, Name, Node};

impl World<'_> {
    /// What must hold before an instance is changed, and does not.
    pub(super) fn broken_before(&mut self, address: &Address) -> Diagnostics {
        let Some((declaration, ambient)) = self.around(address) else {
            return Diagnostics::new();
        };
        let scope = self.frames.get(&address.module);
        broken(scope, &ambient, &declaration.lifecycle.preconditions)
    }

    /// What must hold now that an instance is `value`, and does not.
    pub(super) fn broken_after(&mut self, address: &Address, value: &Value) -> Diagnostics {
        let Some((declaration, ambient)) = self.around(address) else {
            return Diagnostics::new();
        };
        let conditions = &declaration.lifecycle.postconditions;
        if conditions.is_empty() {
            return Diagnostics::new();
        }
        if let Some(scope) = self.frames.get_mut(&address.module) {
            scope.set_self(Some(value.clone()));
        }
        let found = broken(self.frames.get(&address.module), &ambient, conditions);
        if let Some(scope) = self.frames.get_mut(&address.module) {
            scope.set_self(None);
        }
        found
    }

    fn around(&mut self, address: &Address) -> Option<(Declaration, Ambient)> {
        if address.native.is_some() {
            return None;
        }
        let key = (Arc::clone(&address.kind), Arc::clone(&address.name));
        let config = self.frames.get(&address.module).map(Scope::config)?;
        let declaration = match address.mode {
            Mode::Managed => config.declarations.get(&key)?,
            Mode::Data => config.data.get(&key)?,
        };
        let lifecycle = &declaration.lifecycle;
        if lifecycle.preconditions.is_empty() && lifecycle.postconditions.is_empty() {
            return None;
        }
        let ambient = self.ambient(address, declaration).ok()?;
        Some((declaration.clone(), ambient))
    }

    /// Whether something is a check with data sources of its own.
    fn asks(&self, node: &Node) -> bool {
        let Name::Check(check) = &node.name else {
            return false;
        };
        let config = self.config.module(&node.module);
        let mut data = config.into_iter().flat_map(|config| config.data.values());
        data.any(|declaration| declaration.check.as_ref() == Some(check))
    }

    /// What the plan left open of outputs, checks and validations, and does not hold. Checks only
    /// warn.
    pub(super) fn broken_at_the_end(&self) -> Diagnostics {
        let mut found = Diagnostics::new();
        let open = self.plan.checks.iter().filter(|(node, instances)| {
            let mut all = instances.values();
            all.any(|checked| checked.status == CheckStatus::Unknown) || self.asks(node)
        });
        for (node, _) in open {
            for instance in self.frames.instances(&node.module) {
                let Some(scope) = self.frames.get(&instance) else {
                    continue;
                };
                let config = scope.config();
                let (conditions, severity) = match &node.name {
                    Name::Output(name) => {
                        let output = config.outputs.get(name);
                        (output.map(|o| o.preconditions.as_slice()), Severity::Error)
                    }
                    Name::Validation(name) => {
                        let variable = config.variables.get(name);
                        (variable.map(|v| v.validations.as_slice()), Severity::Error)
                    }
                    Name::Check(name) => {
                        let check = config.checks.get(name);
                        (check.map(|c| c.assertions.as_slice()), Severity::Warning)
                    }
                    _ => (None, Severity::Error),
                };
                let conditions = conditions.unwrap_or_default();
                for diagnostic in broken(Some(scope), &Ambient::None, conditions) {
                    found.push(Diagnostic {
                        severity,
                        ..diagnostic
                    });
                }
            }
        }
        found
    }
}

/// The conditions that do not hold; what is still not known is taken to.
fn broken(scope: Option<&Scope<'_>>, ambient: &Ambient, conditions: &[Condition]) -> Diagnostics {
    let mut found = Diagnostics::new();
    let Some(scope) = scope else {
        return found;
    };
    for condition in conditions {
        match condition::judge(condition, scope, ambient) {
            Ok(Verdict::Holds | Verdict::Open) => {}
            Ok(Verdict::Broken(message)) => {
                found.push(condition::broken(condition, &message, (scope, ambient)));
            }
            Err(fault) => found.push(*fault),
        }
    }
    found
}
