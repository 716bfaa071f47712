//! Functions that read files, and functions of paths.

use std::path::{Component, Path};

use isobar_sdk::Value;

use super::caller::Caller;
use super::digest::{Algorithm, hexadecimal};
use super::encoding::base64;
use super::function::text as text_of;
use super::{Function, Parameter, Shape, glob, text};
use crate::eval::host::{FileKind, absolute};

const PATH: Parameter = text_of("path");

pub(super) static FUNCTIONS: &[Function] = &[
    Function::asking("abspath", abspath, "The path as an absolute one.")
        .takes(&[PATH])
        .gives(Shape::String),
    Function::new("basename", basename, "The last part of a path.")
        .takes(&[PATH])
        .gives(Shape::String),
    Function::new("dirname", dirname, "A path without its last part.")
        .takes(&[PATH])
        .gives(Shape::String),
    Function::asking("file", file, "The text of a file.")
        .takes(&[PATH])
        .gives(Shape::String),
    Function::asking("filebase64", filebase64, "The bytes of a file in Base64.")
        .takes(&[PATH])
        .gives(Shape::String),
    Function::asking(
        "filebase64sha256",
        |a, c| digest64(Algorithm::Sha256, a, c),
        "The SHA-256 of a file in Base64.",
    )
    .takes(&[PATH])
    .gives(Shape::String),
    Function::asking(
        "filebase64sha512",
        |a, c| digest64(Algorithm::Sha512, a, c),
        "The SHA-512 of a file in Base64.",
    )
    .takes(&[PATH])
    .gives(Shape::String),
    Function::asking("fileexists", fileexists, "Whether there is a file.")
        .takes(&[PATH])
        .gives(Shape::Bool),
    Function::asking(
        "filemd5",
        |a, c| digest(Algorithm::Md5, a, c),
        "The MD5 of a file in hexadecimal digits.",
    )
    .takes(&[PATH])
    .gives(Shape::String),
    Function::asking(
        "fileset",
        fileset,
        "The files below a folder whose paths fit a pattern.",
    )
    .takes(&[
        PATH,
        text_of("pattern").about("*, ?, [a-z], {a,b}, and ** for any folders."),
    ])
    .gives(Shape::Set(&Shape::String)),
    Function::asking(
        "filesha1",
        |a, c| digest(Algorithm::Sha1, a, c),
        "The SHA-1 of a file in hexadecimal digits.",
    )
    .takes(&[PATH])
    .gives(Shape::String),
    Function::asking(
        "filesha256",
        |a, c| digest(Algorithm::Sha256, a, c),
        "The SHA-256 of a file in hexadecimal digits.",
    )
    .takes(&[PATH])
    .gives(Shape::String),
    Function::asking(
        "filesha512",
        |a, c| digest(Algorithm::Sha512, a, c),
        "The SHA-512 of a file in hexadecimal digits.",
    )
    .takes(&[PATH])
    .gives(Shape::String),
    Function::asking(
        "pathexpand",
        pathexpand,
        "The path with ~ replaced by the user's own folder.",
    )
    .takes(&[PATH])
    .gives(Shape::String),
];

fn read(given: &str, caller: &Caller<'_>) -> Result<Vec<u8>, String> {
    let path = caller.path(given);
    let unreadable = |error: std::io::Error| format!("{} cannot be read: {error}", path.display());
    match caller.host().kind(&path).map_err(unreadable)? {
        Some(FileKind::File) => caller.host().read(&path).map_err(unreadable),
        Some(FileKind::Folder) => Err(format!("{} is a folder", path.display())),
        Some(FileKind::Other) => Err(format!("{} is no ordinary file", path.display())),
        None => Err(format!("there is no file {}", path.display())),
    }
}

/// The text of a file, which must be UTF-8.
pub(super) fn read_text(given: &str, caller: &Caller<'_>) -> Result<String, String> {
    String::from_utf8(read(given, caller)?).map_err(|_| {
        format!("{given} is not UTF-8 text; filebase64 and the digests of files take any bytes")
    })
}

fn file(arguments: &[Value], caller: &Caller<'_>) -> Result<Value, String> {
    read_text(text(&arguments[0])?, caller).map(Value::from)
}

fn filebase64(arguments: &[Value], caller: &Caller<'_>) -> Result<Value, String> {
    Ok(base64(&read(text(&arguments[0])?, caller)?).into())
}

fn digest(algorithm: Algorithm, arguments: &[Value], caller: &Caller<'_>) -> Result<Value, String> {
    let bytes = read(text(&arguments[0])?, caller)?;
    Ok(hexadecimal(&algorithm.of(&bytes)).into())
}

fn digest64(
    algorithm: Algorithm,
    arguments: &[Value],
    caller: &Caller<'_>,
) -> Result<Value, String> {
    let bytes = read(text(&arguments[0])?, caller)?;
    Ok(base64(&algorithm.of(&bytes)).into())
}

fn fileexists(arguments: &[Value], caller: &Caller<'_>) -> Result<Value, String> {
    let path = caller.path(text(&arguments[0])?);
    match caller.host().kind(&path) {
        Ok(Some(FileKind::File)) => Ok(true.into()),
        Ok(None) => Ok(false.into()),
        Ok(Some(FileKind::Folder)) => Err(format!("{} is a folder", path.display())),
        Ok(Some(FileKind::Other)) => Err(format!("{} is no ordinary file", path.display())),
        Err(error) => Err(format!("{}: {error}", path.display())),
    }
}

fn fileset(arguments: &[Value], caller: &Caller<'_>) -> Result<Value, String> {
    let folder = caller.path(text(&arguments[0])?);
    let found = glob::files(caller.host(), &folder, text(&arguments[1])?)?;
    Ok(Value::set(found.into_iter().map(Value::from).collect()))
}

fn abspath(arguments: &[Value], caller: &Caller<'_>) -> Result<Value, String> {
    let path = absolute(caller.host().folder(), Path::new(text(&arguments[0])?));
    Ok(path.display().to_string().into())
}

fn pathexpand(arguments: &[Value], caller: &Caller<'_>) -> Result<Value, String> {
    let given = text(&arguments[0])?;
    if given.starts_with('~') && !given.starts_with("~/") && given != "~" {
        return Err("the folders of other users are not known".to_owned());
    }
    if !given.starts_with('~') {
        return Ok(given.into());
    }
    Ok(clean(&caller.expand(given)).into())
}

fn basename(arguments: &[Value]) -> Result<Value, String> {
    let given = text(&arguments[0])?;
    let bare = given.trim_end_matches('/');
    let name = bare.rsplit('/').next().unwrap_or_default();
    Ok(match (given.is_empty(), name.is_empty()) {
        (true, _) => ".",
        (false, true) => "/",
        (false, false) => name,
    }
    .into())
}

fn dirname(arguments: &[Value]) -> Result<Value, String> {
    let given = text(&arguments[0])?;
    let folder = given.rfind('/').map_or("", |end| &given[..=end]);
    Ok(clean(folder).into())
}

/// The shortest path to the same place, without asking what is there.
pub(super) fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    let rooted = path.starts_with('/');
    for part in Path::new(path).components() {
        match part {
            Component::ParentDir if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            Component::ParentDir if rooted => {}
            Component::ParentDir => parts.push(".."),
            Component::Normal(name) => parts.extend(name.to_str()),
            _ => {}
        }
    }
    let joined = parts.join("/");
    match (rooted, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
}
