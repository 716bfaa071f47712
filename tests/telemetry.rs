//! Telemetry from a server: loaded, kept, and what a plan makes of a server that fails.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends where its case does not hold"
)]

mod program;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use program::{Folder, Run};

/// Answers range queries as Prometheus does: a daily wave. It can be made to fail.
struct Server {
    port: u16,
    failing: Arc<AtomicBool>,
    /// The windows that were asked for.
    asked: Arc<Mutex<Vec<(i64, i64)>>>,
}

impl Server {
    fn begin() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self {
            port: listener.local_addr().unwrap().port(),
            failing: Arc::default(),
            asked: Arc::default(),
        };
        let (failing, asked) = (Arc::clone(&server.failing), Arc::clone(&server.asked));
        std::thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                answer(stream, failing.load(Ordering::SeqCst), &asked);
            }
        });
        server
    }

    fn asked(&self) -> Vec<(i64, i64)> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

fn answer(mut stream: TcpStream, failing: bool, asked: &Mutex<Vec<(i64, i64)>>) {
    let mut request = String::new();
    let mut part = [0; 4096];
    while !request.contains("&step=") {
        match stream.read(&mut part) {
            Ok(0) | Err(_) => return,
            Ok(count) => request.push_str(&String::from_utf8_lossy(&part[..count])),
        }
    }
    let number = |name: &str| -> i64 {
        let (_, rest) = request.split_once(&format!("&{name}=")).unwrap();
        rest.split('&').next().unwrap().parse().unwrap()
    };
    let (start, end, step) = (number("start"), number("end"), number("step"));
    asked.lock().unwrap().push((start, end));
    let (status, body) = if failing {
        (500, "the disk is full".to_owned())
    } else {
        let value = |at: i64| 50.0 + 20.0 * (at as f64 / 86_400.0 * std::f64::consts::TAU).sin();
        let times = (0..=(end - start) / step).map(|slot| start + slot * step);
        let values: Vec<String> = times
            .map(|at| format!("[{at},\"{:.3}\"]", value(at)))
            .collect();
        let values = values.join(",");
        (
            200,
            format!(
                "{{\"status\":\"success\",\"data\":{{\"resultType\":\"matrix\",\"result\":[{{\"metric\":{{}},\"values\":[{values}]}}]}}}}"
            ),
        )
    };
    let _ = write!(
        stream,
        "HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
}

fn folder(server: &Server, on_error: &str) -> Folder {
    let folder = Folder::new(&[]);
    write(&folder, server, on_error);
    folder
}

fn write(folder: &Folder, server: &Server, on_error: &str) {
    let text = format!(
        r#"
variable "token" {{
  type      = string
  sensitive = true
  default   = "hunter2"
}}

forecast "shop" {{
  source "prometheus" {{
    url   = "http://127.0.0.1:{}"
    query = "sum(rate(requests_total[1h]))"
    token = var.token
  }}
  step     = "1h"
  history  = "10d"
  on_error = {on_error:?}
}}
"#,
        server.port
    );
    folder.write("main.hcl", &text);
}

fn forecast(folder: &Folder) -> Run {
    folder.run(&["forecast", "-json"])
}

/// Everything below a folder, as one text.
fn kept(path: &std::path::Path) -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(path).unwrap() {
        let path = entry.unwrap().path();
        text += &path.display().to_string();
        text += &match path.is_dir() {
            true => kept(&path),
            false => String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned(),
        };
    }
    text
}

#[test]
fn a_plan_goes_on_with_the_last_good_telemetry_where_that_is_allowed() {
    let server = Server::begin();
    let folder = folder(&server, "last_good");
    let first = forecast(&folder);
    let json: serde_json::Value = serde_json::from_str(first.ended(0)).unwrap();
    let source = json["shop"]["source"].as_str().unwrap();
    assert!(
        source.starts_with(&format!("prometheus http://127.0.0.1:{}, ", server.port)),
        "{source}"
    );
    let whole = server.asked();
    assert_eq!(whole.len(), 1);
    forecast(&folder).ended(0);
    let rest = server.asked();
    assert!(rest[0].0 > whole[0].1 - 4 * 3600, "{whole:?} {rest:?}");

    server.failing.store(true, Ordering::SeqCst);
    let old = forecast(&folder);
    let told: serde_json::Value = serde_json::from_str(old.ended(0)).unwrap();
    assert_eq!(server.asked().len(), 4);
    assert!(
        told.to_string().contains("the telemetry was taken"),
        "{told}"
    );
    for word in [
        "Telemetry is not of now",
        "answers 500",
        "rests on what its source told",
    ] {
        assert!(old.err.contains(word), "{}", old.err);
    }
    write(&folder, &server, "stop");
    forecast(&folder).failed_with(&[
        "Telemetry source does not answer",
        "on_error = \"last_good\"",
    ]);

    let kept = kept(&folder.path(".isobar"));
    assert!(kept.contains("prometheus http://"), "{kept}");
    let all = format!("{kept}{}{}{}{}", first.out, first.err, old.out, old.err);
    assert!(!all.contains("hunter2"), "a secret was kept or shown");
}

#[test]
fn nothing_was_told_before() {
    let server = Server::begin();
    server.failing.store(true, Ordering::SeqCst);
    let folder = folder(&server, "last_good");
    forecast(&folder).failed_with(&["Telemetry source does not answer", "answers 500"]);
}

#[test]
fn every_source_has_settings_of_its_own() {
    let check = |source: &str| {
        let text = format!("forecast \"f\" {{\n  source {source}\n}}\n");
        Folder::new(&[("main.hcl", &text)]).run(&["validate"])
    };
    check("\"csv\" {\n    path = \"a.csv\"\n  }").ended(0);
    let at = "main.hcl line 3";
    check("\"prometheus\" {\n    path = \"a.csv\"\n  }").failed_with(&[at, "url", "query"]);
    check("\"csv\" {\n    path = \"a.csv\"\n    token = \"x\"\n  }")
        .failed_with(&["main.hcl line 4", "token"]);
    check("\"promethius\" {\n  }").failed_with(&["\"promethius\"", "did you mean \"prometheus\"?"]);
    let url = "\"prometheus\" {\n    url = \"prometheus:9090\"\n    query = \"up\"\n  }";
    check(url).failed_with(&[at, "http://"]);
    let per = "\"csv\" {\n    path = \"a.csv\"\n    counter = true\n    per = \"1h\"\n  }";
    check(per).failed_with(&["main.hcl line 5", "Remove per"]);
    let word = "\"csv\" {\n    path = \"a.csv\"\n    aggregate = \"avg\"\n  }";
    check(word).failed_with(&["main.hcl line 4", "sum, mean, max, last"]);
}
