//! A state and its resources, for people.

use std::fmt::Write;

use super::plan::outputs_block;
use super::value::named;
use crate::state::{Instance, State, Status};

/// Every resource, then the outputs, with a newline at the end.
#[must_use]
pub fn human(state: &State) -> String {
    let resources = state.instances.iter();
    let mut sections: Vec<String> = resources
        .map(|(address, found)| instance(address, found))
        .collect();
    sections.extend(state.deposed.iter().map(|((address, key), found)| {
        let address = format!("{address} (deposed {key})");
        instance(&address, found)
    }));
    let outputs = outputs_block(state);
    if !outputs.is_empty() {
        sections.push(outputs);
    }
    if sections.is_empty() {
        return "The state is empty.\n".to_owned();
    }
    sections.join("\n")
}

/// One resource, with a newline at the end.
#[must_use]
pub fn instance(address: &impl std::fmt::Display, instance: &Instance) -> String {
    let tainted = match instance.status {
        Status::Ready => "",
        Status::Tainted => " (tainted)",
    };
    let mut text = format!("# {address}:{tainted}\n");
    let fields = instance.attributes.value().fields();
    let fields = fields.into_iter().flat_map(|fields| fields.iter());
    let set = fields.filter(|(_, value)| !value.is_null());
    for line in named(set.map(|(name, value)| (&**name, value))).lines() {
        let _ = writeln!(text, "    {line}");
    }
    text
}

#[cfg(test)]
mod tests {
    use isobar_sdk::{Known, Value};

    use super::human;
    use crate::state::{Instance, State, Status};

    #[test]
    fn resources_are_listed_without_nulls_and_secrets() {
        let mut state = State::new("l".to_owned());
        let attributes = Value::object([
            ("id", "a-1".into()),
            ("none", Value::NULL),
            ("secret", Value::from("hunter2").sensitive()),
        ]);
        let instance = Instance {
            provider: "isobar".to_owned(),
            schema_version: 0,
            attributes: Known::new(attributes).unwrap(),
            dependencies: Vec::new(),
            status: Status::Ready,
            life: crate::state::Life::default(),
        };
        state
            .instances
            .insert("isobar_data.a".parse().unwrap(), instance);
        insta::assert_snapshot!(human(&state), @r#"
        # isobar_data.a:
            id     = "a-1"
            secret = (sensitive value)
        "#);
        assert_eq!(human(&State::new("l".to_owned())), "The state is empty.\n");
    }
}
