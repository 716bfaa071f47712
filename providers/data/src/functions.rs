//! The functions of the provider: values as text in the syntax of the configuration, and back.

use isobar_sdk::function::{Function, Shape, Signature, any, text};
use isobar_sdk::{Type, Value};

use crate::{decode, encode};

pub(crate) static FUNCTIONS: &[Function] = &[
    Function {
        signature: Signature::new(
            "decode_vars",
            "The values that the text of a *.vars.hcl file gives to variables.",
        )
        .takes(&[text("src").about("Only values that are written out, without expressions.")]),
        body: decode_vars,
    },
    Function {
        signature: Signature::new("encode_expr", "A value as an expression that gives it.")
            .takes(&[any("value")])
            .gives(Shape::String),
        body: encode_expr,
    },
    Function {
        signature: Signature::new("encode_vars", "An object as the text of a *.vars.hcl file.")
            .takes(&[any("value")])
            .gives(Shape::String),
        body: encode_vars,
    },
];

fn decode_vars(arguments: &[Value]) -> Result<Value, String> {
    decode::variables(arguments[0].as_str().unwrap_or_default())
}

fn encode_expr(arguments: &[Value]) -> Result<Value, String> {
    Ok(encode::expression(&arguments[0]).into())
}

fn encode_vars(arguments: &[Value]) -> Result<Value, String> {
    let fields = arguments[0].fields().ok_or_else(|| {
        let ty = Type::of(&arguments[0]);
        format!("an object is needed, whose attributes become variables, but this is {ty}")
    })?;
    match fields.keys().find(|name| !encode::is_name(name)) {
        Some(name) => Err(format!("{name:?} cannot be the name of a variable")),
        None => Ok(encode::attributes(fields).into()),
    }
}
