//! The files of a model on this machine.

use std::io::{self, BufRead, BufReader};
use std::path::Path;

use sha2::{Digest, Sha256};

/// SHA-256 of a file as `sha256:…`, read in pieces.
///
/// # Errors
/// What the system says; a folder has no digest.
pub fn digest(path: &Path) -> io::Result<String> {
    let mut reader = BufReader::with_capacity(1 << 16, std::fs::File::open(path)?);
    let mut hash = Sha256::new();
    loop {
        let block = reader.fill_buf()?;
        if block.is_empty() {
            break;
        }
        hash.update(block);
        let length = block.len();
        reader.consume(length);
    }
    let digest: String = hash
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Ok(format!("sha256:{digest}"))
}
