//! Functions that change the type or the marks of a value.

use std::sync::Arc;

use isobar_sdk::quantity::{parse_bytes, parse_duration};
use isobar_sdk::value::Marks;
use isobar_sdk::{Number, Type, Value};

use super::function::{any, text as text_of};
use super::{Care, Function, Parameter, Shape, text};

const V: Parameter = any("v").or_null();
const VALUE: Parameter = any("value").or_null();

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("bytes", bytes, "The bytes of a size such as 16GiB.")
        .takes(&[text_of("size")])
        .gives(Shape::Number),
    Function::lazy("can", "Whether an expression can be evaluated.")
        .takes(&[any("expression")])
        .gives(Shape::Bool),
    Function::new(
        "duration",
        duration,
        "The seconds of a duration such as 1h30m.",
    )
    .takes(&[text_of("duration")])
    .gives(Shape::Number),
    Function::new(
        "ephemeralasnull",
        ephemeralasnull,
        "The value with null for all that is ephemeral.",
    )
    .takes(&[VALUE])
    .care(Care::Own),
    Function::new(
        "issensitive",
        issensitive,
        "Whether the value is marked as sensitive.",
    )
    .takes(&[VALUE])
    .gives(Shape::Bool)
    .care(Care::Own),
    Function::new("nonsensitive", nonsensitive, "The value without its mark.")
        .takes(&[VALUE])
        .care(Care::Own),
    Function::new("sensitive", sensitive, "The value, marked as sensitive.")
        .takes(&[VALUE])
        .care(Care::Own),
    Function::new("tobool", tobool, "The value as a bool.")
        .takes(&[V])
        .gives(Shape::Bool)
        .care(Care::Own),
    Function::new("tolist", tolist, "The value as a list.")
        .takes(&[V])
        .gives(Shape::List(&Shape::Any))
        .care(Care::Own),
    Function::new("tomap", tomap, "The value as a map.")
        .takes(&[V])
        .gives(Shape::Map(&Shape::Any))
        .care(Care::Own),
    Function::new("tonumber", tonumber, "The value as a number.")
        .takes(&[V])
        .gives(Shape::Number)
        .care(Care::Own),
    Function::new("toset", toset, "The value as a set.")
        .takes(&[V])
        .gives(Shape::Set(&Shape::Any))
        .care(Care::Own),
    Function::new("tostring", tostring, "The value as a text.")
        .takes(&[V])
        .gives(Shape::String)
        .care(Care::Own),
    Function::lazy("try", "The first expression that can be evaluated.")
        .any_number_of(any("expressions")),
];

fn convert(ty: &Type, arguments: &[Value]) -> Result<Value, String> {
    ty.convert(&arguments[0])
        .map_err(|mismatch| mismatch.to_string())
}

fn bytes(arguments: &[Value]) -> Result<Value, String> {
    let bytes = parse_bytes(text(&arguments[0])?)?;
    i64::try_from(bytes)
        .map(Value::from)
        .map_err(|_| "the size is too large".to_owned())
}

fn duration(arguments: &[Value]) -> Result<Value, String> {
    let seconds = parse_duration(text(&arguments[0])?)?.as_secs_f64();
    Number::from_f64(seconds)
        .map(Value::Number)
        .ok_or_else(|| "the duration is too long".to_owned())
}

fn ephemeralasnull(arguments: &[Value]) -> Result<Value, String> {
    Ok(without_ephemeral(&arguments[0]))
}

fn without_ephemeral(value: &Value) -> Value {
    let item = |item: &Value| without_ephemeral(item);
    let field = |(name, value): (&Arc<str>, &Value)| (Arc::clone(name), without_ephemeral(value));
    match value {
        ephemeral if ephemeral.is_ephemeral() => {
            let left = ephemeral.marks().without(Marks::EPHEMERAL);
            Value::Null(Type::of(ephemeral)).marked(left)
        }
        Value::Marked(marks, inner) => without_ephemeral(inner).marked(*marks),
        Value::List(items) if !items.is_empty() => Value::List(items.iter().map(item).collect()),
        Value::Tuple(items) => Value::Tuple(items.iter().map(item).collect()),
        Value::Map(fields) if !fields.is_empty() => Value::Map(fields.iter().map(field).collect()),
        Value::Object(fields) => Value::Object(fields.iter().map(field).collect()),
        other => other.clone(),
    }
}

fn issensitive(arguments: &[Value]) -> Result<Value, String> {
    let value = &arguments[0];
    Ok(if value.is_unknown() && !value.is_sensitive() {
        // It may be marked when it is known.
        Value::unknown_of(Type::Bool)
    } else {
        value.is_sensitive().into()
    })
}

fn sensitive(arguments: &[Value]) -> Result<Value, String> {
    Ok(arguments[0].clone().sensitive())
}

fn nonsensitive(arguments: &[Value]) -> Result<Value, String> {
    Ok(arguments[0].clone().unmarked(Marks::SENSITIVE))
}

fn tobool(arguments: &[Value]) -> Result<Value, String> {
    convert(&Type::Bool, arguments)
}

fn tonumber(arguments: &[Value]) -> Result<Value, String> {
    convert(&Type::Number, arguments)
}

fn tostring(arguments: &[Value]) -> Result<Value, String> {
    convert(&Type::String, arguments)
}

fn tolist(arguments: &[Value]) -> Result<Value, String> {
    convert(&Type::list(Type::Any), arguments)
}

fn toset(arguments: &[Value]) -> Result<Value, String> {
    convert(&Type::Set(Box::new(Type::Any)), arguments)
}

fn tomap(arguments: &[Value]) -> Result<Value, String> {
    convert(&Type::map(Type::Any), arguments)
}
