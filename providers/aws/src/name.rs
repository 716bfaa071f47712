//! Names that AWS takes, made from what they stand for.

use isobar_sdk::{Error, Path, Value, json};
use sha2::{Digest, Sha256};

/// No name is longer.
pub(crate) const LONGEST: usize = 63;
/// Hexadecimal digits of a hash in a name: 32 bits, of which names of one stem are few.
const DIGITS: usize = 8;

/// The first digits of the SHA-256 of a text.
pub(crate) fn hash(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    let digits = digest.iter().map(|byte| format!("{byte:02x}"));
    digits.take(DIGITS / 2).collect()
}

/// A hash of values; `None` while a part of them is unknown.
pub(crate) fn hash_of<'v>(values: impl IntoIterator<Item = &'v Value>) -> Option<String> {
    let values = values.into_iter();
    let texts: Option<Vec<String>> = values
        .map(|value| {
            let known = value.is_wholly_known();
            known.then(|| json::encode(&value.reveal_all()).to_string())
        })
        .collect();
    Some(hash(&texts?.join("\n")))
}

/// The text as a name; where that changes it, or it is too long, with a hash of the whole, so
/// that two texts never share a name.
pub(crate) fn of_text(text: &str, longest: usize) -> String {
    let stem = stem(text);
    if stem == text && stem.len() <= longest {
        return stem;
    }
    with_hash(&stem, &hash(text), longest)
}

/// The stem, cut where needed, and behind it the hash.
pub(crate) fn with_hash(text: &str, hash: &str, longest: usize) -> String {
    let mut stem = stem(text);
    stem.truncate(longest.saturating_sub(hash.len() + 1));
    let stem = stem.trim_end_matches('-');
    match stem {
        "" => hash.to_owned(),
        stem => format!("{stem}-{hash}"),
    }
}

/// Letters, digits and single dashes, none of them at an end.
fn stem(text: &str) -> String {
    let mut stem = String::new();
    for letter in text.chars() {
        match letter {
            letter if letter.is_ascii_alphanumeric() => stem.push(letter),
            _ if stem.is_empty() || stem.ends_with('-') => {}
            _ => stem.push('-'),
        }
    }
    stem.trim_end_matches('-').to_owned()
}

/// Checks a name that is known already.
pub(crate) fn check(name: &Value, attribute: &str) -> Result<(), Error> {
    let Some(text) = name.as_str() else {
        return Ok(());
    };
    let ends = text.starts_with('-') || text.ends_with('-');
    let letters = text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if letters && !ends && !text.is_empty() && text.len() <= LONGEST {
        return Ok(());
    }
    let message = format!(
        "{text:?} is no name for SageMaker: it has 1 to {LONGEST} letters, digits and dashes, and no dash at an end"
    );
    Err(Error::invalid(Path::attribute(attribute), message)
        .help(format!("write {:?}", of_text(text, LONGEST))))
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, check, hash_of, of_text, with_hash};
    use isobar_sdk::{Type, Value};

    #[test]
    fn a_text_that_is_a_name_stays_and_others_get_a_hash() {
        assert_eq!(of_text("reranker-east", LONGEST), "reranker-east");
        let keyed = of_text("llm[\"chat\"]", LONGEST);
        assert!(
            keyed.starts_with("llm-chat-") && keyed.len() == 17,
            "{keyed}"
        );
        assert_ne!(of_text("a_b", LONGEST), of_text("a.b", LONGEST));
        let long = of_text(&"a".repeat(80), LONGEST);
        assert_eq!(long.len(), LONGEST);
        assert!(check(&long.as_str().into(), "name").is_ok());
        assert_eq!(with_hash("v1.", "0123abcd", LONGEST), "v1-0123abcd");
        assert!(check(&of_text("---", LONGEST).as_str().into(), "name").is_ok());
    }

    #[test]
    fn what_is_unknown_has_no_hash() {
        assert_eq!(hash_of([&Value::unknown_of(Type::String)]), None);
        let values = [Value::from("a"), Value::from(1_i64)];
        assert_eq!(hash_of(&values), hash_of(&values));
        assert_eq!(
            hash_of([&Value::from("a").sensitive()]),
            hash_of([&Value::from("a")])
        );
    }
}
