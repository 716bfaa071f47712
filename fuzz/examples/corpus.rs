//! Packs a folder of inputs into one file, and unpacks it: `corpus pack FOLDER FILE`,
//! `corpus unpack FILE FOLDER`.
//!
//! Each line of the file is an input as JSON text. The folder holds one file for each, as libFuzzer
//! wants it. Inputs that are not text are left out: no target looks at them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["pack", folder, file] => pack(Path::new(folder), Path::new(file)),
        ["unpack", file, folder] => unpack(Path::new(file), Path::new(folder)),
        _ => Err("usage: corpus pack FOLDER FILE | corpus unpack FILE FOLDER".into()),
    }
}

fn pack(folder: &Path, file: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let mut inputs = BTreeSet::new();
    for entry in fs::read_dir(folder)? {
        inputs.extend(String::from_utf8(fs::read(entry?.path())?));
    }
    let mut lines = String::new();
    for input in inputs {
        lines += &serde_json::to_string(&input)?;
        lines.push('\n');
    }
    Ok(fs::write(file, lines)?)
}

fn unpack(file: &Path, folder: &Path) -> Result<(), Box<dyn std::error::Error>> {
    fs::create_dir_all(folder)?;
    for (number, line) in fs::read_to_string(file)?.lines().enumerate() {
        let input: String = serde_json::from_str(line)?;
        fs::write(folder.join(format!("{number:05}")), input)?;
    }
    Ok(())
}
