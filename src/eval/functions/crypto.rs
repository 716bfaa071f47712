//! Functions that rest on chance or on keys.

use isobar_sdk::{Type, Value};
use rsa::pkcs1::DecodeRsaPrivateKey as _;
use rsa::pkcs8::DecodePrivateKey as _;
use rsa::{Pkcs1v15Encrypt, RsaPrivateKey};

use super::caller::Caller;
use super::encoding::bytes;
use super::function::{number as number_of, text as text_of};
use super::{Function, Shape, text, whole};

pub(super) static FUNCTIONS: &[Function] = &[
    Function::asking(
        "bcrypt",
        bcrypt,
        "A bcrypt hash of a text with a salt by chance, so another one at each call.",
    )
    .takes(&[text_of("str")])
    .any_number_of(number_of("cost").about("From 4 to 18; 10 if left out."))
    .gives(Shape::String),
    Function::new(
        "rsadecrypt",
        rsadecrypt,
        "The text in a Base64 that was encrypted with RSA and PKCS #1 v1.5 padding.",
    )
    .takes(&[
        text_of("ciphertext"),
        text_of("privatekey").about("In PEM, PKCS #1 or PKCS #8, without a password."),
    ])
    .gives(Shape::String),
    Function::asking("uuid", uuid, "A UUID by chance, another one at each call.")
        .gives(Shape::String),
];

/// The cost where none is given, and where the one given is too low to mean anything.
const USUAL_COST: u32 = 10;

/// The greatest cost: each one more takes twice the time, and this one takes half a minute.
const DEAREST: u32 = 18;

fn bcrypt(arguments: &[Value], caller: &Caller<'_>) -> Result<Value, String> {
    let cost = match &arguments[1..] {
        [] => USUAL_COST,
        [cost] => match whole(cost)? {
            ..=3 => USUAL_COST,
            cost => u32::try_from(cost).unwrap_or(u32::MAX),
        },
        _ => return Err("it takes 1 or 2 arguments".to_owned()),
    };
    let password = text(&arguments[0])?;
    if cost > DEAREST {
        return Err(format!("the cost must be from 4 to {DEAREST}, not {cost}"));
    }
    if password.len() > 72 {
        return Err("the text must not be longer than 72 bytes".to_owned());
    }
    if !caller.is_acting() {
        return Ok(Value::unknown_of(Type::String));
    }
    let hash = ::bcrypt::hash_with_salt(password, cost, caller.host().random())
        .map_err(|error| error.to_string())?;
    Ok(hash.format_for_version(::bcrypt::Version::TwoA).into())
}

fn uuid(_: &[Value], caller: &Caller<'_>) -> Result<Value, String> {
    if !caller.is_acting() {
        return Ok(Value::unknown_of(Type::String));
    }
    let uuid = uuid::Builder::from_random_bytes(caller.host().random()).into_uuid();
    Ok(uuid.to_string().into())
}

fn rsadecrypt(arguments: &[Value]) -> Result<Value, String> {
    let ciphertext = bytes(text(&arguments[0])?)?;
    let pem = text(&arguments[1])?;
    let key = RsaPrivateKey::from_pkcs1_pem(pem)
        .or_else(|_| RsaPrivateKey::from_pkcs8_pem(pem))
        .map_err(|_| "the private key is not an RSA key in PEM".to_owned())?;
    let plain = key
        .decrypt(Pkcs1v15Encrypt, &ciphertext)
        .map_err(|_| "the text was not encrypted for this key".to_owned())?;
    String::from_utf8(plain)
        .map(Value::from)
        .map_err(|_| "what was encrypted is not UTF-8 text".to_owned())
}
