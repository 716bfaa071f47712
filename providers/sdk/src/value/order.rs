//! Equality and order of values.

use std::cmp::Ordering;

use super::Value;
use crate::Number;

/// The items of a set, each once and in their order: scalars by what they are, everything else by
/// what [`key`] writes for it, as Terraform's sets have them.
pub(super) fn in_set(mut items: Vec<Value>) -> Vec<Value> {
    if !items.iter().any(Value::is_composite) {
        items.sort_by(Value::compare);
        items.dedup();
        return items;
    }
    let mut keyed: Vec<(u8, String, Value)> = items
        .into_iter()
        .map(|item| {
            let mut written = String::new();
            key(&item, &mut written);
            (item.lateness(), written, item)
        })
        .collect();
    keyed.sort_by(
        |(left_late, left_key, left), (right_late, right_key, right)| {
            let by_key = (left_late, left_key).cmp(&(right_late, right_key));
            by_key.then_with(|| left.compare(right))
        },
    );
    keyed.dedup_by(|next, first| next.2 == first.2);
    keyed.into_iter().map(|(_, _, item)| item).collect()
}

/// Writes what a value is ordered by in a set.
fn key(value: &Value, into: &mut String) {
    let mut several = |(open, close), items: &mut dyn Iterator<Item = &Value>| {
        into.push(open);
        for item in items {
            key(item, into);
            into.push(';');
        }
        into.push(close);
    };
    match value {
        Value::Null(_) => into.push('~'),
        Value::Unknown(_) => into.push('?'),
        Value::Bool(true) => into.push('T'),
        Value::Bool(false) => into.push('F'),
        Value::Number(number) => into.push_str(&ten_digits(number)),
        Value::String(text) => into.push_str(&format!("{text:?}")),
        Value::List(items) | Value::Set(items) => several(('[', ']'), &mut items.iter()),
        Value::Tuple(items) => several(('<', '>'), &mut items.iter()),
        Value::Object(fields) => several(('<', '>'), &mut fields.values()),
        Value::Map(fields) => {
            into.push('{');
            for (name, item) in fields.iter() {
                into.push_str(&format!("{name:?}:"));
                key(item, into);
                into.push(';');
            }
            into.push('}');
        }
        Value::Marked(_, inner) => key(inner, into),
    }
}

/// A number with ten digits, with an exponent where it is large or small.
fn ten_digits(number: &Number) -> String {
    let text = number.to_string();
    let (sign, bare) = text
        .strip_prefix('-')
        .map_or(("", &*text), |bare| ("-", bare));
    let (whole, fraction) = bare.split_once('.').unwrap_or((bare, ""));
    let all = format!("{whole}{fraction}");
    let digits = all.trim_start_matches('0');
    let leading = all.len() - digits.len();
    let Ok(exponent) = i64::try_from(whole.len()).and_then(|w| Ok(w - i64::try_from(leading)? - 1))
    else {
        return text;
    };
    if digits.len() <= 10 && (-4..10).contains(&exponent) {
        return text;
    }
    let (digits, exponent) = rounded(digits, exponent);
    let digits = digits.trim_end_matches('0');
    if !(-4..10).contains(&exponent) {
        let (first, rest) = digits.split_at_checked(1).unwrap_or(("0", ""));
        let point = if rest.is_empty() { "" } else { "." };
        let way = if exponent < 0 { '-' } else { '+' };
        return format!("{sign}{first}{point}{rest}e{way}{:02}", exponent.abs());
    }
    let Ok(place) = usize::try_from(exponent + 1) else {
        let zeros = usize::try_from(-exponent - 1).unwrap_or(0);
        return format!("{sign}0.{}{digits}", "0".repeat(zeros));
    };
    let padded = format!("{digits:0<place$}");
    let (whole, fraction) = padded.split_at_checked(place).unwrap_or((&padded, ""));
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{whole}{point}{fraction}")
}

/// The first ten digits, the last one rounded, and the exponent, which that may raise.
fn rounded(digits: &str, exponent: i64) -> (String, i64) {
    let Some((kept, cut)) = digits
        .split_at_checked(10)
        .filter(|(_, cut)| !cut.is_empty())
    else {
        return (digits.to_owned(), exponent);
    };
    let number: u64 = kept.parse().unwrap_or(0);
    let half = cut.trim_end_matches('0').cmp("5");
    let up = half.is_gt() || (half.is_eq() && number % 2 == 1);
    let text = (number + u64::from(up)).to_string();
    let raised = i64::from(text.len() > 10);
    (text, exponent + raised)
}

impl Value {
    const fn is_composite(&self) -> bool {
        matches!(
            self,
            Self::List(_) | Self::Set(_) | Self::Tuple(_) | Self::Map(_) | Self::Object(_)
        )
    }

    /// What is unknown stands behind everything, and null behind that.
    const fn lateness(&self) -> u8 {
        match self {
            Self::Null(_) => 2,
            Self::Unknown(_) => 1,
            _ => 0,
        }
    }

    /// A total order over values, for stable output; marks do not count.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Ordering {
        let (left, right) = (self.reveal(), other.reveal());
        match (left, right) {
            (Self::Bool(l), Self::Bool(r)) => l.cmp(r),
            (Self::Number(l), Self::Number(r)) => l.cmp(r),
            (Self::String(l), Self::String(r)) => l.cmp(r),
            (Self::List(l), Self::List(r))
            | (Self::Set(l), Self::Set(r))
            | (Self::Tuple(l), Self::Tuple(r)) => l
                .iter()
                .zip(r.iter())
                .map(|(l, r)| l.compare(r))
                .find(|order| order.is_ne())
                .unwrap_or_else(|| l.len().cmp(&r.len())),
            (Self::Map(l), Self::Map(r)) | (Self::Object(l), Self::Object(r)) => l
                .iter()
                .zip(r.iter())
                .map(|((ln, lv), (rn, rv))| ln.cmp(rn).then_with(|| lv.compare(rv)))
                .find(|order| order.is_ne())
                .unwrap_or_else(|| l.len().cmp(&r.len())),
            _ => left.rank().cmp(&right.rank()),
        }
    }

    const fn rank(&self) -> u8 {
        match self {
            Self::Unknown(_) => 9,
            Self::Bool(_) => 1,
            Self::Number(_) => 2,
            Self::String(_) => 3,
            Self::List(_) => 4,
            Self::Set(_) => 5,
            Self::Tuple(_) => 6,
            Self::Map(_) => 7,
            Self::Object(_) => 8,
            Self::Null(_) => 10,
            Self::Marked(..) => 11,
        }
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null(_), Self::Null(_)) => true,
            (Self::Bool(l), Self::Bool(r)) => l == r,
            (Self::Number(l), Self::Number(r)) => l == r,
            (Self::String(l), Self::String(r)) => l == r,
            (Self::List(l), Self::List(r))
            | (Self::Set(l), Self::Set(r))
            | (Self::Tuple(l), Self::Tuple(r)) => l == r,
            (Self::Map(l), Self::Map(r)) | (Self::Object(l), Self::Object(r)) => l == r,
            (Self::Unknown(l), Self::Unknown(r)) => l.ty == r.ty,
            (Self::Marked(lm, l), Self::Marked(rm, r)) => lm == rm && l == r,
            _ => false,
        }
    }
}
