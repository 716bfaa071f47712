//! Quantities written with a unit: durations, sizes in bytes, money.

use std::fmt;
use std::time::Duration;

/// Reads a duration such as `"90s"`, `"1h30m"`, `"250ms"` or `"28d"`.
///
/// Units: `ms`, `s`, `m`, `h`, `d`, `w`; several may follow one another.
///
/// # Errors
/// A text that names what was expected.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong = || {
        format!(
            "{text:?} is not a duration; write a number and a unit (ms, s, m, h, d, w), such as \"90s\" or \"1h30m\""
        )
    };
    let mut rest = text.trim();
    let mut total = 0.0_f64;
    if rest.is_empty() {
        return Err(wrong());
    }
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .ok_or_else(wrong)?;
        let amount: f64 = rest[..digits].parse().map_err(|_| wrong())?;
        let tail = &rest[digits..];
        let letters = tail
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(tail.len());
        let seconds = match &tail[..letters] {
            "ms" => 0.001,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            "d" => 86_400.0,
            "w" => 604_800.0,
            _ => return Err(wrong()),
        };
        total += amount * seconds;
        rest = &tail[letters..];
    }
    Duration::try_from_secs_f64(total).map_err(|_| wrong())
}

/// Writes a duration the way [`parse_duration`] reads it, largest units first.
#[must_use]
pub fn format_duration(duration: Duration) -> String {
    let millis = duration.subsec_millis();
    let mut seconds = duration.as_secs();
    let mut text = String::new();
    for (unit, size) in [("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)] {
        if seconds >= size {
            text.push_str(&format!("{}{unit}", seconds / size));
            seconds %= size;
        }
    }
    if millis > 0 {
        text.push_str(&format!("{millis}ms"));
    }
    if text.is_empty() {
        "0s".to_owned()
    } else {
        text
    }
}

/// Reads a size such as `"16GiB"`, `"512MB"` or `"1024"` as bytes.
///
/// # Errors
/// A text that names what was expected.
pub fn parse_bytes(text: &str) -> Result<u64, String> {
    let wrong = || {
        format!("{text:?} is not a size; write a number and a unit, such as \"16GiB\" or \"512MB\"")
    };
    let trimmed = text.trim();
    let digits = trimmed
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(trimmed.len());
    let amount: f64 = trimmed[..digits].parse().map_err(|_| wrong())?;
    let unit = match trimmed[digits..].trim() {
        "" | "B" => 1.0,
        "KiB" | "Ki" => 1024.0,
        "MiB" | "Mi" => 1_048_576.0,
        "GiB" | "Gi" => 1_073_741_824.0,
        "TiB" | "Ti" => 1_099_511_627_776.0,
        "KB" | "kB" => 1e3,
        "MB" => 1e6,
        "GB" => 1e9,
        "TB" => 1e12,
        _ => return Err(wrong()),
    };
    let bytes = amount * unit;
    if !(0.0..9e18).contains(&bytes) {
        return Err(wrong());
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to lie between 0 and 9e18; a fraction of a byte is dropped"
    )]
    Ok(bytes as u64)
}

/// Money in millionths of a US dollar, so that sums are exact.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Micros(pub u64);

impl Micros {
    /// From dollars; `None` for what is negative, not finite or too large.
    #[must_use]
    pub fn from_dollars(dollars: f64) -> Option<Self> {
        let micros = (dollars * 1e6).round();
        if !(0.0..9e18).contains(&micros) {
            return None;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked to lie between 0 and 9e18 and rounded"
        )]
        Some(Self(micros as u64))
    }

    /// `count` times this much, or the largest amount there is.
    #[must_use]
    pub fn times(self, count: u32) -> Self {
        Self(self.0.saturating_mul(u64::from(count)))
    }
}

impl std::iter::Sum for Micros {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        Self(amounts.fold(0, |total, amount| total.saturating_add(amount.0)))
    }
}

impl fmt::Display for Micros {
    /// Dollars with two decimals, or as many as a small amount needs: `8.44`, `0.0042`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (dollars, micros) = (self.0 / 1_000_000, self.0 % 1_000_000);
        let decimals = format!("{micros:06}");
        let shown = decimals.trim_end_matches('0').len().max(2);
        write!(f, "{dollars}.{}", &decimals[..shown])
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Micros, format_duration, parse_bytes, parse_duration};

    #[test]
    fn durations_are_read_and_written() {
        for (text, seconds) in [
            ("90s", 90.0),
            ("1h30m", 5400.0),
            ("250ms", 0.25),
            ("28d", 2_419_200.0),
        ] {
            assert_eq!(
                parse_duration(text).unwrap(),
                Duration::from_secs_f64(seconds),
                "{text}"
            );
        }
        assert_eq!(format_duration(Duration::from_secs(5400)), "1h30m");
        assert_eq!(format_duration(Duration::from_millis(1250)), "1s250ms");
        assert_eq!(format_duration(Duration::ZERO), "0s");
        for text in ["", "5", "5x", "s", "-1s", "1..2s"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_are_read() {
        assert_eq!(parse_bytes("16GiB").unwrap(), 17_179_869_184);
        assert_eq!(parse_bytes("1.5 KB").unwrap(), 1500);
        assert!(parse_bytes("GiB").is_err());
        assert!(parse_bytes("1 stone").is_err());
    }

    #[test]
    fn money_is_exact() {
        assert_eq!(Micros::from_dollars(8.44).unwrap().to_string(), "8.44");
        assert_eq!(
            Micros::from_dollars(0.0042).unwrap().times(10).to_string(),
            "0.042"
        );
        assert_eq!(Micros(0).to_string(), "0.00");
        assert!(Micros::from_dollars(-1.0).is_none());
    }
}
