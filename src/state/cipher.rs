//! What makes states unreadable without a key: AES-256-GCM, with a key from a passphrase or as it
//! is, and older keys that are still read.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit};
use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The version of the envelope.
const FORMAT: u32 = 1;
/// Memory of Argon2id in KiB, its passes and its lanes, as OWASP recommends (Password Storage
/// Cheat Sheet, 2024).
const ARGON2: (u32, u32, u32) = (19 * 1024, 2, 1);
/// Rounds of PBKDF2 with HMAC-SHA-256, by the same source.
const PBKDF2: u32 = 600_000;
/// The most memory and work that a file may ask for, so that a forged one cannot ask for more.
const MOST: (u32, u32, u32) = (1024 * 1024, 64, 16);
const MOST_ROUNDS: u32 = 10_000_000;

/// Fills a buffer with random bytes, which only who runs the program may make.
pub type Randomness = Arc<dyn Fn(&mut [u8]) -> Result<(), String> + Send + Sync>;

type Secret = [u8; 32];

/// What a key is made of.
#[derive(Clone)]
pub enum Material {
    /// The key itself.
    Key(Secret),
    /// A passphrase.
    Passphrase {
        /// It.
        text: String,
        /// How a key is made of it.
        derivation: Derivation,
    },
}

impl fmt::Debug for Material {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Key(_) => "Key(…)",
            Self::Passphrase { .. } => "Passphrase(…)",
        })
    }
}

/// How a key is made of a passphrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Derivation {
    /// Argon2id.
    Argon2id,
    /// PBKDF2 with HMAC-SHA-256.
    Pbkdf2,
}

/// Why something cannot be sealed or opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CipherError {
    /// It was sealed with a key that is not configured.
    #[error("it was encrypted with the key {wanted}, and the configured keys do not open it")]
    WrongKey {
        /// The short name of the key.
        wanted: String,
    },
    /// Nothing is configured that could open it.
    #[error("it is encrypted, and the configuration has no key")]
    NoKey,
    /// It is not sealed, and has to be.
    #[error("it is not encrypted, which the configuration does not allow")]
    Open,
    /// It is no envelope, or a broken one.
    #[error("its envelope is broken: {0}")]
    Broken(String),
    /// The system gives no random bytes.
    #[error("there are no random numbers: {0}")]
    Random(String),
}

/// Seals what is written and opens what is read.
pub struct Cipher {
    /// The first seals; all open.
    keys: Vec<Material>,
    /// Whether what is not sealed is refused.
    enforced: bool,
    randomness: Randomness,
    /// How the first key is made while this lives, so that it is made once.
    recipe: Option<Recipe>,
    /// Keys by their recipe, made of which of the materials.
    made: Mutex<BTreeMap<(usize, String), Secret>>,
}

impl fmt::Debug for Cipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cipher").field("keys", &self.keys).finish()
    }
}

/// How a key was made of a passphrase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Recipe {
    Argon2id {
        salt: String,
        memory_kib: u32,
        passes: u32,
        lanes: u32,
    },
    Pbkdf2Sha256 {
        salt: String,
        rounds: u32,
    },
}

/// What is written in place of what is sealed.
#[derive(Serialize, Deserialize)]
struct Envelope {
    isobar_sealed: u32,
    key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    made_by: Option<Recipe>,
    nonce: String,
    content: String,
}

/// What every envelope begins with, and nothing else that is written.
const BEGINNING: &str = "{\"isobar_sealed\":";

/// Whether a text is an envelope.
#[must_use]
pub fn is_sealed(text: &str) -> bool {
    text.starts_with(BEGINNING)
}

/// Seals a text, if there is something to seal it with.
///
/// # Errors
/// A system without random numbers.
pub fn sealed(cipher: Option<&Cipher>, purpose: &str, text: String) -> Result<String, CipherError> {
    match cipher {
        Some(cipher) => cipher.seal(purpose, &text),
        None => Ok(text),
    }
}

/// Opens a text, if it is sealed.
///
/// # Errors
/// As [`Cipher::open`], and a sealed text with nothing to open it.
pub fn opened(cipher: Option<&Cipher>, purpose: &str, text: String) -> Result<String, CipherError> {
    match cipher {
        Some(cipher) => Ok(cipher.open(purpose, &text)?.unwrap_or(text)),
        None if is_sealed(&text) => Err(CipherError::NoKey),
        None => Ok(text),
    }
}

impl Cipher {
    /// A cipher that seals with the first key and opens with all of them.
    ///
    /// # Errors
    /// A system without random numbers.
    pub fn new(
        first: Material,
        others: Vec<Material>,
        enforced: bool,
        randomness: Randomness,
    ) -> Result<Self, CipherError> {
        let recipe = match &first {
            Material::Key(_) => None,
            Material::Passphrase { derivation, .. } => {
                let mut salt = [0; 16];
                randomness(&mut salt).map_err(CipherError::Random)?;
                Some(Recipe::new(*derivation, &salt))
            }
        };
        Ok(Self {
            keys: std::iter::once(first).chain(others).collect(),
            enforced,
            randomness,
            recipe,
            made: Mutex::default(),
        })
    }

    /// Seals a text for one purpose; what is sealed for one is not taken for another.
    ///
    /// # Errors
    /// A system without random numbers.
    pub fn seal(&self, purpose: &str, text: &str) -> Result<String, CipherError> {
        let broken = |reason: &str| CipherError::Broken(reason.to_owned());
        let secret = self
            .secret(0, self.recipe.as_ref())?
            .ok_or_else(|| broken("the key cannot be made"))?;
        let mut nonce = [0; 12];
        (self.randomness)(&mut nonce).map_err(CipherError::Random)?;
        let payload = Payload {
            msg: text.as_bytes(),
            aad: purpose.as_bytes(),
        };
        let sealed = Aes256Gcm::new(&secret.into()).encrypt(&nonce.into(), payload);
        let envelope = Envelope {
            isobar_sealed: FORMAT,
            key: name(&secret),
            made_by: self.recipe.clone(),
            nonce: BASE64.encode(nonce),
            content: BASE64.encode(sealed.map_err(|_| broken("it is too long"))?),
        };
        let mut line = serde_json::to_string(&envelope).map_err(|e| broken(&e.to_string()))?;
        line.push('\n');
        Ok(line)
    }

    /// The text in an envelope, or the text that is not sealed.
    ///
    /// # Errors
    /// A key that is not configured, an envelope that was changed, or a text that is not sealed
    /// and has to be.
    pub fn open(&self, purpose: &str, text: &str) -> Result<Option<String>, CipherError> {
        if !is_sealed(text) {
            return if self.enforced {
                Err(CipherError::Open)
            } else {
                Ok(None)
            };
        }
        let broken = |reason: String| CipherError::Broken(reason);
        let envelope: Envelope =
            serde_json::from_str(text).map_err(|error| broken(error.to_string()))?;
        if envelope.isobar_sealed != FORMAT {
            return Err(broken(format!("its version is {}", envelope.isobar_sealed)));
        }
        let bytes = |text: &str| {
            BASE64
                .decode(text)
                .map_err(|error| broken(error.to_string()))
        };
        let nonce: [u8; 12] = bytes(&envelope.nonce)?
            .try_into()
            .map_err(|_| broken("its nonce has a wrong length".to_owned()))?;
        let content = bytes(&envelope.content)?;
        for position in 0..self.keys.len() {
            let Some(secret) = self.secret(position, envelope.made_by.as_ref())? else {
                continue;
            };
            if name(&secret) != envelope.key {
                continue;
            }
            let payload = Payload {
                msg: &content,
                aad: purpose.as_bytes(),
            };
            let opened = Aes256Gcm::new(&secret.into()).decrypt(&nonce.into(), payload);
            let opened = opened.map_err(|_| broken("it was changed".to_owned()))?;
            let text = String::from_utf8(opened);
            return text.map(Some).map_err(|error| broken(error.to_string()));
        }
        Err(CipherError::WrongKey {
            wanted: envelope.key,
        })
    }

    /// The key that one of the materials makes by a recipe; `None` where that is not its kind.
    fn secret(
        &self,
        position: usize,
        recipe: Option<&Recipe>,
    ) -> Result<Option<Secret>, CipherError> {
        let (text, recipe) = match (&self.keys[position], recipe) {
            (Material::Key(secret), None) => return Ok(Some(*secret)),
            (Material::Passphrase { text, .. }, Some(recipe)) => (text, recipe),
            _ => return Ok(None),
        };
        let named = serde_json::to_string(recipe).unwrap_or_default();
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(secret) = made.get(&(position, named.clone())) {
            return Ok(Some(*secret));
        }
        let secret = recipe.make(text)?;
        made.insert((position, named), secret);
        Ok(Some(secret))
    }
}

/// Names a key without telling it.
fn name(secret: &Secret) -> String {
    let digest = Sha256::new()
        .chain_update(b"isobar key")
        .chain_update(secret)
        .finalize();
    digest[..4]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

impl Recipe {
    fn new(derivation: Derivation, salt: &[u8]) -> Self {
        let salt = BASE64.encode(salt);
        let (memory_kib, passes, lanes) = ARGON2;
        match derivation {
            Derivation::Argon2id => Self::Argon2id {
                salt,
                memory_kib,
                passes,
                lanes,
            },
            Derivation::Pbkdf2 => Self::Pbkdf2Sha256 {
                salt,
                rounds: PBKDF2,
            },
        }
    }

    fn make(&self, passphrase: &str) -> Result<Secret, CipherError> {
        let broken = |reason: String| CipherError::Broken(reason);
        let salted = |salt: &str| {
            BASE64
                .decode(salt)
                .map_err(|error| broken(error.to_string()))
        };
        let mut secret = [0; 32];
        match self {
            Self::Argon2id {
                salt,
                memory_kib,
                passes,
                lanes,
            } => {
                if *memory_kib > MOST.0 || *passes > MOST.1 || *lanes > MOST.2 {
                    return Err(broken("it asks for too much work".to_owned()));
                }
                let params = Params::new(*memory_kib, *passes, *lanes, Some(secret.len()));
                let params = params.map_err(|error| broken(error.to_string()))?;
                Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
                    .hash_password_into(passphrase.as_bytes(), &salted(salt)?, &mut secret)
                    .map_err(|error| broken(error.to_string()))?;
            }
            Self::Pbkdf2Sha256 { salt, rounds } => {
                if *rounds > MOST_ROUNDS || *rounds == 0 {
                    return Err(broken("it asks for too much work, or for none".to_owned()));
                }
                let salt = salted(salt)?;
                pbkdf2::pbkdf2_hmac::<Sha256>(passphrase.as_bytes(), &salt, *rounds, &mut secret);
            }
        }
        Ok(secret)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Cipher, CipherError, Derivation, Material, Randomness, is_sealed};

    fn randomness() -> Randomness {
        let next = std::sync::atomic::AtomicU8::new(1);
        Arc::new(move |bytes| {
            for byte in bytes {
                *byte = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            }
            Ok(())
        })
    }

    fn passphrase(text: &str, derivation: Derivation) -> Material {
        Material::Passphrase {
            text: text.to_owned(),
            derivation,
        }
    }

    fn cipher(first: Material, others: Vec<Material>) -> Cipher {
        Cipher::new(first, others, false, randomness()).unwrap()
    }

    #[test]
    fn what_is_sealed_is_opened_with_the_same_key_and_purpose_only() {
        for material in [
            Material::Key([7; 32]),
            passphrase("correct horse", Derivation::Argon2id),
        ] {
            let one = cipher(material.clone(), Vec::new());
            let sealed = one.seal("state", "hunter2").unwrap();
            assert!(is_sealed(&sealed) && !sealed.contains("hunter2"));
            assert_ne!(sealed, one.seal("state", "hunter2").unwrap());
            let again = cipher(material, Vec::new());
            assert_eq!(again.open("state", &sealed), Ok(Some("hunter2".to_owned())));
            let other = again.open("journal", &sealed);
            assert!(matches!(other, Err(CipherError::Broken(_))), "{other:?}");
        }
    }

    #[test]
    fn another_key_says_so_and_an_older_one_still_opens() {
        let old = passphrase("old", Derivation::Argon2id);
        let sealed = cipher(old.clone(), Vec::new()).seal("state", "x").unwrap();
        let new = Material::Key([1; 32]);
        let wrong = cipher(new.clone(), vec![passphrase("odd", Derivation::Argon2id)]);
        let wrong = wrong.open("state", &sealed);
        assert!(
            matches!(wrong, Err(CipherError::WrongKey { .. })),
            "{wrong:?}"
        );
        let rotated = cipher(new, vec![old]);
        assert_eq!(rotated.open("state", &sealed), Ok(Some("x".to_owned())));
        let sealed = rotated.seal("state", "y").unwrap();
        let alone = cipher(Material::Key([1; 32]), Vec::new());
        assert_eq!(alone.open("state", &sealed), Ok(Some("y".to_owned())));
    }

    #[test]
    fn what_was_changed_is_refused() {
        let one = cipher(Material::Key([7; 32]), Vec::new());
        let sealed = one.seal("state", "hunter2").unwrap();
        for (from, to) in [
            ("\"content\":\"", "\"content\":\"AAAA"),
            ("\"nonce\":\"", "\"nonce\":\"AAAA"),
        ] {
            let changed = sealed.replace(from, to);
            let opened = one.open("state", &changed);
            assert!(matches!(opened, Err(CipherError::Broken(_))), "{opened:?}");
        }
        assert_eq!(one.open("state", "{}"), Ok(None));
        let strict = Cipher::new(Material::Key([7; 32]), Vec::new(), true, randomness()).unwrap();
        assert_eq!(strict.open("state", "{}"), Err(CipherError::Open));
    }

    #[test]
    fn a_forged_recipe_cannot_ask_for_all_memory() {
        let one = cipher(passphrase("p", Derivation::Argon2id), Vec::new());
        let sealed = one.seal("state", "x").unwrap();
        let greedy = sealed.replace("\"memory_kib\":19456", "\"memory_kib\":4000000000");
        assert!(matches!(
            one.open("state", &greedy),
            Err(CipherError::Broken(_))
        ));
    }
}
