//! `isobar simulate` as its users see it.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends where its case does not hold"
)]

#[expect(dead_code, reason = "it is shared by tests")]
mod program;

use std::fmt::Write as _;

use program::Folder;
use serde_json::Value as Json;

const CONFIGURATION: &str = r#"
provider "sim" {}

zone "north" {
  provider = sim
  price    = 2
}

zone "south" {
  provider = sim
  price    = 3
}

model "ranker" {
  version = "1"
  performance {
    service_time = "50ms"
    concurrency  = 2
    startup      = "60s"
  }
}

capacity "careful" {
  survive = "zone"
  slo {
    latency    = "200ms"
    violations = 0.02
  }
}

deployment "ranker" {
  model    = model.ranker
  zones    = [zone.north, zone.south]
  demand   = 100
  capacity = capacity.careful
}
"#;

/// Three days of a wave every ten minutes.
fn trace() -> String {
    let mut text = "timestamp,value\n".to_owned();
    for bin in 0..432_u32 {
        let phase = f64::from(bin % 144) / 144.0 * std::f64::consts::TAU;
        let (day, hour, minute) = (1 + bin / 144, bin % 144 / 6, bin % 6 * 10);
        let value = 100.0 * (1.5 + phase.sin());
        let _ = writeln!(text, "2026-01-0{day}T{hour:02}:{minute:02}:00Z,{value:.1}");
    }
    text
}

const SHORT: [&str; 6] = [
    "simulate",
    "-trace=wave.csv",
    "-warmup=2d",
    "-seeds=2",
    "-scale=50",
    "-policy=none,hpa,planned,oracle",
];

#[test]
fn policies_are_set_side_by_side_and_the_same_seed_gives_the_same_bytes() {
    let folder = Folder::new(&[("wave.csv", &trace())]);
    let run = || folder.run(&[&SHORT[..], &["-sweep"]].concat());
    let (one, other) = (run(), run());
    let text = one.ended(0);
    assert_eq!(text, other.ended(0));
    for word in [
        "none",
        "hpa 0.35",
        "hpa 0.80",
        "planned",
        "oracle",
        "published",
        "0.788",
    ] {
        assert!(text.contains(word), "{word} in {text}");
    }
    let other_seed = folder.run(&[&SHORT[..], &["-sweep", "-seed=7"]].concat());
    assert_ne!(text, other_seed.ended(0));
}

#[test]
fn figures_are_told_to_programs_and_drawn() {
    let folder = Folder::new(&[("wave.csv", &trace())]);
    let run = folder.run(&[&SHORT[..], &["-json", "-svg=chart.svg"]].concat());
    let told: Json = serde_json::from_str(run.ended(0)).unwrap();
    let policies = told["policies"].as_array().unwrap();
    assert_eq!(policies.len(), 4);
    for policy in policies {
        assert_eq!(policy["runs"].as_array().unwrap().len(), 2);
        assert!(
            policy["figures"]["$/month"].as_f64().unwrap() > 0.0,
            "{policy}"
        );
    }
    // The oracle has the least cost that there is.
    let cost = |place: usize| policies[place]["figures"]["/oracle"].as_f64().unwrap();
    assert!((cost(3) - 1.0).abs() < 1e-12 && cost(2) > 1.0);
    let chart = std::fs::read_to_string(folder.path("chart.svg")).unwrap();
    assert!(chart.starts_with("<svg") && chart.contains("planned"));
}

#[test]
fn a_deployment_says_what_runs_where() {
    let folder = Folder::new(&[("wave.csv", &trace()), ("main.hcl", CONFIGURATION)]);
    let run = folder.run(&[&SHORT[..], &["-deployment=ranker", "-json"]].concat());
    let told: Json = serde_json::from_str(run.ended(0)).unwrap();
    let hourly = |place: usize| {
        let run = &told["policies"][place]["runs"][0];
        run["cost"].as_f64().unwrap() / run["replica_hours"].as_f64().unwrap()
    };
    // `none` is at home, where a replica costs 2 an hour; the planner is in both zones.
    assert!((hourly(0) - 2.0).abs() < 1e-6, "{}", hourly(0));
    assert!(hourly(2) > 2.2 && hourly(2) < 2.8, "{}", hourly(2));
    let unknown = folder.run(&[&SHORT[..], &["-deployment=rnker"]].concat());
    assert_eq!(unknown.code, Some(1));
    assert!(
        unknown.err.contains("C0153") && unknown.err.contains("ranker"),
        "{}",
        unknown.err
    );
}

#[test]
fn single_requests_are_a_trace_and_what_is_none_is_refused() {
    let mut requests = "t_ms,tokens\n".to_owned();
    for request in 0..20_000 {
        let _ = writeln!(requests, "{},5", request * 180);
    }
    let folder = Folder::new(&[("requests.csv", &requests), ("wrong.csv", "t_ms\nsoon\n")]);
    let flags = ["-warmup=10m", "-seeds=1", "-policy=hpa", "-engine=des"];
    let run = folder.run(&[&["simulate", "-trace=requests.csv"], &flags[..]].concat());
    assert!(run.ended(0).contains("hpa"));
    let wrong = folder.run(&["simulate", "-trace=wrong.csv"]);
    assert_eq!(wrong.code, Some(1));
    assert!(
        wrong.err.contains("C0151") && wrong.err.contains("Line 2"),
        "{}",
        wrong.err
    );
    let beyond = folder.run(&[&SHORT[..], &["-latency=50ms"]].concat());
    assert_eq!(beyond.code, Some(1));
}
