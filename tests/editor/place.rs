//! Questions about one place of a text, marked with `‸`, and their answers in short.

use serde_json::{Value as Json, json};

use crate::client::Client;

const MARK: char = '‸';

/// The address of a file that is not there but open.
const TYPED: &str = "file:///project/typed.hcl";

/// Asks what a title says (`completion: …`, `hover: …`, `definition: …`) about the text above the
/// line `=>`; gives the text with the answer below.
pub(crate) fn answered(client: &mut Client, title: &str, text: &str) -> String {
    let (marked, _) = text.split_once("=>\n").unwrap_or((text, ""));
    let offset = marked
        .find(MARK)
        .unwrap_or_else(|| panic!("{title}: no {MARK}"));
    let line = marked[..offset].matches('\n').count();
    let start = marked[..offset]
        .rfind('\n')
        .map_or(0, |newline| newline + 1);
    let character = marked[start..offset].encode_utf16().count();
    let document = json!({
        "uri": TYPED, "languageId": "hcl", "version": 1, "text": marked.replace(MARK, ""),
    });
    client.tell("textDocument/didOpen", &json!({ "textDocument": document }));
    let question = json!({
        "textDocument": { "uri": TYPED },
        "position": { "line": line, "character": character },
    });
    let answer = match title.split(':').next().unwrap() {
        "completion" => items(&client.ask("textDocument/completion", &question)),
        "hover" => meaning(&client.ask("textDocument/hover", &question)),
        "definition" => place(&client.ask("textDocument/definition", &question)),
        other => panic!("{other:?} is no question"),
    };
    client.tell(
        "textDocument/didClose",
        &json!({ "textDocument": { "uri": TYPED } }),
    );
    format!("{marked}=>\n{answer}")
}

fn items(answer: &Json) -> String {
    let items = answer.as_array().unwrap().iter();
    items
        .map(|item| {
            let written = item["textEdit"]["newText"].as_str().unwrap();
            let detail = item["detail"].as_str();
            let detail = detail.map_or_else(String::new, |detail| format!("  ({detail})"));
            format!("{}{detail}\n", written.replace('\n', "\\n"))
        })
        .collect()
}

fn meaning(answer: &Json) -> String {
    let text = answer["contents"]["value"].as_str();
    text.map_or_else(|| "nothing\n".to_owned(), |text| format!("{text}\n"))
}

fn place(answer: &Json) -> String {
    let Some(uri) = answer["uri"].as_str() else {
        return "nothing\n".to_owned();
    };
    let file = uri.strip_prefix("file:///project/").unwrap();
    let at = |end: &str| {
        let end = &answer["range"][end];
        format!("{}:{}", end["line"], end["character"])
    };
    format!("{file} {}-{}\n", at("start"), at("end"))
}
