//! `backend "kind" {}`: where the states of a configuration are kept.

use std::sync::Arc;

use isobar_sdk::{Diagnostic, Diagnostics, Span};

use super::{Attribute, Block, take};

/// `backend "kind" {}`
#[derive(Debug, Clone)]
pub struct BackendBlock {
    /// Where the block begins.
    pub header: Span,
    /// Which kind of place.
    pub kind: Arc<str>,
    /// What it is told.
    pub attributes: Vec<Attribute>,
}

impl BackendBlock {
    pub(super) fn read(mut block: Block, diagnostics: &mut Diagnostics) -> Option<Self> {
        let attributes = std::mem::take(&mut block.body.attributes);
        take::leftovers(&block.body, &[], diagnostics);
        let [label] = block.labels.as_slice() else {
            let count = block.labels.len();
            let detail = format!("A backend block has 1 label, but this one has {count}.");
            diagnostics.push(
                Diagnostic::error("L0006", "Wrong number of labels", detail)
                    .at(&block.header)
                    .help("Write backend \"s3\" { … }"),
            );
            return None;
        };
        Some(Self {
            kind: Arc::clone(&label.text),
            header: block.header,
            attributes,
        })
    }
}
