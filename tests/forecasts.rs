//! `isobar forecast` and its subcommands as their users see them.

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

/// Ten days of hourly demand with a gap, and a forecast of it.
fn configured() -> Folder {
    let folder = Folder::new(&[(
        "main.hcl",
        "forecast \"web\" {\n  source \"csv\" {\n    path = \"web.csv\"\n  }\n}\n",
    )]);
    let mut rows = "timestamp,value\n".to_owned();
    for hour in 0..240 {
        let (day, of_day) = (hour / 24 + 1, hour % 24);
        if !(200..205).contains(&hour) {
            let value = 100 + 10 * (of_day % 12) + hour % 7;
            rows += &format!("2024-03-{day:02}T{of_day:02}:00:00Z,{value}\n");
        }
    }
    folder.write("web.csv", &rows);
    folder
}

#[test]
fn a_forecast_is_drawn_for_terminals_and_browsers() {
    let folder = configured();
    let run = folder.run(&["forecast", "web"]);
    for part in ["drift: ", "peak, req/s", "┊ start of the forecast", "≤p95"] {
        assert!(run.ended(0).contains(part), "{part}: {}", run.out);
    }
    let svg = folder.run(&["forecast", "web", "-svg=-"]);
    assert!(svg.ended(0).starts_with("<svg ") && svg.out.ends_with("</svg>\n"));
    let written = folder.run(&["forecast", "-svg", "web.svg", "--html=web.html"]);
    assert_eq!(written.ended(0), "");
    assert_eq!(read(&folder, "web.svg"), svg.out);
    let page = read(&folder, "web.html");
    assert!(page.starts_with("<!doctype html>") && page.contains("<h2>forecast.web</h2>"));
    let json = folder.run(&["forecast", "web", "-json"]);
    let json: Json = serde_json::from_str(json.ended(0)).unwrap();
    assert!(json["web"].as_object().unwrap().contains_key("drift"));
}

#[test]
fn a_chart_shows_one_forecast() {
    let folder = configured();
    let second = "forecast \"two\" {\n  source \"csv\" {\n    path = \"web.csv\"\n  }\n}\n";
    folder.write("two.hcl", second);
    let both = folder.run(&["forecast", "-svg=all.svg"]);
    both.failed_with(&["C0126", "two, web"]);
    assert!(!folder.path("all.svg").exists());
    folder.run(&["forecast", "-html=all.html"]).ended(0);
    assert_eq!(read(&folder, "all.html").matches("<figure>").count(), 2);
    folder
        .run(&["forecast", "two", "-svg=none/two.svg"])
        .failed_with(&["C0064"]);
}

/// A table of observations: `age` moved by `shift`, `kind` as text, and a column of its own.
fn observed(folder: &Folder, name: &str, own: &str, shift: u32) {
    let mut text = format!("timestamp,age,amount,kind,{own}\n");
    for row in 0..3000_u32 {
        let (age, amount) = (row * 7919 % 101 + shift, row * 104_729 % 89);
        text += &format!("2024-01-01,{age},{amount},a,1\n");
    }
    folder.write(name, &text);
}

#[test]
fn drift_ends_with_two() {
    let folder = Folder::new(&[]);
    observed(&folder, "before.csv", "old", 0);
    observed(&folder, "same.csv", "new", 0);
    observed(&folder, "after.csv", "new", 60);
    let drift = |current: &str| {
        let current = format!("-current={current}");
        folder.run(&[
            "forecast",
            "drift",
            "--reference",
            "before.csv",
            &current,
            "-json",
        ])
    };
    let same = drift("same.csv");
    let json: Json = serde_json::from_str(same.ended(0)).unwrap();
    assert_eq!(json["signal"], "steady");
    let after = drift("after.csv");
    assert_eq!(after.code, Some(2), "{}", after.err);
    let json: Json = serde_json::from_str(&after.out).unwrap();
    assert_eq!(
        (&json["signal"], &json["confirmed"]),
        (&"drift".into(), &true.into())
    );
    assert_eq!(json["features"]["age"]["verdict"], "drift");
    assert_eq!(json["features"]["amount"]["verdict"], "steady");
    for told in [
        "C0128",
        "\"kind\" is \"a\"",
        "no column \"old\"",
        "no column \"new\"",
    ] {
        assert!(after.err.contains(told), "{told}: {}", after.err);
    }
    assert!(!after.err.contains("timestamp"), "{}", after.err);
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let folder = Folder::new(&[
        ("a.csv", "x\n1\n"),
        ("b.csv", "y\n1\n"),
        ("c.csv", "x,y\n1\n"),
    ]);
    for (current, told) in [
        ("b.csv", "C0129"),
        ("c.csv", "c.csv:2"),
        ("none.csv", "C0127"),
    ] {
        let current = format!("-current={current}");
        let run = folder.run(&["forecast", "drift", "-reference=a.csv", &current]);
        run.failed_with(&[told]);
    }
}
