//! The labels of a block, which stand between quotes and have no escapes that they do not need.

use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

use crate::language::unescape;

/// The text of a label as it is written between quotes.
pub(super) fn plain(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    for character in unescape(raw).nfc() {
        write(character, &mut text);
    }
    text.replace("${", "$${").replace("%{", "%%{")
}

fn write(character: char, text: &mut String) {
    match character {
        '\n' => text.push_str("\\n"),
        '\r' => text.push_str("\\r"),
        '\t' => text.push_str("\\t"),
        '"' => text.push_str("\\\""),
        '\\' => text.push_str("\\\\"),
        printed if is_printed(printed) => text.push(printed),
        other if u32::from(other) <= 0xffff => {
            text.push_str(&format!("\\u{:04x}", u32::from(other)));
        }
        other => text.push_str(&format!("\\U{:08x}", u32::from(other))),
    }
}

/// Whether a reader sees the character: no control, no space but the ordinary one.
fn is_printed(character: char) -> bool {
    use GeneralCategoryGroup::{Letter, Mark, Number, Punctuation, Symbol};
    let group = character.general_category_group();
    character == ' ' || matches!(group, Letter | Mark | Number | Punctuation | Symbol)
}
