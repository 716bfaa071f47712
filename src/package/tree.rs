//! The files of a package: nothing leads out of them, and all of them together have a digest.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::PackageError;

/// More files than any module has.
const MOST: usize = 200_000;

/// What version control keeps, which is no part of a module.
const IGNORED: &str = ".git";

/// SHA-256 over the paths and contents of all files and the targets of all links, in the order of
/// their paths, so that it is the same wherever and whenever the package is unpacked. Rights and
/// times are left out: not every system keeps them.
///
/// # Errors
/// A link that leads out of the folder, what is neither file, folder nor link, or what cannot be
/// read.
pub(super) fn digest(folder: &Path) -> Result<String, PackageError> {
    let top = fs::canonicalize(folder).map_err(|error| PackageError::io(folder, &error))?;
    let mut lines = BTreeMap::new();
    let mut open = vec![top.clone()];
    while let Some(below) = open.pop() {
        let entries = fs::read_dir(&below).map_err(|error| PackageError::io(&below, &error))?;
        for entry in entries {
            let entry = entry.map_err(|error| PackageError::io(&below, &error))?;
            let path = entry.path();
            let kind = entry
                .file_type()
                .map_err(|error| PackageError::io(&path, &error))?;
            let name = named(&path, &top);
            if entry.file_name() == IGNORED {
                continue;
            }
            let line = if kind.is_dir() {
                open.push(path);
                continue;
            } else if kind.is_symlink() {
                format!("link {}", hexadecimal(link(&path, &name, &top)?.as_bytes()))
            } else if kind.is_file() {
                let text = fs::read(&path).map_err(|error| PackageError::io(&path, &error))?;
                format!("file {}", hexadecimal(&text))
            } else {
                let what = format!("{name:?} is neither a file nor a folder");
                return Err(PackageError::Escape(what));
            };
            lines.insert(name, line);
            if lines.len() > MOST {
                let what = format!("it has more than {MOST} files");
                return Err(PackageError::Escape(what));
            }
        }
    }
    let mut hash = Sha256::new();
    for (name, line) in lines {
        hash.update(format!("{line} {name}\0"));
    }
    Ok(format!("sha256:{}", digits(&hash.finalize())))
}

/// SHA-256 of a file, in hexadecimal.
pub(super) fn digest_of_file(path: &Path) -> Result<String, PackageError> {
    let text = fs::read(path).map_err(|error| PackageError::io(path, &error))?;
    Ok(hexadecimal(&text))
}

/// Removes what version control keeps, at any depth.
pub(super) fn strip(folder: &Path) -> Result<(), PackageError> {
    let mut open = vec![folder.to_owned()];
    while let Some(below) = open.pop() {
        let entries = fs::read_dir(&below).map_err(|error| PackageError::io(&below, &error))?;
        for entry in entries {
            let entry = entry.map_err(|error| PackageError::io(&below, &error))?;
            let path = entry.path();
            let kind = entry
                .file_type()
                .map_err(|error| PackageError::io(&path, &error))?;
            let removed = match (entry.file_name() == IGNORED, kind.is_dir()) {
                (true, true) => fs::remove_dir_all(&path),
                (true, false) => fs::remove_file(&path),
                (false, true) => {
                    open.push(path);
                    continue;
                }
                (false, false) => continue,
            };
            removed.map_err(|error| PackageError::io(&below, &error))?;
        }
    }
    Ok(())
}

/// The target of a link, which must lie in the package.
fn link(path: &Path, name: &str, top: &Path) -> Result<String, PackageError> {
    let target = fs::read_link(path).map_err(|error| PackageError::io(path, &error))?;
    let inside = match fs::canonicalize(path) {
        Ok(end) => end.starts_with(top),
        // It leads nowhere. What stands in its way are links of this package, so that without
        // any step up it could lead nowhere else.
        Err(_) => !climbs(&target),
    };
    if target.is_absolute() || !inside {
        let target = target.display();
        let what = format!("the link {name:?} leads to {target}");
        return Err(PackageError::Escape(what));
    }
    Ok(target.to_string_lossy().into_owned())
}

fn climbs(target: &Path) -> bool {
    target
        .components()
        .any(|part| part == std::path::Component::ParentDir)
}

/// A path inside of the package, with slashes.
fn named(path: &Path, top: &Path) -> String {
    let inside: PathBuf = path.strip_prefix(top).unwrap_or(path).to_owned();
    inside.to_string_lossy().replace('\\', "/")
}

fn hexadecimal(text: &[u8]) -> String {
    digits(&Sha256::digest(text))
}

fn digits(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::path::Path;

    use super::{PackageError, digest, strip};

    fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    #[test]
    fn the_digest_is_that_of_paths_and_contents() {
        let one = tree(&[("a", "1"), ("b/c", "2"), (".git/x", "3")]);
        let two = tree(&[("b/c", "2"), ("a", "1")]);
        let first = digest(one.path()).unwrap();
        assert_eq!(first, digest(two.path()).unwrap());
        assert_eq!(
            first,
            "sha256:ce678f4b630dace70d79ea2cf588185a924fe139e7adee0c443b8880bccc2a66"
        );
        strip(one.path()).unwrap();
        assert!(!one.path().join(".git").exists());
        assert_eq!(first, digest(one.path()).unwrap());
        for other in [
            tree(&[("a", "2"), ("b/c", "1")]),
            tree(&[("a", "1"), ("b", "2")]),
            tree(&[("a", "1")]),
        ] {
            assert_ne!(first, digest(other.path()).unwrap());
        }
    }

    #[test]
    fn links_stay_inside() {
        let folder = tree(&[("a/b/x", "1")]);
        let at = |name: &str| folder.path().join(name);
        symlink("b/x", at("a/good")).unwrap();
        symlink("nowhere", at("dangling")).unwrap();
        symlink("loop", at("loop")).unwrap();
        digest(folder.path()).unwrap();
        symlink("a/..", at("up")).unwrap();
        digest(folder.path()).unwrap();
        for target in [
            "/etc",
            "../x",
            "a/../../x",
            "up/../x",
            "../../../../../../../etc",
        ] {
            symlink(target, at("bad")).unwrap();
            let found = digest(folder.path());
            assert!(matches!(found, Err(PackageError::Escape(_))), "{target}");
            fs::remove_file(at("bad")).unwrap();
        }
        let inside = fs::canonicalize(at("a/b/x")).unwrap();
        symlink(inside, at("bad")).unwrap();
        assert!(digest(folder.path()).is_err());
    }

    #[test]
    fn what_is_no_file_is_refused() {
        let folder = tree(&[]);
        let _socket =
            std::os::unix::net::UnixListener::bind(Path::new(folder.path()).join("s")).unwrap();
        assert!(matches!(
            digest(folder.path()),
            Err(PackageError::Escape(_))
        ));
    }
}
