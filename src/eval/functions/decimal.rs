//! Numbers as decimal digits, rounded and laid out as the verbs of `format` want them.

use isobar_sdk::Number;

/// The digits of a number: `0.d₁d₂d₃… × 10^point`, without zeros at either end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Decimal {
    pub(super) negative: bool,
    digits: Vec<u8>,
    point: i64,
}

impl Decimal {
    /// The digits that a number is written with.
    pub(super) fn shortest(number: &Number) -> Self {
        Self::read(&number.to_string())
    }

    /// The digits that a number has, so that they are rounded once.
    pub(super) fn exact(number: &Number) -> Self {
        Self::read(&number.exact_text())
    }

    fn read(text: &str) -> Self {
        let (negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = whole.bytes().chain(fraction.bytes());
        let mut decimal = Self {
            negative,
            digits: digits.map(|digit| digit - b'0').collect(),
            point: length(whole.len()),
        };
        decimal.trim();
        decimal
    }
}

fn length(value: usize) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

impl Decimal {
    fn trim(&mut self) {
        let zeros = self.digits.iter().take_while(|digit| **digit == 0).count();
        self.digits.drain(..zeros);
        self.point -= length(zeros);
        while self.digits.last() == Some(&0) {
            self.digits.pop();
        }
        if self.digits.is_empty() {
            self.point = 0;
        }
    }

    /// Keeps the first `count` digits; halves go to the even neighbour.
    fn round(&mut self, count: i64) {
        let Ok(count) = usize::try_from(count) else {
            self.digits.clear();
            self.point = 0;
            return;
        };
        let Some((next, rest)) = self.digits.get(count..).and_then(<[u8]>::split_first) else {
            return;
        };
        let odd = count > 0 && self.digits[count - 1] % 2 == 1;
        let up = *next > 5 || (*next == 5 && (!rest.is_empty() || odd));
        self.digits.truncate(count);
        if up {
            self.increment();
        }
        self.trim();
    }

    fn increment(&mut self) {
        for digit in self.digits.iter_mut().rev() {
            if *digit < 9 {
                *digit += 1;
                return;
            }
            *digit = 0;
        }
        self.digits.insert(0, 1);
        self.point += 1;
    }

    /// The digit at a place; `point - 1` is the last before the decimal point.
    fn digit(&self, place: i64) -> char {
        let digit = usize::try_from(place)
            .ok()
            .and_then(|place| self.digits.get(place))
            .copied()
            .unwrap_or(0);
        char::from(b'0' + digit)
    }

    /// The exponent of the first digit.
    fn exponent(&self) -> i64 {
        if self.digits.is_empty() {
            0
        } else {
            self.point - 1
        }
    }

    /// `123.45`, with this many digits behind the point.
    pub(super) fn fixed(mut self, decimals: usize) -> String {
        self.round(self.point + length(decimals));
        self.plain(decimals)
    }

    fn plain(&self, decimals: usize) -> String {
        let mut text: String = (0..self.point).map(|place| self.digit(place)).collect();
        if text.is_empty() {
            text.push('0');
        }
        if decimals > 0 {
            text.push('.');
            text.extend((0..length(decimals)).map(|place| self.digit(self.point + place)));
        }
        text
    }

    /// `1.2345e+02`, with this many digits behind the point.
    pub(super) fn scientific(mut self, decimals: usize) -> String {
        self.round(length(decimals) + 1);
        self.with_exponent(decimals)
    }

    fn with_exponent(&self, decimals: usize) -> String {
        let mut text = String::from(self.digit(0));
        if decimals > 0 {
            text.push('.');
            text.extend((1..=length(decimals)).map(|place| self.digit(place)));
        }
        let exponent = self.exponent();
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{text}e{sign}{:02}", exponent.abs())
    }

    /// The shorter of both, with this many digits at most, or all there are.
    pub(super) fn general(mut self, precision: Option<usize>) -> String {
        /// Numbers of more digits before the point get an exponent, unless asked for more.
        const PLAIN: i64 = 6;
        let limit = match precision {
            Some(digits) => {
                let digits = length(digits.max(1));
                self.round(digits);
                let all = length(self.digits.len());
                // What is whole and was not cut needs no exponent.
                if digits > all && all >= self.point {
                    all
                } else {
                    digits
                }
            }
            None => PLAIN,
        };
        if self.exponent() < -4 || self.exponent() >= limit {
            let decimals = self.digits.len().saturating_sub(1);
            return self.with_exponent(decimals);
        }
        let decimals = length(self.digits.len()) - self.point;
        self.plain(usize::try_from(decimals).unwrap_or(0))
    }
}
