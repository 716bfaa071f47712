//! The lock file: what every package must be, on every machine.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;

use isobar_sdk::{Diagnostic, Diagnostics};
use tempfile::NamedTempFile;

use super::fetch::is_commit;
use crate::language::{Block, Sources, literal_text, parse_file, text};

/// The file, in the folder of the configuration.
pub const LOCK_FILE: &str = ".isobar.lock.hcl";

const HEADER: &str = "\
# isobar init writes this file. Keep it in version control: it holds every machine to the same
# content of the modules that come from elsewhere.
";

/// What packages must be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lock {
    /// They by their keys.
    pub packages: BTreeMap<String, Locked>,
}

/// What a package must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Locked {
    /// The digest of its content.
    pub digest: String,
    /// The commit, if it is from a repository.
    pub commit: Option<String>,
}

impl Lock {
    /// Reads the file; none is as good as an empty one.
    ///
    /// # Errors
    /// What is wrong with it, with its text.
    pub fn read(path: &Path) -> Result<Self, (Diagnostics, Sources)> {
        let text = match text::read_ordinary(path, text::LONGEST) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => {
                let found = malformed(format!("{LOCK_FILE} cannot be read: {error}."));
                return Err((found.into(), Sources::default()));
            }
        };
        Self::parse(&text).map_err(|diagnostics| {
            let mut sources = Sources::default();
            sources.insert(LOCK_FILE, text);
            (diagnostics, sources)
        })
    }

    fn parse(text: &str) -> Result<Self, Diagnostics> {
        let (body, mut diagnostics) = parse_file(&Arc::from(LOCK_FILE), text);
        let mut lock = Self::default();
        for attribute in &body.attributes {
            let detail = format!("{:?} is not known here.", attribute.name);
            diagnostics.push(malformed(detail).at(&attribute.name_span));
        }
        for block in &body.blocks {
            match locked(block, &mut diagnostics) {
                Some((key, locked)) if !lock.packages.contains_key(&key) => {
                    lock.packages.insert(key, locked);
                }
                _ => diagnostics.push(
                    malformed("A block here is module \"source\" { … } with a digest, once for each source.")
                        .at(&block.header),
                ),
            }
        }
        match diagnostics.has_errors() {
            true => Err(diagnostics),
            false => Ok(lock),
        }
    }

    /// The text of the file.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = HEADER.to_owned();
        for (key, locked) in &self.packages {
            let _ = write!(text, "\nmodule {} {{\n", quoted(key));
            if let Some(commit) = &locked.commit {
                let _ = writeln!(text, "  commit = {}", quoted(commit));
            }
            let _ = write!(text, "  digest = {}\n}}\n", quoted(&locked.digest));
        }
        text
    }

    /// Writes the file, whole or not at all; one without packages is removed.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn write(&self, path: &Path) -> io::Result<()> {
        if !self.packages.is_empty() {
            return replace(path, &self.text());
        }
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

/// Puts a text in the place of a file, unless that is its text already.
pub(super) fn replace(path: &Path, text: &str) -> io::Result<()> {
    if std::fs::read_to_string(path).is_ok_and(|former| former == text) {
        return Ok(());
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new();
    let mut file: NamedTempFile = file.prefix(".new-").tempfile_in(folder)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // It is for everyone who reads the configuration.
        let rights = std::fs::Permissions::from_mode(0o644);
        file.as_file().set_permissions(rights)?;
    }
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

fn locked(block: &Block, diagnostics: &mut Diagnostics) -> Option<(String, Locked)> {
    let [label] = block.labels.as_slice() else {
        return None;
    };
    let known = |name: &str| matches!(name, "commit" | "digest");
    let strange = block.body.attributes.iter().any(|a| !known(&a.name));
    if &*block.kind != "module" || strange || !block.body.blocks.is_empty() {
        return None;
    }
    let mut text = |name: &str| {
        let attribute = block.body.attribute(name)?;
        literal_text(attribute, diagnostics)
    };
    let locked = Locked {
        commit: text("commit"),
        digest: text("digest")?,
    };
    if locked.commit.as_ref().is_some_and(|text| !is_commit(text)) {
        return None;
    }
    Some((label.text.to_string(), locked))
}

fn malformed(detail: impl Into<String>) -> Diagnostic {
    Diagnostic::error("M0007", "Lock file cannot be understood", detail)
        .help("Restore it from version control, or remove it and run isobar init, which writes a new one.")
}

fn quoted(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('"', "\\\"");
    let text = text.replace('\n', "\\n").replace('\r', "\\r");
    format!("\"{}\"", text.replace("${", "$${").replace("%{", "%%{"))
}

#[cfg(test)]
mod tests {
    use super::{Lock, Locked};

    #[test]
    fn what_is_written_is_read() {
        let mut lock = Lock::default();
        for (key, commit) in [
            (
                "git::https://h/r?ref=v1",
                Some("0123456789012345678901234567890123456789"),
            ),
            ("./a\"${x}\\.zip", None),
        ] {
            let locked = Locked {
                digest: "sha256:00".to_owned(),
                commit: commit.map(str::to_owned),
            };
            lock.packages.insert(key.to_owned(), locked);
        }
        assert_eq!(Lock::parse(&lock.text()), Ok(lock.clone()));
        insta::assert_snapshot!(lock.text(), @r#"
        # isobar init writes this file. Keep it in version control: it holds every machine to the same
        # content of the modules that come from elsewhere.

        module "./a\"$${x}\\.zip" {
          digest = "sha256:00"
        }

        module "git::https://h/r?ref=v1" {
          commit = "0123456789012345678901234567890123456789"
          digest = "sha256:00"
        }
        "#);
    }

    #[test]
    fn what_is_no_lock_is_refused() {
        for text in [
            "a = 1",
            "module {}",
            "module \"a\" {}",
            "module \"a\" {\n  digest = x\n}",
            "module \"a\" {\n  digest = \"x\"\n  other = 1\n}",
            "module \"a\" {\n  digest = \"x\"\n}\nmodule \"a\" {\n  digest = \"x\"\n}",
            "module \"a\" {\n  digest = \"x\"\n  commit = \"--x\"\n}",
            "provider \"a\" {\n  digest = \"x\"\n}",
            "module \"a\" {",
        ] {
            assert!(Lock::parse(text).is_err(), "{text}");
        }
    }
}
