//! `isobar init`

use std::fs;
use std::io;
use std::path::Path;

use isobar_sdk::Diagnostic;

use super::Exit;
use super::args::Init;
use super::environment::fresh_id;
use super::failure::Stopped;
use super::migrate;
use super::project::registry;
use super::session::Session;
use crate::language::Origin;
use crate::language::locator::masked;
use crate::package::{self, Get, Installed, LOCK_FILE, Request, Step};
use crate::{plan, render};

pub(super) fn run(session: &Session, args: &Init) -> Result<Exit, Stopped> {
    session.shell.event(render::json::stream::version());
    if let Some(source) = &args.from_module {
        begin_with(session, source)?;
    }
    let request = Request {
        place: session.place(),
        id: fresh_id(),
        get: match (args.get, args.upgrade) {
            (false, _) => Get::Nothing,
            (true, true) => Get::All,
            (true, false) => Get::Missing,
        },
        lock: args.lock_mode(),
    };
    let mut tell = |key: &str, step: Step<'_>| {
        session
            .shell
            .event(render::json::stream::package(key, &step));
        session.shell.say(&render::package(key, &step));
    };
    let installed = package::install(&request, &mut tell).map_err(|refused| {
        let (diagnostics, sources) = *refused;
        Stopped::new(diagnostics, &sources)
    })?;
    check(session, &installed)?;
    migrate::prepare(session, args, &installed)?;
    finish(session, &installed);
    Ok(Exit::Success)
}

/// Checks what else the configuration needs.
fn check(session: &Session, installed: &Installed) -> Result<(), Stopped> {
    let Installed {
        sources, config, ..
    } = installed;
    let mut diagnostics = installed.diagnostics.clone();
    diagnostics.extend(plan::check_providers(config, &registry(session)));
    if diagnostics.has_errors() {
        return Err(Stopped::new(diagnostics, sources));
    }
    session.shell.diagnostics(&diagnostics, sources);
    Ok(())
}

/// Says what was done and what comes next.
fn finish(session: &Session, installed: &Installed) {
    let mut text = String::new();
    if installed.locked {
        text.push_str(&format!(
            "{LOCK_FILE} records what the modules must be. Keep it in version control.\n\n"
        ));
    }
    if installed.sources.configuration().next().is_none() {
        text.push_str("There is no configuration in this folder yet.");
        if !session.environment.automation {
            text.push_str(" Write main.hcl, then run isobar init again.");
        }
    } else {
        text.push_str("The configuration is ready.");
        if !session.environment.automation {
            text.push_str(" See what it would do with:\n  isobar plan");
        }
    }
    session.shell.event(render::json::stream::ready());
    session.shell.prose(&text);
}

/// Copies a module into the folder, which must have no configuration yet.
fn begin_with(session: &Session, source: &str) -> Result<(), Stopped> {
    let root = session.folder();
    let occupied = entries(root)
        .map_err(|error| uncopied(root, &error))?
        .into_iter()
        .find(|name| !name.starts_with('.'));
    if let Some(name) = occupied {
        let detail = format!("{} holds {name:?} already.", root.display());
        return Err(Diagnostic::error("M0011", "Folder is not empty", detail)
            .help("Copy the module into an empty folder.")
            .into());
    }
    let shown = masked(source);
    let origin = Origin::of("", source).map_err(|error| {
        let detail = format!("The source {shown:?} {error}.");
        Diagnostic::error("L0024", "Invalid source of a module", detail)
            .help("Write ../folder, git::https://example.org/module.git?ref=v1 or the path or URL of a .zip or .tar.gz.")
    })?;
    let temporary = session.data().join(format!(".new-{}", fresh_id()));
    let copied = copy_origin(&origin, &shown, root, &temporary);
    let _left = fs::remove_dir_all(&temporary);
    copied?;
    let text = format!("Copied {shown}.");
    session.shell.tell(&text);
    Ok(())
}

fn copy_origin(origin: &Origin, shown: &str, root: &Path, temporary: &Path) -> Result<(), Stopped> {
    let copy = temporary.join("copy");
    fs::create_dir_all(&copy).map_err(|error| uncopied(&copy, &error))?;
    let from = match origin {
        Origin::Folder(folder) => root.join(folder),
        Origin::Package { package, within } => {
            let target = temporary.join("package");
            package::fetch_once(shown, &package.fetch, root, &target)?;
            target.join(within)
        }
    };
    copy_tree(&from, &copy).map_err(|error| uncopied(&from, &error))?;
    for name in entries(&copy).map_err(|error| uncopied(&copy, &error))? {
        let moved = fs::rename(copy.join(&name), root.join(&name));
        moved.map_err(|error| uncopied(&root.join(&name), &error))?;
    }
    Ok(())
}

/// The names in a folder, in order.
fn entries(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        names.extend(entry?.file_name().into_string());
    }
    names.sort();
    Ok(names)
}

/// Copies files and folders; what is hidden, such as .git and .isobar, is none of a module.
fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for name in entries(from)? {
        let (from, to) = (from.join(&name), to.join(&name));
        if name.starts_with('.') {
            continue;
        }
        if from.is_dir() && !from.is_symlink() {
            copy_tree(&from, &to)?;
        } else {
            fs::copy(&from, &to)?;
        }
    }
    Ok(())
}

fn uncopied(path: &Path, error: &io::Error) -> Diagnostic {
    let detail = format!("{}: {error}.", path.display());
    Diagnostic::error("M0010", "Modules cannot be installed", detail)
        .help("Check the source, the rights to the folder and the space on the disk.")
}
