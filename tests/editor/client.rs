//! An editor, as far as the server sees it.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

use isobar::editor::{self, End};
use isobar::eval::host::Machine;
use isobar::language::Sources;
use isobar::providers;
use isobar::registry::Registry;
use serde_json::{Value as Json, json};

/// One end of a connection.
pub(crate) struct Client {
    /// `None` once it has hung up.
    output: Option<Box<dyn Write>>,
    messages: Receiver<Json>,
    asked: u32,
}

impl Client {
    pub(crate) fn new(output: impl Write + 'static, input: impl Read + Send + 'static) -> Self {
        let (sender, messages) = mpsc::channel();
        std::thread::spawn(move || {
            let mut input = BufReader::new(input);
            while let Some(message) = read(&mut input) {
                if sender.send(message).is_err() {
                    return;
                }
            }
        });
        Self {
            output: Some(Box::new(output)),
            messages,
            asked: 0,
        }
    }

    /// Sends a message as it is written. A server that has ended does not hear it.
    pub(crate) fn send(&mut self, body: &str) {
        let output = self.output.as_mut().unwrap();
        let sent = write!(output, "Content-Length: {}\r\n\r\n{body}", body.len());
        sent.and_then(|()| output.flush()).ok();
    }

    /// The next message; `None` where the server has hung up.
    pub(crate) fn receive(&self) -> Option<Json> {
        match self.messages.recv_timeout(Duration::from_secs(60)) {
            Ok(message) => Some(message),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("the server says nothing"),
        }
    }

    /// What arrives until the server falls silent.
    pub(crate) fn overhear(&self) -> Vec<Json> {
        let silence = Duration::from_millis(700);
        std::iter::from_fn(|| self.messages.recv_timeout(silence).ok()).collect()
    }

    pub(crate) fn tell(&mut self, method: &str, parameters: &Json) {
        let message = json!({ "jsonrpc": "2.0", "method": method, "params": parameters });
        self.send(&message.to_string());
    }

    /// Asks, and waits for the answer; notices before it are passed over.
    pub(crate) fn ask(&mut self, method: &str, parameters: &Json) -> Json {
        self.asked += 1;
        let id = self.asked;
        let message = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": parameters });
        self.send(&message.to_string());
        loop {
            let mut answer = self.receive().unwrap();
            if answer["id"] == id {
                assert!(answer.get("error").is_none(), "{answer}");
                return answer["result"].take();
            }
        }
    }

    /// Says nothing more.
    pub(crate) fn hang_up(&mut self) {
        self.output = None;
    }
}

fn read(input: &mut impl BufRead) -> Option<Json> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if input.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim().split_once(": ") {
            Some((_, value)) => length = value.parse().unwrap(),
            None => break,
        }
    }
    let mut body = vec![0; length];
    input.read_exact(&mut body).ok()?;
    Some(serde_json::from_slice(&body).unwrap())
}

/// A machine that has only these files.
struct Disk(BTreeMap<PathBuf, String>);

impl editor::Surroundings for Disk {
    fn sources(&self, root: &Path, open: &BTreeMap<PathBuf, String>) -> io::Result<Sources> {
        let mut all = self.0.clone();
        all.extend(open.clone());
        let mut sources = Sources::default();
        for (path, text) in all {
            if let Ok(inside) = path.strip_prefix(root) {
                sources.insert(inside.to_str().unwrap(), text);
            }
        }
        Ok(sources)
    }

    fn registry(&self, root: &Path) -> Registry {
        providers::registry(&providers::Surroundings {
            executable: "isobar".into(),
            data: root.join(".isobar"),
            base: root.to_owned(),
            stores: BTreeMap::new(),
        })
    }

    fn machine(&self, _: &Path) -> Machine {
        Machine::default()
    }
}

/// A server in this process, over pipes in memory, for a machine that has these files below
/// `/project`; how it ends comes through the channel.
pub(crate) fn connect<'a>(
    files: impl Iterator<Item = (&'a str, &'a str)>,
) -> (Client, Receiver<End>) {
    let root = Path::new("/project");
    let disk = Disk(
        files
            .map(|(name, text)| (root.join(name), text.to_owned()))
            .collect(),
    );
    let (input, their_output) = io::pipe().unwrap();
    let (their_input, mut output) = io::pipe().unwrap();
    let (sender, messages) = mpsc::channel();
    let (ended, end) = mpsc::channel();
    std::thread::spawn(move || editor::receive(BufReader::new(input), &sender));
    std::thread::spawn(move || {
        let how = editor::serve(&messages, &mut output, &disk);
        drop(output);
        ended.send(how).ok();
    });
    (Client::new(their_output, their_input), end)
}
