//! The book of an apply: what is to be written into its journal, and what may be told once it is.

use std::io;

use isobar_sdk::{Diagnostic, Fault};

use super::check;
use crate::event::{Event, Sink};
use crate::state::{Ledger, Record, StoreError};

/// Results and intents on their way into the journal.
///
/// Results may wait to be written until the next intents are: together they wait for the disk
/// once. Nothing is told before what it rests on is written, and nothing that rests on a result
/// begins before, as its own intent comes behind it.
pub(super) struct Book<'a> {
    journal: Ledger,
    /// Whether the journal can be written.
    writable: bool,
    unwritten: Vec<Record>,
    /// What has happened since the last write, in its order.
    untold: Vec<Event>,
    sink: &'a dyn Sink,
}

impl<'a> Book<'a> {
    pub(super) const fn new(journal: Ledger, sink: &'a dyn Sink) -> Self {
        Self {
            journal,
            writable: true,
            unwritten: Vec::new(),
            untold: Vec::new(),
            sink,
        }
    }

    /// Whether the journal could be written so far.
    pub(super) const fn is_writable(&self) -> bool {
        self.writable
    }

    /// Takes results, which wait to be written.
    pub(super) fn note(&mut self, results: impl IntoIterator<Item = Record>) {
        self.unwritten.extend(results);
    }

    /// Tells what happens, as soon as all that was noted before is written.
    pub(super) fn tell(&mut self, event: Event) {
        match self.unwritten.is_empty() && self.untold.is_empty() {
            true => self.sink.emit(event),
            false => self.untold.push(event),
        }
    }

    /// Writes the results that wait, and intents behind them.
    ///
    /// # Errors
    /// Why it cannot be written. What happened is told all the same.
    pub(super) fn write(&mut self, intents: &[Record]) -> Result<(), Fault> {
        self.unwritten.extend_from_slice(intents);
        let written = match self.unwritten.is_empty() {
            true => Ok(()),
            false => self.journal.append(&self.unwritten),
        };
        self.unwritten.clear();
        for event in self.untold.drain(..) {
            self.sink.emit(event);
        }
        written.map_err(|error| {
            self.writable = false;
            Box::new(unwritable(&error))
        })
    }

    /// The journal, when all is written.
    pub(super) fn close(self) -> Ledger {
        self.journal
    }
}

/// Says why a journal cannot be written: that of a shared place for the reasons that its state
/// cannot be.
fn unwritable(error: &io::Error) -> Diagnostic {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    match inner {
        Some(place @ StoreError::Remote { .. }) => check::unwritable(place),
        _ => Diagnostic::error("S0005", "Journal cannot be written", format!("{error}."))
            .help("Free space or grant access, then apply again. Nothing more was begun."),
    }
}
