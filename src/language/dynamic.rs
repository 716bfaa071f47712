//! `dynamic "KIND" {}`: blocks that are made of a collection.

use std::sync::Arc;

use isobar_sdk::{Diagnostic, Fault, Span};

use super::body::{Attribute, Block, Label};
use super::expression::{Kind, Located};

/// The kind of block that stands for others.
const DYNAMIC: &str = "dynamic";

/// Blocks that are made of a collection, one of each element.
#[derive(Debug, Clone, PartialEq)]
pub struct Dynamic<'a> {
    /// The kind of the blocks.
    pub kind: &'a Label,
    /// The collection.
    pub for_each: &'a Located,
    /// What the element is called in `content`; the kind where nothing else is said.
    pub iterator: Arc<str>,
    /// The labels of the blocks.
    pub labels: Option<&'a Attribute>,
    /// What every block holds.
    pub content: &'a Block,
}

impl Block {
    /// What is to be made, if this block stands for others.
    ///
    /// # Errors
    /// What is missing or wrong in it.
    pub fn dynamic(&self) -> Option<Result<Dynamic<'_>, Fault>> {
        (&*self.kind == DYNAMIC).then(|| self.read_dynamic())
    }

    fn read_dynamic(&self) -> Result<Dynamic<'_>, Fault> {
        let [kind] = self.labels.as_slice() else {
            return Err(wrong(
                "It needs the kind of the blocks as its label.",
                &self.header,
            ));
        };
        let body = &self.body;
        let known = ["for_each", "iterator", "labels"];
        if let Some(other) = body.attributes.iter().find(|a| !known.contains(&&*a.name)) {
            let detail = format!("{:?} is no setting of it.", other.name);
            return Err(wrong(&detail, &other.name_span));
        }
        let for_each = body.attribute("for_each");
        let for_each = for_each.ok_or_else(|| wrong("It needs for_each.", &self.header))?;
        let [content] = body.blocks.as_slice() else {
            return Err(wrong("It needs one content block.", &self.header));
        };
        if &*content.kind != "content" || !content.labels.is_empty() {
            return Err(wrong("It can only hold a content block.", &content.header));
        }
        let iterator = match body.attribute("iterator").map(|a| (a, &a.value.root.kind)) {
            None => Arc::clone(&kind.text),
            Some((_, Kind::Variable(name))) => Arc::clone(name),
            Some((attribute, _)) => {
                let detail = "iterator is a name, without quotes.";
                return Err(wrong(detail, &attribute.value.span()));
            }
        };
        Ok(Dynamic {
            kind,
            for_each: &for_each.value,
            iterator,
            labels: body.attribute("labels"),
            content,
        })
    }
}

fn wrong(detail: &str, span: &Span) -> Fault {
    Box::new(
        Diagnostic::error("L0035", "Invalid dynamic block", detail)
            .at(span)
            .help("Write dynamic \"KIND\" { for_each = …, content { … } }, with KIND.key and KIND.value in content."),
    )
}
