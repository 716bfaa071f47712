//! Functions of maps and objects, and of any value that has elements.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use isobar_sdk::value::{Fields, Marks};
use isobar_sdk::{Type, Value};
use unicode_segmentation::UnicodeSegmentation;

use super::function::{any, text as text_of};
use super::{Care, Function, Parameter, Shape, fields, items, outcome, text};

const TEXTS: Shape = Shape::List(&Shape::String);

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new(
        "coalesce",
        coalesce,
        "The first argument that is neither null nor an empty text.",
    )
    .any_number_of(any("vals").or_null())
    .care(Care::Own),
    Function::new(
        "coalescelist",
        coalescelist,
        "The first list that is not empty.",
    )
    .any_number_of(any("vals").or_null().about("Lists or tuples."))
    .care(Care::Own),
    Function::new("keys", keys, "The names of the elements, in order.")
        .takes(&[any("inputMap").about("A map, or an object, which gives a tuple.")])
        .care(Care::Own)
        .resulting(outcome::keys),
    Function::new(
        "length",
        length,
        "The number of elements, or of characters as a reader sees them.",
    )
    .takes(&[any("value")])
    .gives(Shape::Number)
    .care(Care::Own)
    .resulting(outcome::count),
    Function::new(
        "lookup",
        lookup,
        "An element by its name, or else a default.",
    )
    .takes(&[any("inputMap"), text_of("key")])
    .any_number_of(any("default").or_null())
    .care(Care::Own)
    .resulting(outcome::lookup),
    Function::new(
        "merge",
        merge,
        "All elements together; of those with one name, the last.",
    )
    .any_number_of(any("maps").or_null())
    .care(Care::Shallow)
    .resulting(outcome::merge),
    Function::new(
        "transpose",
        transpose,
        "For each text in the lists, the names of the lists that have it.",
    )
    .takes(&[Parameter::new("values", Shape::Map(&TEXTS))])
    .gives(Shape::Map(&TEXTS)),
    Function::new(
        "values",
        values,
        "The elements, in the order of their names.",
    )
    .takes(&[any("mapping")])
    .care(Care::Shallow)
    .resulting(outcome::values),
    Function::new(
        "zipmap",
        zipmap,
        "Keys and values of the same positions as a map.",
    )
    .takes(&[Parameter::new("keys", TEXTS), any("values")])
    .care(Care::Own),
];

fn coalesce(arguments: &[Value]) -> Result<Value, String> {
    let marks: Marks = arguments.iter().map(Value::all_marks).collect();
    let types: Vec<Type> = arguments.iter().map(Type::of).collect();
    let ty = Type::unify(&types)
        .ok_or_else(|| "the arguments cannot be converted to one type".to_owned())?;
    for argument in arguments {
        let argument = argument.reveal_all();
        if argument.is_unknown() {
            return Ok(Value::unknown_of(outcome::present(ty)).marked(marks));
        }
        let argument = ty
            .convert(&argument)
            .map_err(|mismatch| mismatch.to_string())?;
        if !argument.is_null() && argument.as_str() != Some("") {
            return Ok(argument.marked(marks));
        }
    }
    Err("all arguments are null or empty".to_owned())
}

fn coalescelist(arguments: &[Value]) -> Result<Value, String> {
    let marks: Marks = arguments.iter().map(Value::all_marks).collect();
    for argument in arguments {
        if argument.is_unknown() {
            return Ok(Value::unknown().marked(marks));
        }
        if !matches!(argument.reveal(), Value::List(_) | Value::Tuple(_)) {
            return Err("every argument must be a list or tuple".to_owned());
        }
    }
    for argument in arguments {
        let argument = argument.reveal_all();
        if !items(&argument)?.is_empty() {
            return Ok(argument.marked(marks));
        }
    }
    Err("all lists are empty".to_owned())
}

fn keys(arguments: &[Value]) -> Result<Value, String> {
    let (map, marks) = (arguments[0].reveal(), arguments[0].marks());
    let name = |name: &Arc<str>| Value::String(Arc::clone(name));
    if let Value::Unknown(unknown) = map {
        // The names of attributes are known from the type.
        let keys = match &unknown.ty {
            Type::Object(fields) => Value::tuple(fields.keys().map(name).collect()),
            ty => Value::unknown_of(outcome::keys(std::slice::from_ref(ty))?),
        };
        return Ok(keys.marked(marks));
    }
    let keys = fields(map)?.keys().map(name).collect();
    let keys = match map {
        Value::Map(_) => Value::list_of(&Type::String, keys),
        _ => Value::tuple(keys),
    };
    Ok(keys.marked(marks))
}

fn values(arguments: &[Value]) -> Result<Value, String> {
    let values = fields(&arguments[0])?.values().cloned().collect();
    Ok(like(&arguments[0], values))
}

/// A list for a map, a tuple for an object.
fn like(value: &Value, items: Vec<Value>) -> Value {
    if matches!(value, Value::Map(_)) {
        Value::list(items)
    } else {
        Value::tuple(items)
    }
}

fn length(arguments: &[Value]) -> Result<Value, String> {
    let (value, marks) = (arguments[0].reveal(), arguments[0].marks());
    Ok(measured(value)?.marked(marks))
}

fn measured(value: &Value) -> Result<Value, String> {
    if let Value::Unknown(unknown) = value {
        return Ok(match &unknown.ty {
            Type::Tuple(types) => types.len().into(),
            Type::Object(fields) => fields.len().into(),
            ty => Value::unknown_of(outcome::count(std::slice::from_ref(ty))?),
        });
    }
    let length = match (value.as_str(), value.items(), value.fields()) {
        (Some(text), _, _) => text.graphemes(true).count(),
        // Elements that are unknown may turn out to be equal.
        (_, Some(items), _) if matches!(value, Value::Set(_)) && items.len() > 1 => {
            if !value.is_wholly_known() {
                return Ok(Value::unknown_of(Type::Number));
            }
            items.len()
        }
        (_, Some(items), _) => items.len(),
        (_, _, Some(fields)) => fields.len(),
        _ => return Err(format!("a value of type {} has no length", Type::of(value))),
    };
    Ok(length.into())
}

fn lookup(arguments: &[Value]) -> Result<Value, String> {
    let marks: Marks = arguments.iter().map(Value::marks).collect();
    let types: Vec<Type> = arguments.iter().map(Type::of).collect();
    let open = |value: &Value| value.is_unknown() && Type::of(value) == Type::Any;
    if arguments[..2].iter().any(open) {
        return Ok(Value::unknown().marked(marks));
    }
    let coming = outcome::lookup(&types)?;
    // A default that nobody asks for need not be known.
    if arguments[..2].iter().any(Value::is_unknown) {
        return Ok(Value::unknown_of(coming).marked(marks));
    }
    let plain: Vec<Value> = arguments.iter().map(|a| a.reveal().clone()).collect();
    Ok(found(&plain)?.marked(marks))
}

fn found(arguments: &[Value]) -> Result<Value, String> {
    let (all, key) = (fields(&arguments[0])?, text(&arguments[1])?);
    if let Some(found) = all.get(key) {
        return Ok(found.clone());
    }
    let Some(default) = arguments.get(2) else {
        return Err(format!("there is no element {key:?} and no default"));
    };
    let Type::Map(element) = Type::of(&arguments[0]) else {
        return Ok(default.clone());
    };
    let converted = element.convert(default);
    converted.map_err(|mismatch| format!("default: {mismatch}"))
}

fn merge(arguments: &[Value]) -> Result<Value, String> {
    outcome::merge(&arguments.iter().map(Type::of).collect::<Vec<_>>())?;
    let mut merged = BTreeMap::new();
    let given = || arguments.iter().filter(|argument| !argument.is_null());
    for argument in given() {
        let fields = fields(argument)?;
        merged.extend(fields.iter().map(|(k, v)| (Arc::clone(k), v.clone())));
    }
    let typed = |ty: &Type| *ty != Type::Any;
    let mut types = arguments.iter().map(Type::of).filter(typed);
    let first = types.next();
    let maps = matches!(first, Some(Type::Map(_))) && types.all(|ty| Some(ty) == first);
    let merged: Fields = merged.into();
    Ok(if maps {
        Value::Map(merged)
    } else {
        Value::Object(merged)
    })
}

fn transpose(arguments: &[Value]) -> Result<Value, String> {
    let mut turned: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (key, list) in fields(&arguments[0])?.iter() {
        for item in items(list)? {
            turned.entry(text(item)?).or_default().insert(key);
        }
    }
    let list = |keys: BTreeSet<&str>| Value::list(keys.into_iter().map(Value::from).collect());
    Ok(Value::map(
        turned.into_iter().map(|(key, keys)| (key, list(keys))),
    ))
}

fn no_list(ty: &Type) -> String {
    format!("the values must be a list or tuple, but are of type {ty}")
}

fn zipmap(arguments: &[Value]) -> Result<Value, String> {
    let marks = arguments[0].all_marks().union(arguments[1].marks());
    let (keys, values) = (&arguments[0].reveal_all(), arguments[1].reveal());
    if !keys.is_wholly_known() || values.is_unknown() {
        let zipped = match Type::of(values) {
            Type::List(element) => Type::map(*element),
            Type::Tuple(_) | Type::Any => Type::Any,
            other => return Err(no_list(&other)),
        };
        return Ok(Value::unknown_of(outcome::present(zipped)).marked(marks));
    }
    let (Value::List(values_of) | Value::Tuple(values_of), is_list) =
        (values, matches!(values, Value::List(_)))
    else {
        return Err(no_list(&Type::of(values)));
    };
    let keys = items(keys)?;
    if keys.len() != values_of.len() {
        return Err(format!(
            "there are {} keys but {} values",
            keys.len(),
            values_of.len()
        ));
    }
    let pairs = keys.iter().zip(values_of.iter());
    let pairs: Result<Vec<(&str, Value)>, String> = pairs
        .map(|(key, value)| Ok((text(key)?, value.clone())))
        .collect();
    let zipped = if is_list {
        Value::map(pairs?)
    } else {
        Value::object(pairs?)
    };
    Ok(zipped.marked(marks))
}
