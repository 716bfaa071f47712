//! The versions of a state, and the difference between two of them, for people.

use std::collections::BTreeSet;
use std::fmt::Write;

use isobar_sdk::{Known, Value};

use super::diff::{self, Marker};
use super::style::{Role, Style};
use crate::state::{Instance, State, Status, Version};

/// A table with a row for each version, the newest first.
#[must_use]
pub fn versions(versions: &[Version]) -> String {
    let mut rows = vec![["SERIAL", "WHEN", "COMMAND", "CHANGES", "SIZE"].map(str::to_owned)];
    rows.extend(versions.iter().rev().map(|version| {
        let tally = version.tally;
        [
            version.serial.to_string(),
            version.at.clone(),
            version.command.clone(),
            format!("+{} ~{} -{}", tally.added, tally.changed, tally.removed),
            size(version.size),
        ]
    }));
    let mut widths = [0; 5];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.len());
        }
    }
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (width, cell) in widths.iter().zip(row) {
            let _ = write!(line, "{cell:width$}  ");
        }
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

/// A length for people.
fn size(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{} KiB", bytes >> 10),
        _ => format!("{} MiB", bytes >> 20),
    }
}

/// What differs between two states: instances, then outputs. Empty where nothing does.
#[must_use]
pub fn difference(before: &State, after: &State, style: &Style) -> String {
    let mut text = String::new();
    let addresses: BTreeSet<_> = before
        .instances
        .keys()
        .chain(after.instances.keys())
        .collect();
    for address in addresses {
        let sides = (before.instances.get(address), after.instances.get(address));
        text.push_str(&one(&address.to_string(), sides, style));
    }
    let replaced: BTreeSet<_> = before.deposed.keys().chain(after.deposed.keys()).collect();
    for key in replaced {
        let sides = (before.deposed.get(key), after.deposed.get(key));
        text.push_str(&one(
            &format!("{} (deposed {})", key.0, key.1),
            sides,
            style,
        ));
    }
    let outputs: BTreeSet<_> = before.outputs.keys().chain(after.outputs.keys()).collect();
    for name in outputs {
        let value = |state: &State| state.outputs.get(name).map(|output| output.value.clone());
        let (old, new) = (value(before), value(after));
        if old != new {
            let sides = (
                old.as_ref().map(Known::value),
                new.as_ref().map(Known::value),
            );
            let lines = diff::named(&format!("output.{name}"), sides.0, sides.1);
            text.push_str(&diff::draw(&lines, 2, style));
        }
    }
    text
}

fn one(name: &str, sides: (Option<&Instance>, Option<&Instance>), style: &Style) -> String {
    let marker = match sides {
        (None, _) => Marker::Added,
        (_, None) => Marker::Removed,
        (Some(old), Some(new)) if old == new => return String::new(),
        _ => Marker::Changed,
    };
    let mut text = format!("{} {}\n", marker.draw(style), style.paint(Role::Bold, name));
    let value = |side: Option<&Instance>| side.map(|found| found.attributes.value().clone());
    let (old, new) = (value(sides.0), value(sides.1));
    let lines = diff::attributes(old.as_ref(), new.as_ref(), &|_| None);
    text.push_str(&diff::draw(&lines, 4, style));
    if let (Some(old), Some(new)) = sides {
        let (old, new) = (record(old), record(new));
        if old != new {
            let lines = diff::attributes(Some(&old), Some(&new), &|_| None);
            let _ = writeln!(text, "    # as it is recorded:");
            text.push_str(&diff::draw(&lines, 4, style));
        }
    }
    text
}

/// What is recorded of an instance beside its attributes.
fn record(instance: &Instance) -> Value {
    let names = instance.dependencies.iter().map(ToString::to_string);
    Value::object([
        ("create_first", Value::from(instance.life.create_first)),
        (
            "dependencies",
            Value::from(names.collect::<Vec<_>>().join(", ").as_str()),
        ),
        ("protected", Value::from(instance.life.protected)),
        ("provider", Value::from(instance.provider.as_str())),
        ("tainted", Value::from(instance.status == Status::Tainted)),
    ])
}

#[cfg(test)]
mod tests {
    use isobar_sdk::{Known, Value};

    use super::difference;
    use crate::render::Style;
    use crate::state::{Instance, Life, State, Status};

    fn state(input: &str, secret: &str) -> State {
        let mut state = State::new("l".to_owned());
        let attributes = Value::object([
            ("input", input.into()),
            ("secret", Value::from(secret).sensitive()),
        ]);
        let instance = Instance {
            provider: "isobar".to_owned(),
            schema_version: 0,
            attributes: Known::new(attributes).unwrap(),
            dependencies: Vec::new(),
            status: Status::Ready,
            life: Life::default(),
        };
        state
            .instances
            .insert("isobar_data.a".parse().unwrap(), instance);
        state
    }

    #[test]
    fn differences_are_told_and_secrets_are_not() {
        let style = Style::plain(80);
        let (old, new) = (state("one", "hunter2"), state("two", "hunter3"));
        assert_eq!(difference(&old, &old, &style), "");
        let text = difference(&old, &new, &style);
        assert!(text.starts_with("~ isobar_data.a\n"), "{text}");
        assert!(
            text.contains("\"one\"") && text.contains("\"two\""),
            "{text}"
        );
        assert!(
            text.contains("(sensitive value") && !text.contains("hunter"),
            "{text}"
        );
        let mut tainted = old.clone();
        for instance in tainted.instances.values_mut() {
            instance.status = Status::Tainted;
        }
        assert!(difference(&old, &tainted, &style).contains("tainted"));
        let gone = difference(&old, &State::new("l".to_owned()), &style);
        assert!(
            gone.starts_with("- isobar_data.a\n") && !gone.contains("hunter"),
            "{gone}"
        );
    }
}
