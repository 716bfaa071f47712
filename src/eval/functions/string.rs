//! Functions of text.

use isobar_sdk::{Type, Value};

use super::{ANY, Care, Function, bool_type, items, string_type, text, whole};

pub(super) static FUNCTIONS: &[Function] = &[
    Function {
        name: "endswith",
        arity: (2, 2),
        result: bool_type,
        body: endswith,
        care: Care::Deep,
    },
    Function {
        name: "format",
        arity: (1, ANY),
        result: string_type,
        body: format,
        care: Care::Deep,
    },
    Function {
        name: "join",
        arity: (2, 2),
        result: string_type,
        body: join,
        care: Care::Deep,
    },
    Function {
        name: "lower",
        arity: (1, 1),
        result: string_type,
        body: lower,
        care: Care::Deep,
    },
    Function {
        name: "replace",
        arity: (3, 3),
        result: string_type,
        body: replace,
        care: Care::Deep,
    },
    Function {
        name: "split",
        arity: (2, 2),
        result: list_of_text,
        body: split,
        care: Care::Deep,
    },
    Function {
        name: "startswith",
        arity: (2, 2),
        result: bool_type,
        body: startswith,
        care: Care::Deep,
    },
    Function {
        name: "strcontains",
        arity: (2, 2),
        result: bool_type,
        body: strcontains,
        care: Care::Deep,
    },
    Function {
        name: "substr",
        arity: (3, 3),
        result: string_type,
        body: substr,
        care: Care::Deep,
    },
    Function {
        name: "title",
        arity: (1, 1),
        result: string_type,
        body: title,
        care: Care::Deep,
    },
    Function {
        name: "trim",
        arity: (2, 2),
        result: string_type,
        body: trim,
        care: Care::Deep,
    },
    Function {
        name: "trimprefix",
        arity: (2, 2),
        result: string_type,
        body: trimprefix,
        care: Care::Deep,
    },
    Function {
        name: "trimspace",
        arity: (1, 1),
        result: string_type,
        body: trimspace,
        care: Care::Deep,
    },
    Function {
        name: "trimsuffix",
        arity: (2, 2),
        result: string_type,
        body: trimsuffix,
        care: Care::Deep,
    },
    Function {
        name: "upper",
        arity: (1, 1),
        result: string_type,
        body: upper,
        care: Care::Deep,
    },
];

fn list_of_text() -> Type {
    Type::list(Type::String)
}

fn endswith(arguments: &[Value]) -> Result<Value, String> {
    Ok(text(&arguments[0])?.ends_with(&text(&arguments[1])?).into())
}

fn startswith(arguments: &[Value]) -> Result<Value, String> {
    Ok(text(&arguments[0])?
        .starts_with(&text(&arguments[1])?)
        .into())
}

fn strcontains(arguments: &[Value]) -> Result<Value, String> {
    Ok(text(&arguments[0])?.contains(&text(&arguments[1])?).into())
}

/// The verbs `%s`, `%d`, `%f`, `%.Nf`, `%v`, `%q`, `%t`, `%05d` and `%%`.
fn format(arguments: &[Value]) -> Result<Value, String> {
    let pattern = text(&arguments[0])?;
    let mut values = arguments[1..].iter();
    let mut result = String::new();
    let mut rest = pattern.chars();
    while let Some(character) = rest.next() {
        if character != '%' {
            result.push(character);
            continue;
        }
        let mut flags = String::new();
        let verb = loop {
            match rest.next() {
                Some(c) if c.is_ascii_digit() || matches!(c, '.' | '-' | '+' | ' ') => {
                    flags.push(c);
                }
                Some(c) => break c,
                None => return Err("the pattern ends within a verb".to_owned()),
            }
        };
        if verb == '%' {
            result.push('%');
            continue;
        }
        let value = values.next().ok_or("there are more verbs than values")?;
        result.push_str(&format_one(verb, &flags, value)?);
    }
    if values.next().is_some() {
        return Err("there are more values than verbs".to_owned());
    }
    Ok(result.into())
}

/// The widest field and the most decimals that `format` writes.
const WIDEST: usize = 1024;

fn format_one(verb: char, flags: &str, value: &Value) -> Result<String, String> {
    let (width, precision) = flags.split_once('.').unwrap_or((flags, ""));
    let size = |digits: &str| match digits.parse() {
        _ if digits.is_empty() => Ok(0),
        Ok(size) if size <= WIDEST => Ok(size),
        _ => Err(format!("a width or precision is greater than {WIDEST}")),
    };
    let body = match verb {
        's' | 'v' | 't' => text(value).or_else(|_| super::encoding::json_text(value))?,
        'q' => serde_json::Value::from(text(value)?).to_string(),
        'd' => whole(value)?.to_string(),
        'f' => {
            let digits = if precision.is_empty() {
                6
            } else {
                size(precision)?
            };
            format!("{:.digits$}", super::number(value)?.as_f64())
        }
        other => return Err(format!("the verb %{other} is not known")),
    };
    let left = width.starts_with('-');
    let zero = width.starts_with('0') && matches!(verb, 'd' | 'f');
    let width = size(width.trim_start_matches(['-', '+', ' ', '0']))?;
    Ok(match (left, zero, body.strip_prefix('-')) {
        (true, _, _) => format!("{body:<width$}"),
        (false, true, Some(digits)) => format!("-{digits:0>0$}", width.saturating_sub(1)),
        (false, true, None) => format!("{body:0>width$}"),
        (false, false, _) => format!("{body:>width$}"),
    })
}

fn join(arguments: &[Value]) -> Result<Value, String> {
    let parts: Result<Vec<String>, String> = items(&arguments[1])?.iter().map(text).collect();
    Ok(parts?.join(&text(&arguments[0])?).into())
}

fn lower(arguments: &[Value]) -> Result<Value, String> {
    Ok(text(&arguments[0])?.to_lowercase().into())
}

fn upper(arguments: &[Value]) -> Result<Value, String> {
    Ok(text(&arguments[0])?.to_uppercase().into())
}

fn replace(arguments: &[Value]) -> Result<Value, String> {
    let [whole, from, to] = arguments else {
        return Err("it takes 3 arguments".to_owned());
    };
    Ok(text(whole)?.replace(&text(from)?, &text(to)?).into())
}

fn split(arguments: &[Value]) -> Result<Value, String> {
    let (separator, whole) = (text(&arguments[0])?, text(&arguments[1])?);
    if whole.is_empty() {
        return Ok(Value::list(Vec::new()));
    }
    let parts: Vec<Value> = if separator.is_empty() {
        whole.chars().map(|c| c.to_string().into()).collect()
    } else {
        whole.split(&separator).map(Value::from).collect()
    };
    Ok(Value::list(parts))
}

fn substr(arguments: &[Value]) -> Result<Value, String> {
    let characters: Vec<char> = text(&arguments[0])?.chars().collect();
    let (offset, length) = (whole(&arguments[1])?, whole(&arguments[2])?);
    let total = i64::try_from(characters.len()).unwrap_or(i64::MAX);
    let start = if offset < 0 { total + offset } else { offset }.clamp(0, total);
    let end = if length < 0 {
        total
    } else {
        start.saturating_add(length).min(total)
    };
    let range = usize::try_from(start).unwrap_or(0)..usize::try_from(end).unwrap_or(0);
    Ok(characters[range].iter().collect::<String>().into())
}

fn title(arguments: &[Value]) -> Result<Value, String> {
    let mut result = String::new();
    let mut first = true;
    for character in text(&arguments[0])?.chars() {
        if first {
            result.extend(character.to_uppercase());
        } else {
            result.push(character);
        }
        first = !character.is_alphanumeric();
    }
    Ok(result.into())
}

fn trim(arguments: &[Value]) -> Result<Value, String> {
    let cut: Vec<char> = text(&arguments[1])?.chars().collect();
    Ok(text(&arguments[0])?.trim_matches(cut.as_slice()).into())
}

fn trimspace(arguments: &[Value]) -> Result<Value, String> {
    Ok(text(&arguments[0])?.trim().into())
}

fn trimprefix(arguments: &[Value]) -> Result<Value, String> {
    let (whole, prefix) = (text(&arguments[0])?, text(&arguments[1])?);
    Ok(whole.strip_prefix(&prefix).unwrap_or(&whole).into())
}

fn trimsuffix(arguments: &[Value]) -> Result<Value, String> {
    let (whole, suffix) = (text(&arguments[0])?, text(&arguments[1])?);
    Ok(whole.strip_suffix(&suffix).unwrap_or(&whole).into())
}
