//! What can be written at a place.

use isobar_sdk::schema::{Block, Body};
use lsp_types::{
    CompletionItem, CompletionItemKind, CompletionTextEdit, Documentation, InsertTextFormat,
    MarkupContent, MarkupKind, TextEdit,
};

use super::buffer::Buffer;
use super::cursor::{self, At, Opened};
use super::folder::Folder;
use super::grammar::{self, STATEMENTS, Statement};
use super::scope::{self, Member, Place, Sort};

/// How an editor takes what is inserted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Insert {
    /// As it is.
    Plain,
    /// With places to fill in, as `${1:name}`.
    Snippet,
}

/// What can be written at the byte `offset` of a buffer.
pub(super) fn at(
    folder: &Folder,
    buffer: &Buffer,
    offset: usize,
    insert: Insert,
) -> Vec<CompletionItem> {
    let cursor = cursor::at(buffer.text(), offset);
    let word = &buffer.text()[cursor.word.clone()];
    let offers = match &cursor.at {
        At::Text => Vec::new(),
        At::Name if cursor.blocks.is_empty() => STATEMENTS.iter().map(statement).collect(),
        At::Name => {
            let body = grammar::body(folder, &cursor.blocks);
            body.map_or_else(Vec::new, settings)
        }
        At::Label(opened) => labels(folder, &cursor.blocks, opened),
        At::Value { attribute, path } => {
            let place = Place {
                blocks: &cursor.blocks,
                attribute: attribute.as_deref(),
            };
            let members = scope::members(folder, &place, path);
            members.into_iter().map(Offer::from).collect()
        }
    };
    let range = buffer.range(cursor.word.clone());
    offers
        .into_iter()
        .filter(|offer| offer.name.starts_with(word))
        .map(|offer| offer.item(range, insert))
        .collect()
}

/// Something that can be written.
struct Offer {
    name: String,
    kind: CompletionItemKind,
    detail: String,
    doc: String,
    /// What is written, with `$1` and the like where something is filled in.
    snippet: Option<String>,
}

impl Offer {
    fn new(name: &str, kind: CompletionItemKind, doc: &str) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            detail: String::new(),
            doc: doc.to_owned(),
            snippet: None,
        }
    }

    fn item(self, range: lsp_types::Range, insert: Insert) -> CompletionItem {
        let snippet = self.snippet.filter(|_| insert == Insert::Snippet);
        let format = snippet.is_some().then_some(InsertTextFormat::SNIPPET);
        let new_text = snippet.unwrap_or_else(|| self.name.clone());
        let documentation = Some(self.doc).filter(|doc| !doc.is_empty()).map(|value| {
            let kind = MarkupKind::Markdown;
            Documentation::MarkupContent(MarkupContent { kind, value })
        });
        CompletionItem {
            label: self.name,
            kind: Some(self.kind),
            detail: Some(self.detail).filter(|detail| !detail.is_empty()),
            documentation,
            insert_text_format: format,
            text_edit: Some(CompletionTextEdit::Edit(TextEdit { range, new_text })),
            ..CompletionItem::default()
        }
    }
}

impl From<Member> for Offer {
    fn from(member: Member) -> Self {
        let kind = match member.sort {
            Sort::Root => CompletionItemKind::MODULE,
            Sort::Variable => CompletionItemKind::VARIABLE,
            Sort::Block => CompletionItemKind::STRUCT,
            Sort::Attribute => CompletionItemKind::FIELD,
            Sort::Function => CompletionItemKind::FUNCTION,
            Sort::Word => CompletionItemKind::KEYWORD,
        };
        let snippet = (member.sort == Sort::Function).then(|| format!("{}($1)", member.name));
        Self {
            detail: member.detail,
            snippet,
            ..Self::new(&member.name, kind, &member.doc)
        }
    }
}

fn statement(statement: &Statement) -> Offer {
    let labels = statement.labels.iter().enumerate();
    let labels: String = labels
        .map(|(place, label)| format!(" \"${{{}:{label}}}\"", place + 1))
        .collect();
    let kind = CompletionItemKind::CLASS;
    Offer {
        snippet: Some(format!("{}{labels} {{\n  $0\n}}", statement.kind)),
        ..Offer::new(statement.kind, kind, statement.doc)
    }
}

/// What can be set in a block.
fn settings(mut body: Body) -> Vec<Offer> {
    body.attributes.retain(|_, a| a.is_configurable());
    let members = scope::contents(&body).into_iter();
    members
        .map(|member| {
            let snippet = body.blocks.get(&member.name).map_or_else(
                || format!("{} = $0", member.name),
                |block| nested(&member.name, block),
            );
            Offer {
                snippet: Some(snippet),
                ..Offer::from(member)
            }
        })
        .collect()
}

fn nested(name: &str, block: &Block) -> String {
    let label = block.label.map(|label| format!(" \"${{1:{label}}}\""));
    format!("{name}{} {{\n  $0\n}}", label.unwrap_or_default())
}

/// What the next label of a block can be.
fn labels(folder: &Folder, around: &[Opened], block: &Opened) -> Vec<Offer> {
    let registry = &folder.registry;
    if !block.labels.is_empty() {
        return Vec::new();
    }
    let kind = CompletionItemKind::CLASS;
    if !around.is_empty() {
        let body = grammar::body(folder, around);
        let nested = body.and_then(|body| body.blocks.get(&block.kind).cloned());
        let kinds = nested.into_iter().flat_map(|nested| nested.kinds);
        return kinds
            .map(|(name, (_, doc))| Offer::new(name, kind, doc))
            .collect();
    }
    match &*block.kind {
        "resource" => registry
            .resource_types()
            .map(|name| {
                let doc = registry.resource(name).map(|(_, schema)| &*schema.doc);
                Offer::new(name, kind, doc.unwrap_or_default())
            })
            .collect(),
        "data" => registry
            .data_sources()
            .map(|name| {
                let doc = registry.data_source(name).map(|(_, schema)| &*schema.doc);
                Offer::new(name, kind, doc.unwrap_or_default())
            })
            .collect(),
        "provider" => registry
            .names()
            .map(|name| Offer::new(name, kind, ""))
            .collect(),
        _ => Vec::new(),
    }
}
