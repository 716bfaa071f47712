//! Messages as they travel: a header with their length, then JSON-RPC.

use std::io::{self, BufRead, Read, Write};
use std::sync::mpsc::Sender;

use serde::Deserialize;
use serde_json::{Value as Json, json};

/// The longest message that is taken; a text of a configuration is far below it.
const LONGEST: u64 = 64 << 20;

/// The longest line of a header.
const LONGEST_LINE: u64 = 4096;

/// What an editor sent.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// It waits for an answer under this id.
    Request {
        /// A number or a text.
        id: Json,
        /// What it asks for.
        method: String,
        /// About what.
        parameters: Json,
    },
    /// It tells something.
    Notice {
        /// What.
        method: String,
        /// About what.
        parameters: Json,
    },
    /// It answers; this server asks nothing.
    Answer,
    /// It cannot be understood, which the editor is told with this.
    Broken(Json),
}

/// Why a request gets no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    NotJson = -32700,
    NotAMessage = -32600,
    NoSuchMethod = -32601,
    WrongParameters = -32602,
    TooEarly = -32002,
}

/// The answer to a request.
pub(super) fn answer(id: &Json, result: &Json) -> Json {
    json!({ "jsonrpc": "2.0", "id": id, "result": result })
}

/// The refusal of a request.
pub(super) fn refusal(id: &Json, why: Refused, message: &str) -> Json {
    let error = json!({ "code": why as i32, "message": message });
    json!({ "jsonrpc": "2.0", "id": id, "error": error })
}

/// Something that the editor did not ask for.
pub(super) fn notice(method: &str, parameters: &Json) -> Json {
    json!({ "jsonrpc": "2.0", "method": method, "params": parameters })
}

/// Sends one message.
pub(super) fn write(output: &mut dyn Write, message: &Json) -> io::Result<()> {
    let text = message.to_string();
    write!(output, "Content-Length: {}\r\n\r\n{text}", text.len())?;
    output.flush()
}

/// Hands over every message of an editor, up to the one that says goodbye or the end of the input.
pub fn receive(mut input: impl BufRead, messages: &Sender<Message>) {
    while let Ok(Some(message)) = read(&mut input) {
        let last = matches!(&message, Message::Notice { method, .. } if method == "exit");
        if messages.send(message).is_err() || last {
            return;
        }
    }
}

/// The next message; `None` at the end of the input.
fn read(input: &mut dyn BufRead) -> io::Result<Option<Message>> {
    let length = match header(input)? {
        Header::End => return Ok(None),
        Header::Length(length) if length <= LONGEST => length,
        Header::Length(length) => {
            io::copy(&mut input.take(length), &mut io::sink())?;
            return Ok(Some(broken(
                Refused::NotAMessage,
                "The message is too long.",
            )));
        }
        Header::NoLength => {
            let what = "The header of the message has no Content-Length.";
            return Ok(Some(broken(Refused::NotJson, what)));
        }
    };
    let mut body = Vec::new();
    let got = input.take(length).read_to_end(&mut body)?;
    Ok((got as u64 == length).then(|| parse(&body)))
}

/// What a header says about the message behind it.
enum Header {
    End,
    Length(u64),
    NoLength,
}

/// Reads up to an empty line.
fn header(input: &mut dyn BufRead) -> io::Result<Header> {
    let mut length = None;
    loop {
        let mut line = Vec::new();
        if input.take(LONGEST_LINE).read_until(b'\n', &mut line)? == 0 {
            return Ok(Header::End);
        }
        let line = String::from_utf8_lossy(&line);
        let line = line.trim();
        if line.is_empty() {
            return Ok(length.map_or(Header::NoLength, Header::Length));
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().ok();
        }
    }
}

/// The members of a message that tell what it is.
#[derive(Deserialize)]
struct Members {
    #[serde(default, deserialize_with = "present")]
    id: Option<Json>,
    method: Option<String>,
    #[serde(default)]
    params: Json,
    #[serde(default, deserialize_with = "present")]
    result: Option<Json>,
    error: Option<Json>,
}

/// A member that is there, also where it is null.
fn present<'a, D: serde::Deserializer<'a>>(given: D) -> Result<Option<Json>, D::Error> {
    Json::deserialize(given).map(Some)
}

fn parse(body: &[u8]) -> Message {
    let json: Json = match serde_json::from_slice(body) {
        Ok(json) => json,
        Err(error) => return broken(Refused::NotJson, &format!("This is no JSON: {error}.")),
    };
    let id = json.get("id").filter(|id| is_id(id)).cloned();
    let no_message = |what: &str| {
        let id = id.clone().unwrap_or_default();
        Message::Broken(refusal(&id, Refused::NotAMessage, what))
    };
    if !json.is_object() {
        return no_message("A message is one JSON object.");
    }
    let members: Members = match serde_json::from_value(json) {
        Ok(members) => members,
        Err(error) => return no_message(&format!("This is no message: {error}.")),
    };
    match (members.id, members.method) {
        (None, Some(method)) => Message::Notice {
            method,
            parameters: members.params,
        },
        (Some(id), Some(method)) if is_id(&id) => Message::Request {
            id,
            method,
            parameters: members.params,
        },
        (_, Some(_)) => no_message("The id of a request is a number or a text."),
        (_, None) if members.result.is_some() || members.error.is_some() => Message::Answer,
        (_, None) => no_message("A message has a method, a result or an error."),
    }
}

fn is_id(id: &Json) -> bool {
    id.is_number() || id.is_string()
}

/// What cannot be understood, whoever sent it.
fn broken(why: Refused, what: &str) -> Message {
    Message::Broken(refusal(&Json::Null, why, what))
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use serde_json::{Value as Json, json};

    use super::{Message, answer, notice, receive, refusal, write};

    fn received(bytes: &[u8]) -> Vec<Message> {
        let (sender, receiver) = channel();
        receive(bytes, &sender);
        drop(sender);
        receiver.iter().collect()
    }

    fn framed(text: &str) -> String {
        format!("Content-Length: {}\r\n\r\n{text}", text.len())
    }

    #[track_caller]
    fn code(message: &Message) -> i64 {
        let Message::Broken(refusal) = message else {
            panic!("{message:?}")
        };
        refusal["error"]["code"].as_i64().unwrap()
    }

    #[test]
    fn what_is_written_is_read() {
        let mut bytes = Vec::new();
        write(&mut bytes, &notice("a", &json!({ "text": "ü😀" }))).unwrap();
        write(&mut bytes, &answer(&json!(1), &Json::Null)).unwrap();
        bytes.extend(framed(r#"{"id":"x","method":"b"}"#).into_bytes());
        let expected = [
            Message::Notice {
                method: "a".to_owned(),
                parameters: json!({ "text": "ü😀" }),
            },
            Message::Answer,
            Message::Request {
                id: json!("x"),
                method: "b".to_owned(),
                parameters: Json::Null,
            },
        ];
        assert_eq!(received(&bytes), expected);
    }

    #[test]
    fn headers_may_hold_more() {
        let text = "content-type: x\r\nCONTENT-LENGTH:14\r\n\r\n{\"method\":\"a\"}";
        assert!(
            matches!(&received(text.as_bytes())[..], [Message::Notice { method, .. }] if method == "a")
        );
    }

    #[test]
    fn a_broken_message_does_not_hide_the_next() {
        let good = framed(r#"{"method":"good"}"#);
        for (bad, expected) in [
            (framed("{"), -32700),
            (framed("\u{0}\u{1}"), -32700),
            (framed(&"[".repeat(100_000)), -32700),
            (framed("[]"), -32600),
            (framed("7"), -32600),
            (framed("{}"), -32600),
            (framed(r#"{"id":null,"method":"a"}"#), -32600),
            (framed(r#"{"id":[1],"method":"a"}"#), -32600),
            (framed(r#"{"id":1,"method":2}"#), -32600),
            ("Nonsense\r\n\r\n".to_owned(), -32700),
            ("Content-Length: -5\r\n\r\n".to_owned(), -32700),
        ] {
            let found = received(format!("{bad}{good}").as_bytes());
            assert_eq!(found.len(), 2, "{bad:?}: {found:?}");
            assert_eq!(code(&found[0]), expected, "{bad:?}");
        }
        let numbered = received(framed(r#"{"id":1,"method":2}"#).as_bytes());
        let Message::Broken(told) = &numbered[0] else {
            panic!("{numbered:?}")
        };
        assert_eq!(told["id"], 1);
    }

    #[test]
    fn input_may_end_anywhere() {
        let whole = framed(r#"{"method":"a"}"#);
        for end in 0..whole.len() {
            assert!(received(&whole.as_bytes()[..end]).is_empty(), "{end}");
        }
    }

    #[test]
    fn nothing_is_read_behind_the_goodbye() {
        let text = framed(r#"{"method":"exit"}"#) + &framed(r#"{"method":"a"}"#);
        assert_eq!(received(text.as_bytes()).len(), 1);
    }

    #[test]
    fn a_refusal_says_why() {
        let told = refusal(&json!(3), super::Refused::NoSuchMethod, "No.");
        assert_eq!(
            told.to_string(),
            r#"{"jsonrpc":"2.0","id":3,"error":{"code":-32601,"message":"No."}}"#
        );
    }
}
