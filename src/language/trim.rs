//! What trim markers and the indent of a heredoc take off the literal texts of a template.
//!
//! A marker trims the one piece of text beside it: in a heredoc a piece is a line, so that the
//! indent of the line behind it stays. The indent that a heredoc loses is that of the line with
//! the least, after trimming; lines of nothing but white space do not count, and a line that
//! begins behind a trimmed end of line is no beginning.

/// A piece of a template in the order of the text.
#[derive(Debug)]
pub(super) enum Piece {
    /// Literal text, with the place of the literal it belongs to.
    Text(usize, String),
    /// A sequence, and whether it trims the text before it and the text behind it.
    Sequence { before: bool, after: bool },
}

/// How the literal texts of a template are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// Between quotes.
    Quoted,
    /// `<<`: every line is a piece.
    Heredoc,
    /// `<<-`: likewise, and the common indent is taken off.
    Indented,
}

/// The texts of the literals, by their places.
pub(super) fn texts(mut pieces: Vec<Piece>, layout: Layout, count: usize) -> Vec<String> {
    strip(&mut pieces);
    if layout == Layout::Indented {
        unindent(&mut pieces);
    }
    let mut texts = vec![String::new(); count];
    for piece in pieces {
        if let Piece::Text(place, text) = piece
            && let Some(whole) = texts.get_mut(place)
        {
            whole.push_str(&text);
        }
    }
    texts
}

fn strip(pieces: &mut [Piece]) {
    for place in 0..pieces.len() {
        let Piece::Sequence { before, after } = pieces[place] else {
            continue;
        };
        if before
            && let Some(Piece::Text(_, text)) = place.checked_sub(1).and_then(|p| pieces.get_mut(p))
        {
            text.truncate(text.trim_end().len());
        }
        if after && let Some(Piece::Text(_, text)) = pieces.get_mut(place + 1) {
            *text = text.trim_start().to_owned();
        }
    }
}

fn unindent(pieces: &mut [Piece]) {
    let mut least = usize::MAX;
    let mut beginnings = Vec::new();
    let mut begins = true;
    for (place, piece) in pieces.iter().enumerate() {
        let Piece::Text(_, text) = piece else {
            if begins {
                least = 0;
            }
            begins = false;
            continue;
        };
        let blank = text.trim_start().is_empty() && text.ends_with('\n');
        if begins && !blank {
            least = least.min(indent(text));
            beginnings.push(place);
        }
        begins = text.ends_with('\n');
    }
    for place in beginnings {
        if let Some(Piece::Text(_, text)) = pieces.get_mut(place) {
            *text = text.chars().skip(least.min(indent(text))).collect();
        }
    }
}

/// The characters of white space that a text begins with.
fn indent(text: &str) -> usize {
    text.chars().take_while(|c| c.is_whitespace()).count()
}

#[cfg(test)]
mod tests {
    use super::{Layout, Piece, texts};

    fn line(place: usize, text: &str) -> Piece {
        Piece::Text(place, text.to_owned())
    }

    #[test]
    fn a_marker_trims_the_piece_beside_it_only() {
        let marker = Piece::Sequence {
            before: true,
            after: true,
        };
        let pieces = vec![
            line(0, "a\n"),
            line(0, "  "),
            marker,
            line(1, "\n"),
            line(1, "  b\n"),
        ];
        assert_eq!(texts(pieces, Layout::Heredoc, 2), ["a\n", "  b\n"]);
    }

    #[test]
    fn the_least_indent_is_taken_off_where_lines_begin() {
        let pieces = vec![line(0, "    a\n"), line(0, "\n"), line(0, "      b\n")];
        assert_eq!(texts(pieces, Layout::Indented, 1), ["a\n\n  b\n"]);
        let sequence = Piece::Sequence {
            before: false,
            after: false,
        };
        let pieces = vec![line(0, "  a\n"), sequence, line(1, "\n")];
        assert_eq!(texts(pieces, Layout::Indented, 2), ["  a\n", "\n"]);
    }
}
