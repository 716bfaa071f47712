//! Numbers as configurations write them.

use std::cmp::Ordering;
use std::fmt;

/// A finite number: an exact 64-bit integer where possible, a double otherwise.
///
/// The representation is private so that a wider one can take its place without touching a
/// caller. A number is never NaN and never infinite.
#[derive(Debug, Clone, Copy)]
pub struct Number(Repr);

#[derive(Debug, Clone, Copy)]
enum Repr {
    Integer(i64),
    Float(f64),
}

/// Beyond this magnitude a double no longer tells neighbouring integers apart (2^53).
const EXACT: f64 = 9_007_199_254_740_992.0;

impl Number {
    /// A number from a double; `None` for NaN and infinities. Whole doubles become integers.
    #[must_use]
    pub fn from_f64(value: f64) -> Option<Self> {
        if !value.is_finite() {
            return None;
        }
        if value.fract() == 0.0 && value.abs() < EXACT {
            #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
            return Some(Self(Repr::Integer(value as i64)));
        }
        Some(Self(Repr::Float(value)))
    }

    /// The nearest double.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        match self.0 {
            #[expect(
                clippy::cast_precision_loss,
                reason = "the nearest double is what is asked for"
            )]
            Repr::Integer(value) => value as f64,
            Repr::Float(value) => value,
        }
    }

    /// The value as an integer, if it is one that is held exactly.
    #[must_use]
    pub fn as_i64(self) -> Option<i64> {
        match self.0 {
            Repr::Integer(value) => Some(value),
            Repr::Float(_) => None,
        }
    }

    /// The value as a count, if it is a whole number from 0 to `u64::MAX`.
    #[must_use]
    pub fn as_u64(self) -> Option<u64> {
        self.as_i64().and_then(|value| u64::try_from(value).ok())
    }

    /// Exact integer arithmetic where it fits, doubles where it does not; `None` on overflow.
    fn combine(
        self,
        other: Self,
        exact: impl Fn(i64, i64) -> Option<i64>,
        float: impl Fn(f64, f64) -> f64,
    ) -> Option<Self> {
        if let (Repr::Integer(left), Repr::Integer(right)) = (self.0, other.0)
            && let Some(value) = exact(left, right)
        {
            return Some(Self(Repr::Integer(value)));
        }
        Self::from_f64(float(self.as_f64(), other.as_f64()))
    }

    /// Sum; `None` on overflow.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.combine(other, i64::checked_add, |l, r| l + r)
    }

    /// Difference; `None` on overflow.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.combine(other, i64::checked_sub, |l, r| l - r)
    }

    /// Product; `None` on overflow.
    #[must_use]
    pub fn checked_mul(self, other: Self) -> Option<Self> {
        self.combine(other, i64::checked_mul, |l, r| l * r)
    }

    /// Quotient; `None` for a division by zero or on overflow.
    #[must_use]
    pub fn checked_div(self, other: Self) -> Option<Self> {
        self.combine(
            other,
            |l, r| (r != 0 && l.checked_rem(r) == Some(0)).then(|| l / r),
            |l, r| l / r,
        )
    }

    /// Remainder with the sign of the dividend; `None` for a division by zero.
    #[must_use]
    pub fn checked_rem(self, other: Self) -> Option<Self> {
        self.combine(other, i64::checked_rem, |l, r| l % r)
    }

    /// The greatest whole number that is not greater.
    #[must_use]
    pub fn floor(self) -> Self {
        match self.0 {
            Repr::Integer(_) => self,
            Repr::Float(value) => Self::from_f64(value.floor()).unwrap_or(self),
        }
    }

    /// The least whole number that is not less.
    #[must_use]
    pub fn ceil(self) -> Self {
        match self.0 {
            Repr::Integer(_) => self,
            Repr::Float(value) => Self::from_f64(value.ceil()).unwrap_or(self),
        }
    }

    /// The number with its sign turned.
    #[must_use]
    pub fn negate(self) -> Self {
        match self.0 {
            Repr::Integer(value) => value
                .checked_neg()
                .map_or(Self(Repr::Float(-self.as_f64())), |value| {
                    Self(Repr::Integer(value))
                }),
            Repr::Float(value) => Self(Repr::Float(-value)),
        }
    }
}

impl From<i64> for Number {
    fn from(value: i64) -> Self {
        Self(Repr::Integer(value))
    }
}

impl From<u32> for Number {
    fn from(value: u32) -> Self {
        Self(Repr::Integer(i64::from(value)))
    }
}

impl From<usize> for Number {
    fn from(value: usize) -> Self {
        #[expect(
            clippy::cast_precision_loss,
            reason = "beyond i64 the nearest double is used"
        )]
        i64::try_from(value).map_or(Self(Repr::Float(value as f64)), |value| {
            Self(Repr::Integer(value))
        })
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Number {}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.0, other.0) {
            (Repr::Integer(left), Repr::Integer(right)) => left.cmp(&right),
            (Repr::Float(left), Repr::Float(right)) => left.total_cmp(&right),
            (Repr::Integer(left), Repr::Float(right)) => compare(left, right),
            (Repr::Float(left), Repr::Integer(right)) => compare(right, left).reverse(),
        }
    }
}

/// Compares an integer with a double exactly: the double is rounded down to an integer, not the
/// integer to a double, so that the order is transitive.
fn compare(integer: i64, float: f64) -> Ordering {
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;
    if float >= BEYOND {
        return Ordering::Less;
    }
    if float < -BEYOND {
        return Ordering::Greater;
    }
    #[expect(clippy::cast_possible_truncation, reason = "within the range of i64")]
    let floor = float.floor() as i64;
    let fraction = float > float.floor();
    integer.cmp(&floor).then(if fraction {
        Ordering::Less
    } else {
        Ordering::Equal
    })
}

impl fmt::Display for Number {
    /// Plain decimal digits, never an exponent.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Repr::Integer(value) => write!(f, "{value}"),
            Repr::Float(value) => write!(f, "{value}"),
        }
    }
}

impl std::str::FromStr for Number {
    type Err = ();

    /// Decimal digits with an optional sign, fraction and exponent.
    fn from_str(text: &str) -> Result<Self, ()> {
        if let Ok(value) = text.parse::<i64>() {
            return Ok(Self(Repr::Integer(value)));
        }
        let numeric = |c: char| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-');
        if text.is_empty() || !text.chars().all(numeric) {
            return Err(());
        }
        text.parse::<f64>().ok().and_then(Self::from_f64).ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::Number;

    fn number(text: &str) -> Number {
        text.parse().unwrap()
    }

    #[test]
    fn prints_as_written_in_plain_decimals() {
        for text in ["0", "-3", "1.5", "9223372036854775807", "0.1"] {
            assert_eq!(number(text).to_string(), text);
        }
        assert_eq!(number("1e3").to_string(), "1000");
        assert_eq!(number("2.0").to_string(), "2");
    }

    #[test]
    fn divides_exactly_where_it_can() {
        assert_eq!(
            number("6").checked_div(number("3")).unwrap().as_i64(),
            Some(2)
        );
        assert_eq!(
            number("1").checked_div(number("2")).unwrap().to_string(),
            "0.5"
        );
        assert!(number("1").checked_div(number("0")).is_none());
        assert!(number("1").checked_rem(number("0")).is_none());
    }

    #[test]
    fn large_integers_and_doubles_compare_exactly() {
        let numbers = [
            "-1e300",
            "-9223372036854775808",
            "-0.5",
            "0",
            "0.5",
            "9007199254740993",
            "9223372036854775807",
            "1e19",
        ];
        for (position, small) in numbers.iter().enumerate() {
            for large in &numbers[position + 1..] {
                assert!(number(small) < number(large), "{small} {large}");
                assert!(number(large) > number(small), "{small} {large}");
            }
        }
        assert_eq!(
            number("9007199254740993").floor().to_string(),
            "9007199254740993"
        );
        assert_eq!(number("-0.5").ceil().to_string(), "0");
    }

    #[test]
    fn refuses_what_is_not_a_number() {
        for text in ["", "NaN", "inf", "1x", "0x10", "1e999"] {
            assert!(text.parse::<Number>().is_err(), "{text}");
        }
    }
}
