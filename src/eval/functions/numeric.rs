//! Functions of numbers.

use dashu_int::IBig;
use isobar_sdk::{Number, Type, Value};

use super::function::{any, number as number_of};
use super::{Function, Parameter, Shape, float, items, number, outcome, whole};

const NUMBERS: Parameter = number_of("numbers");

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("abs", abs, "The number without its sign.")
        .takes(&[number_of("num")])
        .gives(Shape::Number),
    Function::new("ceil", ceil, "The least whole number that is not less.")
        .takes(&[number_of("num")])
        .gives(Shape::Number),
    Function::new("floor", floor, "The greatest whole number that is not greater.")
        .takes(&[number_of("num")])
        .gives(Shape::Number),
    Function::new("log", log, "The logarithm of a number in a base.")
        .takes(&[number_of("num"), number_of("base")])
        .gives(Shape::Number),
    Function::new("max", max, "The greatest of the numbers.")
        .any_number_of(NUMBERS)
        .gives(Shape::Number),
    Function::new("min", min, "The least of the numbers.")
        .any_number_of(NUMBERS)
        .gives(Shape::Number),
    Function::new("parseint", parseint, "The whole number that a text writes in a base from 2 to 62.")
        .takes(&[any("number"), number_of("base")])
        .gives(Shape::Number)
    .resulting(outcome::written),
    Function::new("pow", pow, "A number raised to a power.")
        .takes(&[number_of("num"), number_of("power")])
        .gives(Shape::Number),
    Function::new("quantile", quantile, "The value that the share `q` of the numbers does not exceed, between neighbours by their distance.")
        .takes(&[
            Parameter::new("list", Shape::List(&Shape::Number)),
            number_of("q").about("From 0 (the least) to 1 (the greatest)."),
        ])
        .gives(Shape::Number),
    Function::new("signum", signum, "-1, 0 or 1: the sign of a whole number.")
        .takes(&[number_of("num")])
        .gives(Shape::Number),
    Function::new("sum", sum, "The sum of the numbers of a list or set.")
        .takes(&[any("list")])
        .gives(Shape::Number),
];

fn from_f64(value: f64) -> Result<Value, String> {
    Number::from_f64(value)
        .map(Value::Number)
        .ok_or_else(|| "the result is not a finite number".to_owned())
}

fn abs(arguments: &[Value]) -> Result<Value, String> {
    let number = number(&arguments[0])?;
    Ok(Value::Number(number.abs()))
}

fn ceil(arguments: &[Value]) -> Result<Value, String> {
    Ok(Value::Number(number(&arguments[0])?.ceil()))
}

fn floor(arguments: &[Value]) -> Result<Value, String> {
    Ok(Value::Number(number(&arguments[0])?.floor()))
}

fn log(arguments: &[Value]) -> Result<Value, String> {
    let value = number(&arguments[0])?.as_f64();
    from_f64(float::ln(value) / float::ln(number(&arguments[1])?.as_f64()))
}

fn numbers(arguments: &[Value]) -> Result<Vec<Number>, String> {
    arguments.iter().map(number).collect()
}

fn max(arguments: &[Value]) -> Result<Value, String> {
    let greatest = numbers(arguments)?.into_iter().max();
    greatest
        .map(Value::Number)
        .ok_or_else(|| "there are no numbers".to_owned())
}

fn min(arguments: &[Value]) -> Result<Value, String> {
    let least = numbers(arguments)?.into_iter().min();
    least
        .map(Value::Number)
        .ok_or_else(|| "there are no numbers".to_owned())
}

/// The most digits that `parseint` reads, so that its time is bounded.
const MOST_DIGITS: usize = 4096;

fn parseint(arguments: &[Value]) -> Result<Value, String> {
    let Value::String(written) = &arguments[0] else {
        return Err(format!(
            "a text is needed, but this is of type {}",
            Type::of(&arguments[0])
        ));
    };
    let base = whole(&arguments[1])?;
    let base = u32::try_from(base)
        .ok()
        .filter(|base| (2..=62).contains(base))
        .ok_or_else(|| format!("the base must be from 2 to 62, not {base}"))?;
    let wrong = || format!("{written:?} is not a whole number in base {base}");
    let digits = written.strip_prefix(['-', '+']).unwrap_or(written);
    if digits.is_empty() || digits.len() > MOST_DIGITS {
        return Err(wrong());
    }
    let mut value = IBig::ZERO;
    for character in digits.chars() {
        let digit = digit(character, base).ok_or_else(wrong)?;
        value = value * base + digit;
    }
    if written.starts_with('-') {
        value = -value;
    }
    integer(&value)
}

/// The worth of a digit: letters of both cases alike up to base 36, capitals behind small
/// letters above.
fn digit(character: char, base: u32) -> Option<u32> {
    let worth = match character {
        'A'..='Z' if base > 36 => u32::from(character) - u32::from('A') + 36,
        _ => character.to_digit(36)?,
    };
    (worth < base).then_some(worth)
}

/// A whole number of any size.
pub(super) fn integer(value: &IBig) -> Result<Value, String> {
    value
        .to_string()
        .parse()
        .map(Value::Number)
        .map_err(|_| "the number is too large".to_owned())
}

/// A whole number of any size, if a number is one.
pub(super) fn as_integer(number: &Number) -> Option<IBig> {
    number.is_whole().then(|| number.to_string().parse().ok())?
}

fn pow(arguments: &[Value]) -> Result<Value, String> {
    let base = number(&arguments[0])?.as_f64();
    from_f64(float::pow(base, number(&arguments[1])?.as_f64()))
}

fn quantile(arguments: &[Value]) -> Result<Value, String> {
    let mut values = numbers(items(&arguments[0])?)?;
    let share = number(&arguments[1])?.as_f64();
    if !(0.0..=1.0).contains(&share) {
        return Err(format!("q must be from 0 to 1, not {share}"));
    }
    values.sort();
    let Some(last) = values.len().checked_sub(1) else {
        return Err("there are no numbers".to_owned());
    };
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a position in a list, from 0 to its end"
    )]
    let (place, below) = {
        let place = share * last as f64;
        (place, place.floor() as usize)
    };
    let low = values[below].as_f64();
    let high = values[(below + 1).min(last)].as_f64();
    from_f64(low + (high - low) * place.fract())
}

fn signum(arguments: &[Value]) -> Result<Value, String> {
    Ok(Value::from(whole(&arguments[0])?.signum()))
}

fn sum(arguments: &[Value]) -> Result<Value, String> {
    if arguments[0].fields().is_some() {
        return Err("a list or set is needed".to_owned());
    }
    let items = items(&arguments[0])?;
    if items.is_empty() {
        return Err("the sum of no numbers is not defined".to_owned());
    }
    let mut total = Number::from(0_i64);
    for item in items {
        let item = Type::Number
            .convert(item)
            .map_err(|mismatch| mismatch.to_string())?;
        total = total
            .checked_add(&number(&item)?)
            .ok_or_else(|| "the sum is too large".to_owned())?;
    }
    Ok(Value::Number(total))
}
