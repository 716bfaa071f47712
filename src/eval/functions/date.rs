//! Functions of times.

use isobar_sdk::{Type, Value};
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};

use super::caller::Caller;
use super::function::text as text_of;
use super::moment::Moment;
use super::{Function, Shape, date_pattern, text};

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new(
        "formatdate",
        formatdate,
        "A time in words, by a pattern such as \"DD MMM YYYY hh:mm\".",
    )
    .takes(&[text_of("format"), text_of("time")])
    .gives(Shape::String),
    Function::asking(
        "plantimestamp",
        plantimestamp,
        "The time that the plan was made at.",
    )
    .gives(Shape::String),
    Function::new("timeadd", timeadd, "A time moved by a duration.")
        .takes(&[
            text_of("timestamp"),
            text_of("duration").about("As 1h30m; the units are h, m, s, ms, us and ns."),
        ])
        .gives(Shape::String),
    Function::new(
        "timecmp",
        timecmp,
        "-1, 0 or 1: whether the first time is before, at or after the second.",
    )
    .takes(&[text_of("timestamp_a"), text_of("timestamp_b")])
    .gives(Shape::Number),
    Function::asking("timestamp", timestamp, "The present, in UTC.").gives(Shape::String),
];

fn formatdate(arguments: &[Value]) -> Result<Value, String> {
    let moment = Moment::parse(text(&arguments[1])?)?;
    date_pattern::write(text(&arguments[0])?, &moment).map(Value::from)
}

fn timeadd(arguments: &[Value]) -> Result<Value, String> {
    let moment = Moment::parse(text(&arguments[0])?)?;
    let moved = moment.add(duration(text(&arguments[1])?)?)?;
    Ok(moved.to_string().into())
}

fn timecmp(arguments: &[Value]) -> Result<Value, String> {
    let (left, right) = (
        Moment::parse(text(&arguments[0])?)?,
        Moment::parse(text(&arguments[1])?)?,
    );
    Ok(Value::from(left.cmp(&right) as i64))
}

fn timestamp(_: &[Value], caller: &Caller<'_>) -> Result<Value, String> {
    Ok(if caller.is_acting() {
        in_utc(caller.host().now())
    } else {
        Value::unknown_of(Type::String)
    })
}

fn plantimestamp(_: &[Value], caller: &Caller<'_>) -> Result<Value, String> {
    Ok(caller
        .planned()
        .map_or(Value::unknown_of(Type::String), in_utc))
}

fn in_utc(time: Timestamp) -> Value {
    Moment::at(time, Offset::UTC).to_string().into()
}

/// `-1h30m`, `1.5h`, `250ms`; of digits behind the point, those below a nanosecond are dropped.
fn duration(text: &str) -> Result<SignedDuration, String> {
    let wrong = || format!("{text:?} is not a duration such as \"1h30m\" or \"-90s\"");
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Ok(SignedDuration::ZERO);
    }
    if rest.is_empty() {
        return Err(wrong());
    }
    let mut total: i128 = 0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.');
        let (amount, behind) = rest.split_at(end.ok_or_else(wrong)?);
        let end = behind.find(|c: char| c.is_ascii_digit() || c == '.');
        let (unit, behind) = behind.split_at(end.unwrap_or(behind.len()));
        let unit: i128 = match unit {
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            _ => return Err(wrong()),
        };
        let (whole, fraction) = amount.split_once('.').unwrap_or((amount, ""));
        if whole.len() + fraction.len() == 0 || fraction.contains('.') {
            return Err(wrong());
        }
        let digits = |digits: &str| match digits {
            "" => Some(0),
            digits => digits.get(..digits.len().min(18))?.parse::<i128>().ok(),
        };
        if whole.len() > 18 {
            return Err(wrong());
        }
        let scale = 10_i128.pow(u32::try_from(fraction.len().min(18)).unwrap_or(0));
        let (whole, fraction) = digits(whole).zip(digits(fraction)).ok_or_else(wrong)?;
        total += whole * unit + fraction * unit / scale;
        rest = behind;
    }
    let nanoseconds = i64::try_from(if negative { -total } else { total });
    nanoseconds
        .map(SignedDuration::from_nanos)
        .map_err(|_| format!("{text:?} is too long a duration"))
}
