//! Which attributes and blocks a resource or a provider configuration has.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::types::Field;
use crate::{Type, Value};

/// Who sets an attribute.
#[derive(Debug, Clone, PartialEq)]
pub enum Presence {
    /// The configuration must set it.
    Required,
    /// The configuration may set it; otherwise it is null.
    Optional,
    /// The configuration may set it; otherwise it is this value.
    Default(Value),
    /// The configuration may set it; otherwise the provider does.
    OptionalComputed,
    /// Only the provider sets it.
    Computed,
}

/// What a change of an attribute means for the resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnChange {
    /// It is changed in place.
    Update,
    /// The resource is destroyed and made anew.
    Replace,
}

/// Whether an attribute may be printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visibility {
    /// It may.
    Shown,
    /// It must never be.
    Sensitive,
}

/// Whether the value of an attribute is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    /// In plans and in the state.
    Kept,
    /// There, too, but the platform changes it by itself: that it alone differs is no drift, and not
    /// recorded.
    Moving,
    /// Nowhere: providers get it with each change and tell null instead, so that a change of it alone
    /// is not seen. An attribute beside it, whose change is, says when it is to be written again.
    WriteOnly,
}

/// One attribute.
#[derive(Debug, Clone, PartialEq)]
pub struct Attribute {
    /// Its type.
    pub ty: Type,
    /// Who sets it.
    pub presence: Presence,
    /// What its change means.
    pub on_change: OnChange,
    /// Whether it may be printed.
    pub visibility: Visibility,
    /// Whether it is kept.
    pub storage: Storage,
    /// The attribute that this one repeats: what is secret there is secret here.
    pub copies: Option<String>,
    /// One or two sentences for people: meaning, unit, limits.
    pub doc: String,
}

impl Attribute {
    fn new(ty: Type, presence: Presence, doc: &str) -> Self {
        Self {
            ty,
            presence,
            on_change: OnChange::Update,
            visibility: Visibility::Shown,
            storage: Storage::Kept,
            copies: None,
            doc: doc.to_owned(),
        }
    }

    /// The configuration must set it.
    #[must_use]
    pub fn required(ty: Type, doc: &str) -> Self {
        Self::new(ty, Presence::Required, doc)
    }

    /// The configuration may set it.
    #[must_use]
    pub fn optional(ty: Type, doc: &str) -> Self {
        Self::new(ty, Presence::Optional, doc)
    }

    /// The configuration may set it; otherwise it is `default`.
    #[must_use]
    pub fn with_default(ty: Type, default: impl Into<Value>, doc: &str) -> Self {
        Self::new(ty, Presence::Default(default.into()), doc)
    }

    /// The configuration may set it; otherwise the provider does.
    #[must_use]
    pub fn optional_computed(ty: Type, doc: &str) -> Self {
        Self::new(ty, Presence::OptionalComputed, doc)
    }

    /// Only the provider sets it.
    #[must_use]
    pub fn computed(ty: Type, doc: &str) -> Self {
        Self::new(ty, Presence::Computed, doc)
    }

    /// A change of it replaces the resource.
    #[must_use]
    pub fn replaces(mut self) -> Self {
        self.on_change = OnChange::Replace;
        self
    }

    /// It must never be printed.
    #[must_use]
    pub fn sensitive(mut self) -> Self {
        self.visibility = Visibility::Sensitive;
        self
    }

    /// The platform changes it by itself; it must be computed.
    #[must_use]
    pub fn moving(mut self) -> Self {
        self.storage = Storage::Moving;
        self
    }

    /// It is kept nowhere; it may be required or optional.
    #[must_use]
    pub fn write_only(mut self) -> Self {
        self.storage = Storage::WriteOnly;
        self
    }

    /// It repeats another attribute of the resource.
    #[must_use]
    pub fn repeats(mut self, attribute: &str) -> Self {
        self.copies = Some(attribute.to_owned());
        self
    }

    /// Whether the provider may set it.
    #[must_use]
    pub fn is_computed(&self) -> bool {
        matches!(
            self.presence,
            Presence::Computed | Presence::OptionalComputed
        )
    }

    /// Whether the configuration may set it.
    #[must_use]
    pub fn is_configurable(&self) -> bool {
        self.presence != Presence::Computed
    }
}

/// How often a nested block may stand in its parent, and what it becomes there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nesting {
    /// At most once; becomes an object or null.
    Optional,
    /// Exactly once; becomes an object.
    Required,
    /// Any number of times; becomes a list of objects.
    List,
}

/// A nested block.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// How often it may stand there.
    pub nesting: Nesting,
    /// The attribute that its label sets, for blocks such as `source "csv" {}`.
    pub label: Option<&'static str>,
    /// What it holds; of one whose label matters, what any of them may hold.
    pub body: Body,
    /// What it holds and is, by its label, where that matters.
    pub kinds: BTreeMap<&'static str, (Body, &'static str)>,
    /// One or two sentences for people.
    pub doc: String,
}

impl Block {
    /// What it holds with this label.
    #[must_use]
    pub fn body_of(&self, label: Option<&str>) -> &Body {
        let kind = label.and_then(|label| self.kinds.get(label));
        kind.map_or(&self.body, |(body, _)| body)
    }
}

/// What stands between the braces of a block.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Body {
    /// By name.
    pub attributes: BTreeMap<Arc<str>, Attribute>,
    /// By name.
    pub blocks: BTreeMap<String, Block>,
}

impl Body {
    /// No attributes, no blocks.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With one more attribute.
    #[must_use]
    pub fn attribute(mut self, name: &str, attribute: Attribute) -> Self {
        self.attributes.insert(name.into(), attribute);
        self
    }

    /// With one more nested block.
    #[must_use]
    pub fn block(mut self, name: &str, nesting: Nesting, body: Self, doc: &str) -> Self {
        let block = Block {
            nesting,
            label: None,
            body,
            kinds: BTreeMap::new(),
            doc: doc.to_owned(),
        };
        self.blocks.insert(name.to_owned(), block);
        self
    }

    /// With one more nested block, whose label becomes the attribute `label`.
    #[must_use]
    pub fn labelled(
        mut self,
        name: &str,
        (nesting, label): (Nesting, &'static str),
        body: Self,
        doc: &str,
    ) -> Self {
        let block = Block {
            nesting,
            label: Some(label),
            body,
            kinds: BTreeMap::new(),
            doc: doc.to_owned(),
        };
        self.blocks.insert(name.to_owned(), block);
        self
    }

    /// With one more nested block, whose label becomes the attribute `label` and says what the
    /// block holds and is.
    #[must_use]
    pub fn kinds(
        mut self,
        name: &str,
        (nesting, label): (Nesting, &'static str),
        kinds: BTreeMap<&'static str, (Self, &'static str)>,
        doc: &str,
    ) -> Self {
        let mut body = Self::new();
        for (kind, _) in kinds.values() {
            for (name, attribute) in &kind.attributes {
                let any = Attribute {
                    presence: Presence::Optional,
                    ..attribute.clone()
                };
                body.attributes.entry(Arc::clone(name)).or_insert(any);
            }
            body.blocks.extend(kind.blocks.clone());
        }
        let block = Block {
            nesting,
            label: Some(label),
            body,
            kinds,
            doc: doc.to_owned(),
        };
        self.blocks.insert(name.to_owned(), block);
        self
    }

    /// The type of a value with this shape.
    #[must_use]
    pub fn value_type(&self) -> Type {
        let null = || Some(Value::NULL);
        let attributes = self.attributes.iter().map(|(name, attribute)| {
            (
                Arc::clone(name),
                Field {
                    ty: attribute.ty.clone(),
                    default: null(),
                },
            )
        });
        let blocks = self.blocks.iter().map(|(name, block)| {
            let mut inner = block.body.clone();
            if let Some(label) = block.label {
                inner = inner.attribute(label, Attribute::required(Type::String, ""));
            }
            let ty = match block.nesting {
                Nesting::Optional | Nesting::Required => inner.value_type(),
                Nesting::List => Type::list(inner.value_type()),
            };
            (
                Arc::from(name.as_str()),
                Field {
                    ty,
                    default: null(),
                },
            )
        });
        Type::Object(attributes.chain(blocks).collect())
    }

    /// What a resource would be after a change, as far as the schema alone can tell: what is
    /// configured, else the default, else for computed attributes what was there before, and
    /// unknown where nothing was. A provider's `plan` sharpens it.
    #[must_use]
    pub fn propose(&self, prior: Option<&Value>, configuration: &Value) -> Value {
        let configured = |name: &str| configuration.field(name).filter(|v| !v.is_null()).cloned();
        let before = |name: &str| prior.and_then(|prior| prior.field(name)).cloned();
        let attributes = self.attributes.iter().map(|(name, attribute)| {
            let value = match &attribute.presence {
                _ if attribute.storage == Storage::WriteOnly => Value::NULL,
                Presence::Required | Presence::Optional => configured(name).unwrap_or(Value::NULL),
                Presence::Default(default) => configured(name).unwrap_or_else(|| default.clone()),
                Presence::OptionalComputed => configured(name)
                    .or_else(|| before(name))
                    .unwrap_or_else(|| Value::unknown_of(attribute.ty.clone())),
                Presence::Computed => {
                    before(name).unwrap_or_else(|| Value::unknown_of(attribute.ty.clone()))
                }
            };
            let sensitive = attribute.visibility == Visibility::Sensitive && !value.is_null();
            (Arc::clone(name), value.sensitive_if(sensitive))
        });
        let blocks = self.blocks.iter().map(|(name, block)| {
            let value = match (configured(name), block.nesting) {
                (Some(value), _) => block.body.withhold_all(&value),
                (None, Nesting::List) => Value::list(Vec::new()),
                (None, Nesting::Optional | Nesting::Required) => Value::NULL,
            };
            (Arc::from(name.as_str()), value)
        });
        Value::object(attributes.chain(blocks))
    }
}

impl Body {
    /// What only changes when someone changes it: null stands in place of what moves by itself.
    #[must_use]
    pub fn still(&self, value: &Value) -> Value {
        let moving = self.attributes.iter();
        let moving = moving.filter(|(_, attribute)| attribute.storage == Storage::Moving);
        moving.fold(value.clone(), |value, (name, _)| match value.field(name) {
            Some(_) => value.with_field(name, Value::NULL),
            None => value,
        })
    }

    /// Takes out what must not be kept: null stands in its place.
    #[must_use]
    pub fn withhold(&self, value: &Value) -> Value {
        let mut kept = value.clone();
        for (name, attribute) in &self.attributes {
            let is_set = || value.field(name).is_some_and(|field| !field.is_null());
            if attribute.storage == Storage::WriteOnly && is_set() {
                kept = kept.with_field(name, Value::NULL);
            }
        }
        for (name, block) in &self.blocks {
            if let Some(inner) = value.field(name) {
                kept = kept.with_field(name, block.body.withhold_all(inner));
            }
        }
        kept
    }

    /// As [`Body::withhold`], for one block or a list of them.
    fn withhold_all(&self, value: &Value) -> Value {
        match value {
            Value::List(items) => Value::list(items.iter().map(|i| self.withhold(i)).collect()),
            value if value.fields().is_some() => self.withhold(value),
            value => value.clone(),
        }
    }

    /// Marks what must never be printed.
    #[must_use]
    pub fn conceal(&self, value: &Value) -> Value {
        let attributes = self.attributes.iter();
        let secret = attributes.filter(|(_, a)| a.visibility == Visibility::Sensitive);
        let mut marked = value.clone();
        for (name, _) in secret {
            if let Some(field) = value.field(name).filter(|field| !field.is_null()) {
                marked = marked.with_field(name, field.clone().sensitive());
            }
        }
        for (name, block) in &self.blocks {
            let inner = match value.field(name) {
                Some(Value::List(items)) => {
                    Value::list(items.iter().map(|item| block.body.conceal(item)).collect())
                }
                Some(field) if !field.is_null() => block.body.conceal(field),
                _ => continue,
            };
            marked = marked.with_field(name, inner);
        }
        self.spread_marks(&marked)
    }

    /// Puts the marks of attributes on those that repeat them; one that is not known yet is
    /// marked as a whole.
    #[must_use]
    pub fn spread_marks(&self, value: &Value) -> Value {
        let repeating = self.attributes.iter().filter_map(|(name, attribute)| {
            let marks = value.field(attribute.copies.as_deref()?)?.sensitive_paths();
            Some((name, marks)).filter(|(_, marks)| !marks.is_empty())
        });
        repeating.fold(value.clone(), |marked, (name, marks)| {
            let Some(copy) = value.field(name) else {
                return marked;
            };
            let copy = match copy.is_unknown() {
                true => copy.clone().sensitive(),
                false => copy.mark(&marks),
            };
            marked.with_field(name, copy)
        })
    }
}

/// A resource type.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Schema {
    /// Raised when the stored form changes.
    pub version: u64,
    /// What it holds.
    pub body: Body,
    /// One or two sentences for people.
    pub doc: String,
}

/// All that a provider offers, told without any IO.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ProviderSchema {
    /// The `provider` block.
    pub configuration: Body,
    /// What a `zone` of this provider may set beside the attributes that all zones have.
    pub zone: Body,
    /// By resource type.
    pub resources: BTreeMap<String, Schema>,
    /// By data source type.
    pub data_sources: BTreeMap<String, Schema>,
}

#[cfg(test)]
mod tests {
    use super::{Attribute, Body, Nesting};
    use crate::{Type, Value};

    #[test]
    fn what_is_write_only_is_neither_proposed_nor_kept() {
        let secret = || Attribute::optional(Type::String, "").write_only();
        let inner = Body::new().attribute("token", secret());
        let body = Body::new()
            .attribute("token", secret())
            .attribute("name", Attribute::required(Type::String, ""))
            .block("user", Nesting::List, inner, "");
        let token = || Value::object([("token", Value::from("t"))]);
        let configured = token()
            .with_field("name", "n".into())
            .with_field("user", Value::list(vec![token()]));
        let proposed = body.propose(None, &configured);
        assert_eq!(
            proposed.to_string(),
            "{ name = \"n\", token = null, user = [{ token = null }] }"
        );
        assert_eq!(body.withhold(&configured), proposed);
    }
}
