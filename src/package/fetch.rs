//! Brings a package into a folder.

use std::fs;
use std::path::Path;
use std::process::Command;

use isobar_sdk::diagnostic::closest;

use super::tool::{BZIP2, CURL, Ended, GIT, GZIP, TAR, Tool, UNZIP, XZ};
use super::{PackageError, tree};
use crate::language::locator::Locator;
use crate::language::origin::{Fetch, Format, Location, TRANSPORTS};

/// Fetches into `target`, a folder that must not be there yet, and gives the commit of what comes
/// from a repository. Where `commit` says which one was locked, it is that one.
///
/// # Errors
/// Why it cannot be had; `target` may then hold a part of it.
pub(super) fn fetch(
    from: &Fetch,
    commit: Option<&str>,
    root: &Path,
    target: &Path,
) -> Result<Option<String>, PackageError> {
    match from {
        Fetch::Git {
            url,
            reference,
            depth,
        } => {
            let repository = Repository {
                url,
                target,
                depth: *depth,
            };
            repository.fetch(reference.as_deref(), commit).map(Some)
        }
        Fetch::Archive {
            location,
            format,
            checksum,
        } => {
            let download = target.with_extension("download");
            let file = match location {
                Location::File(path) => root.join(path),
                Location::Web(url) => {
                    get(url, &download)?;
                    download.clone()
                }
            };
            if let Some(wanted) = checksum {
                let (wanted, found) = (wanted.clone(), tree::digest_of_file(&file)?);
                if wanted != found {
                    return Err(PackageError::Checksum { wanted, found });
                }
            }
            fs::create_dir_all(target).map_err(|error| PackageError::io(target, &error))?;
            unpack(*format, &file, target)?;
            Ok(None)
        }
    }
}

/// A git repository and where it is to be put.
struct Repository<'a> {
    url: &'a Locator,
    target: &'a Path,
    depth: Option<u32>,
}

impl Repository<'_> {
    fn fetch(&self, reference: Option<&str>, locked: Option<&str>) -> Result<String, PackageError> {
        let commit = match self.depth {
            None => {
                self.clone_with(&[])?;
                self.find(reference, locked)?
            }
            Some(depth) => {
                let whole = reference.filter(|text| is_commit(text));
                match locked.or(whole) {
                    Some(commit) => self.shallow(depth, commit, locked.is_some())?,
                    None => self.shallow_clone(depth, reference)?,
                }
            }
        };
        self.expect(&["checkout", "--quiet", "--detach", &commit])?;
        if self.target.join(".gitmodules").is_file() {
            let update = ["submodule", "update", "--init", "--recursive", "--quiet"];
            self.expect(&update)?;
        }
        tree::strip(self.target)?;
        Ok(commit)
    }

    /// Clones without checking anything out.
    fn clone_with(&self, arguments: &[&str]) -> Result<(), PackageError> {
        let mut command = self.git();
        command.args(["clone", "--quiet", "--no-checkout", "--template="]);
        command.args(arguments);
        command.arg("--").arg(self.url.reveal()).arg(self.target);
        match GIT.run(&mut command, "")? {
            Ended::Well(_) => Ok(()),
            Ended::Badly(said) => Err(self.unreachable(&said)),
        }
    }

    fn shallow_clone(&self, depth: u32, reference: Option<&str>) -> Result<String, PackageError> {
        let mut arguments = vec![format!("--depth={depth}")];
        arguments.extend(reference.map(|reference| format!("--branch={reference}")));
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let cloned = self.clone_with(&arguments);
        match (cloned, reference) {
            (Err(PackageError::Unreachable(said)), Some(reference))
                if said.contains("Remote branch") =>
            {
                Err(PackageError::NoReference {
                    reference: reference.to_owned(),
                    like: None,
                })
            }
            (Err(error), _) => Err(error),
            (Ok(()), _) => self.find(None, None),
        }
    }

    /// Fetches one commit.
    fn shallow(&self, depth: u32, commit: &str, locked: bool) -> Result<String, PackageError> {
        let created = fs::create_dir_all(self.target);
        created.map_err(|error| PackageError::io(self.target, &error))?;
        self.expect(&["init", "--quiet", "--template="])?;
        let depth = format!("--depth={depth}");
        let fetch = ["fetch", "--quiet", &depth, "--", self.url.reveal(), commit];
        match self.run(&fetch)? {
            Ended::Well(_) => Ok(commit.to_owned()),
            Ended::Badly(said) if is_absence(&said) && locked => {
                Err(PackageError::NoCommit(commit.to_owned()))
            }
            Ended::Badly(said) if is_absence(&said) => Err(PackageError::NoReference {
                reference: commit.to_owned(),
                like: None,
            }),
            Ended::Badly(said) => Err(self.unreachable(&said)),
        }
    }

    /// The commit that a clone is for.
    fn find(&self, reference: Option<&str>, locked: Option<&str>) -> Result<String, PackageError> {
        if let Some(commit) = locked {
            let found = self.resolve(commit)?;
            if let Some(commit) = found {
                return Ok(commit);
            }
            // A commit that no branch leads to any more may still be had by its name.
            let fetch = ["fetch", "--quiet", "--", self.url.reveal(), commit];
            return match self.run(&fetch)? {
                Ended::Well(_) => Ok(commit.to_owned()),
                Ended::Badly(_) => Err(PackageError::NoCommit(commit.to_owned())),
            };
        }
        let Some(reference) = reference else {
            return self
                .resolve("HEAD")?
                .ok_or_else(|| PackageError::Unreachable("the repository is empty".to_owned()));
        };
        for name in [
            format!("refs/tags/{reference}"),
            format!("refs/remotes/origin/{reference}"),
            reference.to_owned(),
        ] {
            if let Some(commit) = self.resolve(&name)? {
                return Ok(commit);
            }
        }
        Err(PackageError::NoReference {
            reference: reference.to_owned(),
            like: self.like(reference)?,
        })
    }

    fn resolve(&self, name: &str) -> Result<Option<String>, PackageError> {
        let name = format!("{name}^{{commit}}");
        let parse = ["rev-parse", "--verify", "--quiet", &name];
        Ok(match self.run(&parse)? {
            Ended::Well(commit) => Some(commit.trim().to_owned()),
            Ended::Badly(_) => None,
        })
    }

    /// A branch or tag that reads like one that is not there.
    fn like(&self, reference: &str) -> Result<Option<String>, PackageError> {
        let list = ["for-each-ref", "--format=%(refname)"];
        let Ended::Well(names) = self.run(&list)? else {
            return Ok(None);
        };
        let short = |name: &'_ str| {
            let tag = name.strip_prefix("refs/tags/");
            tag.or_else(|| name.strip_prefix("refs/remotes/origin/"))
                .map(str::to_owned)
        };
        let names: Vec<String> = names.lines().filter_map(short).collect();
        Ok(closest(reference, names.iter().map(String::as_str)).map(str::to_owned))
    }

    /// Runs git in the clone.
    fn run(&self, arguments: &[&str]) -> Result<Ended, PackageError> {
        let mut command = self.git();
        command.arg("-C").arg(self.target).args(arguments);
        GIT.run(&mut command, "")
    }

    fn expect(&self, arguments: &[&str]) -> Result<(), PackageError> {
        match self.run(arguments)? {
            Ended::Well(_) => Ok(()),
            Ended::Badly(said) => Err(self.unreachable(&said)),
        }
    }

    /// git, which starts nothing that the repository names and talks in known ways only.
    fn git(&self) -> Command {
        let local = self.url.reveal().starts_with("file://");
        // A repository from elsewhere must not bring in folders of this machine.
        let allowed: Vec<&str> = TRANSPORTS
            .into_iter()
            .filter(|name| local || *name != "file")
            .collect();
        let mut command = GIT.command();
        command
            .env("GIT_ALLOW_PROTOCOL", allowed.join(":"))
            .env("GIT_TERMINAL_PROMPT", "0")
            .args(["-c", "core.hooksPath=/dev/null"])
            .args(["-c", "core.fsmonitor=false"])
            // The content, and so its digest, must not depend on the machine.
            .args(["-c", "core.autocrlf=false"])
            .args(["-c", "advice.detachedHead=false"]);
        command
    }

    fn unreachable(&self, said: &str) -> PackageError {
        PackageError::Unreachable(self.url.mask(said))
    }
}

pub(super) fn is_commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.chars().all(|c| c.is_ascii_hexdigit())
}

/// Whether git says that there is no such commit, rather than that it cannot ask.
fn is_absence(said: &str) -> bool {
    said.contains("not our ref") || said.contains("couldn't find remote ref")
}

/// Has curl fetch a file. The URL goes in by standard input: arguments can be seen by everyone
/// on the machine.
fn get(url: &Locator, target: &Path) -> Result<(), PackageError> {
    if let Some(folder) = target.parent() {
        fs::create_dir_all(folder).map_err(|error| PackageError::io(folder, &error))?;
    }
    // What was asked for in private is not fetched in the open.
    let redirect = match url.reveal().starts_with("https:") {
        true => "=https",
        false => "=http,https",
    };
    let mut command = CURL.command();
    command
        .args(["--fail", "--silent", "--show-error", "--location"])
        .args(["--globoff", "--netrc-optional", "--max-redirs", "10"])
        .args(["--proto", "=http,https", "--proto-redir", redirect])
        .args(["--connect-timeout", "30", "--retry", "2"])
        .args(["--config", "-", "--output"])
        .arg(target);
    let escaped = url.reveal().replace('\\', "\\\\").replace('"', "\\\"");
    if escaped.contains(['\n', '\r']) {
        return Err(PackageError::Unreachable(
            "the URL has a line break".to_owned(),
        ));
    }
    match CURL.run(&mut command, &format!("url = \"{escaped}\"\n"))? {
        Ended::Well(_) => Ok(()),
        Ended::Badly(said) => Err(PackageError::Unreachable(url.mask(&said))),
    }
}

/// Unpacks an archive, once none of its names leads out of the folder.
fn unpack(format: Format, file: &Path, target: &Path) -> Result<(), PackageError> {
    let metadata = fs::metadata(file).map_err(|error| {
        let said = format!("{}: {error}", file.display());
        PackageError::Unreachable(said)
    })?;
    if !metadata.is_file() {
        let said = format!("{} is not a file", file.display());
        return Err(PackageError::NotAnArchive(said));
    }
    let compression = match format {
        Format::Zip => return unzip(file, target),
        Format::Tar => None,
        Format::TarGz => Some(("--gzip", GZIP)),
        Format::TarBz2 => Some(("--bzip2", BZIP2)),
        Format::TarXz => Some(("--xz", XZ)),
    };
    TAR.must_exist()?;
    if let Some((_, tool)) = compression {
        tool.must_exist()?;
    }
    let flag = compression.map(|(flag, _)| flag);
    let mut list = TAR.command();
    list.args(flag).arg("--list").arg("--file").arg(file);
    check_names(&finish(TAR, &mut list)?)?;
    let mut extract = TAR.command();
    extract
        .args(flag)
        .args(["--extract", "--no-same-owner", "--no-same-permissions"])
        .arg("--file")
        .arg(file)
        .arg("--directory")
        .arg(target);
    finish(TAR, &mut extract).map(drop)
}

fn unzip(file: &Path, target: &Path) -> Result<(), PackageError> {
    let mut list = UNZIP.command();
    list.arg("-Z1").arg(file);
    check_names(&finish(UNZIP, &mut list)?)?;
    let mut extract = UNZIP.command();
    // An empty password, so that none is asked for.
    extract
        .args(["-q", "-o", "-P", ""])
        .arg(file)
        .arg("-d")
        .arg(target);
    finish(UNZIP, &mut extract).map(drop)
}

fn finish(tool: Tool, command: &mut Command) -> Result<String, PackageError> {
    match tool.run(command, "")? {
        Ended::Well(text) => Ok(text),
        Ended::Badly(said) => Err(PackageError::NotAnArchive(said)),
    }
}

/// Refuses names that are absolute or lead up.
fn check_names(list: &str) -> Result<(), PackageError> {
    let leads_out =
        |name: &&str| name.starts_with('/') || name.split(['/', '\\']).any(|p| p == "..");
    match list.lines().find(leads_out) {
        Some(name) => Err(PackageError::Escape(format!("it holds {name:?}"))),
        None => Ok(()),
    }
}
