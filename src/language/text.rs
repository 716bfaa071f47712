//! Reads a text from a file: whole, of bounded length, UTF-8.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The longest file of a configuration, in bytes.
pub const LONGEST_SOURCE: u64 = 16 << 20;
/// The longest file of other kinds: states, plans, values of variables.
pub const LONGEST: u64 = 512 << 20;

/// Reads a file that was found and not named: it must be an ordinary one, as reading a pipe or a
/// device may never end.
///
/// # Errors
/// Why it cannot be read, without its name.
pub fn read_ordinary(path: &Path, longest: u64) -> io::Result<String> {
    text_of(bytes_of_ordinary(path, longest)?)
}

/// The same where it need not be text.
///
/// # Errors
/// Why it cannot be read, without its name.
pub fn bytes_of_ordinary(path: &Path, longest: u64) -> io::Result<Vec<u8>> {
    let kind = std::fs::metadata(path)?;
    if !kind.is_file() && !kind.is_dir() {
        return Err(invalid("it is no ordinary file"));
    }
    bytes_of(path, longest)
}

/// Reads a file that the user named, which may be a pipe.
///
/// # Errors
/// Why it cannot be read, without its name.
pub fn read(path: &Path, longest: u64) -> io::Result<String> {
    text_of(bytes_of(path, longest)?)
}

fn bytes_of(path: &Path, longest: u64) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    // One more than there is: that it ends is found out without more room.
    let length = file.metadata().map_or(0, |found| found.len().min(longest));
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default() + 1);
    file.take(longest + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > longest {
        let most = longest >> 20;
        return Err(invalid(&format!("it is longer than {most} MiB")));
    }
    Ok(bytes)
}

/// The text that bytes are.
///
/// # Errors
/// In which line they are none.
pub fn text_of(bytes: Vec<u8>) -> io::Result<String> {
    String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = valid.iter().filter(|byte| **byte == b'\n').count() + 1;
        invalid(&format!("line {line} is not UTF-8 text"))
    })
}

fn invalid(reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{read, read_ordinary};

    #[test]
    fn what_is_no_text_is_refused_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let refusal = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            read(&path, 1 << 20).map_err(|error| error.to_string())
        };
        assert_eq!(refusal(b"x\r\n\0"), Ok("x\r\n\0".to_owned()));
        assert_eq!(
            refusal(b"a\nb\nc\xff"),
            Err("line 3 is not UTF-8 text".to_owned())
        );
        assert_eq!(
            refusal(&vec![b' '; (1 << 20) + 1]),
            Err("it is longer than 1 MiB".to_owned())
        );
    }

    #[cfg(unix)]
    #[test]
    fn devices_are_not_read() {
        let zero = Path::new("/dev/zero");
        assert!(read_ordinary(zero, 1).is_err());
        assert!(read(zero, 1 << 20).is_err());
    }
}
