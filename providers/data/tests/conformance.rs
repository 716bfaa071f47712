//! `isobar_data` keeps the laws of the provider contract.

use isobar_sdk::conformance::{Case, Subject, run};
use isobar_sdk::{Address, Known, Value};

#[tokio::test]
async fn it_keeps_the_laws() {
    let data = |input: Value, trigger: Value| {
        Value::object([("input", input), ("triggers_replace", trigger)])
    };
    let mixed = Value::object([
        ("list", Value::list(vec![1_i64.into()])),
        ("tuple", Value::tuple(vec!["x".into(), true.into()])),
        ("secret", Value::from("s").sensitive()),
    ]);
    let subject = Subject {
        factory: &isobar_data::factory(),
        configuration: Known::empty(),
        cases: vec![
            Case::new(
                Address::new("isobar_data", "scalar"),
                data("a".into(), "t".into()),
            )
            .only_in_state()
            .update(data("b".into(), "t".into()))
            .replace(data("b".into(), "u".into())),
            Case::new(
                Address::new("isobar_data", "mixed"),
                data(mixed, Value::NULL),
            )
            .only_in_state()
            .update(data(Value::NULL, Value::NULL)),
            Case::new(
                Address::new("isobar_data", "empty"),
                data(Value::NULL, Value::NULL),
            )
            .only_in_state()
            .update(data(1_i64.into(), Value::NULL))
            .replace(data(Value::from("1"), 1_i64.into())),
        ],
        placed: Vec::new(),
    };
    if let Err(violation) = run(&subject).await {
        panic!("{violation}");
    }
}
