//! What stands between the braces of a block.

use std::sync::Arc;

use isobar_sdk::Span;

use super::expression::Located;

/// Attributes and blocks in the order of the file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Body {
    /// Attributes.
    pub attributes: Vec<Attribute>,
    /// Nested blocks.
    pub blocks: Vec<Block>,
}

/// `name = value`.
#[derive(Debug, Clone, PartialEq)]
pub struct Attribute {
    /// Its name.
    pub name: Arc<str>,
    /// Where the name stands.
    pub name_span: Span,
    /// Its value.
    pub value: Located,
}

/// `kind "label" { … }`.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// The word it begins with.
    pub kind: Arc<str>,
    /// Its labels.
    pub labels: Vec<Label>,
    /// From its first word to its last label.
    pub header: Span,
    /// What it holds.
    pub body: Body,
}

/// A label of a block.
#[derive(Debug, Clone, PartialEq)]
pub struct Label {
    /// Its text.
    pub text: Arc<str>,
    /// Where it stands.
    pub span: Span,
}

impl Body {
    /// The attribute called `name`.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes
            .iter()
            .find(|attribute| &*attribute.name == name)
    }

    /// Takes the attribute called `name` out.
    pub fn take_attribute(&mut self, name: &str) -> Option<Attribute> {
        let position = self
            .attributes
            .iter()
            .position(|attribute| &*attribute.name == name)?;
        Some(self.attributes.remove(position))
    }

    /// Takes the first block of this kind out.
    pub fn take_block(&mut self, kind: &str) -> Option<Block> {
        let position = self.blocks.iter().position(|block| &*block.kind == kind)?;
        Some(self.blocks.remove(position))
    }
}
