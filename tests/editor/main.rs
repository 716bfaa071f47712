//! The language server over pipes, against `testdata/editor`.
//!
//! `ISOBAR_RECORD=1 cargo test --test editor` writes down what the server says now.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends where its case does not hold"
)]

mod case;
mod client;
mod exchange;
mod place;

use std::process::{Child, Command, Stdio};

use case::{Case, Section};
use client::{Client, connect};
use isobar::editor::End;
use serde_json::json;
use tempfile::TempDir;

/// The real program in a folder with the files of a case, and a client of it.
fn start(case: &Case) -> (TempDir, Child, Client) {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in case.files() {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let mut program = Command::new(env!("CARGO_BIN_EXE_isobar"));
    program.arg("lsp").current_dir(folder.path()).env_clear();
    program.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = program.spawn().unwrap();
    let client = Client::new(child.stdin.take().unwrap(), child.stdout.take().unwrap());
    (folder, child, client)
}

fn with(section: &Section, text: String) -> Section {
    Section {
        title: section.title.clone(),
        text,
    }
}

#[test]
fn exchanges_go_as_recorded() {
    let mut wrong = Vec::new();
    for case in Case::all("exchanges") {
        let mut sections = case.sections.clone();
        for section in &mut sections {
            // The title says how it ends.
            let expected = match &*section.title {
                "exchange, agreed" => End::Agreed,
                "exchange, lost" => End::Lost,
                _ => continue,
            };
            let (mut client, end) = connect(case.files());
            section.text = exchange::play(&section.text, &mut client, "/project");
            if end.recv().unwrap() != expected {
                wrong.push(format!("{} ends otherwise", case.name()));
            }
        }
        case.settle(&sections, &mut wrong);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_program_goes_the_same() {
    let mut wrong = Vec::new();
    for case in Case::all("exchanges") {
        for section in &case.sections {
            let code = match &*section.title {
                "exchange, agreed" => 0,
                "exchange, lost" => 1,
                _ => continue,
            };
            let (folder, mut child, mut client) = start(&case);
            let root = folder.path().to_str().unwrap();
            let played = exchange::play(&section.text, &mut client, root);
            if !case::is_recording() && played != section.text {
                wrong.push(format!("{}:\n{played}", case.name()));
            }
            assert_eq!(child.wait().unwrap().code(), Some(code), "{}", case.name());
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn places_are_answered_as_recorded() {
    let mut wrong = Vec::new();
    for case in Case::all("places") {
        let (mut client, _) = connect(case.files());
        let abilities = json!({ "textDocument": { "completion": { "completionItem": {
            "snippetSupport": case.name() == "snippets",
        } } } });
        client.ask("initialize", &json!({ "capabilities": abilities }));
        let sections = case.sections.iter().map(|section| {
            if section.title.ends_with(".hcl") {
                return section.clone();
            }
            let answered = place::answered(&mut client, &section.title, &section.text);
            with(section, answered)
        });
        let sections: Vec<Section> = sections.collect();
        case.settle(&sections, &mut wrong);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whatever is left of a text at whatever place, there is an answer.
#[test]
fn half_typed_texts_are_answered() {
    let mut text = String::new();
    for case in Case::all("places") {
        text.extend(case.files().map(|(_, file)| file));
    }
    let (mut client, end) = connect(std::iter::empty());
    client.ask("initialize", &json!({ "capabilities": {} }));
    let uri = "file:///project/main.hcl";
    let ends: Vec<usize> = text.char_indices().map(|(offset, _)| offset).collect();
    for offset in ends.into_iter().step_by(7) {
        let before = &text[..offset];
        let document = json!({ "uri": uri, "languageId": "hcl", "version": 1, "text": before });
        client.tell("textDocument/didOpen", &json!({ "textDocument": document }));
        let line = before.matches('\n').count();
        let last = before.rsplit('\n').next().unwrap();
        let question = json!({
            "textDocument": { "uri": uri },
            "position": { "line": line, "character": last.encode_utf16().count() },
        });
        for method in ["completion", "hover", "definition"] {
            client.ask(&format!("textDocument/{method}"), &question);
        }
        client.ask("textDocument/documentSymbol", &question);
    }
    client.ask("shutdown", &json!(null));
    client.tell("exit", &json!(null));
    assert_eq!(end.recv().unwrap(), End::Agreed);
}
