//! The language server: messages of an editor to answers.

use std::io::Write;
use std::sync::mpsc::Receiver;

use lsp_types::notification::{self, Notification as _};
use lsp_types::request::{self, Request as _};
use lsp_types::{
    CompletionOptions, CompletionParams, CompletionResponse, DidChangeTextDocumentParams,
    DidCloseTextDocumentParams, DidOpenTextDocumentParams, DocumentFormattingParams,
    DocumentSymbolParams, DocumentSymbolResponse, GotoDefinitionParams, GotoDefinitionResponse,
    Hover, HoverContents, HoverParams, HoverProviderCapability, InitializeParams, MarkupContent,
    MarkupKind, OneOf, PositionEncodingKind, ServerCapabilities, TextDocumentSyncCapability,
    TextDocumentSyncKind, TextDocumentSyncOptions, TextEdit, WorkspaceFoldersServerCapabilities,
    WorkspaceServerCapabilities,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value as Json, json};

use super::buffer::Buffer;
use super::completion::{self, Insert};
use super::desk::Desk;
use super::folder::Surroundings;
use super::wire::{self, Message, Refused};
use super::{check, definition, hover, outline};
use crate::format;
use crate::language::parse_file;

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// As agreed: the editor announced it.
    Agreed,
    /// The editor went away.
    Lost,
}

/// Answers an editor until it ends the connection.
pub fn serve(
    messages: &Receiver<Message>,
    output: &mut dyn Write,
    surroundings: &dyn Surroundings,
) -> End {
    let mut server = Server {
        desk: Desk::new(surroundings),
        insert: Insert::Plain,
        phase: Phase::New,
    };
    loop {
        // Mistakes are looked for when nothing else is waiting: who types fast waits for nothing.
        let message = messages.try_recv().or_else(|_| {
            let news = server.news();
            let sent = news.iter().try_for_each(|news| wire::write(output, news));
            sent.ok().and_then(|()| messages.recv().ok()).ok_or(())
        });
        let answer = match message {
            Err(()) => return server.end(),
            Ok(Message::Notice { method, .. }) if method == notification::Exit::METHOD => {
                return server.end();
            }
            Ok(message) => server.take(message),
        };
        if answer.is_some_and(|answer| wire::write(output, &answer).is_err()) {
            return End::Lost;
        }
    }
}

/// How far a connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The editor has not said who it is.
    New,
    Open,
    /// The editor has said that it will go.
    Closing,
}

struct Server<'a> {
    desk: Desk<'a>,
    insert: Insert,
    phase: Phase,
}

impl Server<'_> {
    /// The answer to a message, if it gets one.
    fn take(&mut self, message: Message) -> Option<Json> {
        match message {
            Message::Request {
                id,
                method,
                parameters,
            } => Some(match self.answer(&method, parameters) {
                Ok(result) => wire::answer(&id, &result),
                Err((why, what)) => wire::refusal(&id, why, &what),
            }),
            Message::Notice { method, parameters } => {
                if self.phase == Phase::Open {
                    self.hear(&method, parameters);
                }
                None
            }
            Message::Answer => None,
            Message::Broken(refusal) => Some(refusal),
        }
    }

    fn end(&self) -> End {
        match self.phase {
            Phase::Closing => End::Agreed,
            Phase::New | Phase::Open => End::Lost,
        }
    }

    /// Mistakes that the editor does not know yet.
    fn news(&mut self) -> Vec<Json> {
        let method = notification::PublishDiagnostics::METHOD;
        let news = self.desk.news().into_iter();
        news.map(|news| wire::notice(method, &json!(news)))
            .collect()
    }

    fn hear(&mut self, method: &str, given: Json) {
        match method {
            notification::DidOpenTextDocument::METHOD => {
                if let Some(given) = read::<DidOpenTextDocumentParams>(given) {
                    let text = Buffer::new(given.text_document.text);
                    self.desk.set(&given.text_document.uri, Some(text));
                }
            }
            notification::DidChangeTextDocument::METHOD => {
                if let Some(given) = read::<DidChangeTextDocumentParams>(given) {
                    self.desk.change(&given);
                }
            }
            notification::DidCloseTextDocument::METHOD => {
                if let Some(given) = read::<DidCloseTextDocumentParams>(given) {
                    self.desk.set(&given.text_document.uri, None);
                }
            }
            notification::DidSaveTextDocument::METHOD
            | notification::DidChangeWatchedFiles::METHOD => self.desk.forget(),
            _ => {}
        }
    }

    fn answer(&mut self, method: &str, given: Json) -> Result<Json, (Refused, String)> {
        match (self.phase, method) {
            (Phase::New, request::Initialize::METHOD) => {
                self.phase = Phase::Open;
                self.insert = insert(given);
                Ok(greeting())
            }
            (Phase::New, _) => Err((Refused::TooEarly, "Initialize first.".to_owned())),
            (Phase::Closing, _) => {
                let what = "The server was told to shut down.";
                Err((Refused::NotAMessage, what.to_owned()))
            }
            (Phase::Open, request::Shutdown::METHOD) => {
                self.phase = Phase::Closing;
                Ok(Json::Null)
            }
            (Phase::Open, request::Initialize::METHOD) => {
                let what = "The server is initialized already.";
                Err((Refused::NotAMessage, what.to_owned()))
            }
            (Phase::Open, request::Completion::METHOD) => on(given, |given| self.complete(given)),
            (Phase::Open, request::HoverRequest::METHOD) => on(given, |given| self.hover(given)),
            (Phase::Open, request::GotoDefinition::METHOD) => on(given, |given| self.find(given)),
            (Phase::Open, request::DocumentSymbolRequest::METHOD) => {
                on(given, |given| self.outline(given))
            }
            (Phase::Open, request::Formatting::METHOD) => on(given, |given| self.format(given)),
            (Phase::Open, _) => {
                let what = format!("This server does not know {method}.");
                Err((Refused::NoSuchMethod, what))
            }
        }
    }

    fn complete(&mut self, given: &CompletionParams) -> Option<CompletionResponse> {
        let place = &given.text_document_position;
        let (uri, insert) = (&place.text_document.uri, self.insert);
        let text = self.desk.text(uri)?.clone();
        let offset = text.offset(place.position);
        let is_broken = !parse_file(&"".into(), text.text()).1.is_empty();
        let items = if is_broken {
            let folder = self.desk.around_without_line(uri, offset)?;
            completion::at(&folder, &text, offset, insert)
        } else {
            completion::at(self.desk.around(uri)?, &text, offset, insert)
        };
        Some(CompletionResponse::Array(items))
    }

    fn hover(&mut self, given: &HoverParams) -> Option<Hover> {
        let place = &given.text_document_position_params;
        let text = self.desk.text(&place.text_document.uri)?.clone();
        let folder = self.desk.around(&place.text_document.uri)?;
        let meaning = hover::at(folder, text.text(), text.offset(place.position))?;
        Some(Hover {
            contents: HoverContents::Markup(MarkupContent {
                kind: MarkupKind::Markdown,
                value: meaning.text,
            }),
            range: Some(text.range(meaning.word)),
        })
    }

    fn find(&mut self, given: &GotoDefinitionParams) -> Option<GotoDefinitionResponse> {
        let place = &given.text_document_position_params;
        let text = self.desk.text(&place.text_document.uri)?.clone();
        let folder = self.desk.around(&place.text_document.uri)?;
        let span = definition::at(folder, text.text(), text.offset(place.position))?;
        check::location(&folder.root, &folder.sources, &span).map(GotoDefinitionResponse::Scalar)
    }

    fn outline(&self, given: &DocumentSymbolParams) -> Option<DocumentSymbolResponse> {
        let text = self.desk.text(&given.text_document.uri)?;
        Some(DocumentSymbolResponse::Nested(outline::of(text)))
    }

    /// The whole text in the common layout; nothing where it does not parse, which its diagnostics
    /// tell. The tab size and so on of the editor do not count.
    fn format(&self, given: &DocumentFormattingParams) -> Option<Vec<TextEdit>> {
        let text = self.desk.text(&given.text_document.uri)?;
        let formatted = format::format(&"".into(), text.text()).ok()?;
        let whole = text.range(0..text.text().len());
        let edit = (formatted != text.text()).then(|| TextEdit::new(whole, formatted));
        Some(edit.into_iter().collect())
    }
}

/// How the editor takes completions.
fn insert(parameters: Json) -> Insert {
    let parameters: Option<InitializeParams> = read(parameters);
    let document = parameters.and_then(|given| given.capabilities.text_document);
    let item = document.and_then(|given| given.completion?.completion_item);
    match item.and_then(|given| given.snippet_support) {
        Some(true) => Insert::Snippet,
        _ => Insert::Plain,
    }
}

/// What the server says that it can do.
fn greeting() -> Json {
    let capabilities = ServerCapabilities {
        position_encoding: Some(PositionEncodingKind::UTF16),
        text_document_sync: Some(TextDocumentSyncCapability::Options(
            TextDocumentSyncOptions {
                open_close: Some(true),
                change: Some(TextDocumentSyncKind::INCREMENTAL),
                save: Some(true.into()),
                ..TextDocumentSyncOptions::default()
            },
        )),
        completion_provider: Some(CompletionOptions {
            trigger_characters: Some(vec![".".to_owned(), "\"".to_owned()]),
            ..CompletionOptions::default()
        }),
        hover_provider: Some(HoverProviderCapability::Simple(true)),
        definition_provider: Some(OneOf::Left(true)),
        document_symbol_provider: Some(OneOf::Left(true)),
        document_formatting_provider: Some(OneOf::Left(true)),
        workspace: Some(WorkspaceServerCapabilities {
            workspace_folders: Some(WorkspaceFoldersServerCapabilities {
                supported: Some(true),
                change_notifications: None,
            }),
            file_operations: None,
        }),
        ..ServerCapabilities::default()
    };
    json!({
        "capabilities": capabilities,
        "serverInfo": { "name": "isobar", "version": env!("CARGO_PKG_VERSION") },
    })
}

fn read<P: DeserializeOwned>(parameters: Json) -> Option<P> {
    serde_json::from_value(parameters).ok()
}

/// The answer about something; null where there is nothing to say.
fn on<P: DeserializeOwned, R: Serialize>(
    parameters: Json,
    answer: impl FnOnce(&P) -> Option<R>,
) -> Result<Json, (Refused, String)> {
    let given = serde_json::from_value(parameters).map_err(|error| {
        let what = format!("The parameters cannot be read: {error}.");
        (Refused::WrongParameters, what)
    })?;
    Ok(json!(answer(&given)))
}
