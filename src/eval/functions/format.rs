//! `format` and `formatlist`.

use dashu_int::IBig;
use isobar_sdk::{Number, Type, Value};
use unicode_segmentation::UnicodeSegmentation;

use super::decimal::Decimal;
use super::function::{any, text as text_of};
use super::numeric::as_integer;
use super::{Care, Function, Parameter, Shape, text};
use crate::eval::bounds;

const FORMAT: Parameter = text_of("format");
const ARGS: Parameter = any("args").or_null();

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new(
        "format",
        format,
        "A text made from a pattern with verbs such as %s, %d and %.2f.",
    )
    .takes(&[FORMAT])
    .any_number_of(ARGS)
    .gives(Shape::String),
    Function::new(
        "formatlist",
        formatlist,
        "A text for each element of the lists, made from a pattern.",
    )
    .takes(&[FORMAT])
    .any_number_of(ARGS)
    .gives(Shape::List(&Shape::String))
    .care(Care::Open),
];

fn format(arguments: &[Value]) -> Result<Value, String> {
    written(text(&arguments[0])?, &arguments[1..]).map(Value::from)
}

fn formatlist(arguments: &[Value]) -> Result<Value, String> {
    let (pattern, values) = (text(&arguments[0])?, &arguments[1..]);
    let mut length = None;
    for list in values.iter().filter_map(Value::items) {
        let first = length.get_or_insert(list.len());
        if *first != list.len() {
            return Err(format!(
                "the lists are of different lengths: {first} and {}",
                list.len()
            ));
        }
    }
    let (mut texts, mut length_so_far) = (Vec::new(), 0);
    for position in 0..length.unwrap_or(1) {
        let row = values.iter().map(|value| match value.items() {
            Some(items) => items[position].clone(),
            None => value.clone(),
        });
        let row: Vec<Value> = row.collect();
        texts.push(if row.iter().all(Value::is_wholly_known) {
            let text = written(pattern, &row)?;
            length_so_far += text.len();
            bounds::text(length_so_far)?;
            text.into()
        } else {
            Value::unknown_of(Type::String)
        });
    }
    Ok(Value::list(texts))
}

/// A verb with all that stands before it.
#[derive(Debug, Default)]
struct Verb {
    /// `+`
    plus: bool,
    /// `-`
    left: bool,
    /// A space, which stands where a sign would.
    space: bool,
    /// `#`
    sharp: bool,
    /// `0`
    zero: bool,
    width: usize,
    precision: Option<usize>,
    /// The argument it is for, counted from 1.
    index: Option<usize>,
    letter: char,
}

/// The widest field and the most decimals that are written.
const WIDEST: usize = 1 << 20;

/// The pattern with its verbs replaced.
fn written(pattern: &str, values: &[Value]) -> Result<String, String> {
    let mut result = String::new();
    let (mut rest, mut next, mut used) = (pattern, 0, 0);
    while let Some((before, from)) = rest.split_once('%') {
        result.push_str(before);
        if let Some(behind) = from.strip_prefix('%') {
            result.push('%');
            rest = behind;
            continue;
        }
        let (verb, behind) = parse(from)?;
        let place = verb.index.unwrap_or(next + 1);
        let value = values.get(place - 1).ok_or_else(|| {
            format!(
                "%{} is for argument {place}, but there are {}",
                verb.letter,
                values.len()
            )
        })?;
        (next, used) = (place, used.max(place));
        result.push_str(&verb.write(value)?);
        bounds::text(result.len())?;
        rest = behind;
    }
    result.push_str(rest);
    if used < values.len() {
        return Err(format!(
            "the pattern uses {used} arguments, but there are {}",
            values.len()
        ));
    }
    Ok(result)
}

/// The verb that a text behind `%` begins with, and what is behind it.
fn parse(mut rest: &str) -> Result<(Verb, &str), String> {
    let mut verb = Verb::default();
    loop {
        let flag = match rest.chars().next() {
            Some('+') => &mut verb.plus,
            Some('-') => &mut verb.left,
            Some(' ') => &mut verb.space,
            Some('#') => &mut verb.sharp,
            Some('0') => &mut verb.zero,
            _ => break,
        };
        *flag = true;
        rest = &rest[1..];
    }
    if let Some(width) = digits(&mut rest)? {
        verb.width = width;
    }
    if let Some(behind) = rest.strip_prefix('.') {
        rest = behind;
        verb.precision = Some(digits(&mut rest)?.unwrap_or(0));
    }
    if let Some(behind) = rest.strip_prefix('[') {
        rest = behind;
        let index = digits(&mut rest)?.filter(|index| *index > 0);
        verb.index = Some(index.ok_or("the number of an argument in [ ] begins at 1")?);
        rest = rest.strip_prefix(']').ok_or("a [ is not closed")?;
    }
    verb.letter = rest
        .chars()
        .next()
        .ok_or("the pattern ends within a verb")?;
    let behind = &rest[verb.letter.len_utf8()..];
    Ok((verb, behind))
}

fn digits(rest: &mut &str) -> Result<Option<usize>, String> {
    let end = rest
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(rest.len());
    let (digits, behind) = rest.split_at(end);
    *rest = behind;
    if digits.is_empty() {
        return Ok(None);
    }
    let size = digits.parse().ok().filter(|size| *size <= WIDEST);
    size.map(Some)
        .ok_or_else(|| format!("{digits} is greater than {WIDEST}"))
}

impl Verb {
    fn write(&self, value: &Value) -> Result<String, String> {
        if value.is_null() && self.letter != 'v' {
            return Err(format!("%{} cannot write null", self.letter));
        }
        match self.letter {
            's' => self.word(text(&self.convert(&Type::String, value)?)?),
            'q' => {
                let text = self.convert(&Type::String, value)?;
                self.word(&super::json::encode(&text)?)
            }
            't' => Ok(super::truth(&self.convert(&Type::Bool, value)?)?.to_string()),
            'v' => self.any(value),
            'd' | 'b' | 'o' | 'x' | 'X' => self.integer(&self.number(value)?),
            'e' | 'E' | 'f' | 'g' | 'G' => Ok(self.float(&self.number(value)?)),
            other => Err(format!("the verb %{other} is not known")),
        }
    }

    fn convert(&self, ty: &Type, value: &Value) -> Result<Value, String> {
        ty.convert(value)
            .map_err(|mismatch| format!("%{}: {mismatch}", self.letter))
    }

    fn number(&self, value: &Value) -> Result<Number, String> {
        super::number(&self.convert(&Type::Number, value)?)
    }

    /// `%v`: what suits the value best; with `#`, as JSON.
    fn any(&self, value: &Value) -> Result<String, String> {
        let plain = Self {
            precision: None,
            ..*self
        };
        match value {
            _ if self.sharp => plain.word(&super::json::encode(value)?),
            Value::String(text) => plain.word(text),
            Value::Bool(truth) => plain.word(&truth.to_string()),
            Value::Number(number) => Ok(Self {
                letter: 'g',
                ..plain
            }
            .float(number)),
            other => plain.word(&super::json::encode(other)?),
        }
    }

    /// Text, cut to the precision and filled up to the width, both counted as a reader does.
    fn word(&self, text: &str) -> Result<String, String> {
        let cut: String = match self.precision {
            Some(precision) => text.graphemes(true).take(precision).collect(),
            None => text.to_owned(),
        };
        let missing = self.width.saturating_sub(cut.graphemes(true).count());
        Ok(if self.left {
            cut + &" ".repeat(missing)
        } else {
            let fill = if self.zero { "0" } else { " " };
            fill.repeat(missing) + &cut
        })
    }

    fn integer(&self, number: &Number) -> Result<String, String> {
        let value = as_integer(number)
            .ok_or_else(|| format!("%{} writes whole numbers, not {number}", self.letter))?;
        let (radix, prefix) = match self.letter {
            'b' => (2, "0b"),
            'o' => (8, "0"),
            'x' => (16, "0x"),
            'X' => (16, "0X"),
            _ => (10, ""),
        };
        let negative = value < IBig::ZERO;
        let mut digits = value.in_radix(radix).to_string();
        digits.retain(|digit| digit != '-');
        if self.letter == 'X' {
            digits.make_ascii_uppercase();
        }
        if let Some(precision) = self.precision {
            if precision == 0 && digits == "0" {
                digits.clear();
            }
            let missing = precision.saturating_sub(digits.len());
            digits.insert_str(0, &"0".repeat(missing));
        }
        let prefix = if self.sharp { prefix } else { "" };
        let sign = format!("{}{prefix}", self.sign(negative));
        Ok(self.fill(&sign, &digits, self.zero && self.precision.is_none()))
    }

    fn float(&self, number: &Number) -> String {
        let shortest = matches!(self.letter, 'g' | 'G') && self.precision.is_none();
        let decimal = if shortest {
            Decimal::shortest(number)
        } else {
            Decimal::exact(number)
        };
        let negative = decimal.negative;
        let digits = match self.letter {
            'f' => decimal.fixed(self.precision.unwrap_or(6)),
            'e' | 'E' => decimal.scientific(self.precision.unwrap_or(6)),
            _ => decimal.general(self.precision),
        };
        let digits = if self.letter.is_ascii_uppercase() {
            digits.to_uppercase()
        } else {
            digits
        };
        self.fill(self.sign(negative), &digits, self.zero)
    }

    fn sign(&self, negative: bool) -> &'static str {
        match (negative, self.plus, self.space) {
            (true, _, _) => "-",
            (false, true, _) => "+",
            (false, false, true) => " ",
            (false, false, false) => "",
        }
    }

    /// Fills a number up to the width: zeros go behind the sign.
    fn fill(&self, sign: &str, digits: &str, zero: bool) -> String {
        let missing = self.width.saturating_sub(sign.len() + digits.len());
        if self.left {
            format!("{sign}{digits}{}", " ".repeat(missing))
        } else if zero {
            format!("{sign}{}{digits}", "0".repeat(missing))
        } else {
            format!("{}{sign}{digits}", " ".repeat(missing))
        }
    }
}
