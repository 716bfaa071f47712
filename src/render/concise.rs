//! A plan on one line per change, without attributes: what is destroyed first, each with its cause.

use std::collections::BTreeMap;
use std::fmt::Write;

use isobar_sdk::{Address, Key, Native};

use super::diff::Marker;
use super::plan::{because, closing, deposed, followed, moved, refreshed};
use super::style::{Role, Style};
use crate::change::{Action, Cause};
use crate::plan::{OutputChange, Plan, PlannedChange};

/// A plan in short, with a newline at the end. Nothing sensitive is in it.
#[must_use]
pub fn concise(plan: &Plan, style: &Style) -> String {
    let urgent = |action: Action| matches!(action, Action::Delete | Action::Replace);
    let mut sections = vec![
        drift(plan, style),
        changes(plan, style, &urgent),
        deposed(plan, style),
        moved(plan, style),
        changes(plan, style, &|action| !urgent(action)),
        outputs(plan, style),
        refreshed(plan, style),
        format!("{}\n", closing(plan, style)),
    ];
    sections.retain(|section| !section.is_empty());
    sections.join("\n")
}

/// Instances of one block that change alike, for one cause.
type Group<'a> = BTreeMap<(Address, Action, String), Vec<&'a Address>>;

fn changes(plan: &Plan, style: &Style, wanted: &dyn Fn(Action) -> bool) -> String {
    let mut groups: Group<'_> = BTreeMap::new();
    for (address, planned) in plan.actions() {
        let action = planned.change.action();
        if wanted(action) {
            let why = why(plan, address, planned);
            let group = groups.entry((unkeyed(address), action, why)).or_default();
            group.push(address);
        }
    }
    let mut groups: Vec<_> = groups.iter().collect();
    groups.sort_by_key(|(_, members)| members.first().copied());
    let mut text = String::new();
    for ((block, action, why), members) in groups {
        let marker = marker(*action, style);
        let name = style.paint(Role::Bold, together(block, members));
        let why = match why.is_empty() {
            true => String::new(),
            false => style.paint(Role::Dim, format_args!("   # {why}")),
        };
        let _ = writeln!(text, "{marker} {name}{why}");
    }
    text
}

/// An address without the keys by which instances differ.
fn unkeyed(address: &Address) -> Address {
    let native = address.native.as_ref().map(|native| Native {
        key: None,
        ..native.clone()
    });
    Address {
        native,
        ..address.block()
    }
}

/// Several instances under one name: `isobar_data.a (3): [0] [1] [2]`.
fn together(block: &Address, members: &[&Address]) -> String {
    const SHOWN: usize = 6;
    if let [one] = members {
        return one.to_string();
    }
    let keys = |address: &Address| {
        let native = address.native.as_ref();
        let zone = address.zone.as_ref().map(|zone| Key::Text(zone.clone()));
        let keys = [
            address.key.as_ref(),
            zone.as_ref(),
            native.and_then(|n| n.key.as_ref()),
        ];
        let keys = keys.into_iter().flatten().map(ToString::to_string);
        keys.collect::<String>()
    };
    let mut shown: Vec<String> = members
        .iter()
        .take(SHOWN)
        .map(|address| keys(address))
        .collect();
    if members.len() > SHOWN {
        shown.push(format!("and {} more", members.len() - SHOWN));
    }
    format!("{block} ({}): {}", members.len(), shown.join(" "))
}

fn marker(action: Action, style: &Style) -> String {
    let one = |marker: Marker| format!("  {}", marker.draw(style));
    match action {
        Action::Create => one(Marker::Added),
        Action::Update => one(Marker::Changed),
        Action::Delete => one(Marker::Removed),
        Action::Replace => {
            let (minus, plus) = (Marker::Removed.draw(style), Marker::Added.draw(style));
            format!("{minus}/{plus}")
        }
        Action::Forget => format!("  {}", style.paint(Role::Dim, ".")),
        Action::Keep => one(Marker::Same),
    }
}

/// Why a change is made: its reason, or else which attributes changed and by what.
fn why(plan: &Plan, address: &Address, planned: &PlannedChange) -> String {
    let mut parts: Vec<String> = because(plan, address, planned).into_iter().collect();
    if planned.change.action() == Action::Forget {
        parts.push("stays where it is".to_owned());
    }
    let imported = planned.importing.as_ref();
    parts.extend(imported.map(|id| format!("imported from {id:?}")));
    let previous = plan.moves.get(address);
    parts.extend(previous.map(|previous| format!("was {previous}")));
    if !parts.is_empty() {
        return parts.join(", ");
    }
    if planned.change.action() == Action::Create {
        return String::new();
    }
    let mut kinds: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for cause in &planned.causes {
        let (kind, attribute) = match cause {
            Cause::Configuration { attribute } => {
                let followed = followed(planned, |name| name == attribute);
                let followed: Vec<String> = followed.iter().map(ToString::to_string).collect();
                let kind = match followed.as_slice() {
                    [] => "configuration".to_owned(),
                    followed => format!("follows {}", followed.join(" and ")),
                };
                (kind, attribute.as_str())
            }
            Cause::Drift { attribute, .. } => {
                ("changed outside of Isobar".to_owned(), attribute.as_str())
            }
            Cause::Capacity { attribute, .. } => ("capacity".to_owned(), attribute.as_str()),
            Cause::Follows { .. } | Cause::Gone => continue,
        };
        kinds.entry(kind).or_default().push(attribute);
    }
    let parts = kinds
        .iter()
        .map(|(kind, names)| format!("{kind}: {}", names.join(", ")));
    parts.collect::<Vec<_>>().join("; ")
}

fn drift(plan: &Plan, style: &Style) -> String {
    let mut text = String::new();
    for (address, drift) in &plan.drift {
        let (marker, what) = match drift.observed {
            Some(_) => (Marker::Changed, "changed"),
            None => (Marker::Removed, "gone"),
        };
        let note = style.paint(
            Role::Dim,
            format_args!("   # {what} outside of Isobar since the last apply"),
        );
        let _ = writeln!(text, "  {} {address}{note}", marker.draw(style));
    }
    text
}

fn outputs(plan: &Plan, style: &Style) -> String {
    let mut text = String::new();
    for (name, change) in &plan.outputs {
        let marker = match OutputChange::action(change) {
            Action::Keep => continue,
            action => marker(action, style),
        };
        let _ = writeln!(text, "{marker} output.{name}");
    }
    text
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::super::sample::{self, SECRET};
    use super::{Style, concise};

    #[test]
    fn destruction_comes_first_with_its_cause() {
        assert_snapshot!(concise(&sample::replace(), &Style::plain(100)));
    }

    #[test]
    fn what_heals_drift_says_so() {
        assert_snapshot!(concise(&sample::heal(), &Style::plain(100)));
    }

    #[test]
    fn a_new_deployment_takes_few_lines() {
        assert_snapshot!(concise(&sample::create(), &Style::plain(100)));
    }

    #[test]
    fn no_secret_is_drawn() {
        let text = concise(&sample::secret(), &Style::plain(100));
        assert!(!text.contains(SECRET), "{text}");
    }
}
