//! A file that is replaced whole: what was there stays until what is new is complete.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use tempfile::NamedTempFile;

/// What a replacement asks of the system, one step after the other.
pub(super) trait Disk {
    /// Writes the content.
    fn write(&self, file: &mut NamedTempFile, content: &[u8]) -> io::Result<()> {
        file.write_all(content)
    }

    /// Waits until the content of a file is on the disk.
    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_all()
    }

    /// Puts the file under its name.
    fn rename(&self, file: NamedTempFile, path: &Path) -> io::Result<()> {
        file.persist(path).map(drop).map_err(|error| error.error)
    }

    /// Waits until the names in a folder are on the disk.
    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()
    }
}

/// The disk of this machine.
pub(super) struct Machine;

impl Disk for Machine {}

/// Replaces a file by another one that only its owner may read.
///
/// # Errors
/// What the system says; then the old one is there, unless only its folder was not synced.
pub(super) fn replace(disk: &dyn Disk, path: &Path, content: &[u8]) -> io::Result<()> {
    Replacement::prepare(disk, path, content)?.put(disk)
}

/// A file that is on the disk and does not stand under its name yet.
pub(super) struct Replacement<'a> {
    file: NamedTempFile,
    path: &'a Path,
}

impl<'a> Replacement<'a> {
    /// Writes what is to replace a file beside it.
    ///
    /// # Errors
    /// What the system says; then nothing of it is left.
    pub(super) fn prepare(disk: &dyn Disk, path: &'a Path, content: &[u8]) -> io::Result<Self> {
        let mut file = NamedTempFile::new_in(folder_of(path))?;
        disk.write(&mut file, content)?;
        disk.sync(file.as_file())?;
        Ok(Self { file, path })
    }

    /// Puts it under its name.
    ///
    /// # Errors
    /// What the system says; then the old one is there, unless only its folder was not synced.
    pub(super) fn put(self, disk: &dyn Disk) -> io::Result<()> {
        disk.rename(self.file, self.path)?;
        disk.sync_folder(folder_of(self.path))
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io;
    use std::path::Path;

    use tempfile::NamedTempFile;

    use super::{Disk, replace};

    #[derive(Clone, Copy, PartialEq, Debug)]
    enum Step {
        Write,
        Sync,
        Rename,
        SyncFolder,
    }

    /// A disk that fails at one step, as a full one, a broken one or one of a network does.
    struct Failing(Option<Step>, io::ErrorKind);

    impl Failing {
        fn at(&self, step: Step) -> io::Result<()> {
            match self.0 == Some(step) {
                true => Err(self.1.into()),
                false => Ok(()),
            }
        }
    }

    impl Disk for Failing {
        fn write(&self, file: &mut NamedTempFile, content: &[u8]) -> io::Result<()> {
            use io::Write;
            // A full disk takes a part.
            file.write_all(&content[..content.len() / 2])?;
            self.at(Step::Write)?;
            file.write_all(&content[content.len() / 2..])
        }

        fn sync(&self, _: &File) -> io::Result<()> {
            self.at(Step::Sync)
        }

        fn rename(&self, file: NamedTempFile, path: &Path) -> io::Result<()> {
            self.at(Step::Rename)?;
            file.persist(path).map(drop).map_err(|error| error.error)
        }

        fn sync_folder(&self, _: &Path) -> io::Result<()> {
            self.at(Step::SyncFolder)
        }
    }

    #[test]
    fn whatever_fails_one_of_the_two_is_there_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        for (step, kind, expected) in [
            (Some(Step::Write), io::ErrorKind::StorageFull, "old"),
            (Some(Step::Sync), io::ErrorKind::Other, "old"),
            (Some(Step::Rename), io::ErrorKind::ReadOnlyFilesystem, "old"),
            (
                Some(Step::Rename),
                io::ErrorKind::StaleNetworkFileHandle,
                "old",
            ),
            (Some(Step::SyncFolder), io::ErrorKind::Other, "new"),
            (None, io::ErrorKind::Other, "new"),
        ] {
            std::fs::write(&path, "old").unwrap();
            let result = replace(&Failing(step, kind), &path, b"new");
            assert_eq!(
                result.map_err(|error| error.kind()).err(),
                step.map(|_| kind)
            );
            assert_eq!(
                std::fs::read_to_string(&path).unwrap(),
                expected,
                "{step:?}"
            );
            let left = std::fs::read_dir(folder.path()).unwrap().count();
            assert_eq!(left, 1, "{step:?} left a file behind");
        }
    }

    #[cfg(unix)]
    #[test]
    fn only_its_owner_may_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        replace(&super::Machine, &path, b"new").unwrap();
        let rights = std::fs::metadata(&path).unwrap().permissions();
        assert_eq!(rights.mode() & 0o777, 0o600);
    }
}
