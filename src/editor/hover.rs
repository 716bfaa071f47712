//! What the word at a place means.

use std::ops::Range;

use super::cursor::{self, At, Cursor};
use super::folder::Folder;
use super::grammar::{self, STATEMENTS};
use super::scope::{self, Member, Place, Sort};

/// What is known about a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Meaning {
    /// The word.
    pub(super) word: Range<usize>,
    /// In Markdown.
    pub(super) text: String,
}

/// The meaning of the word around the byte `offset`.
pub(super) fn at(folder: &Folder, text: &str, offset: usize) -> Option<Meaning> {
    let end = cursor::word_end(text, offset);
    let cursor = cursor::at(text, end);
    let word = &text[cursor.word.clone()];
    if word.is_empty() {
        return None;
    }
    let (title, doc) = meaning(folder, &cursor, word)?;
    let gap = if doc.is_empty() { "" } else { "\n\n" };
    Some(Meaning {
        word: cursor.word,
        text: format!("```hcl\n{title}\n```{gap}{doc}"),
    })
}

/// What a word is, and more about it.
fn meaning(folder: &Folder, cursor: &Cursor, word: &str) -> Option<(String, String)> {
    match &cursor.at {
        At::Text => None,
        At::Name if cursor.blocks.is_empty() => {
            let statement = STATEMENTS.iter().find(|statement| statement.kind == word)?;
            let labels = statement.labels.iter().map(|label| format!(" {label:?}"));
            let title = format!("{word}{} {{ … }}", labels.collect::<String>());
            Some((title, statement.doc.to_owned()))
        }
        At::Name => {
            let body = grammar::body(folder, &cursor.blocks)?;
            let mut members = scope::contents(&body).into_iter();
            let member = members.find(|member| member.name == word)?;
            Some((format!("{word}: {}", member.detail), member.doc))
        }
        At::Label(block) if block.labels.is_empty() && !cursor.blocks.is_empty() => {
            let body = grammar::body(folder, &cursor.blocks)?;
            let (_, doc) = body.blocks.get(&block.kind)?.kinds.get(word)?;
            Some((format!("{} {word:?}", block.kind), (*doc).to_owned()))
        }
        At::Label(block) if block.labels.is_empty() => {
            let schema = match &*block.kind {
                "resource" => folder.registry.resource(word)?.1,
                "data" => folder.registry.data_source(word)?.1,
                _ => return None,
            };
            Some((format!("{} {word:?}", block.kind), schema.doc.clone()))
        }
        At::Label(_) => None,
        At::Value { attribute, path } => {
            let place = Place {
                blocks: &cursor.blocks,
                attribute: attribute.as_deref(),
            };
            let mut members = scope::members(folder, &place, path).into_iter();
            let member = members.find(|member| member.name == word)?;
            Some((named(path, &member), member.doc))
        }
    }
}

/// Something that can be named, as it is named.
fn named(path: &[String], member: &Member) -> String {
    let before: String = path.iter().map(|step| format!("{step}.")).collect();
    let whole = format!("{before}{}", member.name);
    match (&*member.detail, member.sort) {
        ("", _) => whole,
        (signature, Sort::Function) => signature.to_owned(),
        (detail, _) => format!("{whole}: {detail}"),
    }
}
