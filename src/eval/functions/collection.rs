//! Functions of lists, sets, maps and objects.

use std::collections::BTreeMap;
use std::sync::Arc;

use isobar_sdk::{Number, Type, Value};

use super::{ANY, Care, Function, any, bool_type, fields, items, number, number_type, text, whole};

pub(super) static FUNCTIONS: &[Function] = &[
    Function {
        name: "alltrue",
        arity: (1, 1),
        result: bool_type,
        body: alltrue,
        care: Care::Deep,
    },
    Function {
        name: "anytrue",
        arity: (1, 1),
        result: bool_type,
        body: anytrue,
        care: Care::Deep,
    },
    Function {
        name: "coalesce",
        arity: (1, ANY),
        result: any,
        body: coalesce,
        care: Care::Deep,
    },
    Function {
        name: "compact",
        arity: (1, 1),
        result: any,
        body: compact,
        care: Care::Deep,
    },
    Function {
        name: "concat",
        arity: (1, ANY),
        result: any,
        body: concat,
        care: Care::Shallow,
    },
    Function {
        name: "contains",
        arity: (2, 2),
        result: bool_type,
        body: contains,
        care: Care::Deep,
    },
    Function {
        name: "distinct",
        arity: (1, 1),
        result: any,
        body: distinct,
        care: Care::Deep,
    },
    Function {
        name: "element",
        arity: (2, 2),
        result: any,
        body: element,
        care: Care::Shallow,
    },
    Function {
        name: "flatten",
        arity: (1, 1),
        result: any,
        body: flatten,
        care: Care::Shallow,
    },
    Function {
        name: "index",
        arity: (2, 2),
        result: number_type,
        body: index,
        care: Care::Deep,
    },
    Function {
        name: "keys",
        arity: (1, 1),
        result: any,
        body: keys,
        care: Care::Shallow,
    },
    Function {
        name: "length",
        arity: (1, 1),
        result: number_type,
        body: length,
        care: Care::Shallow,
    },
    Function {
        name: "lookup",
        arity: (2, 3),
        result: any,
        body: lookup,
        care: Care::Shallow,
    },
    Function {
        name: "merge",
        arity: (0, ANY),
        result: any,
        body: merge,
        care: Care::Shallow,
    },
    Function {
        name: "one",
        arity: (1, 1),
        result: any,
        body: one,
        care: Care::Shallow,
    },
    Function {
        name: "range",
        arity: (1, 3),
        result: any,
        body: range,
        care: Care::Deep,
    },
    Function {
        name: "reverse",
        arity: (1, 1),
        result: any,
        body: reverse,
        care: Care::Shallow,
    },
    Function {
        name: "setintersection",
        arity: (1, ANY),
        result: any,
        body: setintersection,
        care: Care::Deep,
    },
    Function {
        name: "setsubtract",
        arity: (2, 2),
        result: any,
        body: setsubtract,
        care: Care::Deep,
    },
    Function {
        name: "setunion",
        arity: (1, ANY),
        result: any,
        body: setunion,
        care: Care::Deep,
    },
    Function {
        name: "slice",
        arity: (3, 3),
        result: any,
        body: slice,
        care: Care::Shallow,
    },
    Function {
        name: "sort",
        arity: (1, 1),
        result: any,
        body: sort,
        care: Care::Deep,
    },
    Function {
        name: "values",
        arity: (1, 1),
        result: any,
        body: values,
        care: Care::Shallow,
    },
    Function {
        name: "zipmap",
        arity: (2, 2),
        result: any,
        body: zipmap,
        care: Care::Shallow,
    },
];

fn truths(value: &Value) -> Result<Vec<bool>, String> {
    let truth = |item: &Value| {
        Type::Bool
            .convert(item)
            .ok()
            .and_then(|item| item.as_bool())
            .ok_or_else(|| format!("{item} is not a bool"))
    };
    items(value)?.iter().map(truth).collect()
}

fn alltrue(arguments: &[Value]) -> Result<Value, String> {
    Ok(truths(&arguments[0])?.into_iter().all(|truth| truth).into())
}

fn anytrue(arguments: &[Value]) -> Result<Value, String> {
    Ok(truths(&arguments[0])?.into_iter().any(|truth| truth).into())
}

fn coalesce(arguments: &[Value]) -> Result<Value, String> {
    let there = |value: &&Value| !value.is_null() && value.as_str() != Some("");
    arguments
        .iter()
        .find(there)
        .cloned()
        .ok_or_else(|| "all arguments are null or empty".to_owned())
}

fn compact(arguments: &[Value]) -> Result<Value, String> {
    let there = |value: &&Value| !value.is_null() && value.as_str() != Some("");
    Ok(Value::list(
        items(&arguments[0])?
            .iter()
            .filter(there)
            .cloned()
            .collect(),
    ))
}

fn concat(arguments: &[Value]) -> Result<Value, String> {
    let mut all = Vec::new();
    for argument in arguments {
        all.extend(items(argument)?.iter().cloned());
    }
    let lists = arguments
        .iter()
        .all(|argument| matches!(argument, Value::List(_)));
    Ok(if lists {
        Value::list(all)
    } else {
        Value::tuple(all)
    })
}

fn contains(arguments: &[Value]) -> Result<Value, String> {
    Ok(items(&arguments[0])?.contains(&arguments[1]).into())
}

fn distinct(arguments: &[Value]) -> Result<Value, String> {
    let mut seen: Vec<Value> = Vec::new();
    for item in items(&arguments[0])? {
        if !seen.contains(item) {
            seen.push(item.clone());
        }
    }
    Ok(Value::list(seen))
}

fn element(arguments: &[Value]) -> Result<Value, String> {
    let (items, position) = (items(&arguments[0])?, whole(&arguments[1])?);
    let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
    if length == 0 {
        return Err("the list is empty".to_owned());
    }
    let position = usize::try_from(position.rem_euclid(length)).unwrap_or(0);
    Ok(items[position].clone())
}

/// An element that is unknown may turn out to be a list of any length.
fn flatten(arguments: &[Value]) -> Result<Value, String> {
    let mut flat = Vec::new();
    collect(items(&arguments[0])?, false, &mut flat);
    if flat.iter().any(Value::is_unknown) {
        let sensitive = flat.iter().any(Value::contains_sensitive);
        return Ok(Value::unknown().sensitive_if(sensitive));
    }
    Ok(Value::tuple(flat))
}

/// Adds the elements of nested lists one by one; those of a secret list are secret.
fn collect(items: &[Value], secret: bool, into: &mut Vec<Value>) {
    for item in items {
        let secret = secret || item.is_sensitive();
        match item.items() {
            Some(inner) => collect(inner, secret, into),
            None => into.push(item.clone().sensitive_if(secret)),
        }
    }
}

fn index(arguments: &[Value]) -> Result<Value, String> {
    let position = items(&arguments[0])?
        .iter()
        .position(|item| *item == arguments[1]);
    position
        .map(Value::from)
        .ok_or_else(|| "the list does not contain it".to_owned())
}

fn keys(arguments: &[Value]) -> Result<Value, String> {
    let keys = fields(&arguments[0])?
        .keys()
        .map(|key| Value::String(Arc::clone(key)));
    Ok(Value::list(keys.collect()))
}

fn values(arguments: &[Value]) -> Result<Value, String> {
    let values: Vec<Value> = fields(&arguments[0])?.values().cloned().collect();
    Ok(if matches!(arguments[0], Value::Map(_)) {
        Value::list(values)
    } else {
        Value::tuple(values)
    })
}

fn length(arguments: &[Value]) -> Result<Value, String> {
    let value = &arguments[0];
    let length = match (value.as_str(), value.items(), value.fields()) {
        (Some(text), _, _) => text.chars().count(),
        (_, Some(items), _) => items.len(),
        (_, _, Some(fields)) => fields.len(),
        _ => return Err(format!("a value of type {} has no length", Type::of(value))),
    };
    Ok(length.into())
}

fn lookup(arguments: &[Value]) -> Result<Value, String> {
    let (fields, key) = (fields(&arguments[0])?, text(&arguments[1])?);
    fields
        .get(key.as_str())
        .or_else(|| arguments.get(2))
        .cloned()
        .ok_or_else(|| format!("there is no element {key:?} and no default"))
}

fn merge(arguments: &[Value]) -> Result<Value, String> {
    let mut merged = BTreeMap::new();
    for argument in arguments.iter().filter(|argument| !argument.is_null()) {
        merged.extend(
            fields(argument)?
                .iter()
                .map(|(k, v)| (Arc::clone(k), v.clone())),
        );
    }
    let maps = !arguments.is_empty() && arguments.iter().all(|a| matches!(a, Value::Map(_)));
    Ok(if maps {
        Value::Map(merged.into())
    } else {
        Value::Object(merged.into())
    })
}

fn one(arguments: &[Value]) -> Result<Value, String> {
    match items(&arguments[0])? {
        [] => Ok(Value::NULL),
        [only] => Ok(only.clone()),
        many => Err(format!(
            "there must be one element or none, but there are {}",
            many.len()
        )),
    }
}

/// The most elements that `range` makes, as in Terraform.
const LONGEST_RANGE: usize = 1024;

fn range(arguments: &[Value]) -> Result<Value, String> {
    let given: Result<Vec<Number>, String> = arguments.iter().map(number).collect();
    let (zero, one) = (Number::from(0_i64), Number::from(1_i64));
    let (start, end, step) = match given?.as_slice() {
        [end] => (
            zero.clone(),
            end.clone(),
            if *end < zero { one.negate() } else { one },
        ),
        [start, end] => (
            start.clone(),
            end.clone(),
            if end < start { one.negate() } else { one },
        ),
        [start, end, step] => (start.clone(), end.clone(), step.clone()),
        _ => return Err("it takes 1 to 3 arguments".to_owned()),
    };
    if step == zero {
        return Err("the step must not be zero".to_owned());
    }
    let mut values = Vec::new();
    let mut current = start;
    while (step > zero && current < end) || (step < zero && current > end) {
        if values.len() == LONGEST_RANGE {
            return Err(format!("more than {LONGEST_RANGE} values would be made"));
        }
        values.push(Value::Number(current.clone()));
        current = current.checked_add(&step).ok_or("the range is too wide")?;
    }
    Ok(Value::list(values))
}

fn reverse(arguments: &[Value]) -> Result<Value, String> {
    let reversed = items(&arguments[0])?.iter().rev().cloned().collect();
    Ok(if matches!(arguments[0], Value::Tuple(_)) {
        Value::tuple(reversed)
    } else {
        Value::list(reversed)
    })
}

fn setunion(arguments: &[Value]) -> Result<Value, String> {
    let mut all = Vec::new();
    for argument in arguments {
        all.extend(items(argument)?.iter().cloned());
    }
    Ok(Value::set(all))
}

fn setintersection(arguments: &[Value]) -> Result<Value, String> {
    let mut common = items(&arguments[0])?.to_vec();
    for argument in &arguments[1..] {
        let other = items(argument)?;
        common.retain(|item| other.contains(item));
    }
    Ok(Value::set(common))
}

fn setsubtract(arguments: &[Value]) -> Result<Value, String> {
    let taken = items(&arguments[1])?;
    Ok(Value::set(
        items(&arguments[0])?
            .iter()
            .filter(|i| !taken.contains(i))
            .cloned()
            .collect(),
    ))
}

fn slice(arguments: &[Value]) -> Result<Value, String> {
    let all = items(&arguments[0])?;
    let position = |value: &Value| {
        let position = whole(value)?;
        usize::try_from(position)
            .ok()
            .filter(|position| *position <= all.len())
            .ok_or_else(|| {
                format!(
                    "position {position} is outside of the {} elements",
                    all.len()
                )
            })
    };
    let (start, end) = (position(&arguments[1])?, position(&arguments[2])?);
    if start > end {
        return Err("the start lies behind the end".to_owned());
    }
    let part = all[start..end].to_vec();
    Ok(if matches!(arguments[0], Value::Tuple(_)) {
        Value::tuple(part)
    } else {
        Value::list(part)
    })
}

fn sort(arguments: &[Value]) -> Result<Value, String> {
    let texts: Result<Vec<String>, String> = items(&arguments[0])?.iter().map(text).collect();
    let mut texts = texts?;
    texts.sort();
    Ok(Value::list(texts.into_iter().map(Value::from).collect()))
}

fn zipmap(arguments: &[Value]) -> Result<Value, String> {
    let (keys, values) = (items(&arguments[0])?, items(&arguments[1])?);
    if keys.len() != values.len() {
        return Err(format!(
            "there are {} keys but {} values",
            keys.len(),
            values.len()
        ));
    }
    let pairs: Result<Vec<(String, Value)>, String> = keys
        .iter()
        .zip(values)
        .map(|(key, value)| Ok((text(key)?, value.clone())))
        .collect();
    let secret = keys.iter().any(Value::contains_sensitive);
    Ok(Value::object(pairs?).sensitive_if(secret))
}
