//! Functions of text.

use isobar_sdk::value::{Marks, Unknown};
use isobar_sdk::{Type, Value};
use unicode_segmentation::UnicodeSegmentation;

use super::function::{number as number_of, text as text_of};
use super::{Care, Function, Parameter, Shape, items, text, whole};
use crate::eval::bounds;

const STR: Parameter = text_of("str");

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new(
        "chomp",
        chomp,
        "The text without the ends of line that it ends with.",
    )
    .takes(&[STR])
    .gives(Shape::String),
    Function::new("endswith", endswith, "Whether a text ends with another.")
        .takes(&[STR, text_of("suffix")])
        .gives(Shape::Bool),
    Function::new(
        "indent",
        indent,
        "The text with spaces before each line but the first.",
    )
    .takes(&[number_of("spaces"), STR])
    .gives(Shape::String),
    Function::new(
        "join",
        join,
        "The texts of lists behind one another, with a separator between them.",
    )
    .takes(&[text_of("separator")])
    .any_number_of(Parameter::new("lists", Shape::List(&Shape::String)))
    .gives(Shape::String),
    Function::new("lower", lower, "The text in small letters.")
        .takes(&[STR])
        .gives(Shape::String),
    Function::new(
        "startswith",
        startswith,
        "Whether a text starts with another.",
    )
    .takes(&[STR, text_of("prefix")])
    .gives(Shape::Bool)
    .care(Care::Own),
    Function::new(
        "strcontains",
        strcontains,
        "Whether a text contains another.",
    )
    .takes(&[STR, text_of("substr")])
    .gives(Shape::Bool),
    Function::new(
        "strrev",
        strrev,
        "The characters from the last to the first.",
    )
    .takes(&[STR])
    .gives(Shape::String),
    Function::new(
        "substr",
        substr,
        "Characters of a text, from an offset on; negative offsets count from the end.",
    )
    .takes(&[
        STR,
        number_of("offset"),
        number_of("length").about("-1 for all."),
    ])
    .gives(Shape::String),
    Function::new(
        "title",
        title,
        "The text with the first letter of each word as a capital.",
    )
    .takes(&[STR])
    .gives(Shape::String),
    Function::new(
        "trim",
        trim,
        "The text without these characters at its ends.",
    )
    .takes(&[
        STR,
        text_of("cutset").about("Each character counts by itself."),
    ])
    .gives(Shape::String),
    Function::new("trimprefix", trimprefix, "The text without this start.")
        .takes(&[STR, text_of("prefix")])
        .gives(Shape::String),
    Function::new(
        "trimspace",
        trimspace,
        "The text without space at its ends.",
    )
    .takes(&[STR])
    .gives(Shape::String),
    Function::new("trimsuffix", trimsuffix, "The text without this end.")
        .takes(&[STR, text_of("suffix")])
        .gives(Shape::String),
    Function::new("upper", upper, "The text in capitals.")
        .takes(&[STR])
        .gives(Shape::String),
];

fn chomp(arguments: &[Value]) -> Result<Value, String> {
    Ok(text(&arguments[0])?.trim_end_matches(['\r', '\n']).into())
}

fn endswith(arguments: &[Value]) -> Result<Value, String> {
    Ok(text(&arguments[0])?.ends_with(text(&arguments[1])?).into())
}

fn startswith(arguments: &[Value]) -> Result<Value, String> {
    let marks: Marks = arguments.iter().map(Value::marks).collect();
    let (whole, prefix) = (arguments[0].reveal(), arguments[1].reveal());
    let open = Value::unknown_of(Unknown::from(Type::Bool).not_null());
    let told: Value = match (whole, prefix) {
        (_, Value::Unknown(_)) => open,
        // What it begins with may be known before the rest is.
        (Value::Unknown(coming), _) => {
            let (known, prefix) = (&*coming.prefix, text(prefix)?);
            if known.starts_with(prefix) {
                true.into()
            } else if prefix.starts_with(known) {
                open
            } else {
                false.into()
            }
        }
        _ => text(whole)?.starts_with(text(prefix)?).into(),
    };
    Ok(told.marked(marks))
}

fn strcontains(arguments: &[Value]) -> Result<Value, String> {
    Ok(text(&arguments[0])?.contains(text(&arguments[1])?).into())
}

fn indent(arguments: &[Value]) -> Result<Value, String> {
    let spaces = whole(&arguments[0])?;
    let spaces = usize::try_from(spaces)
        .map_err(|_| format!("the number of spaces must not be negative, but is {spaces}"))?;
    let given = text(&arguments[1])?;
    let lines = given.matches('\n').count();
    bounds::text(given.len().saturating_add(lines.saturating_mul(spaces)))?;
    if lines == 0 {
        return Ok(given.into());
    }
    let line = format!("\n{}", " ".repeat(spaces));
    Ok(given.replace('\n', &line).into())
}

fn join(arguments: &[Value]) -> Result<Value, String> {
    let mut parts = Vec::new();
    for list in &arguments[1..] {
        for part in items(list)? {
            parts.push(text(part)?);
        }
    }
    if arguments.len() == 1 {
        return Err("at least one list is needed".to_owned());
    }
    let separator = text(&arguments[0])?;
    let between = separator.len().saturating_mul(parts.len());
    bounds::text(
        parts
            .iter()
            .map(|part| part.len())
            .sum::<usize>()
            .saturating_add(between),
    )?;
    Ok(parts.join(separator).into())
}

fn lower(arguments: &[Value]) -> Result<Value, String> {
    let lower = |c: char| c.to_lowercase().next().unwrap_or(c);
    Ok(text(&arguments[0])?
        .chars()
        .map(lower)
        .collect::<String>()
        .into())
}

fn upper(arguments: &[Value]) -> Result<Value, String> {
    Ok(text(&arguments[0])?
        .chars()
        .map(capital)
        .collect::<String>()
        .into())
}

/// The capital of a character, where that is one character.
fn capital(character: char) -> char {
    let mut mapped = character.to_uppercase();
    match (mapped.next(), mapped.next()) {
        (Some(one), None) => one,
        _ => character,
    }
}

/// As [`capital`], but of letters that are two in one only the first becomes large.
fn initial(character: char) -> char {
    match character {
        'Ǆ' | 'ǆ' => 'ǅ',
        'Ǉ' | 'ǉ' => 'ǈ',
        'Ǌ' | 'ǌ' => 'ǋ',
        'Ǳ' | 'ǳ' => 'ǲ',
        // Georgian has capitals for whole words only.
        '\u{10d0}'..='\u{10ff}' => character,
        other => capital(other),
    }
}

fn strrev(arguments: &[Value]) -> Result<Value, String> {
    let characters = text(&arguments[0])?.graphemes(true).rev();
    Ok(characters.collect::<String>().into())
}

fn substr(arguments: &[Value]) -> Result<Value, String> {
    let characters: Vec<&str> = text(&arguments[0])?.graphemes(true).collect();
    let (offset, length) = (whole(&arguments[1])?, whole(&arguments[2])?);
    let total = i64::try_from(characters.len()).unwrap_or(i64::MAX);
    let start = if offset < 0 {
        total.saturating_add(offset)
    } else {
        offset
    };
    let start = start.clamp(0, total);
    // Counted from the end, no length is all of it, too.
    let end = if length < 0 || (length == 0 && offset < 0) {
        total
    } else {
        start.saturating_add(length).min(total)
    };
    let range = usize::try_from(start).unwrap_or(0)..usize::try_from(end).unwrap_or(0);
    Ok(characters[range].concat().into())
}

fn title(arguments: &[Value]) -> Result<Value, String> {
    let mut result = String::new();
    let mut first = true;
    for character in text(&arguments[0])?.chars() {
        result.push(if first { initial(character) } else { character });
        first = if character.is_ascii() {
            !character.is_ascii_alphanumeric() && character != '_'
        } else {
            character.is_whitespace()
        };
    }
    Ok(result.into())
}

fn trim(arguments: &[Value]) -> Result<Value, String> {
    let cut: Vec<char> = text(&arguments[1])?.chars().collect();
    Ok(text(&arguments[0])?.trim_matches(cut.as_slice()).into())
}

fn trimspace(arguments: &[Value]) -> Result<Value, String> {
    Ok(text(&arguments[0])?.trim().into())
}

fn trimprefix(arguments: &[Value]) -> Result<Value, String> {
    let (whole, prefix) = (text(&arguments[0])?, text(&arguments[1])?);
    Ok(whole.strip_prefix(prefix).unwrap_or(whole).into())
}

fn trimsuffix(arguments: &[Value]) -> Result<Value, String> {
    let (whole, suffix) = (text(&arguments[0])?, text(&arguments[1])?);
    Ok(whole.strip_suffix(suffix).unwrap_or(whole).into())
}
