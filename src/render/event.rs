//! What the engine tells while it works, as lines for people.

use std::time::Duration;

use isobar_sdk::quantity::format_duration;
use isobar_sdk::{Address, Value};

use super::style::{Role, Style, visible};
use crate::change::Action;
use crate::event::Event;

/// One line without its end. `elapsed` is the time since the matching start, and plays no part in
/// events that start something.
#[must_use]
pub fn human(event: &Event, elapsed: Duration, style: &Style) -> String {
    let role = match event {
        Event::ApplyErrored { .. } => Role::Error,
        Event::ApplySkipped { .. } => Role::Warning,
        Event::ApplyStart { .. } | Event::ApplyComplete { .. } => Role::Bold,
        Event::RefreshStart { .. }
        | Event::RefreshComplete { .. }
        | Event::ForecastStart { .. }
        | Event::ForecastComplete { .. } => Role::Dim,
    };
    style.paint(role, text(event, elapsed))
}

/// The line that says that a change goes on, without its end.
#[must_use]
pub fn still(address: &Address, action: Action, elapsed: Duration) -> String {
    let doing = words(action).doing.to_lowercase();
    format!("{address}: Still {doing}... [{} elapsed]", seconds(elapsed))
}

/// The line of an event without colours.
pub(super) fn text(event: &Event, elapsed: Duration) -> String {
    let elapsed = seconds(elapsed);
    match event {
        Event::RefreshStart { address } => format!("{address}: Refreshing state..."),
        Event::RefreshComplete { address } => format!("{address}: Refresh complete"),
        Event::ForecastStart { name } => format!("forecast.{name}: Forecasting..."),
        Event::ForecastComplete { name, method } => {
            format!("forecast.{name}: Forecast complete after {elapsed} [method={method}]")
        }
        Event::ApplyStart { address, action } => {
            format!("{address}: {}...", words(*action).doing)
        }
        Event::ApplyComplete {
            address,
            action,
            id,
        } => {
            let id = id.as_ref().filter(|id| !id.is_null());
            let id = id.map_or_else(String::new, |id| format!(" [id={}]", plain(id)));
            let done = words(*action).done;
            format!("{address}: {done} complete after {elapsed}{id}")
        }
        Event::ApplyErrored {
            address,
            action,
            message,
        } => {
            let done = words(*action).done;
            let message = visible(message);
            format!("{address}: {done} failed after {elapsed}: {message}")
        }
        Event::ApplySkipped { address, action } => {
            format!("{address}: {} not begun", words(*action).done)
        }
    }
}

struct Words {
    doing: &'static str,
    done: &'static str,
}

const fn words(action: Action) -> Words {
    let (doing, done) = match action {
        Action::Create => ("Creating", "Creation"),
        Action::Update => ("Modifying", "Modification"),
        Action::Replace => ("Replacing", "Replacement"),
        Action::Delete => ("Destroying", "Destruction"),
        Action::Forget => ("Forgetting", "Forgetting"),
        Action::Keep => ("Keeping", "Keeping"),
    };
    Words { doing, done }
}

fn seconds(elapsed: Duration) -> String {
    format_duration(Duration::from_secs(elapsed.as_secs()))
}

/// A value on one line, text without quotes.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => visible(text).replace('\n', " "),
        other => super::value::value(other).replace('\n', " "),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::sample::{SECRET, data, events};
    use super::{human, still};
    use crate::change::Action;
    use crate::render::Style;

    #[test]
    fn every_event_has_a_line() {
        let style = Style::plain(80);
        let lines: Vec<String> = events()
            .iter()
            .map(|event| human(event, Duration::from_millis(72_400), &style))
            .collect();
        insta::assert_snapshot!(lines.join("\n"));
        assert!(!lines.concat().contains(SECRET));
    }

    #[test]
    fn a_change_that_goes_on_says_how_long() {
        assert_eq!(
            still(&data("a"), Action::Create, Duration::from_secs(10)),
            "isobar_data.a: Still creating... [10s elapsed]"
        );
    }
}
