//! Public holidays of countries, as rules.

use jiff::civil::{Date, Weekday, date};

/// When a holiday is.
#[derive(Debug, Clone, Copy)]
enum Rule {
    /// Month and day.
    Fixed(i8, i8),
    /// The first year, month and day.
    Since(i16, i8, i8),
    /// Days after Easter Sunday of the western churches.
    Easter(i64),
    /// Month, weekday, and which of them: from 1, or from the end with -1.
    Nth(i8, Weekday, i8),
    /// The last weekday before a month and day.
    Before(i8, i8, Weekday),
}

use Rule::{Before, Easter, Fixed, Nth, Since};
use Weekday::{Monday, Thursday};

/// Countries by their ISO 3166 code, with the days that are public holidays everywhere in them; of
/// the United Kingdom those of England and Wales, of Canada those of most provinces, too. Days off in
/// lieu, as for holidays on Sundays, and days of a single year are not in here. Compared with the
/// package `holidays` 0.109 for Python for 2020 to 2032: it does not have Victoria Day and
/// Thanksgiving in Canada, and has Good Friday and 5 May in the Netherlands, which few have off, and
/// the first Sunday of November in Italy.
const COUNTRIES: [(&str, &[Rule]); 10] = [
    (
        "BR",
        &[
            Fixed(1, 1),
            Easter(-2),
            Fixed(4, 21),
            Fixed(5, 1),
            Fixed(9, 7),
            Fixed(10, 12),
            Fixed(11, 2),
            Fixed(11, 15),
            Since(2024, 11, 20),
            Fixed(12, 25),
        ],
    ),
    (
        "CA",
        &[
            Fixed(1, 1),
            Easter(-2),
            Before(5, 25, Monday),
            Fixed(7, 1),
            Nth(9, Monday, 1),
            Nth(10, Monday, 2),
            Fixed(12, 25),
        ],
    ),
    (
        "DE",
        &[
            Fixed(1, 1),
            Easter(-2),
            Easter(1),
            Fixed(5, 1),
            Easter(39),
            Easter(50),
            Fixed(10, 3),
            Fixed(12, 25),
            Fixed(12, 26),
        ],
    ),
    (
        "ES",
        &[
            Fixed(1, 1),
            Fixed(1, 6),
            Easter(-2),
            Fixed(5, 1),
            Fixed(8, 15),
            Fixed(10, 12),
            Fixed(11, 1),
            Fixed(12, 6),
            Fixed(12, 8),
            Fixed(12, 25),
        ],
    ),
    (
        "FR",
        &[
            Fixed(1, 1),
            Easter(1),
            Fixed(5, 1),
            Fixed(5, 8),
            Easter(39),
            Easter(50),
            Fixed(7, 14),
            Fixed(8, 15),
            Fixed(11, 1),
            Fixed(11, 11),
            Fixed(12, 25),
        ],
    ),
    (
        "GB",
        &[
            Fixed(1, 1),
            Easter(-2),
            Easter(1),
            Nth(5, Monday, 1),
            Nth(5, Monday, -1),
            Nth(8, Monday, -1),
            Fixed(12, 25),
            Fixed(12, 26),
        ],
    ),
    (
        "IT",
        &[
            Fixed(1, 1),
            Fixed(1, 6),
            Easter(0),
            Easter(1),
            Fixed(4, 25),
            Fixed(5, 1),
            Fixed(6, 2),
            Fixed(8, 15),
            Since(2026, 10, 4),
            Fixed(11, 1),
            Fixed(12, 8),
            Fixed(12, 25),
            Fixed(12, 26),
        ],
    ),
    (
        "NL",
        &[
            Fixed(1, 1),
            Easter(0),
            Easter(1),
            Fixed(4, 27),
            Easter(39),
            Easter(49),
            Easter(50),
            Fixed(12, 25),
            Fixed(12, 26),
        ],
    ),
    (
        "PL",
        &[
            Fixed(1, 1),
            Fixed(1, 6),
            Easter(0),
            Easter(1),
            Fixed(5, 1),
            Fixed(5, 3),
            Easter(49),
            Easter(60),
            Fixed(8, 15),
            Fixed(11, 1),
            Fixed(11, 11),
            Since(2025, 12, 24),
            Fixed(12, 25),
            Fixed(12, 26),
        ],
    ),
    (
        "US",
        &[
            Fixed(1, 1),
            Nth(1, Monday, 3),
            Nth(2, Monday, 3),
            Nth(5, Monday, -1),
            Since(2021, 6, 19),
            Fixed(7, 4),
            Nth(9, Monday, 1),
            Nth(10, Monday, 2),
            Fixed(11, 11),
            Nth(11, Thursday, 4),
            Fixed(12, 25),
        ],
    ),
];

/// The codes of the countries that are known.
pub fn countries() -> impl Iterator<Item = &'static str> {
    COUNTRIES.iter().map(|(code, _)| *code)
}

/// The public holidays of a country in a year, in the order of the rules; `None` for a country
/// that is not known.
#[must_use]
pub fn holidays(country: &str, year: i16) -> Option<Vec<Date>> {
    let (_, rules) = COUNTRIES.iter().find(|(code, _)| *code == country)?;
    Some(rules.iter().filter_map(|rule| rule.of(year)).collect())
}

impl Rule {
    fn of(self, year: i16) -> Option<Date> {
        match self {
            Fixed(month, day) => Date::new(year, month, day).ok(),
            Since(first, month, day) => {
                let day = Date::new(year, month, day).ok();
                day.filter(|_| year >= first)
            }
            Easter(days) => {
                let days = jiff::Span::new().try_days(days).ok()?;
                easter(year)?.checked_add(days).ok()
            }
            Nth(month, weekday, which) => {
                let first = Date::new(year, month, 1).ok()?;
                first.nth_weekday_of_month(which, weekday).ok()
            }
            Before(month, day, weekday) => Date::new(year, month, day)
                .ok()?
                .nth_weekday(-1, weekday)
                .ok(),
        }
    }
}

/// Easter Sunday by the Gregorian computus (Meeus 1991, the algorithm of Butcher).
fn easter(year: i16) -> Option<Date> {
    let year = i32::from(year);
    let golden = year % 19;
    let (century, rest) = (year / 100, year % 100);
    let correction = (century + 8) / 25;
    let moon = (19 * golden + century - century / 4 - (century - correction + 1) / 3 + 15) % 30;
    let weekday = (32 + 2 * (century % 4) + 2 * (rest / 4) - moon - rest % 4) % 7;
    let late = (golden + 11 * moon + 22 * weekday) / 451;
    let sum = moon + weekday - 7 * late + 114;
    let (month, day) = (
        i8::try_from(sum / 31).ok()?,
        i8::try_from(sum % 31 + 1).ok()?,
    );
    (year >= 1583).then(|| date(i16::try_from(year).unwrap_or(i16::MAX), month, day))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn easter_is_when_it_was() {
        let days = [
            (1999, 4, 4),
            (2024, 3, 31),
            (2025, 4, 20),
            (2026, 4, 5),
            (2038, 4, 25),
        ];
        for (year, month, day) in days {
            assert_eq!(easter(year), Some(date(year, month, day)));
        }
        assert_eq!(easter(1500), None);
    }

    #[test]
    fn holidays_that_move_are_found() {
        let has = |country: &str, year, month, day| {
            holidays(country, year)
                .unwrap()
                .contains(&date(year, month, day))
        };
        assert!(has("US", 2026, 11, 26) && has("US", 2026, 5, 25) && has("US", 2026, 1, 19));
        assert!(has("DE", 2026, 5, 14) && has("GB", 2026, 8, 31) && has("CA", 2026, 5, 18));
        assert!(!has("US", 2026, 12, 26));
        assert_eq!(holidays("XX", 2026), None);
        assert_eq!(countries().count(), COUNTRIES.len());
    }
}
