//! A state that could not be written to its place: into a file elsewhere, or else printed.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use isobar_sdk::Diagnostic;

use super::session::Session;
use crate::state::{State, sealed, to_json};

/// How many such files may lie in one folder.
const MOST: usize = 100;

/// Saves it wherever that can be done, and says where.
pub(super) fn save(session: &Session, state: &State) -> Diagnostic {
    let summary = "State was saved elsewhere";
    let cipher = session.cipher().ok().flatten();
    let text = match sealed(cipher.as_deref(), "state", to_json(state)) {
        Ok(text) => text,
        Err(error) => {
            let detail = format!(
                "What was to be written cannot be encrypted, and is in no file in clear: {error}."
            );
            return Diagnostic::error("S0014", "State cannot be saved elsewhere", detail).help(
                "What was done is in the journal: run isobar plan once the key can be used.",
            );
        }
    };
    let folders = [session.folder(), &session.environment.temporary];
    let saved = folders.into_iter().find_map(|folder| {
        let written = write(folder, &text);
        written.ok()
    });
    match saved {
        Some(path) => {
            let path = path.display();
            let detail = format!("What was to be written is in {path}.");
            let help = format!(
                "It names everything that was made: do not lose it. When the place of the state can be written again, bring it back with isobar state push {path}."
            );
            Diagnostic::error("S0013", summary, detail).help(help)
        }
        None => {
            session.shell.data(&text);
            let detail = "No file could be written, neither in the folder of the configuration nor in that for temporary files. What was to be written is printed.";
            Diagnostic::error("S0013", summary, detail)
                .help("It names everything that was made: copy it into a file and bring it back with isobar state push FILE.")
        }
    }
}

/// Writes a new file that only its owner may read, never over another one.
fn write(folder: &Path, text: &str) -> io::Result<PathBuf> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    for number in 1..=MOST {
        let path = folder.join(match number {
            1 => "errored.isobar.state.json".to_owned(),
            _ => format!("errored.{number}.isobar.state.json"),
        });
        let mut file = match options.open(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
            opened => opened?,
        };
        let written = file.write_all(text.as_bytes());
        let Err(error) = written.and_then(|()| file.sync_all()) else {
            return Ok(path);
        };
        // Half a state helps no one.
        let _half = std::fs::remove_file(&path);
        return Err(error);
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::write;

    #[test]
    fn no_file_is_written_over_and_only_its_owner_may_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let first = write(folder.path(), "one").unwrap();
        let second = write(folder.path(), "two").unwrap();
        assert_eq!(std::fs::read_to_string(&first).unwrap(), "one");
        assert_eq!(std::fs::read_to_string(&second).unwrap(), "two");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let rights = std::fs::metadata(&first).unwrap().permissions();
            assert_eq!(rights.mode() & 0o777, 0o600);
        }
        assert!(write(Path::new("/proc/self/no"), "three").is_err());
    }
}
