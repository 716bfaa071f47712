//! Digests of texts, and names made from them.

use isobar_sdk::Value;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha512};
use uuid::Uuid;

use super::encoding::base64;
use super::function::text as text_of;
use super::{Function, Parameter, Shape, text};

const STR: Parameter = text_of("str");

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new(
        "base64sha256",
        |a| digest64(Algorithm::Sha256, a),
        "The SHA-256 of a text in Base64.",
    )
    .takes(&[STR])
    .gives(Shape::String),
    Function::new(
        "base64sha512",
        |a| digest64(Algorithm::Sha512, a),
        "The SHA-512 of a text in Base64.",
    )
    .takes(&[STR])
    .gives(Shape::String),
    Function::new(
        "md5",
        |a| digest(Algorithm::Md5, a),
        "The MD5 of a text in hexadecimal digits.",
    )
    .takes(&[STR])
    .gives(Shape::String),
    Function::new(
        "sha1",
        |a| digest(Algorithm::Sha1, a),
        "The SHA-1 of a text in hexadecimal digits.",
    )
    .takes(&[STR])
    .gives(Shape::String),
    Function::new(
        "sha256",
        |a| digest(Algorithm::Sha256, a),
        "The SHA-256 of a text in hexadecimal digits.",
    )
    .takes(&[STR])
    .gives(Shape::String),
    Function::new(
        "sha512",
        |a| digest(Algorithm::Sha512, a),
        "The SHA-512 of a text in hexadecimal digits.",
    )
    .takes(&[STR])
    .gives(Shape::String),
    Function::new(
        "uuidv5",
        uuidv5,
        "A UUID made from a name in a namespace; the same for the same name.",
    )
    .takes(&[
        text_of("namespace").about("dns, url, oid, x500, or a UUID."),
        text_of("name"),
    ])
    .gives(Shape::String),
];

/// How a digest is made.
#[derive(Debug, Clone, Copy)]
pub(super) enum Algorithm {
    Md5,
    Sha1,
    Sha256,
    Sha512,
}

impl Algorithm {
    /// The digest of bytes.
    pub(super) fn of(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Md5 => Md5::digest(bytes).to_vec(),
            Self::Sha1 => Sha1::digest(bytes).to_vec(),
            Self::Sha256 => Sha256::digest(bytes).to_vec(),
            Self::Sha512 => Sha512::digest(bytes).to_vec(),
        }
    }
}

/// Bytes as hexadecimal digits.
pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn digest(algorithm: Algorithm, arguments: &[Value]) -> Result<Value, String> {
    Ok(hexadecimal(&algorithm.of(text(&arguments[0])?.as_bytes())).into())
}

fn digest64(algorithm: Algorithm, arguments: &[Value]) -> Result<Value, String> {
    Ok(base64(&algorithm.of(text(&arguments[0])?.as_bytes())).into())
}

fn uuidv5(arguments: &[Value]) -> Result<Value, String> {
    let namespace = match text(&arguments[0])? {
        "dns" => Uuid::NAMESPACE_DNS,
        "url" => Uuid::NAMESPACE_URL,
        "oid" => Uuid::NAMESPACE_OID,
        "x500" => Uuid::NAMESPACE_X500,
        other => Uuid::parse_str(other)
            .map_err(|_| format!("{other:?} is neither dns, url, oid or x500 nor a UUID"))?,
    };
    let name = Uuid::new_v5(&namespace, text(&arguments[1])?.as_bytes());
    Ok(name.to_string().into())
}
