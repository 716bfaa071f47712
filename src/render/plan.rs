//! A plan for people: what has changed, what will be done, and why.

use std::collections::BTreeSet;
use std::fmt::Write;

use isobar_sdk::address::Key;
use isobar_sdk::{Address, Path, Value};

use rayon::prelude::*;

use super::diff::{self, Marker};
use super::style::{Role, Style};
use super::{deployment, value};
use crate::apply::Report;
use crate::change::{Action, Cause, Change, Reason};
use crate::plan::{Deferred, Mode, Plan, PlannedChange, PlannedDeployment, Refresh};
use crate::state::State;

/// A plan with its summary, with a newline at the end. Nothing sensitive is in it.
#[must_use]
pub fn human(plan: &Plan, style: &Style) -> String {
    let mut sections = vec![drift(plan, style)];
    if plan.mode == Mode::Normal {
        let deployments = plan.deployments.iter();
        let (staying, moving): (Vec<_>, Vec<_>) =
            deployments.partition(|(name, planned)| stays(plan, name, planned));
        let moving = moving.into_iter();
        sections.extend(moving.map(|(name, planned)| deployment::draw(name, planned, plan, style)));
        let staying = staying.into_iter();
        sections.push(
            staying
                .map(|(name, planned)| deployment::unchanged(name, planned))
                .collect(),
        );
    }
    let urgent = |action| matches!(action, Action::Delete | Action::Replace);
    sections.push(changes(plan, style, &urgent));
    sections.push(deposed(plan, style));
    sections.push(moved(plan, style));
    sections.push(changes(plan, style, &|action| !urgent(action)));
    sections.push(reads(plan));
    sections.push(outputs(plan, style));
    sections.push(notes(plan, style));
    sections.push(refreshed(plan, style));
    sections.push(format!("{}\n", closing(plan, style)));
    sections.retain(|section| !section.is_empty());
    sections.join("\n")
}

/// The last line of a plan, such as `Plan: 3 to add, 1 to change, 0 to destroy.`; a replacement
/// counts as added and destroyed.
#[must_use]
pub fn summary(plan: &Plan) -> String {
    if !plan.has_changes() {
        return match plan.mode {
            Mode::Normal => "No changes. What is there matches the configuration.",
            Mode::Destroy => "No changes. There is nothing to destroy.",
            Mode::RefreshOnly => "No changes. What is there matches the state.",
        }
        .to_owned();
    }
    if plan.mode == Mode::RefreshOnly {
        let differing = plan.drift.len();
        let noun = if differing == 1 {
            "resource"
        } else {
            "resources"
        };
        return format!(
            "Refresh only: {differing} {noun} to record in the state, nothing to change."
        );
    }
    let all = plan.actions().map(|(_, planned)| planned);
    let all = all.chain(plan.deposed.values());
    let counts = Counts::of(all.map(|planned| planned.change.action()));
    let forget = match plan.count(Action::Forget) {
        0 => String::new(),
        count => format!(", {count} to forget"),
    };
    let import = match imports(plan) {
        0 => String::new(),
        count => format!("{count} to import, "),
    };
    format!(
        "Plan: {import}{} to add, {} to change, {} to destroy{forget}.",
        counts.add, counts.change, counts.remove
    )
}

/// How much of what is there becomes part of the state.
pub(super) fn imports(plan: &Plan) -> usize {
    let imported = plan.changes.values().filter(|p| p.importing.is_some());
    imported.count()
}

/// The last line of an apply; what was not done is told in the diagnostics.
#[must_use]
pub fn applied(report: &Report, mode: Mode) -> String {
    let counts = Counts::of(report.done.iter().map(|(_, action)| *action));
    let word = match (report.diagnostics.has_errors(), report.interrupted) {
        (_, true) => "interrupted",
        (true, false) => "failed",
        (false, false) => "complete",
    };
    let end = match report.skipped.len() {
        0 => ".".to_owned(),
        skipped => format!("; {skipped} not begun."),
    };
    let imported = match report.imported.len() {
        0 => String::new(),
        count => format!("{count} imported, "),
    };
    let mark = if word == "complete" { "!" } else { "." };
    let what = match mode {
        Mode::Destroy => "Destroy",
        Mode::Normal | Mode::RefreshOnly => "Apply",
    };
    format!(
        "{what} {word}{mark} Resources: {imported}{} added, {} changed, {} destroyed{end}",
        counts.add, counts.change, counts.remove
    )
}

/// The outputs of a state under a heading; empty where there are none.
#[must_use]
pub fn outputs_block(state: &State) -> String {
    if state.outputs.is_empty() {
        return String::new();
    }
    let values = state.outputs.iter();
    let values = values.map(|(name, output)| (name.as_str(), output.value.value()));
    format!("Outputs:\n\n{}", super::outputs(values))
}

/// How many resources are added, changed and destroyed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub add: usize,
    pub change: usize,
    pub remove: usize,
}

impl Counts {
    pub(super) fn of(actions: impl Iterator<Item = Action>) -> Self {
        let mut counts = Self::default();
        for action in actions {
            counts.add += usize::from(matches!(action, Action::Create | Action::Replace));
            counts.change += usize::from(action == Action::Update);
            counts.remove += usize::from(matches!(action, Action::Delete | Action::Replace));
        }
        counts
    }
}

pub(super) fn closing(plan: &Plan, style: &Style) -> String {
    let unchanged = plan.count(Action::Keep);
    let summary = style.paint(Role::Bold, summary(plan));
    if unchanged == 0 || !plan.has_changes() || plan.mode != Mode::Normal {
        return summary;
    }
    let rest = style.paint(Role::Dim, format_args!("{unchanged} unchanged."));
    format!("{summary} {rest}")
}

fn heading(style: &Style, text: &str) -> String {
    format!("{}\n", style.paint(Role::Bold, text))
}

fn drift(plan: &Plan, style: &Style) -> String {
    if plan.drift.is_empty() {
        return String::new();
    }
    let mut text = heading(style, "Changed outside of Isobar since the last apply:");
    for (address, drift) in &plan.drift {
        let Some(observed) = &drift.observed else {
            let _ = writeln!(text, "  {} {address} is gone", Marker::Removed.draw(style));
            continue;
        };
        let _ = writeln!(text, "  {} {address}", Marker::Changed.draw(style));
        let (before, after) = (drift.recorded.value(), observed.value());
        let lines = diff::attributes(Some(before), Some(after), &|_| None);
        text.push_str(&diff::draw(&lines, 6, style));
    }
    text
}

/// Whether neither the replicas of a deployment nor anything below it changes.
fn stays(plan: &Plan, name: &str, planned: &PlannedDeployment) -> bool {
    let same = planned
        .sized
        .zones
        .iter()
        .all(|zone| zone.before == zone.after);
    let below = |address: &Address| address.native.is_some() && address.label() == name;
    same && !plan.actions().any(|(address, _)| below(address))
}

/// What was replaced by an earlier apply and is still there.
pub(super) fn deposed(plan: &Plan, style: &Style) -> String {
    let mut text = String::new();
    let marker = Marker::Removed.draw(style);
    for (address, key) in plan.deposed.keys() {
        let title = style.paint(Role::Bold, address);
        let _ = writeln!(
            text,
            "  {marker} {title} (deposed {key}) will be destroyed, because an earlier apply replaced it"
        );
    }
    text
}

/// The data sources that are asked at apply because they cannot be asked before.
fn reads(plan: &Plan) -> String {
    let mut text = String::new();
    for (address, read) in &plan.reads {
        let because = match read.deferred {
            None | Some(Deferred::AskedByCheck) => continue,
            Some(Deferred::ConfigurationUnknown) => "its configuration is not known before",
            Some(Deferred::DependencyPending) => "something in its depends_on changes",
        };
        let _ = writeln!(text, " <= {address} will be read during apply: {because}");
    }
    text
}

/// What has another name now, or becomes managed, and stays as it is otherwise.
pub(super) fn moved(plan: &Plan, style: &Style) -> String {
    let mut text = String::new();
    for (address, planned) in &plan.changes {
        if let Some(id) = &planned.importing
            && planned.change.action() == Action::Keep
        {
            let title = style.paint(Role::Bold, address);
            let _ = writeln!(text, "    {title} will be imported from {id:?}");
        }
    }
    for (new, old) in &plan.moves {
        let planned = plan.changes.get(new);
        if planned.is_some_and(|planned| planned.change.action() == Action::Keep) {
            let title = style.paint(Role::Bold, old);
            let _ = writeln!(text, "    {title} has become {new}");
        }
    }
    text
}

/// Fewer changes than this are drawn on one processor.
const FEW: usize = 200;

/// The changes of some kinds, those below one deployment under its name.
fn changes(plan: &Plan, style: &Style, wanted: &dyn Fn(Action) -> bool) -> String {
    let wanted = |(_, planned): &(&Address, &PlannedChange)| wanted(planned.change.action());
    let actions: Vec<(&Address, &PlannedChange)> = plan.actions().filter(wanted).collect();
    let draw = |place: usize| {
        let (address, planned) = actions[place];
        let block = |address: &Address| address.native.as_ref().map(|_| address.owner());
        let (here, before) = (block(address), place.checked_sub(1));
        let before = before.and_then(|before| block(actions[before].0));
        let title = here.filter(|here| before.as_ref() != Some(here));
        let title = title.map(|block| heading(style, &format!("{block}:")));
        title.unwrap_or_default() + &change(plan, address, planned, style)
    };
    let blocks: Vec<String> = match actions.len() {
        ..FEW => (0..actions.len()).map(draw).collect(),
        _ => (0..actions.len()).into_par_iter().map(draw).collect(),
    };
    blocks.join("\n")
}

fn change(plan: &Plan, address: &Address, planned: &PlannedChange, style: &Style) -> String {
    let (marker, verb) = match planned.change.action() {
        Action::Create => (
            format!("  {}", Marker::Added.draw(style)),
            "will be created",
        ),
        Action::Update => (
            format!("  {}", Marker::Changed.draw(style)),
            "will be updated in place",
        ),
        Action::Delete => (
            format!("  {}", Marker::Removed.draw(style)),
            "will be destroyed",
        ),
        Action::Replace => {
            let (minus, plus) = (Marker::Removed.draw(style), Marker::Added.draw(style));
            if planned.creates_first() {
                (
                    format!("{plus}/{minus}"),
                    "must be replaced, the new one first",
                )
            } else {
                (format!("{minus}/{plus}"), "must be replaced")
            }
        }
        Action::Forget => (
            format!("  {}", style.paint(Role::Dim, ".")),
            "will be forgotten, and stays where it is",
        ),
        Action::Keep => ("   ".to_owned(), "stays as it is"),
    };
    let mut why = because(plan, address, planned);
    if let Some(id) = &planned.importing {
        let was = format!("imported from {id:?}");
        why = Some(why.map_or(was.clone(), |why| format!("{was}, {why}")));
    }
    if let Some(previous) = plan.moves.get(address) {
        let was = format!("which was {previous}");
        why = Some(why.map_or(was.clone(), |why| format!("{was}, {why}")));
    }
    let why = why.map_or_else(String::new, |why| format!(", {why}"));
    let title = style.paint(Role::Bold, address);
    let mut text = format!("{marker} {title} {verb}{why}\n");
    let notes = |path: &Path| note(planned, path);
    let (before, after) = (planned.change.before(), planned.change.after());
    let lines = diff::attributes(before.map(isobar_sdk::Known::value), after, &notes);
    text.push_str(&diff::draw(&lines, 6, style));
    text
}

/// Why a change is what it is, as a clause that ends a sentence.
pub(super) fn because(plan: &Plan, address: &Address, planned: &PlannedChange) -> Option<String> {
    let Some(reason) = planned.reason else {
        let gone = planned.causes.contains(&Cause::Gone);
        return gone.then(|| "because it was there and is gone".to_owned());
    };
    let key = address.key.as_ref();
    Some(match reason {
        Reason::CannotUpdate => {
            let paths = match &planned.change {
                Change::Replace { because, .. } => because.as_slice(),
                _ => &[],
            };
            let names: Vec<String> = paths.iter().map(ToString::to_string).collect();
            let what = names.join(", ");
            format!(
                "because {what} cannot be changed in place{}",
                chain(plan, planned)
            )
        }
        Reason::Tainted => "because it is tainted".to_owned(),
        Reason::Triggered => format!("because of replace_triggered_by{}", chain(plan, planned)),
        Reason::NoBlock => "because it is no longer in the configuration".to_owned(),
        Reason::NoMoveTarget => format!("because {address} is not in the configuration"),
        Reason::NoModule => "because its module is no longer called".to_owned(),
        Reason::CountIndex => format!("because count no longer reaches {}", shown(key)),
        Reason::EachKey => format!("because for_each no longer has {}", shown(key)),
        Reason::WrongRepetition => match key {
            None => "because its block now has count or for_each",
            Some(Key::Number(_)) => "because its block no longer has count",
            Some(Key::Text(_)) => "because its block no longer has for_each",
        }
        .to_owned(),
        Reason::NotEnabled => "because enabled is false".to_owned(),
        Reason::NotDeployed => not_deployed(plan, address),
        Reason::Requested => "as requested".to_owned(),
    })
}

/// What a replacement follows, what that follows, and so on, as the end of a clause.
fn chain(plan: &Plan, planned: &PlannedChange) -> String {
    let forcing: Vec<&str> = match (&planned.change, planned.reason) {
        (_, Some(Reason::Triggered)) => vec!["replace_triggered_by"],
        (Change::Replace { because, .. }, _) => {
            because.iter().filter_map(Path::first_attribute).collect()
        }
        _ => Vec::new(),
    };
    let mut text = String::new();
    let mut seen: BTreeSet<&Address> = BTreeSet::new();
    let mut current = followed(planned, |attribute| forcing.contains(&attribute));
    let mut link = ", and follows";
    while !current.is_empty() && current.iter().all(|address| seen.insert(address)) {
        let names: Vec<String> = current.iter().map(ToString::to_string).collect();
        let _ = write!(text, "{link} {}", names.join(" and "));
        link = ", which follows";
        let next = current.first().filter(|_| current.len() == 1);
        let next = next.and_then(|address| instance_of(plan, address));
        current = next.map_or_else(BTreeSet::new, |next| followed(next, |_| true));
    }
    text
}

/// The change of an instance, or of the first one of a block.
fn instance_of<'a>(plan: &'a Plan, address: &Address) -> Option<&'a PlannedChange> {
    let mut from_here = plan.changes.range(address.clone()..);
    let (found, planned) = from_here.next()?;
    (found == address || found.block() == *address).then_some(planned)
}

/// What the attributes of a change follow.
pub(super) fn followed(
    planned: &PlannedChange,
    of_interest: impl Fn(&str) -> bool,
) -> BTreeSet<&Address> {
    let causes = planned.causes.iter();
    let followed = causes.filter_map(|cause| match cause {
        Cause::Follows { attribute, of } if of_interest(attribute) => Some(of),
        _ => None,
    });
    followed.collect()
}

/// A key without the brackets that addresses have.
fn shown(key: Option<&Key>) -> String {
    match key {
        Some(Key::Number(number)) => number.to_string(),
        Some(Key::Text(text)) => format!("{text:?}"),
        None => "it".to_owned(),
    }
}

fn not_deployed(plan: &Plan, address: &Address) -> String {
    let Some(planned) = plan.deployments.get(&address.label()) else {
        return "because the deployment is no longer in the configuration".to_owned();
    };
    let zone = address.zone.as_deref().unwrap_or_default();
    let sized = planned.sized.zones.iter();
    let runs = sized
        .filter(|size| size.after > 0)
        .any(|size| size.zone == zone);
    let version = address
        .native
        .as_ref()
        .and_then(|native| native.key.as_ref());
    match (runs, version) {
        (false, _) => format!("because the deployment no longer runs in {zone}"),
        (true, Some(Key::Text(version))) => {
            format!("because the deployment no longer runs version {version}")
        }
        (true, _) => "because the deployment no longer needs it".to_owned(),
    }
}

/// What is to be told about one attribute of a change: that it forces a replacement, that someone
/// else changed it, or that it follows from demand.
fn note(planned: &PlannedChange, path: &Path) -> Option<String> {
    let [isobar_sdk::Step::Attribute(name)] = path.steps() else {
        return forces(planned, path);
    };
    let mut notes: Vec<String> = forces(planned, path).into_iter().collect();
    let drift = planned.causes.iter().find_map(|cause| match cause {
        Cause::Drift {
            attribute,
            recorded,
            observed,
        } if **attribute == **name => Some(drifted(name, recorded, observed)),
        _ => None,
    });
    match drift {
        Some(drift) => notes.push(drift),
        None if follows_capacity(planned, name) => notes.push("capacity".to_owned()),
        None => {}
    }
    (!notes.is_empty()).then(|| notes.join(", "))
}

fn forces(planned: &PlannedChange, path: &Path) -> Option<String> {
    match &planned.change {
        Change::Replace { because, .. } if because.contains(path) => {
            Some("forces replacement".to_owned())
        }
        _ => None,
    }
}

fn drifted(name: &str, recorded: &Value, observed: &Value) -> String {
    let count = |value: &Value| value.as_number().and_then(isobar_sdk::Number::as_u64);
    if recorded.contains_sensitive() || observed.contains_sensitive() {
        return "changed since the last apply".to_owned();
    }
    match (count(recorded), count(observed)) {
        (Some(was), Some(is)) if name == "replicas" && is < was => {
            let noun = if was - is == 1 { "replica" } else { "replicas" };
            format!("{} {noun} gone since the last apply", was - is)
        }
        _ if recorded.items().is_some() || recorded.fields().is_some() => {
            "changed since the last apply".to_owned()
        }
        _ => format!(
            "was {} after the last apply",
            value::value(recorded).replace('\n', " ")
        ),
    }
}

/// Whether capacity planning has set an attribute anew.
fn follows_capacity(planned: &PlannedChange, name: &str) -> bool {
    planned
        .causes
        .iter()
        .any(|cause| matches!(cause, Cause::Capacity { attribute, .. } if attribute == name))
}

fn outputs(plan: &Plan, style: &Style) -> String {
    let changed = plan.outputs.iter();
    let changed: Vec<_> = changed
        .filter(|(_, output)| output.action() != Action::Keep)
        .collect();
    if changed.is_empty() {
        return String::new();
    }
    let names = value::pad(changed.iter().map(|(name, _)| (*name).clone()).collect());
    let mut text = heading(style, "Changes to outputs:");
    for (name, (_, output)) in names.iter().zip(changed) {
        let before = output.before.as_ref().map(isobar_sdk::Known::value);
        let lines = diff::named(name, before, output.after.as_ref());
        text.push_str(&diff::draw(&lines, 2, style));
    }
    text
}

/// That not everything was looked at.
pub(super) const MINIMAL: &str =
    "Note: -minimal-refresh: only what would change was read. The rest is as the state records it.";

/// That not everything was looked at; empty where it was, or where nothing was.
pub(super) fn refreshed(plan: &Plan, style: &Style) -> String {
    if plan.refresh != Refresh::Minimal {
        return String::new();
    }
    let lines = style.wrap(MINIMAL, 0).into_iter();
    lines.map(|line| format!("{line}\n")).collect()
}

fn notes(plan: &Plan, style: &Style) -> String {
    let mut text = String::new();
    for (name, forecast) in &plan.forecasts {
        for note in &forecast.notes {
            let note = format!("Note: forecast {name}: {note}.");
            for line in style.wrap(&note, 0) {
                let _ = writeln!(text, "{line}");
            }
        }
    }
    text
}

#[cfg(test)]
mod tests;
