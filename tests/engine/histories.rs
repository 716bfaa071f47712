//! Random histories: whatever a configuration becomes, apply makes it so, in an order that holds.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use isobar::change::Action;
use isobar::plan::{Mode, order};
use isobar::state::State;
use isobar_sdk::Address;
use proptest::prelude::*;

use crate::workspace::{Workspace, actions};

const NODES: usize = 6;

/// One resource of one version of a configuration.
#[derive(Debug, Clone)]
struct Node {
    there: bool,
    /// Its place in the order that references follow.
    rank: u8,
    value: u8,
    trigger: u8,
    /// Which of the nodes before it are in its input, as bits.
    inputs: u8,
    /// Which are in its triggers.
    triggers: u8,
    count: Option<u8>,
}

fn node() -> impl Strategy<Value = Node> {
    let count = prop_oneof![3 => Just(None), 1 => (0..3_u8).prop_map(Some)];
    let bits = prop_oneof![2 => Just(0_u8), 2 => any::<u8>()];
    (
        prop::bool::weighted(0.75),
        any::<u8>(),
        0..2_u8,
        0..2_u8,
        any::<u8>(),
        bits,
        count,
    )
        .prop_map(
            |(there, rank, value, trigger, inputs, triggers, count)| Node {
                there,
                rank,
                value,
                trigger,
                inputs,
                triggers,
                count,
            },
        )
}

fn text(nodes: &[Node]) -> String {
    let mut text = String::from("locals { none = 0 }\n");
    for (number, node) in nodes.iter().enumerate().filter(|(_, node)| node.there) {
        let references = |bits: u8| -> String {
            let before = |(other, o): &(usize, &Node)| {
                o.there && (o.rank, *other) < (node.rank, number) && bits >> other & 1 == 1
            };
            let ids = nodes
                .iter()
                .enumerate()
                .filter(before)
                .map(|(other, o)| match o.count {
                    None => format!(", isobar_data.n{other}.id"),
                    Some(_) => format!(", isobar_data.n{other}[*].id"),
                });
            ids.collect()
        };
        let count = node
            .count
            .map(|count| format!("count = {count}"))
            .unwrap_or_default();
        write!(
            text,
            "resource \"isobar_data\" \"n{number}\" {{\n  {count}\n  input = [{}{}]\n  triggers_replace = [{}{}]\n}}\n",
            node.value,
            references(node.inputs),
            node.trigger,
            references(node.triggers),
        )
        .unwrap();
    }
    text
}

/// What rests on an address in a state, by address of an instance or a block.
fn rests_on(state: &State, above: &Address, below: &Address) -> bool {
    let instance = state.instances.get(above);
    instance.is_some_and(|instance| {
        instance
            .dependencies
            .iter()
            .any(|d| d == below || *d == below.block())
    })
}

async fn step(workspace: &Workspace, nodes: &[Node]) {
    workspace.write("main.hcl", &text(nodes));
    let before = workspace
        .state()
        .unwrap_or_else(|| State::new(String::new()));
    let plan = workspace.plan().await;
    assert!(
        order(&plan, &before).order().is_ok(),
        "{:?}",
        order(&plan, &before).order()
    );
    let report = workspace.apply_plan(&plan).await;
    assert!(
        !report.diagnostics.has_errors(),
        "{:#?}",
        report.diagnostics
    );
    let steps: usize = plan
        .actions()
        .map(|(_, planned)| 1 + usize::from(planned.change.action() == Action::Replace))
        .sum();
    assert_eq!((report.done.len(), report.skipped.len()), (steps, 0));

    let after = workspace.state().unwrap_or_else(|| before.clone());
    let blocks: BTreeSet<Address> = nodes
        .iter()
        .enumerate()
        .filter(|(_, node)| node.there)
        .map(|(number, _)| Address::new("isobar_data", &format!("n{number}")))
        .collect();
    for instance in after.instances.values() {
        assert!(
            instance
                .dependencies
                .iter()
                .all(|dependency| blocks.contains(dependency))
        );
    }
    let place = |address: &Address, removed: bool| {
        let is = |action: Action| (action == Action::Delete) == removed;
        report
            .done
            .iter()
            .position(|(done, action)| done == address && is(*action))
    };
    for (above, _) in &report.done {
        for (below, _) in &report.done {
            if rests_on(&before, above, below)
                && let (Some(first), Some(second)) = (place(above, true), place(below, true))
            {
                assert!(first < second, "{below} was removed before {above}");
            }
            if rests_on(&after, above, below)
                && let (Some(first), Some(second)) = (place(below, false), place(above, false))
            {
                assert!(first < second, "{above} was made before {below}");
            }
        }
    }
    let again = workspace.plan().await;
    assert!(!again.has_changes(), "{:#?}", actions(&again));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_history_is_followed(
        history in prop::collection::vec(prop::collection::vec(node(), NODES), 2..5),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let workspace = Workspace::new();
            for nodes in &history {
                step(&workspace, nodes).await;
            }
            step(&workspace, &[]).await;
            prop_assert!(workspace.state().is_none_or(|state| state.instances.is_empty()));
            Ok(())
        })?;
    }
}

#[tokio::test]
async fn what_is_between_a_replacement_and_what_moves_onto_it_goes_first() {
    let workspace = Workspace::new();
    workspace.write(
        "main.hcl",
        r#"
        resource "isobar_data" "x" { triggers_replace = 1 }
        resource "isobar_data" "z" { input = isobar_data.x.id }
        resource "isobar_data" "w" { input = isobar_data.z.id }
        "#,
    );
    workspace.converge().await;
    workspace.write(
        "main.hcl",
        r#"
        resource "isobar_data" "x" { triggers_replace = 2 }
        resource "isobar_data" "w" { input = isobar_data.x.id }
        "#,
    );
    let plan = workspace.plan().await;
    let report = workspace.apply_plan(&plan).await;
    let done: Vec<String> = report
        .done
        .iter()
        .map(|(address, action)| format!("{action:?} {address}"))
        .collect();
    assert_eq!(
        done,
        [
            "Delete isobar_data.z",
            "Delete isobar_data.x",
            "Create isobar_data.x",
            "Update isobar_data.w"
        ]
    );
    assert!(!workspace.plan().await.has_changes());
}

#[tokio::test]
async fn a_state_whose_resources_rest_on_one_another_is_not_acted_on_in_silence() {
    let workspace = Workspace::new();
    workspace.write(
        "main.hcl",
        "resource \"isobar_data\" \"a\" {}\nresource \"isobar_data\" \"b\" {}",
    );
    workspace.converge().await;
    let mut state = workspace.state().unwrap();
    let [a, b] = ["isobar_data.a", "isobar_data.b"].map(|text| text.parse::<Address>().unwrap());
    state
        .instances
        .get_mut(&a)
        .unwrap()
        .dependencies
        .push(b.clone());
    state
        .instances
        .get_mut(&b)
        .unwrap()
        .dependencies
        .push(a.clone());
    workspace.store().write(&state).unwrap();
    let (plan, _) = workspace.propose(Mode::Destroy).await;
    let report = workspace.apply_plan(&plan.unwrap()).await;
    let diagnostic = report.diagnostics.iter().next().unwrap();
    assert_eq!(diagnostic.code, "A0005");
    assert!(
        diagnostic.detail.contains("isobar_data.a, isobar_data.b"),
        "{}",
        diagnostic.detail
    );
    assert_eq!((report.done.len(), report.skipped.len()), (0, 2));
    assert_eq!(workspace.state().unwrap(), state);
    // Without the circle, which an apply of the configuration breaks, all can go.
    workspace.converge().await;
}
