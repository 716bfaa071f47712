//! The name of a resource instance, as the user reads and writes it.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// Which one of several: a position of `count` or a key of `for_each`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// Isobar makes, changes and destroys it.
    Managed,
    /// Isobar only reads it.
    Data,
}

/// A step into a module.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModuleStep {
    /// The name of the `module` block.
    pub name: Arc<str>,
    /// Which one of several.
    pub key: Option<Key>,
}

/// The native resource that a deployment has in one zone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
/// `deployment.reranker["virginia"].aws_sagemaker_endpoint`,
/// `deployment.llm["chat"]["virginia"].aws_sagemaker_endpoint`.
///
/// `Display` and `FromStr` are inverse for all that a state records; the order is the order of all
/// output. A deployment with one text in brackets reads as that zone of it: where it has several
/// instances, [`Address::beside`] takes the text for one of these.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
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
    /// Where, of what a deployment has in a zone.
    pub zone: Option<Arc<str>>,
    /// What a deployment has in the zone.
    pub native: Option<Native>,
}

impl PartialOrd for Address {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Field by field, as it would be derived. Maps of addresses spend their time here, and most of
/// what they compare has the same type, no module and no key, which this finds out without a call.
impl Ord for Address {
    fn cmp(&self, other: &Self) -> Ordering {
        let same_place = self.module.is_empty() && other.module.is_empty();
        if !same_place {
            let order = self.module.cmp(&other.module);
            if order.is_ne() {
                return order;
            }
        }
        (self.mode.cmp(&other.mode))
            .then_with(|| text_order(&self.kind, &other.kind))
            .then_with(|| text_order(&self.name, &other.name))
            .then_with(|| match (&self.key, &other.key) {
                (None, None) => Ordering::Equal,
                (one, other) => one.cmp(other),
            })
            .then_with(|| match (&self.zone, &other.zone) {
                (None, None) => Ordering::Equal,
                (one, other) => one.cmp(other),
            })
            .then_with(|| match (&self.native, &other.native) {
                (None, None) => Ordering::Equal,
                (one, other) => one.cmp(other),
            })
    }
}

/// The order of two texts that may be one and the same.
fn text_order(one: &Arc<str>, other: &Arc<str>) -> Ordering {
    if Arc::ptr_eq(one, other) {
        return Ordering::Equal;
    }
    one.as_bytes().cmp(other.as_bytes())
}

impl Address {
    /// A managed resource or a noun in the root module.
    #[must_use]
    pub fn new(kind: &str, name: &str) -> Self {
        Self::of(kind.into(), name.into())
    }

    /// As [`Address::new`], of texts that others have, too.
    #[must_use]
    pub const fn of(kind: Arc<str>, name: Arc<str>) -> Self {
        Self {
            module: Vec::new(),
            mode: Mode::Managed,
            kind,
            name,
            key: None,
            zone: None,
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

    /// What a deployment has in a zone.
    #[must_use]
    pub fn in_zone(&self, zone: &str) -> Self {
        Self {
            zone: Some(zone.into()),
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

    /// The instance of a block that it is or belongs to, without zone and native resource.
    #[must_use]
    pub fn owner(&self) -> Self {
        Self {
            zone: None,
            native: None,
            ..self.clone()
        }
    }

    /// The address of the block in its instance of a module, without instance, zone and native
    /// resource.
    #[must_use]
    pub fn block(&self) -> Self {
        self.owner().instance(None)
    }

    /// Whether both stand for parts of one block in one instance of its module. What does lies
    /// side by side in the order of addresses, from [`Address::block`] on.
    #[must_use]
    pub fn shares_block(&self, other: &Self) -> bool {
        self.name == other.name
            && self.kind == other.kind
            && self.mode == other.mode
            && self.module == other.module
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

    /// Whether it names one of several, or one zone of a deployment.
    #[must_use]
    pub const fn has_key(&self) -> bool {
        self.key.is_some() || self.zone.is_some()
    }

    /// This address as a user means it who speaks of `other`: one text behind the name of a
    /// deployment is an instance where there are several, and a zone otherwise.
    #[must_use]
    pub fn beside(&self, other: &Self) -> Self {
        match (&self.key, &self.zone, &other.key) {
            (None, Some(text), Some(_)) => Self {
                key: Some(Key::Text(Arc::clone(text))),
                zone: None,
                ..self.clone()
            },
            _ => self.clone(),
        }
    }

    /// The key and the zone that this address has once what is called `from` is called `to`;
    /// `None` if it is not part of that, or if one of them is a zone and the other is not. What
    /// neither of them says stays.
    #[must_use]
    pub fn rekeyed(&self, from: &Self, to: &Self) -> Option<(Option<Key>, Option<Arc<str>>)> {
        let from = from.beside(self);
        let to = match from.zone {
            Some(_) => to.clone(),
            None => to.as_instance(),
        };
        let key = if from.key.is_none() && to.key.is_none() {
            self.key.clone()
        } else if from.key == self.key {
            to.key
        } else {
            return None;
        };
        match (&from.zone, to.zone) {
            (None, None) => Some((key, self.zone.clone())),
            (Some(zone), Some(new)) if self.zone.as_ref() == Some(zone) => Some((key, Some(new))),
            _ => None,
        }
    }

    /// Whether instance and zone of an address are among those that this one means, which is read
    /// as [`Self::beside`] does.
    fn keys_cover(&self, address: &Self) -> bool {
        match (&self.key, &self.zone, &address.key) {
            (None, Some(text), Some(key)) => matches!(key, Key::Text(key) if key == text),
            _ => {
                (self.key.is_none() || self.key == address.key)
                    && (self.zone.is_none() || self.zone == address.zone)
            }
        }
    }

    /// One text behind the name of a deployment as one of its instances.
    fn as_instance(&self) -> Self {
        let several = self.instance(Some(Key::Number(0)));
        self.beside(&several)
    }

    /// The name that platforms and people get to see: that of the block, behind the modules
    /// around it and before its key, with dashes between. All that a deployment has in its zones
    /// goes by the name of the deployment.
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
        if let Some(zone) = &self.zone {
            write!(f, "{}", Key::Text(Arc::clone(zone)))?;
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
                    && wanted.keys_cover(address)
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

/// A name in an address with the keys behind it.
pub type Part = (Arc<str>, Vec<Key>);

impl Place {
    /// What the names of an address with their keys point at.
    ///
    /// # Errors
    /// Why they are no address.
    pub fn of(parts: Vec<Part>) -> Result<Self, &'static str> {
        let mut parts = parts.into_iter().peekable();
        let mut module = Vec::new();
        while parts
            .next_if(|(word, keys)| &**word == "module" && keys.is_empty())
            .is_some()
        {
            let (name, keys) = parts.next().ok_or("the module has no name")?;
            let key = single(keys)?;
            module.push(ModuleStep { name, key });
        }
        if parts.peek().is_none() && !module.is_empty() {
            return Ok(Self::Module(module));
        }
        let mode = match parts.next_if(|(word, keys)| &**word == "data" && keys.is_empty()) {
            Some(_) => Mode::Data,
            None => Mode::Managed,
        };
        let (kind, no_keys) = parts.next().ok_or("the type is missing")?;
        let (name, keys) = parts
            .next()
            .filter(|_| no_keys.is_empty())
            .ok_or("it must read type.name, as in isobar_data.example")?;
        let (key, zone) = match (mode, &*kind) {
            (Mode::Managed, "deployment") => instance_and_zone(keys)?,
            _ => (single(keys)?, None),
        };
        let native = match parts.next() {
            Some((kind, keys)) => Some(Native {
                kind,
                key: single(keys)?,
            }),
            None => None,
        };
        if parts.next().is_some() {
            return Err("it goes on after the resource");
        }
        Ok(Self::Resource(Address {
            module,
            mode,
            kind,
            name,
            key,
            zone,
            native,
        }))
    }
}

fn single(mut keys: Vec<Key>) -> Result<Option<Key>, &'static str> {
    let key = keys.pop();
    if keys.is_empty() {
        Ok(key)
    } else {
        Err("a name has more than one key")
    }
}

/// What stands behind the name of a deployment. The name of a zone is never a number.
fn instance_and_zone(keys: Vec<Key>) -> Result<(Option<Key>, Option<Arc<str>>), &'static str> {
    let mut keys = keys.into_iter();
    match (keys.next(), keys.next(), keys.next()) {
        (key, None, _) => match key {
            Some(Key::Text(zone)) => Ok((None, Some(zone))),
            number => Ok((number, None)),
        },
        (key, Some(Key::Text(zone)), None) => Ok((key, Some(zone))),
        (_, Some(Key::Number(_)), None) => Err("a zone is a text in quotes"),
        _ => Err("a deployment has at most two keys: one of its instances, and a zone"),
    }
}

impl FromStr for Place {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        split(text)
            .and_then(Self::of)
            .map_err(|reason| InvalidAddress {
                text: text.to_owned(),
                reason,
            })
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
        match text.parse()? {
            Place::Resource(address) => Ok(address),
            Place::Module(_) => Err(InvalidAddress {
                text: text.to_owned(),
                reason: "it names a module, and no resource in it",
            }),
        }
    }
}

/// Splits `a.b["c.d"].e[0]` into names with their keys.
fn split(text: &str) -> Result<Vec<Part>, &'static str> {
    let mut parts = Vec::new();
    let mut rest = text;
    loop {
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        let (name, mut tail) = rest.split_at(end);
        let valid = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
        if name.is_empty() || !name.chars().all(valid) {
            return Err("a name is empty or has a character that names cannot have");
        }
        let mut keys = Vec::new();
        while let (Some(key), behind) = split_key(tail)? {
            keys.push(key);
            tail = behind;
        }
        parts.push((Arc::from(name), keys));
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
mod tests;
