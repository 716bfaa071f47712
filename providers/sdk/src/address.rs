//! The name of a resource instance, as the user reads and writes it.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// Which one of several: a position of `count` or a key of `for_each`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// A position of `count`.
    Number(u64),
    /// A key of `for_each`.
    Text(Arc<str>),
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "[{number}]"),
            Self::Text(text) => write!(f, "[{}]", serde_json::Value::from(&**text)),
        }
    }
}

/// Whether Isobar makes the thing or only reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// Isobar makes, changes and destroys it.
    Managed,
    /// Isobar only reads it.
    Data,
}

/// A step into a module.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ModuleStep {
    /// The name of the `module` block.
    pub name: Arc<str>,
    /// Which one of several.
    pub key: Option<Key>,
}

/// The native resource that a deployment has in one zone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Native {
    /// Its type, such as `aws_sagemaker_endpoint`.
    pub kind: Arc<str>,
    /// Which one of several of this type, such as one per model version.
    pub key: Option<Key>,
}

impl fmt::Display for Native {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind)?;
        self.key.as_ref().map_or(Ok(()), |key| write!(f, "{key}"))
    }
}

/// The name of a resource instance: `aws_s3_object.weights[0]`, `module.a.zone.east`,
/// `deployment.reranker["virginia"].aws_sagemaker_endpoint`.
///
/// `Display` and `FromStr` are inverse; the order is the order of all output.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address {
    /// The modules around it, outermost first.
    pub module: Vec<ModuleStep>,
    /// Whether it is managed or only read.
    pub mode: Mode,
    /// The type of the resource, or the noun: `zone`, `model`, `deployment` and so on.
    pub kind: Arc<str>,
    /// The name of the block.
    pub name: Arc<str>,
    /// Which one of several.
    pub key: Option<Key>,
    /// What a deployment has in the zone `key`.
    pub native: Option<Native>,
}

impl Address {
    /// A managed resource or a noun in the root module.
    #[must_use]
    pub fn new(kind: &str, name: &str) -> Self {
        Self {
            module: Vec::new(),
            mode: Mode::Managed,
            kind: kind.into(),
            name: name.into(),
            key: None,
            native: None,
        }
    }

    /// One instance of it.
    #[must_use]
    pub fn instance(&self, key: Option<Key>) -> Self {
        Self {
            key,
            ..self.clone()
        }
    }

    /// The native resource `native` of this deployment in this zone.
    #[must_use]
    pub fn native(&self, native: Native) -> Self {
        Self {
            native: Some(native),
            ..self.clone()
        }
    }

    /// The address of the block in its instance of a module, without instance and native
    /// resource.
    #[must_use]
    pub fn block(&self) -> Self {
        Self {
            key: None,
            native: None,
            ..self.clone()
        }
    }

    /// The address of the block in all instances of its module: no step has a key.
    #[must_use]
    pub fn everywhere(&self) -> Self {
        let mut block = self.block();
        for step in &mut block.module {
            step.key = None;
        }
        block
    }

    /// The name that platforms and people get to see: that of the block, behind the modules
    /// around it and before its key, with dashes between.
    #[must_use]
    pub fn label(&self) -> String {
        let mut label = String::new();
        let mut add = |name: &str, key: Option<&Key>| {
            if !label.is_empty() {
                label.push('-');
            }
            label.push_str(name);
            match key {
                None => {}
                Some(Key::Number(number)) => label.push_str(&format!("-{number}")),
                Some(Key::Text(text)) => label.push_str(&format!("-{text}")),
            }
        };
        for step in &self.module {
            add(&step.name, step.key.as_ref());
        }
        add(&self.name, self.key.as_ref());
        label
    }

    /// The type whose schema applies: that of the native resource where there is one.
    #[must_use]
    pub fn resource_type(&self) -> &Arc<str> {
        self.native
            .as_ref()
            .map_or(&self.kind, |native| &native.kind)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.module {
            write!(f, "module.{}", step.name)?;
            if let Some(key) = &step.key {
                write!(f, "{key}")?;
            }
            f.write_str(".")?;
        }
        if self.mode == Mode::Data {
            f.write_str("data.")?;
        }
        write!(f, "{}.{}", self.kind, self.name)?;
        if let Some(key) = &self.key {
            write!(f, "{key}")?;
        }
        self.native
            .as_ref()
            .map_or(Ok(()), |native| write!(f, ".{native}"))
    }
}

/// What a user may point at: a module, a block, or an instance of either.
///
/// A step without a key means every instance; a step with one means that instance.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// Everything in a module.
    Module(Vec<ModuleStep>),
    /// A block or an instance of it.
    Resource(Address),
}

impl Place {
    /// The modules around it, the module itself included where it is one.
    #[must_use]
    pub fn modules(&self) -> &[ModuleStep] {
        match self {
            Self::Module(steps) => steps,
            Self::Resource(address) => &address.module,
        }
    }

    /// Whether an instance is there.
    #[must_use]
    pub fn contains(&self, address: &Address) -> bool {
        let steps = self.modules();
        let around = address.module.len() >= steps.len()
            && steps
                .iter()
                .zip(&address.module)
                .all(|(wanted, step)| step.is(wanted));
        match self {
            Self::Module(_) => around,
            Self::Resource(wanted) => {
                around
                    && address.module.len() == steps.len()
                    && (wanted.mode, &wanted.kind, &wanted.name)
                        == (address.mode, &address.kind, &address.name)
                    && (wanted.key.is_none() || wanted.key == address.key)
                    && wanted
                        .native
                        .as_ref()
                        .is_none_or(|wanted| address.native.as_ref().is_some_and(|n| n.is(wanted)))
            }
        }
    }
}

impl Native {
    /// Whether this one is meant by `wanted`, which means all of its type where it has no key.
    #[must_use]
    pub fn is(&self, wanted: &Self) -> bool {
        self.kind == wanted.kind && (wanted.key.is_none() || wanted.key == self.key)
    }
}

impl ModuleStep {
    /// Whether this instance is meant by `wanted`, which means all where it has no key.
    #[must_use]
    pub fn is(&self, wanted: &Self) -> bool {
        self.name == wanted.name && (wanted.key.is_none() || wanted.key == self.key)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Module(steps) => {
                for (position, step) in steps.iter().enumerate() {
                    let dot = if position > 0 { "." } else { "" };
                    write!(f, "{dot}module.{}", step.name)?;
                    if let Some(key) = &step.key {
                        write!(f, "{key}")?;
                    }
                }
                Ok(())
            }
            Self::Resource(address) => address.fmt(f),
        }
    }
}

impl FromStr for Place {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        let wrong = |reason| InvalidAddress {
            text: text.to_owned(),
            reason,
        };
        let steps = split(text).map_err(wrong)?;
        let in_pairs = steps
            .chunks(2)
            .all(|pair| matches!(pair, [(word, None), _] if &**word == "module"));
        if !in_pairs {
            return text.parse().map(Self::Resource);
        }
        let steps = steps.into_iter().skip(1).step_by(2);
        Ok(Self::Module(
            steps.map(|(name, key)| ModuleStep { name, key }).collect(),
        ))
    }
}

/// Why a text is not an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a resource address: {reason}")]
pub struct InvalidAddress {
    text: String,
    reason: &'static str,
}

impl FromStr for Address {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        let wrong = |reason| InvalidAddress {
            text: text.to_owned(),
            reason,
        };
        let mut steps = split(text).map_err(wrong)?.into_iter().peekable();
        let mut module = Vec::new();
        while steps.next_if(|step| &*step.0 == "module").is_some() {
            let (name, key) = steps
                .next()
                .ok_or_else(|| wrong("the module has no name"))?;
            module.push(ModuleStep { name, key });
        }
        let mode = match steps.next_if(|step| &*step.0 == "data") {
            Some(_) => Mode::Data,
            None => Mode::Managed,
        };
        let (kind, no_key) = steps.next().ok_or_else(|| wrong("the type is missing"))?;
        let (name, key) = steps
            .next()
            .filter(|_| no_key.is_none())
            .ok_or_else(|| wrong("it must read type.name, as in isobar_data.example"))?;
        let native = steps.next().map(|(kind, key)| Native { kind, key });
        if steps.next().is_some() {
            return Err(wrong("it goes on after the resource"));
        }
        Ok(Self {
            module,
            mode,
            kind,
            name,
            key,
            native,
        })
    }
}

type Part = (Arc<str>, Option<Key>);

/// Splits `a.b["c.d"].e[0]` into names with their keys.
fn split(text: &str) -> Result<Vec<Part>, &'static str> {
    let mut parts = Vec::new();
    let mut rest = text;
    loop {
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        let (name, tail) = rest.split_at(end);
        let valid = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
        if name.is_empty() || !name.chars().all(valid) {
            return Err("a name is empty or has a character that names cannot have");
        }
        let (key, tail) = split_key(tail)?;
        parts.push((Arc::from(name), key));
        match tail.strip_prefix('.') {
            Some(more) => rest = more,
            None if tail.is_empty() => return Ok(parts),
            None => return Err("a dot is missing"),
        }
    }
}

fn split_key(text: &str) -> Result<(Option<Key>, &str), &'static str> {
    let Some(inner) = text.strip_prefix('[') else {
        return Ok((None, text));
    };
    if inner.starts_with('"') {
        let mut stream = serde_json::Deserializer::from_str(inner).into_iter::<String>();
        let key = stream
            .next()
            .and_then(Result::ok)
            .ok_or("a key is not closed")?;
        let tail = inner[stream.byte_offset()..]
            .strip_prefix(']')
            .ok_or("a ] is missing")?;
        return Ok((Some(Key::Text(key.into())), tail));
    }
    let (digits, tail) = inner.split_once(']').ok_or("a ] is missing")?;
    let number = digits
        .parse()
        .map_err(|_| "a key is neither a number nor a quoted text")?;
    Ok((Some(Key::Number(number)), tail))
}

#[cfg(test)]
mod tests {
    use super::{Address, Key, Place};

    #[test]
    fn addresses_survive_the_round_trip() {
        for text in [
            "isobar_data.a",
            "isobar_data.a[0]",
            "data.isobar_data.a[\"x.y\"]",
            "module.m.module.n[\"k\"].zone.east",
            "deployment.reranker[\"virginia\"].aws_sagemaker_endpoint",
            "deployment.digits[\"east\"].local_replica_set[\"2\"]",
        ] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn places_mean_all_instances_where_they_have_no_key() {
        let address: Address = "module.a[\"x\"].module.b.t.n[1]".parse().unwrap();
        for (text, there) in [
            ("module.a", true),
            ("module.a[\"x\"]", true),
            ("module.a[\"y\"]", false),
            ("module.a.module.b", true),
            ("module.a.module.b.t.n", true),
            ("module.a.module.b.t.n[1]", true),
            ("module.a.module.b.t.n[0]", false),
            ("module.a.t.n", false),
            ("t.n", false),
        ] {
            let place: Place = text.parse().unwrap();
            assert_eq!(place.to_string(), text);
            assert_eq!(place.contains(&address), there, "{text}");
        }
    }

    #[test]
    fn counts_sort_as_numbers() {
        let ten: Address = "a.b[10]".parse().unwrap();
        let nine: Address = "a.b[9]".parse().unwrap();
        assert!(nine < ten && nine.key == Some(Key::Number(9)));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "", "a", "a.", "a.b[", "a.b[x]", "a.b]", "a.b.c.d", "a[0].b", "a b.c", "a.b[\"x]",
        ] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }
}
