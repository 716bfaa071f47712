//! Where files are for editors: addresses that begin with `file://`.

use std::path::{Component, Path, PathBuf};
use std::str::FromStr;

use lsp_types::Uri;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// What stands in a path as it is.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// The path of a file; `None` for what is no file on this machine.
pub(super) fn path(uri: &Uri) -> Option<PathBuf> {
    let rest = uri.as_str().strip_prefix("file://")?;
    let path = rest.strip_prefix("localhost").unwrap_or(rest);
    let path = percent_decode_str(path).decode_utf8().ok()?;
    path.starts_with('/').then(|| normal(Path::new(&*path)))
}

/// The address of a file.
pub(super) fn uri(path: &Path) -> Option<Uri> {
    let path = normal(path);
    let path = path.to_str()?;
    Uri::from_str(&format!("file://{}", utf8_percent_encode(path, ESCAPED))).ok()
}

/// A path without `.` and `..`, so that two ways to one file are one.
pub(super) fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                normal.pop();
            }
            other => normal.push(other),
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};
    use std::str::FromStr;

    use lsp_types::Uri;

    use super::{path, uri};

    #[test]
    fn addresses_and_paths_mean_each_other() {
        for file in ["/a/main.hcl", "/a b/ü#?/100%.hcl", "/x/[y]/z&.hcl"] {
            let there = uri(Path::new(file)).unwrap();
            assert_eq!(path(&there), Some(PathBuf::from(file)), "{there:?}");
        }
        assert_eq!(
            uri(Path::new("/a/b/../c/./d.hcl")).unwrap().as_str(),
            "file:///a/c/d.hcl"
        );
    }

    #[test]
    fn other_addresses_are_no_files() {
        for text in ["untitled:Untitled-1", "https://x/a.hcl", "file://host/a"] {
            assert_eq!(path(&Uri::from_str(text).unwrap()), None, "{text}");
        }
    }
}
