//! Logarithm and power of doubles, with the last bit as Terraform has it.
//!
//! Neither is rounded correctly there; what configurations compute from them is compared digit by
//! digit, so the same steps are taken here.

use std::f64::consts::FRAC_1_SQRT_2;

/// The natural logarithm by the classical series in `f / (2 + f)`, where `x = 2^k · (1 + f)`.
pub(super) fn ln(x: f64) -> f64 {
    // The two parts of ln 2, the first with zeros in its last bits, so that its multiples are exact.
    const HIGH: f64 = 6.931_471_803_691_238e-1;
    const LOW: f64 = 1.908_214_929_270_587_7e-10;
    // The coefficients of even and of odd powers, the highest first.
    const EVEN: [f64; 4] = [
        1.479_819_860_511_658_6e-1,
        1.818_357_216_161_805e-1,
        2.857_142_874_366_239e-1,
        6.666_666_666_666_735e-1,
    ];
    const ODD: [f64; 3] = [
        1.531_383_769_920_937_3e-1,
        2.222_219_843_214_978_4e-1,
        3.999_999_999_940_942e-1,
    ];
    if x <= 0.0 || !x.is_finite() {
        return x.ln();
    }
    let (mut fraction, mut exponent) = split(x);
    if fraction < FRAC_1_SQRT_2 {
        fraction *= 2.0;
        exponent -= 1;
    }
    let f = fraction - 1.0;
    let k = f64::from(exponent);
    let s = f / (2.0 + f);
    let square = s * s;
    let fourth = square * square;
    let series = |all: &[f64]| all.iter().fold(0.0, |sum, next| next + fourth * sum);
    let rest = square * series(&EVEN) + fourth * series(&ODD);
    let half = 0.5 * f * f;
    k * HIGH - ((half - (s * (half + rest) + k * LOW)) - f)
}

/// `x` raised to `y` by squaring, apart from the fraction of `y`.
pub(super) fn pow(x: f64, y: f64) -> f64 {
    if y == 0.5 {
        return x.sqrt();
    }
    if y == -0.5 {
        return 1.0 / x.sqrt();
    }
    let usual = x.is_finite() && y.is_finite() && x != 0.0 && y.abs() < 9e15;
    if !usual || y == 0.0 || y == 1.0 || (x < 0.0 && y.fract() != 0.0) {
        return x.powf(y);
    }
    let (mut whole, mut part) = (y.abs().trunc(), y.abs().fract());
    if part > 0.5 {
        part -= 1.0;
        whole += 1.0;
    }
    let mut result = if part == 0.0 {
        1.0
    } else {
        (part * ln(x)).exp()
    };
    let mut scale = 0_i64;
    let (mut factor, exponent) = split(x);
    let mut exponent = i64::from(exponent);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a whole number from 0 to 9e15"
    )]
    let mut left = whole as u64;
    while left != 0 {
        if exponent.abs() > 1 << 12 {
            scale += exponent;
            break;
        }
        if left & 1 == 1 {
            result *= factor;
            scale += exponent;
        }
        factor *= factor;
        exponent *= 2;
        if factor < 0.5 {
            factor *= 2.0;
            exponent -= 1;
        }
        left >>= 1;
    }
    if y < 0.0 {
        result = 1.0 / result;
        scale = -scale;
    }
    scaled(result, scale)
}

/// A positive or negative number as `fraction · 2^exponent`, the fraction from 0.5 up to 1.
fn split(x: f64) -> (f64, i32) {
    const TOP: u64 = 0x7ff;
    if x.is_subnormal() {
        let (fraction, exponent) = split(x * 2_f64.powi(54));
        return (fraction, exponent - 54);
    }
    let bits = x.to_bits();
    let exponent = i32::try_from(bits >> 52 & TOP).unwrap_or(0) - 1022;
    (f64::from_bits(bits & !(TOP << 52) | 1022 << 52), exponent)
}

/// `x · 2^exponent`.
fn scaled(x: f64, exponent: i64) -> f64 {
    let exponent = i32::try_from(exponent.clamp(-4000, 4000)).unwrap_or(0);
    // In steps that are powers of two themselves.
    let step = exponent.clamp(-1000, 1000);
    let (first, rest) = (x * 2_f64.powi(step), exponent - step);
    if rest == 0 {
        first
    } else {
        scaled(first, rest.into())
    }
}

#[cfg(test)]
mod tests {
    use super::{ln, pow, scaled, split};

    #[test]
    fn numbers_are_split_and_put_together() {
        for x in [1.0, -0.75, 3.5e300, 5e-324, 1e-310] {
            let (fraction, exponent) = split(x);
            assert!((0.5..1.0).contains(&fraction.abs()), "{x}");
            assert_eq!(scaled(fraction, exponent.into()).to_bits(), x.to_bits());
        }
    }

    #[test]
    fn results_are_near_those_of_the_machine() {
        let near = |left: f64, right: f64| (left - right).abs() <= right.abs() * 1e-13;
        for x in [1e-300, 0.1, 0.5, 1.0, 2.0, 3.0, 10.0, 1e20, 1e300] {
            assert!(near(ln(x), x.ln()), "{x}");
            for y in [-3.0, -1.0, 0.25, 0.75, 1.0, 2.0, 2.5, 7.0, 40.0] {
                assert!(near(pow(x, y), x.powf(y)) || x.powf(y) > 1e290, "{x} {y}");
            }
        }
        assert_eq!(pow(-2.0, 3.0).to_bits(), (-8.0_f64).to_bits());
        assert!(pow(-2.0, 0.3).is_nan() && pow(10.0, 400.0).is_infinite());
    }
}
