//! A server as a process of its own, which ends with its test.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test ends where its case does not hold, and says what it leaves out"
)]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A server that ends with its test.
pub struct Server {
    process: Child,
    /// Where it listens.
    pub port: u16,
    /// What is its own.
    pub folder: tempfile::TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        // PostgreSQL ends its children when it is asked, not when it is killed.
        let pid = self.process.id().to_string();
        let _ = Command::new("kill").args(["-INT", &pid]).status();
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(10) {
            if let Ok(Some(_)) = self.process.try_wait() {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Where the servers are; `None`, and said so, where they are not.
pub fn parts(test: &str) -> Option<PathBuf> {
    let parts = std::env::var_os("ISOBAR_TEST_PARTS").map(PathBuf::from);
    if parts.is_none() {
        eprintln!("{test}: left out, ISOBAR_TEST_PARTS is not set");
    }
    parts
}

/// A port that nothing listens on.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// Starts a server and waits until it answers.
pub fn start(command: impl FnOnce(&Path, u16) -> Command) -> Server {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let mut command = command(folder.path(), port);
    let log = std::fs::File::create(folder.path().join("log")).unwrap();
    // In a group of its own: some servers end all of theirs when they are ended.
    let process = command
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap();
    let mut server = Server {
        process,
        port,
        folder,
    };
    let began = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        let ended = server.process.try_wait().unwrap();
        let log = std::fs::read_to_string(server.folder.path().join("log"));
        assert!(ended.is_none(), "{ended:?} {}", log.unwrap());
        assert!(began.elapsed() < Duration::from_secs(120), "{command:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
    server
}

/// Asks for something without a body that matters; gives the status.
pub fn ask(port: u16, method: &str, path: &str, body: &str) -> u16 {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}
