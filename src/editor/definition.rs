//! Where what a word names is declared.

use isobar_sdk::Span;

use super::cursor::{self, At, Opened};
use super::folder::Folder;
use crate::language::{Body, Config, Declaration};

/// The declaration of what the word around the byte `offset` names.
pub(super) fn at(folder: &Folder, text: &str, offset: usize) -> Option<Span> {
    let mut end = cursor::word_end(text, offset);
    let mut cursor = cursor::at(text, end);
    // On the first steps of a reference, as on `zone` in `zone.west`, the whole is meant.
    loop {
        let word = &text[cursor.word.clone()];
        let At::Value { attribute, path } = &cursor.at else {
            return match cursor.at {
                At::Name => argument(&folder.config, &cursor.blocks, word),
                _ => None,
            };
        };
        if word.is_empty() {
            return None;
        }
        let mut whole: Vec<&str> = path.iter().map(String::as_str).collect();
        whole.push(word);
        if attribute.as_deref() == Some("provider") && cursor.blocks.len() == 1 {
            return provider(&folder.config, &whole);
        }
        if let Some(found) = declared(&folder.config, &whole) {
            return Some(found);
        }
        if !text[end..].starts_with('.') {
            return None;
        }
        end = cursor::word_end(text, end + 1);
        cursor = cursor::at(text, end);
    }
}

fn declared(config: &Config, path: &[&str]) -> Option<Span> {
    let block = |found: Option<&Declaration>, rest: &[&str]| {
        found.map(|found| setting(&found.body, rest).unwrap_or_else(|| found.header.clone()))
    };
    match path {
        ["var", name, ..] => config
            .variables
            .get(*name)
            .map(|found| found.header.clone()),
        ["local", name, ..] => config
            .locals
            .get(*name)
            .map(|found| found.name_span.clone()),
        ["module", name] => config.calls.get(*name).map(|found| found.header.clone()),
        ["module", name, output, ..] => {
            let outputs = &config.calls.get(*name)?.config.outputs;
            outputs.get(*output).map(|found| found.header.clone())
        }
        ["data", kind, name, rest @ ..] => {
            block(config.data.get(&((*kind).into(), (*name).into())), rest)
        }
        [kind, name, rest @ ..] => {
            let key = ((*kind).into(), (*name).into());
            block(config.declarations.get(&key), rest)
        }
        _ => None,
    }
}

/// Where a block sets what is referred to, if it does.
fn setting(body: &Body, path: &[&str]) -> Option<Span> {
    let (first, rest) = path.split_first()?;
    if let Some(attribute) = body.attribute(first) {
        return Some(attribute.name_span.clone());
    }
    let block = body.blocks.iter().find(|block| *block.kind == **first)?;
    Some(setting(&block.body, rest).unwrap_or_else(|| block.header.clone()))
}

fn provider(config: &Config, path: &[&str]) -> Option<Span> {
    let alias = path.get(1).copied();
    let mut blocks = config.providers.iter();
    let found = blocks.find(|(name, _)| *name.name == *path[0] && name.alias.as_deref() == alias);
    found.map(|(_, block)| block.header.clone())
}

/// The variable of a module that an argument of its call sets.
fn argument(config: &Config, blocks: &[Opened], word: &str) -> Option<Span> {
    let [block] = blocks else { return None };
    let call = config.calls.get(block.labels.first()?.as_str())?;
    let variable = call.config.variables.get(word)?;
    (block.kind == "module").then(|| variable.header.clone())
}
