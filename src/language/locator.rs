//! URLs that may hold credentials, and how they are shown.

use std::fmt;

/// A URL, which may hold credentials and so is only shown without them.
#[derive(Clone, PartialEq, Eq)]
pub struct Locator(String);

impl Locator {
    /// A URL.
    #[must_use]
    pub const fn new(url: String) -> Self {
        Self(url)
    }

    /// The URL with its credentials: for the program that fetches, never for people.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// A text of a program, without the credentials of this URL.
    #[must_use]
    pub fn mask(&self, text: &str) -> String {
        let shown = text.replace(&self.0, &self.to_string());
        secrets(&self.0)
            .into_iter()
            .fold(shown, |text, secret| text.replace(secret, "***"))
    }
}

impl fmt::Display for Locator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&masked(&self.0))
    }
}

impl fmt::Debug for Locator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", masked(&self.0))
    }
}

/// A source as it can be shown: without what stands before the `@` of a URL (but for the name of
/// an ssh user), and without settings that are named like secrets.
#[must_use]
pub fn masked(source: &str) -> String {
    secrets(source)
        .into_iter()
        .fold(source.to_owned(), |text, secret| {
            text.replace(secret, "***")
        })
}

/// Names of settings whose values are not shown.
const SECRET: [&str; 7] = [
    "token",
    "key",
    "secret",
    "sig",
    "password",
    "auth",
    "credential",
];

/// The parts of a source that are not shown.
fn secrets(source: &str) -> Vec<&str> {
    let (address, query) = source.split_once('?').unwrap_or((source, ""));
    let (scheme, rest) = address.split_once("://").unwrap_or(("", address));
    let authority = rest.split('/').next().unwrap_or_default();
    let mut found = Vec::new();
    if let Some((user, _)) = authority.rsplit_once('@') {
        match user.split_once(':') {
            Some((_, password)) if scheme.ends_with("ssh") => found.push(password),
            _ if scheme.ends_with("ssh") || scheme.is_empty() => {}
            _ => found.push(user),
        }
    }
    for one in query.split('&') {
        let (name, value) = one.split_once('=').unwrap_or((one, ""));
        let name = name.to_ascii_lowercase();
        if SECRET.iter().any(|word| name.contains(word)) {
            found.push(value);
        }
    }
    found.retain(|secret| !secret.is_empty());
    found
}

#[cfg(test)]
mod tests {
    use super::{Locator, masked};

    #[test]
    fn credentials_are_never_shown() {
        let url = Locator::new("https://me:hunter2@h.example/r".to_owned());
        assert!(!format!("{url:?} {url}").contains("hunter2"));
        let said = "fatal: https://me:hunter2@h.example/r: no, me:hunter2";
        assert!(!url.mask(said).contains("hunter2"));
        for (source, shown) in [
            (
                "git::ssh://git:pw@h/r?token=x&ref=y",
                "git::ssh://git:***@h/r?token=***&ref=y",
            ),
            ("git@h.example:o/r.git", "git@h.example:o/r.git"),
            ("git::https://t0k3n@h/r", "git::https://***@h/r"),
            ("./a@b:c", "./a@b:c"),
        ] {
            assert_eq!(masked(source), shown);
        }
    }
}
