//! The `calendar` of a forecast.

use std::collections::BTreeSet;

use isobar_sdk::Value;
use isobar_sdk::diagnostic::closest;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::spec::{Noun, Wrong};
use crate::forecast::{Calendar, Event, countries, holidays};

/// The years that the holidays of a country are worked out for: all that telemetry could be from,
/// and horizons reach.
const YEARS: std::ops::RangeInclusive<i16> = 1990..=2060;

/// Reads the block.
///
/// # Errors
/// The first setting that makes no sense.
pub(super) fn calendar(block: &Noun<'_>) -> Result<Calendar, Wrong> {
    let zone = match block.text("timezone") {
        Some(name) => Some(TimeZone::get(&name).map_err(|_| {
            let reason = format!(
                "There is no time zone {name:?}; write it as in the IANA database, such as \"Europe/Berlin\" or \"UTC\"."
            );
            Wrong::new(&block.path("timezone"), reason)
        })?),
        None => None,
    };
    let mut days = BTreeSet::new();
    for entry in texts(block.field("holidays")) {
        days.extend(days_of(&entry).map_err(|reason| Wrong::new(&block.path("holidays"), reason))?);
    }
    let events = block.field("event").and_then(Value::items);
    let events = events.into_iter().flat_map(|items| items.iter());
    let events = events.map(|value| event(&Noun(value, block.path("event"))));
    Ok(Calendar {
        zone,
        holidays: days,
        events: events.collect::<Result<_, _>>()?,
    })
}

/// The text elements of a list or set; none of nothing.
pub(super) fn texts(value: Option<&Value>) -> Vec<String> {
    let elements = value
        .and_then(Value::items)
        .into_iter()
        .flat_map(|items| items.iter());
    elements
        .filter_map(|element| element.as_str().map(str::to_owned))
        .collect()
}

/// A day, or those of a country.
fn days_of(entry: &str) -> Result<Vec<Date>, String> {
    if let Ok(day) = entry.parse::<Date>() {
        return Ok(vec![day]);
    }
    let years = YEARS.map(|year| holidays(entry, year));
    let days: Option<Vec<Vec<Date>>> = years.collect();
    days.map(|days| days.concat()).ok_or_else(|| {
        let known: Vec<&str> = countries().collect();
        let meant = closest(entry, countries()).map(|meant| format!(" Did you mean {meant:?}?"));
        format!(
            "{entry:?} is neither a day such as \"2026-12-24\" nor a country whose holidays are known: {}.{}",
            known.join(", "),
            meant.unwrap_or_default()
        )
    })
}

fn event(noun: &Noun<'_>) -> Result<Event, Wrong> {
    let text = noun.text("at").unwrap_or_default();
    let at: Timestamp = text.parse().map_err(|_| {
        let reason = format!(
            "{text:?} is no time; write it with its offset, such as \"2026-12-24T18:00:00Z\"."
        );
        Wrong::new(&noun.path("at"), reason)
    })?;
    let every = noun.duration("every")?;
    let lasts = noun.duration("lasts")?.unwrap_or_default();
    if lasts.is_zero() {
        return Err(Wrong::new(
            &noun.path("lasts"),
            "An event must last for some time, such as \"2h\".",
        ));
    }
    if every.is_some_and(|every| every <= lasts || SignedDuration::try_from(every).is_err()) {
        let reason =
            "An event must be over before it comes again: `every` must be longer than `lasts`.";
        return Err(Wrong::new(&noun.path("every"), reason));
    }
    Ok(Event {
        name: noun.text("name").unwrap_or_default(),
        at,
        lasts,
        every,
    })
}
