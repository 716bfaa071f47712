//! A machine with three templates on it, one of which calls itself.

use std::io;
use std::path::Path;
use std::sync::Arc;

use isobar::eval::host::{FileKind, Host, Machine};
use jiff::Timestamp;

/// Files that expressions can read.
const FILES: [(&str, &str); 3] = [
    ("plain.txt", "a,b\n1,2\n"),
    ("hello.tftpl", "%{ for x in list ~}\n${x}\n%{ endfor ~}\n"),
    (
        "self.tftpl",
        "${templatefile(\"self.tftpl\", {})}${templatefile(\"self.tftpl\", {})}",
    ),
];

/// The machine of every run.
pub(crate) fn machine() -> Machine {
    Machine(Arc::new(Shelf))
}

#[derive(Debug)]
struct Shelf;

impl Host for Shelf {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let name = path.file_name().and_then(|name| name.to_str());
        FILES
            .iter()
            .find(|(file, _)| Some(*file) == name)
            .map(|(_, text)| text.as_bytes().to_vec())
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn kind(&self, path: &Path) -> io::Result<Option<FileKind>> {
        Ok(self.read(path).ok().map(|_| FileKind::File))
    }

    fn names(&self, _: &Path) -> io::Result<Vec<String>> {
        Ok(FILES.iter().map(|(name, _)| (*name).to_owned()).collect())
    }

    fn is_link(&self, _: &Path) -> bool {
        false
    }

    fn folder(&self) -> &Path {
        Path::new("/nowhere")
    }

    fn home(&self) -> Option<&Path> {
        None
    }

    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    fn random(&self) -> [u8; 16] {
        [7; 16]
    }
}
