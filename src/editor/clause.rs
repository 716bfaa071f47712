//! What the language itself has in its blocks, beside the schemas of nouns and providers.

use isobar_sdk::schema::{Attribute, Body, Nesting};
use isobar_sdk::{Type, Value};

const EXISTS: &str = "Whether it is there at all.";
const BEFORE: &str = "What must be there before, beside what is referred to.";
const PURPOSE: &str = "What it is for.";

pub(super) fn resource(body: Body) -> Body {
    let lifecycle = guarded(conditions());
    let lifecycle = optional(
        lifecycle,
        "create_before_destroy",
        Type::Bool,
        "Whether a replacement is made before what it replaces is destroyed.",
    );
    let lifecycle = optional(
        lifecycle,
        "ignore_changes",
        Type::list(Type::Any),
        "The attributes whose changes do not count once it is there, or `all`.",
    );
    repeated(provided(declared(body, triggered(lifecycle))))
}

pub(super) fn data(body: Body) -> Body {
    provided(noun(body))
}

pub(super) fn zone(body: Body) -> Body {
    provided(noun(body))
}

pub(super) fn deployment(body: Body) -> Body {
    let lifecycle = triggered(guarded(conditions()));
    let doc = "Only `true`, which holds in any case: a new version runs before the old one goes.";
    let lifecycle = optional(lifecycle, "create_before_destroy", Type::Bool, doc);
    repeated(declared(body, lifecycle))
}

pub(super) fn noun(body: Body) -> Body {
    repeated(declared(body, conditions()))
}

pub(super) fn provider(body: Body) -> Body {
    let body = optional(
        body,
        "alias",
        Type::String,
        "The name of one of several configurations of a provider.",
    );
    let doc = "One configuration for each element; needs an alias.";
    optional(body, "for_each", Type::Any, doc)
}

pub(super) fn module() -> Body {
    let doc =
        "Where the module is: a folder such as \"./modules/zone\", or what it is downloaded from.";
    let body = repeated(required(Body::new(), "source", Type::String, doc));
    let lifecycle = optional(Body::new(), "enabled", Type::Bool, EXISTS);
    let doc = "Whether it is there.";
    let body = body.block("lifecycle", Nesting::Optional, lifecycle, doc);
    let body = optional(body, "depends_on", Type::list(Type::Any), BEFORE);
    let doc = "Which versions of it, where it is downloaded.";
    let body = optional(body, "version", Type::String, doc);
    let doc = "Which providers it gets: `{ theirs = ours }`.";
    optional(body, "providers", Type::map(Type::Any), doc)
}

pub(super) fn variable() -> Body {
    let doc = "The type that values are converted to.";
    let body = optional(Body::new(), "type", Type::Any, doc);
    let body = optional(body, "default", Type::Any, "The value where none is given.");
    let body = optional(body, "description", Type::String, PURPOSE);
    let body = flag(
        body,
        "sensitive",
        false,
        "Whether it must never be printed.",
    );
    let doc = "Whether its value must not be kept.";
    let body = flag(body, "ephemeral", false, doc);
    let body = flag(body, "nullable", true, "Whether it may be null.");
    conditional(body, "validation", "What its values must fulfil.")
}

pub(super) fn output() -> Body {
    let body = required(Body::new(), "value", Type::Any, "What it shows.");
    let body = optional(body, "description", Type::String, PURPOSE);
    let body = optional(body, "depends_on", Type::list(Type::Any), BEFORE);
    let body = flag(
        body,
        "sensitive",
        false,
        "Whether it must never be printed.",
    );
    let doc = "Whether its value must not be kept; of modules only.";
    let body = flag(body, "ephemeral", false, doc);
    conditional(body, "precondition", "What must hold for it.")
}

pub(super) fn check() -> Body {
    conditional(Body::new(), "assert", "What should hold.")
}

pub(super) fn moved() -> Body {
    let body = required(Body::new(), "from", Type::Any, "The former address.");
    required(body, "to", Type::Any, "The address from now on.")
}

pub(super) fn removed() -> Body {
    let doc = "Whether it is destroyed, rather than forgotten.";
    let lifecycle = flag(Body::new(), "destroy", true, doc);
    required(Body::new(), "from", Type::Any, "Its address.").block(
        "lifecycle",
        Nesting::Optional,
        lifecycle,
        "What becomes of it.",
    )
}

pub(super) fn import() -> Body {
    let body = required(Body::new(), "to", Type::Any, "The address it gets.");
    let body = required(body, "id", Type::String, "What the provider calls it.");
    let body = optional(body, "for_each", Type::Any, "One import for each element.");
    provided(body)
}

pub(super) fn isobar() -> Body {
    let doc = "The versions of Isobar that can read this configuration, such as \"~> 0.1\".";
    optional(Body::new(), "required_version", Type::String, doc)
}

fn required(body: Body, name: &str, ty: Type, doc: &str) -> Body {
    body.attribute(name, Attribute::required(ty, doc))
}

fn optional(body: Body, name: &str, ty: Type, doc: &str) -> Body {
    body.attribute(name, Attribute::optional(ty, doc))
}

fn flag(body: Body, name: &str, default: bool, doc: &str) -> Body {
    let default = Value::Bool(default);
    body.attribute(name, Attribute::with_default(Type::Bool, default, doc))
}

/// With what every declaration can say about itself.
fn declared(body: Body, lifecycle: Body) -> Body {
    let body = optional(body, "depends_on", Type::list(Type::Any), BEFORE);
    let doc = "How it is replaced and guarded, and what must hold for it.";
    body.block("lifecycle", Nesting::Optional, lifecycle, doc)
}

fn provided(body: Body) -> Body {
    let doc = "The provider, without quotes: `name` or `name.alias`.";
    optional(body, "provider", Type::Any, doc)
}

fn repeated(body: Body) -> Body {
    let doc = "How many there are; `count.index` tells them apart.";
    let body = optional(body, "count", Type::Number, doc);
    let doc = "One for each element of a map or a set of texts; `each.key` and `each.value` tell them apart.";
    optional(body, "for_each", Type::Any, doc)
}

fn triggered(body: Body) -> Body {
    let doc = "What it is replaced together with.";
    optional(body, "replace_triggered_by", Type::list(Type::Any), doc)
}

fn guarded(body: Body) -> Body {
    let doc = "Whether plans that would destroy it are refused.";
    optional(body, "prevent_destroy", Type::Bool, doc)
}

fn conditions() -> Body {
    let doc = "What must hold before it is changed.";
    let body = optional(Body::new(), "enabled", Type::Bool, EXISTS);
    let body = conditional(body, "precondition", doc);
    let doc = "What must hold afterwards; `self` is the block itself.";
    conditional(body, "postcondition", doc)
}

/// With blocks of a condition and what is said where it does not hold.
fn conditional(body: Body, kind: &str, doc: &str) -> Body {
    let inner = required(Body::new(), "condition", Type::Bool, "What must be true.");
    let said = "What is said where it is not.";
    let inner = required(inner, "error_message", Type::String, said);
    body.block(kind, Nesting::List, inner, doc)
}
