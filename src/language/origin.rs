//! Where a module comes from: the `source` of its call, understood.

use std::collections::BTreeMap;

use super::locator::Locator;
use super::module::joined;

/// Where a module comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A folder on this machine, relative to the root of the configuration.
    Folder(String),
    /// A folder of a package that has to be installed first.
    Package {
        /// The package.
        package: Package,
        /// The folder inside of it; empty for the whole.
        within: String,
    },
}

/// Something that can be fetched and unpacked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Its name in the index and the lock file: no secrets, and the same for two ways to write it.
    pub key: String,
    /// How it is had.
    pub fetch: Fetch,
}

/// How a package is had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetch {
    /// From a git repository.
    Git {
        /// The repository.
        url: Locator,
        /// A branch, tag or commit; the default branch where it is left out.
        reference: Option<String>,
        /// How many commits of the history are fetched; all where it is left out.
        depth: Option<u32>,
    },
    /// From an archive.
    Archive {
        /// Where it is.
        location: Location,
        /// What it is.
        format: Format,
        /// SHA-256 of the file in hexadecimal, where the source says it.
        checksum: Option<String>,
    },
}

/// Where an archive is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// On this machine, relative to the root of the configuration or absolute.
    File(String),
    /// Somewhere that answers to HTTP.
    Web(Locator),
}

/// The format of an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `.zip`
    Zip,
    /// `.tar`
    Tar,
    /// `.tar.gz`, `.tgz`
    TarGz,
    /// `.tar.bz2`, `.tbz2`
    TarBz2,
    /// `.tar.xz`, `.txz`
    TarXz,
}

/// Why a source cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OriginError {
    /// There is nothing, or something that git could take for an option.
    #[error("is neither a folder, a git repository nor an archive")]
    Unclear,
    /// It reads like the address of a module registry.
    #[error("is the address of a module registry, which Isobar has no client for")]
    Registry,
    /// It names a way to fetch that is not there.
    #[error("asks for {0:?}, which modules cannot be fetched with")]
    Transport(String),
    /// It is a URL without the ending of an archive.
    #[error("is a URL that does not end like an archive")]
    NotAnArchive,
    /// The part behind `//` leads out of the package, or a relative path out of its package.
    #[error("leads out of the package that it belongs to")]
    Outside,
    /// A setting behind the question mark is not known, or has a value that cannot be.
    #[error("has the setting {0:?}, which is not known here or has a value that cannot be")]
    Setting(String),
}

const ENDINGS: [(&str, Format); 9] = [
    (".zip", Format::Zip),
    (".tar", Format::Tar),
    (".tar.gz", Format::TarGz),
    (".tgz", Format::TarGz),
    (".tar.bz2", Format::TarBz2),
    (".tbz2", Format::TarBz2),
    (".tar.xz", Format::TarXz),
    (".txz", Format::TarXz),
    (".tar.bzip2", Format::TarBz2),
];

/// Hosts whose repositories can be named without a scheme.
const HOSTS: [&str; 3] = ["github.com", "gitlab.com", "bitbucket.org"];

/// What git may talk.
pub const TRANSPORTS: [&str; 4] = ["https", "ssh", "http", "file"];

impl Origin {
    /// Understands a source that stands in a file of the folder `caller`.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub fn of(caller: &str, source: &str) -> Result<Self, OriginError> {
        let (address, within, settings) = split(source)?;
        let local = is_local(&address);
        let ending = Format::of_name(&address);
        if local && ending.is_none() && settings.is_empty() {
            return Ok(Self::Folder(joined(caller, source)));
        }
        if address.starts_with('-') {
            return Err(OriginError::Unclear);
        }
        if local {
            let path = joined(caller, &address);
            return archive(Place::File(path), within, settings);
        }
        if let Some((forced, rest)) = forced(&address) {
            return match forced {
                "git" => git(rest, within, settings),
                "http" | "https" | "file" => Self::of(caller, &source[forced.len() + 2..]),
                other => Err(OriginError::Transport(other.to_owned())),
            };
        }
        if let Some(path) = address.strip_prefix("file://") {
            return archive(Place::File(joined("", path)), within, settings);
        }
        if address.starts_with("https://") || address.starts_with("http://") {
            return archive(Place::Web(address), within, settings);
        }
        if is_scp(&address) || address.starts_with("ssh://") {
            return git(&address, within, settings);
        }
        hosted(&address, within, settings)
    }
}

impl Origin {
    /// The path on this machine that it names, if it does.
    #[must_use]
    pub fn path(&self) -> Option<&str> {
        match self {
            Self::Folder(path) => Some(path),
            Self::Package { package, .. } => match &package.fetch {
                Fetch::Archive {
                    location: Location::File(path),
                    ..
                } => Some(path),
                _ => None,
            },
        }
    }
}

enum Place {
    File(String),
    Web(String),
}

type Settings = BTreeMap<String, String>;

/// The address, the folder inside and the settings behind the question mark.
fn split(source: &str) -> Result<(String, String, Settings), OriginError> {
    let (path, query) = source.split_once('?').unwrap_or((source, ""));
    let start = path.find("://").map_or(0, |scheme| scheme + 3);
    let inner = path[start..].find("//").map(|found| start + found);
    let (address, within) = inner.map_or((path, ""), |at| (&path[..at], &path[at + 2..]));
    let mut parts = Vec::new();
    for part in within.split('/') {
        match part {
            "" | "." => {}
            ".." => return Err(OriginError::Outside),
            other => parts.push(other),
        }
    }
    let mut settings = Settings::new();
    for one in query.split('&').filter(|one| !one.is_empty()) {
        let (name, value) = one.split_once('=').unwrap_or((one, ""));
        settings.insert(name.to_owned(), value.to_owned());
    }
    Ok((address.to_owned(), parts.join("/"), settings))
}

/// Whether an address is a path on this machine.
fn is_local(address: &str) -> bool {
    matches!(address, "." | "..")
        || ["./", "../", "/"]
            .iter()
            .any(|start| address.starts_with(start))
}

/// `git` and the rest of `git::https://…`.
fn forced(address: &str) -> Option<(&str, &str)> {
    let (name, rest) = address.split_once("::")?;
    let word = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric());
    word.then_some((name, rest))
}

/// `user@host:path`
fn is_scp(address: &str) -> bool {
    let Some((before, path)) = address.split_once(':') else {
        return false;
    };
    before.contains('@') && !before.contains('/') && !path.starts_with("//")
}

/// A repository of a host that everyone knows.
fn hosted(address: &str, within: String, settings: Settings) -> Result<Origin, OriginError> {
    let parts: Vec<&str> = address.split('/').filter(|part| !part.is_empty()).collect();
    match parts.as_slice() {
        [host, owner, name, rest @ ..] if HOSTS.contains(host) => {
            let name = name.strip_suffix(".git").unwrap_or(name);
            let within = if rest.is_empty() {
                within
            } else if rest.contains(&"..") {
                return Err(OriginError::Outside);
            } else {
                [rest.join("/"), within]
                    .join("/")
                    .trim_matches('/')
                    .to_owned()
            };
            git(
                &format!("https://{host}/{owner}/{name}.git"),
                within,
                settings,
            )
        }
        [_, _, _] | [_, _, _, _] if parts.iter().all(|part| is_word(part)) => {
            Err(OriginError::Registry)
        }
        _ => Err(OriginError::Unclear),
    }
}

fn is_word(part: &str) -> bool {
    part.starts_with(|c: char| c.is_alphanumeric())
        && part
            .chars()
            .all(|c| c.is_alphanumeric() || "-_.".contains(c))
}

fn git(address: &str, within: String, mut settings: Settings) -> Result<Origin, OriginError> {
    let url = repository(address)?;
    let reference = settings.remove("ref").map(|text| decoded(&text));
    // Whatever begins with a dash could be taken for an option.
    let odd = |text: &String| text.is_empty() || text.starts_with('-') || text.contains("..");
    if reference.as_ref().is_some_and(odd) {
        return Err(OriginError::Setting("ref".to_owned()));
    }
    let depth = match settings.remove("depth") {
        None => None,
        Some(text) => match text.parse() {
            Ok(0) => None,
            Ok(depth) => Some(depth),
            Err(_) => return Err(OriginError::Setting("depth".to_owned())),
        },
    };
    if let Some((name, _)) = settings.pop_first() {
        return Err(OriginError::Setting(name));
    }
    let url = Locator::new(url);
    let asked = reference
        .as_ref()
        .map(|reference| format!("?ref={reference}"));
    Ok(Origin::Package {
        package: Package {
            key: format!("git::{url}{}", asked.unwrap_or_default()),
            fetch: Fetch::Git {
                url,
                reference,
                depth,
            },
        },
        within,
    })
}

/// A URL, or the short form of one for ssh, that git may be given.
fn repository(address: &str) -> Result<String, OriginError> {
    if address.starts_with('/') {
        return Ok(format!("file://{}", joined("", address)));
    }
    if is_scp(address) {
        let (host, path) = address.split_once(':').unwrap_or((address, ""));
        let host = host.rsplit('@').next().unwrap_or(host);
        let odd = address.starts_with('-') || host.starts_with('-') || path.starts_with('-');
        return match odd || address.contains("::") {
            true => Err(OriginError::Unclear),
            false => Ok(address.to_owned()),
        };
    }
    let Some((scheme, rest)) = address.split_once("://") else {
        return Err(match forced(address) {
            Some((name, _)) => OriginError::Transport(name.to_owned()),
            None => OriginError::Unclear,
        });
    };
    if !TRANSPORTS.contains(&scheme) {
        return Err(OriginError::Transport(scheme.to_owned()));
    }
    let authority = rest.split('/').next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    if rest.is_empty() || host.starts_with('-') || authority.starts_with('-') {
        return Err(OriginError::Unclear);
    }
    Ok(address.to_owned())
}

fn archive(place: Place, within: String, mut settings: Settings) -> Result<Origin, OriginError> {
    let (Place::File(name) | Place::Web(name)) = &place;
    let format = match settings.remove("archive") {
        None => Format::of_name(name).ok_or(OriginError::NotAnArchive)?,
        Some(named) => Format::of_name(&format!(".{named}"))
            .ok_or_else(|| OriginError::Setting("archive".to_owned()))?,
    };
    let checksum = match settings.remove("checksum") {
        None => None,
        Some(text) => {
            Some(checksum(&text).ok_or_else(|| OriginError::Setting("checksum".to_owned()))?)
        }
    };
    let (key, location) = match place {
        Place::File(path) => {
            if let Some((name, _)) = settings.pop_first() {
                return Err(OriginError::Setting(name));
            }
            let key = match path.starts_with(['/', '.']) {
                true => path.clone(),
                false => format!("./{path}"),
            };
            (key, Location::File(path))
        }
        Place::Web(url) => {
            let query: Vec<String> = settings
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            let url = match query.is_empty() {
                true => Locator::new(url),
                false => Locator::new(format!("{url}?{}", query.join("&"))),
            };
            (url.to_string(), Location::Web(url))
        }
    };
    let fetch = Fetch::Archive {
        location,
        format,
        checksum,
    };
    let package = Package { key, fetch };
    Ok(Origin::Package { package, within })
}

/// The hexadecimal digits of `sha256:…`.
fn checksum(text: &str) -> Option<String> {
    let digits = text.strip_prefix("sha256:").unwrap_or(text);
    let valid = digits.len() == 64 && digits.chars().all(|c| c.is_ascii_hexdigit());
    valid.then(|| digits.to_ascii_lowercase())
}

/// Text of a URL with `%2F` and the like as what they stand for.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let code = rest.get(1..3).filter(|_| character == '%');
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &rest[3..];
            }
            None => {
                bytes.extend(character.to_string().bytes());
                rest = &rest[character.len_utf8()..];
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

impl Format {
    fn of_name(name: &str) -> Option<Self> {
        let found = ENDINGS.iter().find(|(ending, _)| name.ends_with(ending));
        found.map(|(_, format)| *format)
    }
}

#[cfg(test)]
mod tests {
    use super::{Origin, OriginError};

    fn package(caller: &str, source: &str) -> Result<(String, String), OriginError> {
        match Origin::of(caller, source)? {
            Origin::Folder(folder) => Ok(("folder".to_owned(), folder)),
            Origin::Package { package, within } => Ok((package.key, within)),
        }
    }

    #[test]
    fn sources_are_told_apart() {
        for (caller, source, key, within) in [
            ("", "./a", "folder", "a"),
            ("", "/srv/modules/a", "folder", "/srv/modules/a"),
            ("m", "../a.zip//x", "./a.zip", "x"),
            ("m", "./a.zip", "./m/a.zip", ""),
            ("", "./a.zip/.", "folder", "a.zip"),
            ("", "/srv/a.tar.gz", "/srv/a.tar.gz", ""),
            ("", "file:///srv/a.txz//x/./y", "/srv/a.txz", "x/y"),
            (
                "",
                "git::https://h.example/o/r.git//x?ref=v1",
                "git::https://h.example/o/r.git?ref=v1",
                "x",
            ),
            ("", "git::file:///srv/r", "git::file:///srv/r", ""),
            ("", "git::/srv/r//x", "git::file:///srv/r", "x"),
            (
                "",
                "git@h.example:o/r.git",
                "git::git@h.example:o/r.git",
                "",
            ),
            (
                "",
                "git::ssh://git@h.example/r",
                "git::ssh://git@h.example/r",
                "",
            ),
            (
                "",
                "github.com/o/r//x?ref=feature%2Fa",
                "git::https://github.com/o/r.git?ref=feature/a",
                "x",
            ),
            (
                "",
                "github.com/o/r/x",
                "git::https://github.com/o/r.git",
                "x",
            ),
            (
                "",
                "https://h.example/a?archive=zip&v=2",
                "https://h.example/a?v=2",
                "",
            ),
            (
                "",
                "https://me:pw@h.example/a.zip?X-Amz-Signature=abc",
                "https://***@h.example/a.zip?X-Amz-Signature=***",
                "",
            ),
        ] {
            let expected = (key.to_owned(), within.to_owned());
            assert_eq!(package(caller, source), Ok(expected), "{source}");
        }
    }

    #[test]
    fn what_is_none_is_refused() {
        let transport = |name: &str| OriginError::Transport(name.to_owned());
        let setting = |name: &str| OriginError::Setting(name.to_owned());
        for (source, error) in [
            ("", OriginError::Unclear),
            ("-oProxyCommand=x", OriginError::Unclear),
            ("git::ext::sh -c x", transport("ext")),
            ("git::ext::sh -c x%20@h:y", transport("ext")),
            ("ext::sh -c x", transport("ext")),
            ("git::fd://3", transport("fd")),
            ("git::ssh://-oProxyCommand=x/y", OriginError::Unclear),
            ("git::-u@h:x", OriginError::Unclear),
            ("git::u@-h:x", OriginError::Unclear),
            ("git::--upload-pack=x", OriginError::Unclear),
            ("git::../r", OriginError::Unclear),
            ("git::https://h/r?ref=--output=x", setting("ref")),
            ("git::https://h/r?depth=x", setting("depth")),
            ("git::https://h/r?sshkey=x", setting("sshkey")),
            ("git::https://h/r//../..", OriginError::Outside),
            ("./a.zip//../..", OriginError::Outside),
            ("./a.zip?checksum=12", setting("checksum")),
            ("s3::https://h/a.zip", transport("s3")),
            ("https://h.example/a", OriginError::NotAnArchive),
            ("file:///srv/a", OriginError::NotAnArchive),
            ("org/network/aws", OriginError::Registry),
            ("h.example/org/network/aws", OriginError::Registry),
            ("network", OriginError::Unclear),
        ] {
            assert_eq!(package("", source), Err(error), "{source}");
        }
    }
}
