//! A text as an editor has it open: places are lines and UTF-16 units there, bytes here.

use std::ops::Range;

use lsp_types::{Position, TextDocumentContentChangeEvent};

/// A text and where its lines begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Buffer {
    text: String,
    /// The first byte of each line.
    lines: Vec<usize>,
}

impl Buffer {
    pub(super) fn new(text: String) -> Self {
        let behind = text.match_indices('\n').map(|(newline, _)| newline + 1);
        let lines = std::iter::once(0).chain(behind).collect();
        Self { text, lines }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The byte at a position; what lies behind the end of a line or of the text is its end.
    pub(super) fn offset(&self, position: Position) -> usize {
        let line = position.line as usize;
        let Some(start) = self.lines.get(line).copied() else {
            return self.text.len();
        };
        let end = self.lines.get(line + 1).copied();
        let line = &self.text[start..end.unwrap_or(self.text.len())];
        let line = line.trim_end_matches(['\n', '\r']);
        let mut units = position.character as usize;
        for (at, character) in line.char_indices() {
            // A position inside of a pair of units means the character that they are.
            if units < character.len_utf16() {
                return start + at;
            }
            units -= character.len_utf16();
        }
        start + line.len()
    }

    /// The position of a byte.
    pub(super) fn position(&self, offset: usize) -> Position {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let line = self.lines.partition_point(|start| *start <= offset) - 1;
        let before = &self.text[self.lines[line]..offset];
        let narrow = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Position {
            line: narrow(line),
            character: narrow(before.chars().map(char::len_utf16).sum()),
        }
    }

    /// The positions of a range of bytes.
    pub(super) fn range(&self, bytes: Range<usize>) -> lsp_types::Range {
        lsp_types::Range::new(self.position(bytes.start), self.position(bytes.end))
    }

    /// The text after a change: of a part, or of all.
    pub(super) fn changed(&self, change: &TextDocumentContentChangeEvent) -> Self {
        let Some(range) = change.range else {
            return Self::new(change.text.clone());
        };
        let start = self.offset(range.start);
        let end = self.offset(range.end).max(start);
        let mut text = self.text.clone();
        text.replace_range(start..end, &change.text);
        Self::new(text)
    }
}

#[cfg(test)]
mod tests {
    use lsp_types::{Position, Range, TextDocumentContentChangeEvent};

    use super::Buffer;

    const TEXT: &str = "a = \"😀ü\"\r\nb = 1\n";

    #[test]
    fn every_character_is_found_again() {
        let buffer = Buffer::new(TEXT.to_owned());
        for (offset, character) in TEXT.char_indices().filter(|(_, c)| !"\r\n".contains(*c)) {
            let position = buffer.position(offset);
            assert_eq!(buffer.offset(position), offset, "{character}");
        }
        assert_eq!(buffer.position(TEXT.len()), Position::new(2, 0));
    }

    #[test]
    fn columns_are_units_of_utf_16() {
        let buffer = Buffer::new(TEXT.to_owned());
        let quote = TEXT.find("\"\r").unwrap();
        assert_eq!(buffer.position(quote), Position::new(0, 8));
        let face = TEXT.find('😀').unwrap();
        assert_eq!(buffer.offset(Position::new(0, 6)), face);
    }

    #[test]
    fn places_outside_of_the_text_are_its_ends() {
        let buffer = Buffer::new(TEXT.to_owned());
        assert_eq!(
            buffer.offset(Position::new(0, 99)),
            TEXT.find('\r').unwrap()
        );
        assert_eq!(buffer.offset(Position::new(99, 0)), TEXT.len());
        assert_eq!(buffer.position(999), Position::new(2, 0));
    }

    #[test]
    fn changes_replace_a_part_or_all() {
        let change = |range, text: &str| TextDocumentContentChangeEvent {
            range,
            range_length: None,
            text: text.to_owned(),
        };
        let range = Range::new(Position::new(0, 5), Position::new(0, 8));
        let buffer = Buffer::new(TEXT.to_owned()).changed(&change(Some(range), "x"));
        assert_eq!(buffer.text(), "a = \"x\"\r\nb = 1\n");
        let backwards = Range::new(Position::new(1, 1), Position::new(0, 0));
        assert_eq!(
            buffer.changed(&change(Some(backwards), "c")).text(),
            "a = \"x\"\r\nbc = 1\n"
        );
        assert_eq!(buffer.changed(&change(None, "new")).text(), "new");
    }
}
