//! `isobar forecast backtest` as its users see it.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends where its case does not hold"
)]

mod program;

use std::path::Path;

use program::Folder;
use serde_json::Value as Json;

/// A folder with the recorded series in `data/`.
fn recorded() -> Folder {
    let folder = Folder::new(&[]);
    let series = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/marks/series");
    for entry in std::fs::read_dir(series).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        folder.write(&format!("data/{name}"), &text);
    }
    folder
}

fn read(folder: &Folder, name: &str) -> String {
    std::fs::read_to_string(folder.path(name)).unwrap()
}

#[test]
fn the_table_that_was_made_asks_for_the_same_again() {
    let folder = recorded();
    let input = ["forecast", "backtest", "--input", "data"];
    let own = folder.run(&[&input[..], &["-every=4", "-json", "-out=own.csv"]].concat());
    let scores: Json = serde_json::from_str(own.ended(0)).unwrap();
    assert_eq!(scores["groups"]["all"]["series"], 3);
    assert_eq!(scores["series"]["web_shop_1h"]["origins"], 2);
    let coverage = scores["groups"]["hourly"]["marks"]["coverage95"].as_f64();
    assert!((0.0..=100.0).contains(&coverage.unwrap()));
    assert!(
        own.err.contains("Forecast 3 series from 6 origins"),
        "{}",
        own.err
    );

    let table = read(&folder, "own.csv");
    let mut asked = "series,origin,step_seconds,horizon\n".to_owned();
    for row in table.lines().skip(1) {
        let cells: Vec<&str> = row.split(',').collect();
        let (seconds, horizon) = match cells[0] {
            "web_shop_1h" => (3600, 24),
            "cpu_node_30min" => (1800, 12),
            _ => (600, 12),
        };
        if cells[2] == "1" {
            asked += &format!("{},{},{seconds},{horizon}\n", cells[0], cells[1]);
        }
    }
    folder.write("origins.csv", &asked);
    let again = folder.run(&[&input[..], &["-origins=origins.csv", "-parallelism=1"]].concat());
    assert_eq!(again.ended(0), table);
}

#[test]
fn scores_are_printed_for_people() {
    let folder = recorded();
    let run = folder.run(&["forecast", "backtest", "-input=data", "-every=8"]);
    let words: Vec<&str> = run.ended(0).split_whitespace().collect();
    for word in [
        "acc%",
        "sPL95",
        "hourly",
        "sub-hourly",
        "short",
        "all",
        "cpu",
        "web",
    ] {
        assert!(words.contains(&word), "{word}");
    }
    assert!(run.out.lines().all(|line| line.chars().count() <= 100));
}

#[test]
fn what_cannot_be_forecast_is_told_and_the_rest_is_forecast() {
    let folder = recorded();
    folder.write("data/broken_1h.csv", "time,value\n1,2\n");
    folder.write(
        "origins.csv",
        "series,origin,step_seconds,horizon\n\
         web_shop_1h,2024-03-09T00:00:00Z,3600,2\n\
         web_shop_1h,2024-03-09T00:30:00Z,3600,2\n\
         web_shop_1h,2024-03-01T00:00:00Z,3600,2\n\
         web_shp_1h,2024-03-09T00:00:00Z,3600,2\n\
         broken_1h,2024-03-09T00:00:00Z,3600,2\n",
    );
    let run = folder.run(&[
        "forecast",
        "backtest",
        "-input=data",
        "-origins=origins.csv",
    ]);
    assert_eq!(run.code, Some(1), "{}", run.err);
    assert_eq!(run.out.lines().count(), 3);
    for told in [
        "C0121",
        "broken_1h.csv:1",
        "C0122",
        "origins.csv:3",
        "\"web_shop_1h\"?",
        "C0123",
    ] {
        assert!(run.err.contains(told), "{told}: {}", run.err);
    }
    let warned = folder.run(&["forecast", "backtest", "-input=data", "-every=8"]);
    assert!(
        warned.err.contains("Warning: Not a series"),
        "{}",
        warned.err
    );
    warned.ended(0);
}

#[test]
fn nothing_is_written_where_nothing_is_forecast() {
    let folder = recorded();
    folder.write("empty/readme.txt", "nothing");
    folder.write("wrong.csv", "a,b\n1,2\n");
    for (arguments, told) in [
        (&["-input=none"][..], "C0120"),
        (&["-input=empty", "-out=f.csv"], "C0125"),
        (
            &["-input=data", "-origins=wrong.csv", "-out=f.csv"],
            "C0122",
        ),
        (&["-input=data", "-origins=none.csv", "-out=f.csv"], "C0122"),
        (&["-input=data", "-out=none/f.csv"], "C0064"),
        (&["-input=data", "-out=empty"], "C0064"),
        (&["-input=data", "-every=0"], "--every"),
        (&[], "--input"),
    ] {
        let run = folder.run(&[&["forecast", "backtest"][..], arguments].concat());
        run.failed_with(&[told]);
        assert!(!folder.path("f.csv").exists(), "{arguments:?}");
    }
}
