//! Functions that change the type or the marks of a value.

use isobar_sdk::quantity::{parse_bytes, parse_duration};
use isobar_sdk::{Number, Type, Value};

use super::{Care, Function, any, bool_type, number_type, string_type, text};

pub(super) static FUNCTIONS: &[Function] = &[
    Function {
        name: "bytes",
        arity: (1, 1),
        result: number_type,
        body: bytes,
        care: Care::Deep,
    },
    Function {
        name: "duration",
        arity: (1, 1),
        result: number_type,
        body: duration,
        care: Care::Deep,
    },
    Function {
        name: "issensitive",
        arity: (1, 1),
        result: bool_type,
        body: issensitive,
        care: Care::Own,
    },
    Function {
        name: "nonsensitive",
        arity: (1, 1),
        result: any,
        body: nonsensitive,
        care: Care::Own,
    },
    Function {
        name: "sensitive",
        arity: (1, 1),
        result: any,
        body: sensitive,
        care: Care::Own,
    },
    Function {
        name: "tobool",
        arity: (1, 1),
        result: bool_type,
        body: tobool,
        care: Care::Shallow,
    },
    Function {
        name: "tolist",
        arity: (1, 1),
        result: any,
        body: tolist,
        care: Care::Shallow,
    },
    Function {
        name: "tomap",
        arity: (1, 1),
        result: any,
        body: tomap,
        care: Care::Shallow,
    },
    Function {
        name: "tonumber",
        arity: (1, 1),
        result: number_type,
        body: tonumber,
        care: Care::Shallow,
    },
    Function {
        name: "toset",
        arity: (1, 1),
        result: any,
        body: toset,
        care: Care::Deep,
    },
    Function {
        name: "tostring",
        arity: (1, 1),
        result: string_type,
        body: tostring,
        care: Care::Shallow,
    },
];

fn convert(ty: &Type, arguments: &[Value]) -> Result<Value, String> {
    ty.convert(&arguments[0])
        .map_err(|mismatch| mismatch.to_string())
}

/// Bytes of a size such as `"16GiB"`.
fn bytes(arguments: &[Value]) -> Result<Value, String> {
    let bytes = parse_bytes(&text(&arguments[0])?)?;
    i64::try_from(bytes)
        .map(Value::from)
        .map_err(|_| "the size is too large".to_owned())
}

/// Seconds of a duration such as `"1h30m"`.
fn duration(arguments: &[Value]) -> Result<Value, String> {
    let seconds = parse_duration(&text(&arguments[0])?)?.as_secs_f64();
    Number::from_f64(seconds)
        .map(Value::Number)
        .ok_or_else(|| "the duration is too long".to_owned())
}

fn issensitive(arguments: &[Value]) -> Result<Value, String> {
    Ok(arguments[0].is_sensitive().into())
}

fn sensitive(arguments: &[Value]) -> Result<Value, String> {
    Ok(arguments[0].clone().sensitive())
}

fn nonsensitive(arguments: &[Value]) -> Result<Value, String> {
    Ok(arguments[0].reveal().clone())
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
