//! Numbers to decimal text and back.

use std::fmt;
use std::str::FromStr;

use dashu_float::round::mode::HalfEven;
use dashu_float::{Context, Repr as Parts};
use dashu_int::{IBig, UBig};

use super::{Float, Number, REACH, Repr, WRITTEN, rounded};

/// No text of a number has more characters, and no decimal exponent is greater.
const LONGEST: usize = 130_000;

impl FromStr for Number {
    type Err = ();

    /// Decimal digits with an optional sign, fraction and exponent.
    fn from_str(text: &str) -> Result<Self, ()> {
        if let Ok(value) = text.parse::<i64>()
            && value != i64::MIN
            && !(value == 0 && text.starts_with('-'))
        {
            return Ok(Self(Repr::Small {
                value,
                precision: WRITTEN,
            }));
        }
        let decimal = Decimal::read(text).ok_or(())?;
        let number = Self::settle(decimal.float().ok_or(())?).ok_or(())?;
        Ok(if decimal.negative {
            number.negate()
        } else {
            number
        })
    }
}

/// `digits · 10^exponent`.
struct Decimal {
    negative: bool,
    digits: UBig,
    exponent: isize,
}

impl Decimal {
    fn read(text: &str) -> Option<Self> {
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<isize>().ok()?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{whole}{fraction}");
        let well_formed = digits.bytes().all(|byte| byte.is_ascii_digit());
        if digits.is_empty() || !well_formed || digits.len() > LONGEST {
            return None;
        }
        Some(Self {
            negative: text.starts_with('-'),
            digits: UBig::from_str_radix(&digits, 10).ok()?,
            exponent: exponent.checked_sub_unsigned(fraction.len())?,
        })
    }

    /// The nearest fraction of 512 bits; `None` where it is out of reach.
    fn float(&self) -> Option<Float> {
        let digits = IBig::from(self.digits.clone());
        if digits.is_zero() {
            return Some(rounded(digits, 0, WRITTEN));
        }
        let power = self.exponent.unsigned_abs();
        if power > LONGEST {
            return None;
        }
        let scale = IBig::from(UBig::from(10_u8).pow(power));
        if self.exponent >= 0 {
            return Some(rounded(digits * scale, 0, WRITTEN));
        }
        let context = Context::<HalfEven>::new(WRITTEN);
        let quotient = context.div(&Parts::new(digits, 0), &Parts::new(scale, 0));
        Some(quotient.ok()?.value())
    }
}

impl Number {
    /// All decimal digits of the binary fraction, where the text has the fewest that tell it
    /// from its neighbours.
    #[must_use]
    pub fn exact_text(&self) -> String {
        let Repr::Big(float) = &self.0 else {
            return self.to_string();
        };
        let (significand, exponent) = float.repr().clone().into_parts();
        if exponent >= 0 {
            return self.to_string();
        }
        let places = exponent.unsigned_abs();
        let (_, magnitude) = significand.into_parts();
        let digits = (magnitude * UBig::from(5_u8).pow(places)).to_string();
        let digits = format!("{digits:0>width$}", width = places + 1);
        let (whole, fraction) = digits.split_at(digits.len() - places);
        let sign = if *self < Self::from(0_i64) { "-" } else { "" };
        format!("{sign}{whole}.{fraction}")
    }

    /// The number that the text of this one says.
    pub(super) fn as_written(&self) -> Float {
        match &self.0 {
            Repr::Big(float) if float.precision() == WRITTEN => Float::clone(float),
            Repr::Small { .. } => self.float(),
            Repr::Big(_) => self
                .to_string()
                .parse::<Self>()
                .map_or_else(|()| self.float(), |number| number.float()),
        }
    }
}

impl fmt::Display for Number {
    /// Plain decimal digits, never an exponent.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Small { value, .. } => write!(f, "{value}"),
            Repr::Big(float) if float.repr().is_neg_zero() => f.write_str("-0"),
            Repr::Big(float) => f.write_str(&shortest(float)),
        }
    }
}

/// The shortest decimal between the middles to the neighbours of a number other than zero.
fn shortest(float: &Float) -> String {
    let spare = float.precision().saturating_sub(float.repr().digits());
    let (significand, exponent) = float.repr().clone().into_parts();
    let (sign, magnitude) = significand.into_parts();
    // One bit more than the precision has, so that half a step is one.
    let middle = magnitude << (spare + 1);
    let exponent = exponent.saturating_sub_unsigned(spare + 1);
    // The significand is odd: only with zeros behind it does it win ties.
    let inclusive = spare > 0;
    let one = UBig::ONE;
    let (below, above) = (&middle - &one, &middle + &one);
    let scale = |value: UBig| digits(value, exponent);
    let (middle, below, above) = (scale(middle), scale(below), scale(above));
    let width = above.len();
    let behind = exponent.min(0).unsigned_abs();
    let kept = cut(
        &widen(middle, width),
        &widen(below, width),
        &above,
        inclusive,
    );
    let text = point(kept, behind);
    if sign == dashu_int::Sign::Negative {
        format!("-{text}")
    } else {
        text
    }
}

/// The decimal digits of `value · 2^exponent`; the last `-exponent` of them are behind the point.
fn digits(value: UBig, exponent: isize) -> Vec<u8> {
    let power = exponent.unsigned_abs().min(2 * REACH.unsigned_abs());
    let whole = if exponent >= 0 {
        value << power
    } else {
        value * UBig::from(5_u8).pow(power)
    };
    whole.to_string().into_bytes()
}

fn widen(digits: Vec<u8>, width: usize) -> Vec<u8> {
    let mut wide = vec![b'0'; width.saturating_sub(digits.len())];
    wide.extend(digits);
    wide
}

/// As few leading digits of `middle` as tell it from its neighbours, the last one rounded and
/// zeros behind it. All three have the same number of digits.
fn cut(middle: &[u8], below: &[u8], above: &[u8], inclusive: bool) -> Vec<u8> {
    let (end, below_end, above_end) = (used(middle), used(below), used(above));
    for place in 0..end {
        let (lower, digit, upper) = (below[place], middle[place], above[place]);
        let down = lower != digit || (inclusive && place + 1 == below_end);
        let up = digit != upper && (inclusive || digit + 1 < upper || place + 1 < above_end);
        let upwards = match (down, up) {
            (true, true) => rounds_up(middle, place + 1, end),
            (false, false) => continue,
            (_, up) => up,
        };
        return truncated(middle, place + 1, upwards);
    }
    middle.to_vec()
}

/// The digits up to the last one that is not zero.
fn used(digits: &[u8]) -> usize {
    digits
        .iter()
        .rposition(|d| *d != b'0')
        .map_or(0, |at| at + 1)
}

/// Whether the first `kept` digits are to be raised: nearest, ties to even.
fn rounds_up(digits: &[u8], kept: usize, end: usize) -> bool {
    match digits.get(kept) {
        Some(b'5') if kept + 1 == end => (digits[kept - 1] - b'0') % 2 == 1,
        Some(next) => *next >= b'5',
        None => false,
    }
}

fn truncated(digits: &[u8], kept: usize, upwards: bool) -> Vec<u8> {
    let mut result = digits.to_vec();
    result[kept..].fill(b'0');
    if upwards {
        let mut place = kept;
        while place > 0 && result[place - 1] == b'9' {
            result[place - 1] = b'0';
            place -= 1;
        }
        match place.checked_sub(1) {
            Some(last) => result[last] += 1,
            None => result.insert(0, b'1'),
        }
    }
    result
}

/// Puts the point before the last `behind` digits and takes away zeros that say nothing.
fn point(digits: Vec<u8>, behind: usize) -> String {
    let text = String::from_utf8(widen(digits, behind + 1)).unwrap_or_default();
    let (whole, fraction) = text.split_at(text.len() - behind);
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let fraction = fraction.trim_end_matches('0');
    if fraction.is_empty() {
        whole.to_owned()
    } else {
        format!("{whole}.{fraction}")
    }
}
