//! `check "name" {}`: what should hold at all times, and what it asks for that.

use std::sync::Arc;

use isobar_sdk::{Diagnostic, Diagnostics, Span};

use super::body::{Block, Label};
use super::config::{Declaration, Repetition};
use super::lifecycle::{Condition, Lifecycle};
use super::take;

/// `check "name" {}`
#[derive(Debug, Clone)]
pub struct Check {
    /// Where the block begins.
    pub header: Span,
    /// What should hold.
    pub assertions: Vec<Condition>,
}

impl Check {
    /// A check with the data sources that stand in it, and that only it can refer to.
    pub(super) fn read(block: Block, diagnostics: &mut Diagnostics) -> (Self, Vec<Declaration>) {
        let Block {
            labels,
            header,
            mut body,
            ..
        } = block;
        let name = labels.into_iter().next().map(|label| label.text);
        let name = name.unwrap_or_default();
        let mut data = Vec::new();
        while let Some(block) = body.take_block("data") {
            data.extend(scoped(block, &name, diagnostics));
        }
        let asserts = body.blocks.iter().any(|block| &*block.kind == "assert");
        let assertions = Condition::take_all(&mut body, "assert", diagnostics);
        take::leftovers(&body, &[], diagnostics);
        if !asserts {
            diagnostics.push(
                Diagnostic::error(
                    "L0005",
                    "Missing attribute",
                    format!("Check {name:?} asserts nothing."),
                )
                .at(&header)
                .help("Add assert { condition = …, error_message = … } as a block."),
            );
        }
        (Self { header, assertions }, data)
    }
}

/// A data source in the check called `check`.
fn scoped(
    mut block: Block,
    check: &Arc<str>,
    diagnostics: &mut Diagnostics,
) -> Option<Declaration> {
    let [kind, name]: [Label; 2] = match <[Label; 2]>::try_from(std::mem::take(&mut block.labels)) {
        Ok(labels) => labels,
        Err(labels) => {
            let detail = format!(
                "A data block has 2 labels, but this one has {}.",
                labels.len()
            );
            diagnostics.push(
                Diagnostic::error("L0006", "Wrong number of labels", detail)
                    .at(&block.header)
                    .help("Write data \"type\" \"name\" { … }"),
            );
            return None;
        }
    };
    let repetition = take::repetition(&mut block.body, diagnostics);
    let repeated = repetition.attribute().map(|attribute| {
        let detail = format!("A data block in a check cannot have {}.", attribute.name);
        Diagnostic::error("L0008", "Unsupported meta-argument", detail).at(&attribute.name_span)
    });
    let lifecycle = block.body.take_block("lifecycle").map(|lifecycle| {
        let detail =
            "A data block in a check has no lifecycle: the check's assertions say what must hold.";
        Diagnostic::error("L0034", "Unsupported in lifecycle", detail).at(&lifecycle.header)
    });
    for diagnostic in repeated.into_iter().chain(lifecycle) {
        diagnostics.push(diagnostic.help("Move the data block out of the check."));
    }
    Some(Declaration {
        kind: kind.text,
        name: name.text,
        header: block.header,
        check: Some(Arc::clone(check)),
        repetition: Repetition::Once,
        provider: take::provider(&mut block.body, diagnostics).map(Box::new),
        depends_on: take::list(&mut block.body, "depends_on", diagnostics),
        lifecycle: Lifecycle::default(),
        body: block.body,
    })
}
