//! `encryption {}`: with which keys states and plans are written and read.

use isobar_sdk::{Diagnostic, Diagnostics, Span};

use super::{Attribute, Block, take};

/// `encryption {}`
#[derive(Debug, Clone)]
pub struct EncryptionBlock {
    /// Where the block begins.
    pub header: Span,
    /// What is written is encrypted with this.
    pub key: KeyBlock,
    /// What is read may be encrypted with one of these, too.
    pub fallbacks: Vec<KeyBlock>,
    /// Whether what is not encrypted is refused.
    pub enforced: Option<Attribute>,
}

/// `key {}` or `fallback {}`
#[derive(Debug, Clone)]
pub struct KeyBlock {
    /// Where the block begins.
    pub header: Span,
    /// Where the key comes from.
    pub attributes: Vec<Attribute>,
}

impl EncryptionBlock {
    pub(super) fn read(mut block: Block, diagnostics: &mut Diagnostics) -> Option<Self> {
        let enforced = block.body.take_attribute("enforced");
        let key = block.body.take_block("key");
        let key = key.map(|key| KeyBlock::read(key, diagnostics));
        let mut fallbacks = Vec::new();
        while let Some(fallback) = block.body.take_block("fallback") {
            fallbacks.push(KeyBlock::read(fallback, diagnostics));
        }
        take::leftovers(&block.body, &["enforced"], diagnostics);
        if key.is_none() {
            let detail = "An encryption block says with which key states are written.";
            diagnostics.push(
                Diagnostic::error("L0039", "Encryption without a key", detail)
                    .at(&block.header)
                    .help("Write key { passphrase = var.passphrase }, or one with file, env or command."),
            );
        }
        Some(Self {
            header: block.header,
            key: key?,
            fallbacks,
            enforced,
        })
    }
}

impl KeyBlock {
    fn read(mut block: Block, diagnostics: &mut Diagnostics) -> Self {
        let attributes = std::mem::take(&mut block.body.attributes);
        take::leftovers(&block.body, &[], diagnostics);
        Self {
            header: block.header,
            attributes,
        }
    }
}
