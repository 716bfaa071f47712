//! The patterns of `fileset`, and the search for what fits them.

use std::path::Path;

use regex::Regex;

use crate::eval::host::{FileKind, Host};

/// The most entries of folders that a search looks at.
const MOST_ENTRIES: usize = 1 << 18;
/// The deepest folder that a search goes into.
const DEEPEST: usize = 128;

/// The files below a folder whose paths fit a pattern, relative to it.
///
/// # Errors
/// What is wrong with the pattern, or why a folder cannot be read.
pub(super) fn files(host: &dyn Host, folder: &Path, pattern: &str) -> Result<Vec<String>, String> {
    let pattern = super::file::clean(pattern);
    let fits = compile(&pattern)?;
    let any_depth = pattern.contains("**");
    let mut search = Search {
        host,
        fits,
        any_depth,
        depth: if any_depth {
            DEEPEST
        } else {
            pattern.matches('/').count()
        },
        left: MOST_ENTRIES,
        found: Vec::new(),
    };
    // What stands above the folder is searched from there.
    let above = pattern.split('/').take_while(|part| *part == "..").count();
    let start = (0..above).fold(folder.to_owned(), |folder, _| folder.join(".."));
    search.folder(&start, &"../".repeat(above), 0)?;
    Ok(search.found)
}

struct Search<'a> {
    host: &'a dyn Host,
    fits: Regex,
    any_depth: bool,
    depth: usize,
    left: usize,
    found: Vec<String>,
}

impl Search<'_> {
    fn folder(&mut self, folder: &Path, prefix: &str, depth: usize) -> Result<(), String> {
        let unreadable =
            |error: std::io::Error| format!("{} cannot be read: {error}", folder.display());
        if self.host.kind(folder).map_err(unreadable)? != Some(FileKind::Folder) {
            return Ok(());
        }
        let mut names = self.host.names(folder).map_err(unreadable)?;
        names.sort_unstable();
        for name in names {
            self.left = self.left.checked_sub(1).ok_or_else(|| {
                format!("there are more than {MOST_ENTRIES} files and folders to look at")
            })?;
            let (path, relative) = (folder.join(&name), format!("{prefix}{name}"));
            // What cannot be looked at is passed over, as is a link to nothing.
            match self.host.kind(&path).ok().flatten() {
                Some(FileKind::File) if self.fits.is_match(&relative) => self.found.push(relative),
                // Links may lead in a circle; only a pattern of known depth follows them.
                Some(FileKind::Folder)
                    if depth < self.depth && !(self.any_depth && self.host.is_link(&path)) =>
                {
                    self.folder(&path, &format!("{relative}/"), depth + 1)?;
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// The pattern as a regular expression for relative paths.
fn compile(pattern: &str) -> Result<Regex, String> {
    let wrong = |reason: &str| format!("{pattern:?} is not a pattern for files: {reason}");
    let mut written = String::from("^");
    let mut rest = pattern;
    let mut open = 0_usize;
    while let Some(character) = rest.chars().next() {
        let begins = written.len() == 1 || written.ends_with('/') || written.ends_with(")*");
        if begins && let Some(behind) = rest.strip_prefix("**/") {
            written.push_str("(?:[^/]+/)*");
            rest = behind;
            continue;
        }
        if begins && rest == "**" {
            written.push_str(".*");
            break;
        }
        rest = &rest[character.len_utf8()..];
        match character {
            '*' => written.push_str("[^/]*"),
            '?' => written.push_str("[^/]"),
            '[' => {
                let end = rest
                    .char_indices()
                    .skip(1)
                    .find(|(position, c)| *c == ']' && !rest[..*position].ends_with('\\'))
                    .map(|(position, _)| position)
                    .ok_or_else(|| wrong("a [ is not closed"))?;
                written.push_str(&class(&rest[..end]));
                rest = &rest[end + 1..];
            }
            '{' => {
                open += 1;
                written.push_str("(?:");
            }
            '}' if open > 0 => {
                open -= 1;
                written.push(')');
            }
            ',' if open > 0 => written.push('|'),
            '\\' => {
                let escaped = rest
                    .chars()
                    .next()
                    .ok_or_else(|| wrong("it ends with a backslash"))?;
                written.push_str(&regex::escape(&rest[..escaped.len_utf8()]));
                rest = &rest[escaped.len_utf8()..];
            }
            other => written.push_str(&regex::escape(other.encode_utf8(&mut [0; 4]))),
        }
    }
    if open > 0 {
        return Err(wrong("a { is not closed"));
    }
    written.push('$');
    Regex::new(&written).map_err(|_| wrong("a class or a choice in it is empty or wrong"))
}

/// What stands between brackets, as a class that has no slash.
fn class(inside: &str) -> String {
    let (negated, characters) = match inside.strip_prefix('^') {
        Some(rest) => (true, rest),
        None => (false, inside),
    };
    let mut written = String::from(if negated { "[^/" } else { "[" });
    for character in characters.chars() {
        if matches!(character, '[' | '&' | '~' | '^') {
            written.push('\\');
        }
        written.push(character);
    }
    written.push(']');
    written
}
