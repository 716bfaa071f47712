//! The printer: results to stdout, everything told on the way to stderr, events as JSON.

use std::fs::File;
use std::io::{self, BufRead, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anstream::{AutoStream, ColorChoice};
use indicatif::ProgressBar;
use isobar_sdk::Diagnostics;
use serde_json::Value as Json;

use super::Exit;
use super::environment::{self, Terminal};
use super::log::{Level, Log};

use crate::language::Sources;
use crate::render::{self, Colour, Style};

/// How a command talks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// Text.
    Human,
    /// One JSON object per line on stdout.
    Events,
}

/// The printer; clones print to the same streams.
#[derive(Clone)]
pub(super) struct Shell(Arc<Inner>);

struct Inner {
    manner: Manner,
    terminal: Terminal,
    out: Mutex<AutoStream<io::Stdout>>,
    err: Mutex<AutoStream<io::Stderr>>,
    /// Lines for stderr that come in quick succession.
    held: Mutex<Held>,
    /// What is drawn at the bottom of the terminal and must step aside for lines.
    bar: Mutex<Option<ProgressBar>>,
    /// Why results could not be written, where someone should know.
    lost: Mutex<Option<io::Error>>,
    /// Takes what happens, for who looks for a fault.
    log: Option<Log>,
    /// Takes events beside what is printed.
    copy: Mutex<Option<File>>,
}

/// Lines that are written together: each on its own would cost a call of the system, and whoever
/// reads them a wait.
#[derive(Default)]
struct Held {
    text: String,
    /// When such lines were written last.
    written: Option<Instant>,
}

/// How long after lines were written others are held; someone must see to it that they come out.
const SOON: Duration = Duration::from_millis(50);
/// So much is not held.
const MUCH: usize = 1 << 14;

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn choice(is_terminal: bool, terminal: &Terminal) -> ColorChoice {
    if is_terminal && terminal.colour {
        ColorChoice::AlwaysAnsi
    } else {
        ColorChoice::Never
    }
}

impl Shell {
    /// A printer to the streams of this process.
    pub(super) fn new(terminal: &Terminal, manner: Manner, log: Option<Log>) -> Self {
        let out = choice(terminal.output, terminal);
        let err = choice(terminal.error, terminal);
        Self(Arc::new(Inner {
            manner,
            terminal: *terminal,
            out: Mutex::new(AutoStream::new(io::stdout(), out)),
            err: Mutex::new(AutoStream::new(io::stderr(), err)),
            held: Mutex::default(),
            bar: Mutex::default(),
            lost: Mutex::default(),
            log,
            copy: Mutex::default(),
        }))
    }

    /// Takes a line for the log.
    pub(super) fn log(&self, level: Level, line: impl FnOnce() -> String) {
        let Some(log) = self.0.log.as_ref().filter(|log| log.takes(level)) else {
            return;
        };
        if let Some(line) = log.line(level, &line()) {
            self.aside(|| self.unheard(&format!("{line}\n")));
        }
    }

    /// Writes all events from now on into a file too.
    pub(super) fn copy_events(&self, file: File) {
        *locked(&self.0.copy) = Some(file);
    }

    /// How this command talks.
    pub(super) fn manner(&self) -> Manner {
        self.0.manner
    }

    /// What the streams are connected to.
    pub(super) fn terminal(&self) -> &Terminal {
        &self.0.terminal
    }

    /// How results are drawn.
    pub(super) fn style(&self) -> Style {
        self.style_of(self.0.terminal.output)
    }

    /// How what is told on the way is drawn.
    pub(super) fn aside_style(&self) -> Style {
        self.style_of(self.0.terminal.error)
    }

    fn style_of(&self, is_terminal: bool) -> Style {
        Style {
            colour: if is_terminal && self.0.terminal.colour {
                Colour::Always
            } else {
                Colour::Never
            },
            width: self.0.terminal.width,
        }
    }

    /// Writes to stdout as it is.
    pub(super) fn data(&self, text: &str) {
        self.aside(|| {
            let mut out = locked(&self.0.out);
            // To look for colours in a large plan takes longer than to write it.
            let written = match text.contains('\u{1b}') {
                true => out.write_all(text.as_bytes()).and_then(|()| out.flush()),
                false => {
                    let mut plain = io::stdout().lock();
                    plain
                        .write_all(text.as_bytes())
                        .and_then(|()| plain.flush())
                }
            };
            match written {
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                    // Whoever read has seen enough.
                }
                Err(error) => *locked(&self.0.lost) = Some(error),
                Ok(()) => {}
            }
        });
    }

    /// Writes a JSON document to stdout.
    pub(super) fn document(&self, document: &Json) {
        self.data(&format!("{document}\n"));
    }

    /// Writes a result for people to stdout.
    pub(super) fn result(&self, text: &str) {
        if self.0.manner == Manner::Human {
            self.data(&format!("{}\n", text.trim_end_matches('\n')));
        }
    }

    /// Whether anyone takes events.
    fn takes_events(&self) -> bool {
        self.0.manner == Manner::Events || locked(&self.0.copy).is_some()
    }

    /// Writes events for programs, which are made only where someone takes them.
    pub(super) fn events(&self, events: impl FnOnce() -> Vec<Json>) {
        if self.takes_events() {
            events().into_iter().for_each(|event| self.event(event));
        }
    }

    /// Writes an event for programs to stdout, with the time.
    pub(super) fn event(&self, mut event: Json) {
        if !self.takes_events() {
            return;
        }
        if let Json::Object(fields) = &mut event {
            let now = environment::now().to_string();
            fields.insert("@timestamp".to_owned(), Json::String(now));
        }
        if let Some(file) = &mut *locked(&self.0.copy)
            && let Err(error) = writeln!(file, "{event}")
        {
            *locked(&self.0.lost) = Some(error);
        }
        if self.0.manner == Manner::Events {
            self.document(&event);
        }
    }

    /// Prints sentences as a result, in lines that fit the terminal; what is indented stays in one.
    pub(super) fn prose(&self, text: &str) {
        self.result(&self.style().wrap(text, 0).join("\n"));
    }

    /// Tells people on stderr, or programs as an event, what is going on.
    pub(super) fn tell(&self, text: &str) {
        self.event(render::json::stream::log(text));
        self.say(text);
    }

    /// Tells people on stderr; programs get an event of its own for it.
    pub(super) fn say(&self, text: &str) {
        if self.0.manner == Manner::Human {
            let line = format!("{}\n", text.trim_end_matches('\n'));
            self.aside(|| self.unheard(&line));
        }
    }

    /// As `say`, for lines that come by the thousand: those that follow others at once may wait
    /// for [`Shell::flush`], or for whatever is written next.
    pub(super) fn say_soon(&self, text: &str) {
        if self.0.manner != Manner::Human {
            return;
        }
        let mut held = locked(&self.0.held);
        held.text.push_str(text.trim_end_matches('\n'));
        held.text.push('\n');
        let due = held.written.is_none_or(|written| written.elapsed() > SOON);
        drop(held);
        if due || locked(&self.0.held).text.len() > MUCH {
            self.flush();
        }
    }

    /// Writes the lines that are held.
    pub(super) fn flush(&self) {
        self.aside(|| {});
    }

    fn unheard(&self, text: &str) {
        // Nobody can be told that telling does not work.
        let _unheard = locked(&self.0.err).write_all(text.as_bytes());
    }

    /// Tells what is wrong.
    pub(super) fn diagnostics(&self, diagnostics: &Diagnostics, sources: &Sources) {
        let style = self.aside_style();
        for diagnostic in diagnostics {
            self.event(render::json::stream::diagnostic_message(
                diagnostic, sources,
            ));
            self.say(&render::diagnostic::human(diagnostic, sources, &style));
        }
    }

    /// Asks a question on the terminal; the answer without the end of its line.
    pub(super) fn ask(&self, question: &str) -> io::Result<String> {
        {
            self.flush();
            let mut err = locked(&self.0.err);
            write!(err, "{question}")?;
            err.flush()?;
        }
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer)?;
        Ok(answer.trim().to_owned())
    }

    /// Draws a bar at the bottom of the terminal, or no longer draws one.
    pub(super) fn draw(&self, bar: Option<ProgressBar>) {
        let former = std::mem::replace(&mut *locked(&self.0.bar), bar);
        if let Some(former) = former {
            former.finish_and_clear();
        }
    }

    /// Writes while the bar is out of the way, behind the lines that are held.
    fn aside(&self, write: impl FnOnce()) {
        let write = || {
            let mut held = locked(&self.0.held);
            if !held.text.is_empty() {
                self.unheard(&held.text);
                held.text.clear();
                held.written = Some(Instant::now());
            }
            drop(held);
            write();
        };
        let bar = locked(&self.0.bar).clone();
        match bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    /// Ends: a result that could not be written, to a full disk for instance, is a failure.
    pub(super) fn finish(&self, exit: Exit) -> Exit {
        self.flush();
        let lost = locked(&self.0.lost).take();
        let Some(error) = lost else { return exit };
        self.tell(&format!("Error: the output could not be written: {error}"));
        Exit::Failure
    }
}
