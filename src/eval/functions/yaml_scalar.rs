//! What the scalars of YAML mean.

use dashu_int::IBig;
use isobar_sdk::{Number, Value};
use jiff::civil::DateTime;

use super::numeric::integer;

/// The value of a scalar; `plain` if it stands without quotes.
///
/// # Errors
/// What is wrong with it.
pub(super) fn resolve(text: &str, plain: bool, tag: Option<&str>) -> Result<Value, String> {
    match tag {
        Some("!" | "!!str" | "!!binary") => Ok(text.into()),
        None | Some("!!null" | "!!bool" | "!!int" | "!!float" | "!!timestamp") if plain => {
            guess(text)
        }
        // What stands in quotes is a text, also where its tag says otherwise.
        None | Some("!!null" | "!!bool" | "!!int" | "!!float" | "!!timestamp") => Ok(text.into()),
        Some(other) => Err(format!("the tag {other} is not known here")),
    }
}

fn guess(text: &str) -> Result<Value, String> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Value::NULL),
        "true" | "True" | "TRUE" | "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => {
            return Ok(true.into());
        }
        "false" | "False" | "FALSE" | "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => {
            return Ok(false.into());
        }
        ".nan" | ".NaN" | ".NAN" => return Err("there is no number NaN".to_owned()),
        _ => {}
    }
    let infinity = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(infinity, ".inf" | ".Inf" | ".INF") {
        return Err("there is no infinite number".to_owned());
    }
    if let Some(number) = number(text) {
        return Ok(number);
    }
    Ok(timestamp(text).map_or_else(|| text.into(), Value::from))
}

fn number(text: &str) -> Option<Value> {
    if !text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.')) {
        return None;
    }
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    for (prefix, radix) in [("0x", 16), ("0b", 2), ("0o", 8)] {
        if let Some(digits) = digits.strip_prefix(prefix) {
            let magnitude = IBig::from_str_radix(digits, radix).ok()?;
            return integer(&if negative { -magnitude } else { magnitude }).ok();
        }
    }
    let decimal = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && digits.contains(|c: char| c.is_ascii_digit());
    let number: Number = decimal.then(|| text.parse().ok())??;
    Some(Value::Number(number))
}

/// A date or a time, as RFC 3339 writes it.
fn timestamp(text: &str) -> Option<String> {
    if !text.starts_with(|c: char| c.is_ascii_digit()) || text.len() < 8 {
        return None;
    }
    let (date, time) = match text.find(['T', 't', ' ']) {
        Some(end) => (&text[..end], text[end + 1..].trim_start()),
        None => (text, ""),
    };
    let mut parts = date.split('-');
    let mut part = |digits: std::ops::RangeInclusive<usize>| {
        let part = parts.next()?;
        let whole = part.bytes().all(|byte| byte.is_ascii_digit());
        (whole && digits.contains(&part.len())).then(|| part.parse::<i16>().ok())?
    };
    let (year, month, day) = (part(4..=4)?, part(1..=2)?, part(1..=2)?);
    if parts.next().is_some() {
        return None;
    }
    if time.is_empty() && text.len() > date.len() {
        return None;
    }
    let (clock, zone) = if time.is_empty() {
        ("00:00:00", "Z")
    } else {
        let end = time.find(['Z', 'z', '+', '-', ' ']).unwrap_or(time.len());
        (&time[..end], time[end..].trim_start())
    };
    let clock = clock.split('.').next()?;
    let mut units = clock.split(':').map(|unit| {
        let digits = (1..=2).contains(&unit.len()) && unit.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| unit.parse::<i8>().ok()).flatten()
    });
    let (hour, minute, second) = (units.next()??, units.next()??, units.next()??);
    let (month, day) = (i8::try_from(month).ok()?, i8::try_from(day).ok()?);
    let moment = DateTime::new(year, month, day, hour, minute, second, 0).ok()?;
    let zone = match zone {
        "" | "Z" | "z" => "Z".to_owned(),
        other => offset(other)?,
    };
    Some(format!("{}{zone}", moment.strftime("%Y-%m-%dT%H:%M:%S")))
}

/// `-5` and `+05:30` as `-05:00` and `+05:30`.
fn offset(text: &str) -> Option<String> {
    let (sign, rest) = text.split_at_checked(1)?;
    let (hours, minutes) = rest.split_once(':').unwrap_or((rest, "00"));
    let digits = |text: &str| text.len() <= 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    let fits = matches!(sign, "+" | "-") && digits(hours) && digits(minutes) && !hours.is_empty();
    fits.then(|| format!("{sign}{hours:0>2}:{minutes:0>2}"))
}
