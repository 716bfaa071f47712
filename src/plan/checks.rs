//! Conditions of variables, blocks, outputs and checks, looked at while a plan is made.

use std::collections::BTreeMap;
use std::sync::Arc;

use isobar_sdk::{Address, Diagnostic, Severity, Value};

use super::drive::{Block, Driver};
use super::{Name, Node};
use crate::eval::condition::{self, Verdict};
use crate::eval::{Ambient, Instance};
use crate::language::config::Output;
use crate::language::lifecycle::Condition;

/// What became of the conditions of everything that has some, by name and by instance.
pub type Checks = BTreeMap<Node, BTreeMap<String, Checked>>;

/// What became of the conditions of one instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// The worst of them.
    pub status: CheckStatus,
    /// The messages of those that do not hold.
    pub problems: Vec<String>,
}

/// What became of conditions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CheckStatus {
    /// All hold.
    Pass,
    /// Some are not known before apply.
    Unknown,
    /// Some do not hold.
    Fail,
    /// Some could not be evaluated.
    Error,
}

impl CheckStatus {
    /// Terraform's word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Unknown => "unknown",
            Self::Fail => "fail",
            Self::Error => "error",
        }
    }
}

/// What became of conditions, before that is taken up.
#[derive(Default)]
pub(super) struct Judged {
    /// `None` where there are none.
    checked: Option<Checked>,
    found: Vec<Diagnostic>,
}

impl Judged {
    /// Whether nothing is to be reported.
    pub(super) const fn holds(&self) -> bool {
        self.found.is_empty()
    }
}

impl Driver<'_> {
    /// The rules that a variable has for its value.
    pub(super) fn validation(&mut self, node: &Node, instance: &Instance, name: &Arc<str>) {
        let config = self.request.config.module(&node.module);
        let Some(variable) = config.and_then(|config| config.variables.get(name)) else {
            return;
        };
        let around = (instance, &Ambient::None);
        let shown = shown(instance, &format!("var.{name}"));
        self.look(
            node,
            shown,
            around,
            (&variable.validations, Severity::Error),
        );
    }

    /// The assertions of a check, which only warn.
    pub(super) fn check(&mut self, node: &Node, instance: &Instance, name: &Arc<str>) {
        let config = self.request.config.module(&node.module);
        let Some(check) = config.and_then(|config| config.checks.get(name)) else {
            return;
        };
        let around = (instance, &Ambient::None);
        let shown = shown(instance, &format!("check.{name}"));
        self.look(node, shown, around, (&check.assertions, Severity::Warning));
    }

    /// The preconditions of an output; gives back whether it may be shown.
    pub(super) fn output_holds(
        &mut self,
        node: &Node,
        instance: &Instance,
        output: &Output,
    ) -> bool {
        let around = (instance, &Ambient::None);
        let shown = shown(instance, &node.name.to_string());
        self.look(
            node,
            shown,
            around,
            (&output.preconditions, Severity::Error),
        )
    }

    /// What must hold before an instance is changed; gives back whether it does.
    pub(super) fn preconditions(
        &mut self,
        block: &Block<'_>,
        ambient: &Ambient,
        address: &Address,
    ) -> bool {
        let judged = self.judge_before(block, ambient);
        let holds = judged.holds();
        self.keep(block.node, || address.to_string(), judged);
        holds
    }

    /// Judges what must hold before an instance is changed.
    pub(super) fn judge_before(&self, block: &Block<'_>, ambient: &Ambient) -> Judged {
        let conditions = &block.declaration.lifecycle.preconditions;
        self.judge((&block.module, ambient), (conditions, Severity::Error))
    }

    /// What must hold when an instance is `value`.
    pub(super) fn postconditions(
        &mut self,
        block: &Block<'_>,
        ambient: &Ambient,
        (address, value): (&Address, &Value),
    ) {
        let conditions = &block.declaration.lifecycle.postconditions;
        if conditions.is_empty() {
            return;
        }
        if let Some(scope) = self.frames.get_mut(&block.module) {
            scope.set_self(Some(value.clone()));
        }
        let around = (&block.module, ambient);
        self.look(
            block.node,
            address.to_string(),
            around,
            (conditions, Severity::Error),
        );
        if let Some(scope) = self.frames.get_mut(&block.module) {
            scope.set_self(None);
        }
    }

    /// Looks at conditions, keeps what became of them and reports those that do not hold.
    fn look(
        &mut self,
        node: &Node,
        shown: String,
        around: (&Instance, &Ambient),
        conditions: (&[Condition], Severity),
    ) -> bool {
        let judged = self.judge(around, conditions);
        let holds = judged.holds();
        self.keep(node, || shown, judged);
        holds
    }

    fn judge(
        &self,
        (instance, ambient): (&Instance, &Ambient),
        (conditions, severity): (&[Condition], Severity),
    ) -> Judged {
        let scope = self.frames.get(instance);
        let Some(scope) = scope.filter(|_| !conditions.is_empty()) else {
            return Judged::default();
        };
        let mut checked = Checked {
            status: CheckStatus::Pass,
            problems: Vec::new(),
        };
        let mut found = Vec::new();
        for condition in conditions {
            let status = match condition::judge(condition, scope, ambient) {
                Ok(Verdict::Holds) => CheckStatus::Pass,
                Ok(Verdict::Open) => CheckStatus::Unknown,
                Ok(Verdict::Broken(message)) => {
                    found.push(condition::broken(condition, &message, (scope, ambient)));
                    checked.problems.push(message);
                    CheckStatus::Fail
                }
                Err(fault) => {
                    found.push(*fault);
                    CheckStatus::Error
                }
            };
            checked.status = checked.status.max(status);
        }
        for diagnostic in &mut found {
            diagnostic.severity = severity;
        }
        Judged {
            checked: Some(checked),
            found,
        }
    }

    /// Keeps what became of conditions and reports those that do not hold.
    pub(super) fn keep(&mut self, node: &Node, shown: impl FnOnce() -> String, judged: Judged) {
        let Judged { checked, found } = judged;
        for diagnostic in found {
            self.diagnostics.push(diagnostic);
        }
        if let Some(checked) = checked {
            self.note(node, shown(), checked);
        }
    }

    /// Keeps what became of conditions, with what is known of others of the same instance.
    fn note(&mut self, node: &Node, shown: String, checked: Checked) {
        let instances = self.checks.entry(node.clone()).or_default();
        let kept = instances.entry(shown).or_insert(Checked {
            status: CheckStatus::Pass,
            problems: Vec::new(),
        });
        kept.status = kept.status.max(checked.status);
        kept.problems.extend(checked.problems);
    }

    /// A data source that stands in a check does not answer: the check fails, and only warns.
    pub(super) fn failed_to_ask(
        &mut self,
        block: &Block<'_>,
        check: &Arc<str>,
        diagnostic: Diagnostic,
    ) {
        let node = Name::Check(Arc::clone(check)).within(&block.node.module);
        let shown = shown(&block.module, &format!("check.{check}"));
        let failed = Checked {
            status: CheckStatus::Fail,
            problems: vec![diagnostic.detail.clone()],
        };
        self.note(&node, shown, failed);
        self.diagnostics.push(Diagnostic {
            severity: Severity::Warning,
            ..diagnostic
        });
    }
}

/// The name of something in an instance of a module.
fn shown(instance: &Instance, name: &str) -> String {
    if instance.is_empty() {
        return name.to_owned();
    }
    let module = isobar_sdk::address::Place::Module(instance.clone());
    format!("{module}.{name}")
}
