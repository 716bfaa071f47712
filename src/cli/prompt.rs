//! Lines that are typed on a terminal, with history and completion.

use std::path::PathBuf;

use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::Validator;
use rustyline::{CompletionType, Config, Context, Editor, Helper};

/// A prompt that remembers what was typed in a file, where it can be written.
pub(super) struct Prompt {
    editor: Editor<Words, FileHistory>,
    history: PathBuf,
}

/// What was typed.
pub(super) enum Typed {
    /// A line.
    Line(String),
    /// Ctrl-C: what was begun is dropped.
    Dropped,
    /// Ctrl-D, or a terminal that went away.
    End,
}

impl Prompt {
    /// A prompt that completes these names.
    ///
    /// # Errors
    /// A terminal that cannot be used.
    pub(super) fn new(names: Vec<String>, history: PathBuf) -> Result<Self, ReadlineError> {
        let config = Config::builder()
            .auto_add_history(true)
            .completion_type(CompletionType::List)
            .build();
        let mut editor = Editor::with_config(config)?;
        editor.set_helper(Some(Words(names)));
        // Without it there is nothing to remember.
        let _none = editor.load_history(&history);
        Ok(Self { editor, history })
    }

    /// The next line.
    pub(super) fn line(&mut self, prompt: &str) -> Typed {
        match self.editor.readline(prompt) {
            Ok(line) => Typed::Line(line),
            Err(ReadlineError::Interrupted) => Typed::Dropped,
            Err(_) => Typed::End,
        }
    }
}

impl Drop for Prompt {
    fn drop(&mut self) {
        // A history that cannot be kept is no reason to fail.
        let _lost = self.editor.save_history(&self.history);
    }
}

/// The names that are completed.
struct Words(Vec<String>);

impl Completer for Words {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        position: usize,
        _context: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        let typed = line.get(..position).unwrap_or_default();
        let begin = word(typed);
        let part = &typed[begin..];
        let fits = self.0.iter().filter(|name| name.starts_with(part));
        Ok((begin, fits.cloned().collect()))
    }
}

/// Where the name that a text ends in begins.
fn word(text: &str) -> usize {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':');
    text.trim_end_matches(is_part).len()
}

impl Hinter for Words {
    type Hint = String;
}

impl Highlighter for Words {}

impl Validator for Words {}

impl Helper for Words {}

#[cfg(test)]
mod tests {
    use rustyline::Context;
    use rustyline::completion::Completer;
    use rustyline::history::DefaultHistory;

    use super::Words;

    #[test]
    fn the_name_before_the_cursor_is_completed() {
        let names = ["var.size", "var.zone", "length(", "local.a"];
        let words = Words(names.map(ToOwned::to_owned).to_vec());
        let history = DefaultHistory::new();
        let context = Context::new(&history);
        let complete = |line: &str, at| words.complete(line, at, &context).unwrap();
        assert_eq!(complete("1 + var.s", 9), (4, vec!["var.size".to_owned()]));
        assert_eq!(complete("len", 3), (0, vec!["length(".to_owned()]));
        assert_eq!(complete("upper(lo)", 8), (6, vec!["local.a".to_owned()]));
        assert_eq!(complete("é", 1), (0, names.map(ToOwned::to_owned).to_vec()));
    }
}
