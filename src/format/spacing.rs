//! The space between two tokens of a line: one or none.

use super::line::Line;
use super::token::{Bracket, Kind, Token};

/// Sets the spaces between the tokens of each line.
pub(super) fn apply(lines: &mut [Line<'_>]) {
    for line in lines {
        space(&mut line.lead);
        if let Some(equal) = line.assign.first_mut() {
            equal.spaces = 1;
        }
        space(&mut line.assign);
    }
}

fn space(tokens: &mut [Token<'_>]) {
    let mut before = None;
    for at in 1..tokens.len() {
        let spaced = is_spaced(before, &tokens[at - 1], &tokens[at]);
        tokens[at].spaces = usize::from(spaced);
        before = Some(tokens[at - 1].kind);
    }
}

/// Whether a space stands between two tokens; `before` is what stands before both.
///
/// The first rule that knows the pair decides.
fn is_spaced(before: Option<Kind>, left: &Token<'_>, right: &Token<'_>) -> bool {
    use Kind::{
        Close, CloseHeredoc, CloseQuote, CloseSequence, Comma, Dot, DoubleColon, Ellipsis,
        Identifier, Literal, Minus, Newline, Not, Number, Open, OpenHeredoc, OpenQuote,
        OpenSequence,
    };
    const CURLY: Kind = Open(Bracket::Curly);
    const UNCURLY: Kind = Close(Bracket::Curly);
    match (left.kind, right.kind) {
        (_, Newline) => false,
        // Calls, their namespaces and paths.
        (Identifier, Open(Bracket::Round) | DoubleColon) | (DoubleColon, Identifier) => false,
        (Dot, _) | (_, Dot | Comma | Ellipsis) => false,
        (Comma, _) => true,
        // The text of a template is its own.
        (Literal | OpenQuote | OpenHeredoc, _) | (_, Literal | CloseQuote | CloseHeredoc) => false,
        // A loop over a list that is written out; any other name here is indexed.
        (Identifier, _) if left.text == "in" && before == Some(Identifier) => true,
        (Identifier | Number | Close(_) | CloseSequence, Open(Bracket::Square)) => false,
        (Not, _) => false,
        (Minus, _) => !is_sign(before),
        (CURLY, UNCURLY) => false,
        (CURLY, _) | (_, UNCURLY) => true,
        // An object as the whole of a sequence, and sequences side by side.
        (OpenSequence, CURLY) | (UNCURLY, CloseSequence) => true,
        (CloseSequence, OpenSequence) => false,
        (Open(_) | OpenSequence, _) | (_, Close(_) | CloseSequence) => false,
        _ => true,
    }
}

/// Whether a minus behind this is the sign of what follows: no operand ends there.
const fn is_sign(before: Option<Kind>) -> bool {
    matches!(
        before,
        None | Some(
            Kind::Open(_)
                | Kind::Equal
                | Kind::Colon
                | Kind::Comma
                | Kind::Question
                | Kind::Not
                | Kind::Minus
                | Kind::Operator
        )
    )
}
