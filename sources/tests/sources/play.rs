//! A server that plays a script: one act for each connection, the last one for all that follow.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What happens to one connection.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// It is answered with a status, headers and a body.
    Answer(u16, Vec<(&'static str, String)>, String),
    /// It is answered with a status, headers and a body that is no text.
    #[cfg_attr(not(feature = "aws"), allow(dead_code, reason = "only AWS answers so"))]
    Bytes(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// It stays without an answer.
    Hang,
    /// It is closed before the request is read, which resets it.
    Reset,
    /// It is closed in the middle of the body.
    Cut,
}

impl Act {
    pub(crate) fn json(body: &str) -> Self {
        Self::Answer(200, Vec::new(), body.to_owned())
    }

    pub(crate) fn status(status: u16) -> Self {
        Self::Answer(status, Vec::new(), format!("{{\"said\": {status}}}"))
    }
}

/// A server with its script.
pub(crate) struct Play {
    pub(crate) address: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Play {
    pub(crate) fn begin(acts: Vec<Act>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&requests);
        std::thread::spawn(move || {
            for number in 0.. {
                let Ok((stream, _)) = listener.accept() else {
                    return;
                };
                let act = acts[usize::min(number, acts.len() - 1)].clone();
                let heard = Arc::clone(&heard);
                std::thread::spawn(move || perform(stream, act, &heard));
            }
        });
        Self { address, requests }
    }

    /// What was asked: request line, headers and body of each.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

fn perform(mut stream: TcpStream, act: Act, heard: &Mutex<Vec<String>>) {
    if matches!(act, Act::Reset) {
        heard.lock().unwrap().push(String::new());
        // What has arrived and is not read makes the closing a reset.
        std::thread::sleep(Duration::from_millis(50));
        return;
    }
    let request = receive(&mut stream);
    heard.lock().unwrap().push(request);
    let (status, headers, body) = match act {
        Act::Answer(status, headers, body) => (status, headers, body.into_bytes()),
        Act::Bytes(status, headers, body) => (status, headers, body),
        Act::Cut => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n[1, 2");
            return;
        }
        Act::Hang | Act::Reset => {
            std::thread::sleep(Duration::from_secs(60));
            return;
        }
    };
    let length = ("Content-Length", body.len().to_string());
    let headers = headers
        .into_iter()
        .chain([length, ("Connection", "close".to_owned())]);
    let headers: String = headers
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    let head = format!("HTTP/1.1 {status} X\r\n{headers}\r\n");
    let _ = stream.write_all(head.as_bytes());
    let _ = stream.write_all(&body);
}

fn receive(stream: &mut TcpStream) -> String {
    let mut heard = Vec::new();
    let mut part = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&heard).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length")
                    .then(|| value.trim().parse::<usize>().ok())?
            });
            if body.len() >= length.unwrap_or(0) {
                return text;
            }
        }
        match stream.read(&mut part) {
            Ok(0) | Err(_) => return text,
            Ok(count) => heard.extend_from_slice(&part[..count]),
        }
    }
}
