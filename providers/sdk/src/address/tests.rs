//! Addresses as texts, and what they mean.

use super::{Address, Key, Place};

#[test]
fn addresses_survive_the_round_trip() {
    for text in [
        "isobar_data.a",
        "isobar_data.a[0]",
        "data.isobar_data.a[\"x.y\"]",
        "module.m.module.n[\"k\"].zone.east",
        "deployment.reranker[\"virginia\"].aws_sagemaker_endpoint",
        "deployment.digits[\"east\"].local_replica_set[\"2\"]",
        "deployment.llm[\"chat\"][\"east\"].local_replica_set[\"2\"]",
        "module.m[0].deployment.llm[1][\"east\"].sim_router",
        "deployment.llm[1]",
    ] {
        assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
    }
}

#[test]
fn places_mean_all_instances_where_they_have_no_key() {
    let address: Address = "module.a[\"x\"].module.b.t.n[1]".parse().unwrap();
    for (text, there) in [
        ("module.a", true),
        ("module.a[\"x\"]", true),
        ("module.a[\"y\"]", false),
        ("module.a.module.b", true),
        ("module.a.module.b.t.n", true),
        ("module.a.module.b.t.n[1]", true),
        ("module.a.module.b.t.n[0]", false),
        ("module.a.t.n", false),
        ("t.n", false),
    ] {
        let place: Place = text.parse().unwrap();
        assert_eq!(place.to_string(), text);
        assert_eq!(place.contains(&address), there, "{text}");
    }
}

#[test]
fn one_text_behind_a_deployment_is_an_instance_where_there_are_several() {
    let api = "deployment.api[\"east\"].t";
    let chat = "deployment.llm[\"chat\"][\"east\"].t";
    let second = "deployment.llm[1][\"east\"].t";
    for (text, address, there) in [
        ("deployment.api", api, true),
        ("deployment.api[\"east\"]", api, true),
        ("deployment.api[\"west\"]", api, false),
        ("deployment.api[\"east\"].t", api, true),
        ("deployment.llm", chat, true),
        ("deployment.llm[\"chat\"]", chat, true),
        ("deployment.llm[\"east\"]", chat, false),
        ("deployment.llm[\"chat\"].t", chat, true),
        ("deployment.llm[\"chat\"][\"east\"]", chat, true),
        ("deployment.llm[\"chat\"][\"west\"]", chat, false),
        ("deployment.llm[\"code\"][\"east\"]", chat, false),
        ("deployment.llm[1]", second, true),
        ("deployment.llm[0]", second, false),
    ] {
        let place: Place = text.parse().unwrap();
        assert_eq!(place.to_string(), text);
        let address: Address = address.parse().unwrap();
        assert_eq!(place.contains(&address), there, "{text} {address}");
    }
}

/// Address, what is moved, where to, and what becomes of the address.
const MOVES: &str = r#"
d.a                     d.a                    d.b                    d.b
d.a[1]                  d.a                    d.b                    d.b[1]
d.a[1]                  d.a[1]                 d.b                    d.b
d.a[1]                  d.a[0]                 d.b                    -
d.a[1]                  d.a                    d.b[0]                 -
deployment.a["e"].t     deployment.a           deployment.b           deployment.b["e"].t
deployment.a["e"].t     deployment.a           deployment.b["x"]      deployment.b["x"]["e"].t
deployment.a["e"].t     deployment.a           deployment.b[0]        deployment.b[0]["e"].t
deployment.a["e"].t     deployment.a["e"]      deployment.b["w"]      deployment.b["w"].t
deployment.a["e"].t     deployment.a["e"]      deployment.b           -
deployment.a["e"].t     deployment.a["e"]      deployment.b["x"]["e"] deployment.b["x"]["e"].t
deployment.a["x"]["e"].t deployment.a["x"]      deployment.b           deployment.b["e"].t
deployment.a["x"]["e"].t deployment.a["x"]      deployment.a["y"]      deployment.a["y"]["e"].t
deployment.a["x"]["e"].t deployment.a["y"]      deployment.a["z"]      -
deployment.a["x"]["e"].t deployment.a           deployment.b           deployment.b["x"]["e"].t
deployment.a["x"]["e"].t deployment.a           deployment.b["y"]      -
deployment.a["x"]["e"].t deployment.a["x"]["e"] deployment.b["w"]      deployment.b["w"].t
"#;

#[test]
fn instances_of_deployments_are_renamed_with_their_zones() {
    for line in MOVES.lines().skip(1) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [address, from, to, expected] = words[..] else {
            panic!("{line}");
        };
        let [address, from, to] = [address, from, to].map(|a| a.parse::<Address>().unwrap());
        let found = address.rekeyed(&from, &to).map(|(key, zone)| Address {
            key,
            zone,
            native: address.native.clone(),
            ..to
        });
        let found = found.map_or_else(|| "-".to_owned(), |found| found.to_string());
        assert_eq!(found, expected, "{line}");
    }
}

#[test]
fn counts_sort_as_numbers() {
    let ten: Address = "a.b[10]".parse().unwrap();
    let nine: Address = "a.b[9]".parse().unwrap();
    assert!(nine < ten && nine.key == Some(Key::Number(9)));
}

#[test]
fn what_is_no_address_is_refused() {
    for text in [
        "",
        "a",
        "a.",
        "a.b[",
        "a.b[x]",
        "a.b]",
        "a.b.c.d",
        "a[0].b",
        "a b.c",
        "a.b[\"x]",
        "a.b[0][1]",
        "deployment.a[0][1]",
        "deployment.a[0][\"e\"][\"e\"]",
        "module.a",
    ] {
        assert!(text.parse::<Address>().is_err(), "{text}");
    }
}
