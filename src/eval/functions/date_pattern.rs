//! The patterns of `formatdate`.

use std::iter::Peekable;
use std::str::Chars;

use super::moment::Moment;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];

/// A time, written as a pattern says.
///
/// # Errors
/// A letter that means nothing, or not as often as it stands.
pub(super) fn write(pattern: &str, moment: &Moment) -> Result<String, String> {
    let mut written = String::new();
    let mut rest = pattern.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '\'' => quoted(&mut rest, &mut written)?,
            letter if letter.is_ascii_alphabetic() => {
                let mut count = 1;
                while rest.next_if_eq(&letter).is_some() {
                    count += 1;
                }
                let part = part(letter, count, moment);
                written.push_str(&part.ok_or_else(|| {
                    format!(
                        "{} means nothing in a pattern; put text into single quotes",
                        String::from(letter).repeat(count.min(9))
                    )
                })?);
            }
            other => written.push(other),
        }
    }
    Ok(written)
}

/// Text between single quotes, of which two stand for one.
fn quoted(rest: &mut Peekable<Chars<'_>>, written: &mut String) -> Result<(), String> {
    if rest.next_if_eq(&'\'').is_some() {
        written.push('\'');
        return Ok(());
    }
    loop {
        match rest.next() {
            Some('\'') if rest.next_if_eq(&'\'').is_some() => written.push('\''),
            Some('\'') => return Ok(()),
            Some(other) => written.push(other),
            None => return Err("a single quote is not closed".to_owned()),
        }
    }
}

fn part(letter: char, count: usize, moment: &Moment) -> Option<String> {
    let civil = moment.civil();
    let month = MONTHS.get(usize::try_from(civil.month()).ok()?.checked_sub(1)?)?;
    let weekday = civil.weekday().to_monday_zero_offset();
    let day = DAYS.get(usize::try_from(weekday).ok()?)?;
    let twelve = match civil.hour() % 12 {
        0 => 12,
        hour => hour,
    };
    let afternoon = civil.hour() >= 12;
    let number = |value: i8| match count {
        1 => Some(value.to_string()),
        2 => Some(format!("{value:02}")),
        _ => None,
    };
    match (letter, count) {
        ('Y', 2) => Some(format!("{:02}", civil.year() % 100)),
        ('Y', 4) => Some(format!("{:04}", civil.year())),
        ('M', 3) => Some(month[..3].to_owned()),
        ('M', 4) => Some((*month).to_owned()),
        ('M', _) => number(civil.month()),
        ('D', _) => number(civil.day()),
        ('E', 3) => Some(day[..3].to_owned()),
        ('E', 4) => Some((*day).to_owned()),
        ('h', _) => number(civil.hour()),
        ('H', _) => number(twelve),
        ('m', _) => number(civil.minute()),
        ('s', _) => number(civil.second()),
        ('A', 2) => Some(if afternoon { "PM" } else { "AM" }.to_owned()),
        ('a', 2) => Some(if afternoon { "pm" } else { "am" }.to_owned()),
        ('Z', 1) if moment.minutes() == 0 => Some("Z".to_owned()),
        ('Z', 3) if moment.minutes() == 0 => Some("UTC".to_owned()),
        ('Z', 1 | 5) => Some(moment.zone(":")),
        ('Z', 3 | 4) => Some(moment.zone("")),
        _ => None,
    }
}
