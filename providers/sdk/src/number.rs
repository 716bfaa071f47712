//! Numbers as configurations write them.

mod text;

use std::cmp::Ordering;
use std::sync::Arc;

use dashu_float::round::mode::HalfEven;
use dashu_float::{Context, FBig, Repr as Parts};
use dashu_int::IBig;

/// A binary fraction with a precision in bits.
type Float = FBig<HalfEven, 2>;

/// Bits of a number that was written in decimal.
const WRITTEN: usize = 512;
/// Bits of a count.
const COUNTED: usize = 64;
/// Bits of a double.
const DOUBLE: usize = 53;
/// No number has bits further from the point than this, so that no text of one is longer than
/// some 120 000 digits.
const REACH: isize = 400_000;

/// A finite number: a binary fraction of at least 53 bits, 512 where it was written in decimal.
///
/// Operations round to nearest, ties to even, at the greater precision of their operands; the
/// text of a number is the shortest decimal that reads back as the same number. Two numbers are
/// equal if their texts are: one that went through a file is still the same. A number is never
/// NaN and never infinite. Whole numbers of common size are held without an allocation.
#[derive(Debug, Clone)]
pub struct Number(Repr);

#[derive(Debug, Clone)]
enum Repr {
    /// A whole number that fits into its precision. Never the negative zero.
    Small { value: i64, precision: usize },
    /// Every other number.
    Big(Arc<Float>),
}

impl Number {
    /// A number from a double; `None` for NaN and infinities.
    #[must_use]
    pub fn from_f64(value: f64) -> Option<Self> {
        let parts = Parts::<2>::try_from(value).ok()?;
        if parts.is_infinite() {
            return None;
        }
        Self::settle(Float::from_repr(parts, Context::new(DOUBLE)))
    }

    /// A whole number written with digits of a base from 2 to 36, in either case and with an
    /// optional sign; `None` for other text and for what is too large.
    #[must_use]
    pub fn from_digits(digits: &str, base: u32) -> Option<Self> {
        let well_formed = |digits: &str| digits.chars().all(|c| c.is_digit(base));
        let unsigned = digits.strip_prefix(['-', '+']).unwrap_or(digits);
        if digits.len() > REACH.unsigned_abs() || unsigned.is_empty() || !well_formed(unsigned) {
            return None;
        }
        let value = IBig::from_str_radix(digits, base).ok()?;
        let parts = Parts::<2>::new(value, 0);
        let length = parts.exponent().checked_add_unsigned(parts.digits())?;
        let precision = length.unsigned_abs().max(COUNTED);
        Self::settle(Float::from_repr(parts, Context::new(precision)))
    }

    /// The number in its cheapest form; `None` where it is out of reach.
    fn settle(float: Float) -> Option<Self> {
        let (parts, precision) = (float.repr(), float.precision());
        if parts.is_infinite() {
            return None;
        }
        if parts.is_pos_zero() {
            return Some(Self(Repr::Small {
                value: 0,
                precision,
            }));
        }
        let length = parts.digits();
        let top = parts.exponent().checked_add_unsigned(length)?;
        if top > REACH || parts.exponent() < -REACH {
            return None;
        }
        let fits = usize::try_from(top).is_ok_and(|top| top <= precision.min(63));
        if parts.is_int() && fits && !parts.is_neg_zero() {
            let value = i64::try_from(parts.to_int().value()).ok()?;
            return Some(Self(Repr::Small { value, precision }));
        }
        Some(Self(Repr::Big(Arc::new(float))))
    }

    fn float(&self) -> Float {
        match &self.0 {
            Repr::Small { value, precision } => rounded(IBig::from(*value), 0, *precision),
            Repr::Big(float) => Float::clone(float),
        }
    }

    fn precision(&self) -> usize {
        match &self.0 {
            Repr::Small { precision, .. } => *precision,
            Repr::Big(float) => float.precision(),
        }
    }

    /// The nearest double; the greatest one for what is beyond it.
    #[must_use]
    pub fn as_f64(&self) -> f64 {
        let double = match &self.0 {
            #[expect(
                clippy::cast_precision_loss,
                reason = "the nearest double is what is asked for"
            )]
            Repr::Small { value, .. } => *value as f64,
            Repr::Big(float) => float.repr().to_f64().value(),
        };
        double.clamp(f64::MIN, f64::MAX)
    }

    /// The value as an integer, if it is one of 64 bits.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        match &self.0 {
            Repr::Small { value, .. } => Some(*value),
            Repr::Big(_) if self.is_zero() => Some(0),
            Repr::Big(float) => i64::try_from(whole(float)?).ok(),
        }
    }

    /// The value as a count, if it is a whole number from 0 to `u64::MAX`.
    #[must_use]
    pub fn as_u64(&self) -> Option<u64> {
        match &self.0 {
            Repr::Small { value, .. } => u64::try_from(*value).ok(),
            Repr::Big(_) if self.is_zero() => Some(0),
            Repr::Big(float) => u64::try_from(whole(float)?).ok(),
        }
    }

    /// Whether there is nothing behind the point.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        match &self.0 {
            Repr::Small { .. } => true,
            Repr::Big(float) => float.repr().is_int(),
        }
    }

    /// Sum; `None` where it is out of reach.
    #[must_use]
    pub fn checked_add(&self, other: &Self) -> Option<Self> {
        let sum = self.combine(other, i64::checked_add, |left, right| sum(&left, &right))?;
        Some(sum.zero_unless(self.is_negative_zero() && other.is_negative_zero()))
    }

    /// Difference; `None` where it is out of reach.
    #[must_use]
    pub fn checked_sub(&self, other: &Self) -> Option<Self> {
        let difference =
            self.combine(other, i64::checked_sub, |left, right| sum(&left, &-right))?;
        Some(difference.zero_unless(self.is_negative_zero() && !other.is_negative_zero()))
    }

    /// Product; `None` where it is out of reach. It keeps bits beyond the precision of the
    /// factors as far as that of decimals goes.
    #[must_use]
    pub fn checked_mul(&self, other: &Self) -> Option<Self> {
        let nonzero = |l: i64, r: i64| l.checked_mul(r).filter(|product| *product != 0);
        self.combine(other, nonzero, |left, right| {
            let precision = left.precision().max(right.precision());
            let full = Context::<HalfEven>::new(WRITTEN.max(precision));
            let (left, right) = (left.repr(), right.repr());
            full.mul(left, right).map_or(Float::INFINITY, |product| {
                let product = product.value();
                let needed = product.repr().digits();
                product.with_precision(precision.max(needed)).value()
            })
        })
    }

    /// Quotient; `None` for a division by zero or where it is out of reach.
    #[must_use]
    pub fn checked_div(&self, other: &Self) -> Option<Self> {
        if other.is_zero() {
            return None;
        }
        let exact = |l: i64, r: i64| (l != 0 && l.checked_rem(r) == Some(0)).then(|| l / r);
        self.combine(other, exact, |left, right| left / right)
    }

    /// Remainder with the sign and the precision of the dividend; `None` for a division by zero.
    #[must_use]
    pub fn checked_rem(&self, other: &Self) -> Option<Self> {
        if other.is_zero() {
            return None;
        }
        if self.is_zero() {
            return Some(self.clone());
        }
        let precision = self.precision();
        if let (Repr::Small { value: left, .. }, Repr::Small { value: right, .. }) =
            (&self.0, &other.0)
            && let Some(value) = left.checked_rem(*right)
        {
            return Some(Self(Repr::Small { value, precision }));
        }
        let (left, right) = (self.float(), other.float());
        let wide = precision.max(right.precision());
        let at = |number: &Float, precision| number.clone().with_precision(precision).value();
        let times = (at(&left, wide) / at(&right, wide)).trunc();
        let times = at(&times, precision)
            .with_precision(WRITTEN.max(wide))
            .value();
        let taken = at(&(times * at(&right, WRITTEN.max(wide))), precision);
        Self::settle(left - taken)
    }

    /// Integer arithmetic where it is exact, that of fractions where it is not.
    fn combine(
        &self,
        other: &Self,
        exact: impl Fn(i64, i64) -> Option<i64>,
        float: impl Fn(Float, Float) -> Float,
    ) -> Option<Self> {
        let precision = self.precision().max(other.precision());
        if let (Repr::Small { value: left, .. }, Repr::Small { value: right, .. }) =
            (&self.0, &other.0)
            && let Some(value) = exact(*left, *right)
            && holds(value, precision)
        {
            return Some(Self(Repr::Small { value, precision }));
        }
        // Both at the precision of the result: a narrower operand would else round it.
        let at = |number: &Self| number.float().with_precision(precision).value();
        Self::settle(float(at(self), at(other)))
    }

    /// The greatest whole number that is not greater.
    #[must_use]
    pub fn floor(self) -> Self {
        self.rounded_by(Float::floor)
    }

    /// The least whole number that is not less.
    #[must_use]
    pub fn ceil(self) -> Self {
        self.rounded_by(Float::ceil)
    }

    /// Rounded to a whole number, which has the same precision and no negative zero.
    fn rounded_by(self, round: impl Fn(&Float) -> Float) -> Self {
        let Repr::Big(float) = &self.0 else {
            return self;
        };
        if float.repr().is_int() && !float.repr().is_neg_zero() {
            return self;
        }
        let Ok(value) = round(float).to_int().value().try_into() else {
            let whole = round(float).to_int().value();
            return Self::settle(rounded(whole, 0, float.precision())).unwrap_or(self);
        };
        Self(Repr::Small {
            value,
            precision: float.precision(),
        })
    }

    /// The number with its sign turned; that of zero is turned too.
    #[must_use]
    pub fn negate(self) -> Self {
        match self.0 {
            Repr::Small { value, precision } if value != 0 && value != i64::MIN => {
                Self(Repr::Small {
                    value: -value,
                    precision,
                })
            }
            _ if self.is_negative_zero() => Self(Repr::Small {
                value: 0,
                precision: self.precision(),
            }),
            _ if self.is_zero() => Self(Repr::Big(Arc::new(Float::from_repr(
                Parts::neg_zero(),
                Context::new(self.precision()),
            )))),
            _ => Self(Repr::Big(Arc::new(-self.float()))),
        }
    }

    /// The number without its sign.
    #[must_use]
    pub fn abs(self) -> Self {
        if self < Self::from(0_i64) || self.is_negative_zero() {
            self.negate()
        } else {
            self
        }
    }

    /// The number; a zero is one without a sign unless `signed`.
    fn zero_unless(self, signed: bool) -> Self {
        if !signed && self.is_negative_zero() {
            self.negate()
        } else {
            self
        }
    }

    fn is_negative_zero(&self) -> bool {
        matches!(&self.0, Repr::Big(float) if float.repr().is_neg_zero())
    }

    /// Whether this is zero of either sign.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        matches!(self.0, Repr::Small { value: 0, .. }) || self.is_negative_zero()
    }
}

/// The sum of two numbers, worked out exactly and rounded once, to the precision of the first.
fn sum(left: &Float, right: &Float) -> Float {
    let (left_significand, left_exponent) = left.repr().clone().into_parts();
    let (right_significand, right_exponent) = right.repr().clone().into_parts();
    let exponent = left_exponent.min(right_exponent);
    let at = |significand: IBig, from: isize| significand << from.abs_diff(exponent);
    let exact = at(left_significand, left_exponent) + at(right_significand, right_exponent);
    rounded(exact, exponent, left.precision())
}

/// `significand · 2^exponent`, rounded to a precision.
fn rounded(significand: IBig, exponent: isize, precision: usize) -> Float {
    Float::from_parts(significand, exponent)
        .with_precision(precision)
        .value()
}

/// Whether a precision holds a whole number.
fn holds(value: i64, precision: usize) -> bool {
    value != i64::MIN && (64 - value.unsigned_abs().leading_zeros() as usize) <= precision
}

/// The integer, if it is one of at most 64 bits.
fn whole(float: &Float) -> Option<IBig> {
    let parts = float.repr();
    let top = parts.exponent().checked_add_unsigned(parts.digits())?;
    (parts.is_int() && top <= 64).then(|| parts.to_int().value())
}

impl From<i64> for Number {
    fn from(value: i64) -> Self {
        if value == i64::MIN {
            return Self(Repr::Big(Arc::new(rounded(value.into(), 0, COUNTED))));
        }
        Self(Repr::Small {
            value,
            precision: COUNTED,
        })
    }
}

impl From<u64> for Number {
    fn from(value: u64) -> Self {
        i64::try_from(value).map_or_else(
            |_| Self(Repr::Big(Arc::new(rounded(value.into(), 0, COUNTED)))),
            Self::from,
        )
    }
}

impl From<u32> for Number {
    fn from(value: u32) -> Self {
        Self::from(i64::from(value))
    }
}

impl From<usize> for Number {
    fn from(value: usize) -> Self {
        Self::from(value as u64)
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Repr::Small { value: left, .. }, Repr::Small { value: right, .. }) => left == right,
            _ if self.is_zero() || other.is_zero() => self.is_zero() && other.is_zero(),
            (Repr::Big(left), Repr::Big(right)) if left.precision() == right.precision() => {
                left == right
            }
            _ => self.to_string() == other.to_string(),
        }
    }
}

impl Eq for Number {}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    /// The order of what the texts say, so that it agrees with equality.
    fn cmp(&self, other: &Self) -> Ordering {
        match (&self.0, &other.0) {
            (Repr::Small { value: left, .. }, Repr::Small { value: right, .. }) => left.cmp(right),
            _ if self == other => Ordering::Equal,
            _ => {
                let (left, right) = (self.as_written(), other.as_written());
                left.repr().cmp(right.repr())
            }
        }
    }
}

#[cfg(test)]
mod tests;
