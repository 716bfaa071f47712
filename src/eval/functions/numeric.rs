//! Functions of numbers.

use isobar_sdk::{Number, Value};

use super::{ANY, Care, Function, items, number, number_type, text, whole};

pub(super) static FUNCTIONS: &[Function] = &[
    Function {
        name: "abs",
        arity: (1, 1),
        result: number_type,
        body: abs,
        care: Care::Deep,
    },
    Function {
        name: "ceil",
        arity: (1, 1),
        result: number_type,
        body: ceil,
        care: Care::Deep,
    },
    Function {
        name: "floor",
        arity: (1, 1),
        result: number_type,
        body: floor,
        care: Care::Deep,
    },
    Function {
        name: "log",
        arity: (2, 2),
        result: number_type,
        body: log,
        care: Care::Deep,
    },
    Function {
        name: "max",
        arity: (1, ANY),
        result: number_type,
        body: max,
        care: Care::Deep,
    },
    Function {
        name: "min",
        arity: (1, ANY),
        result: number_type,
        body: min,
        care: Care::Deep,
    },
    Function {
        name: "parseint",
        arity: (2, 2),
        result: number_type,
        body: parseint,
        care: Care::Deep,
    },
    Function {
        name: "pow",
        arity: (2, 2),
        result: number_type,
        body: pow,
        care: Care::Deep,
    },
    Function {
        name: "signum",
        arity: (1, 1),
        result: number_type,
        body: signum,
        care: Care::Deep,
    },
    Function {
        name: "sum",
        arity: (1, 1),
        result: number_type,
        body: sum,
        care: Care::Deep,
    },
];

fn from_f64(value: f64) -> Result<Value, String> {
    Number::from_f64(value)
        .map(Value::Number)
        .ok_or_else(|| "the result is not a finite number".to_owned())
}

fn abs(arguments: &[Value]) -> Result<Value, String> {
    let number = number(&arguments[0])?;
    Ok(Value::Number(number.abs()))
}

fn ceil(arguments: &[Value]) -> Result<Value, String> {
    Ok(Value::Number(number(&arguments[0])?.ceil()))
}

fn floor(arguments: &[Value]) -> Result<Value, String> {
    Ok(Value::Number(number(&arguments[0])?.floor()))
}

fn log(arguments: &[Value]) -> Result<Value, String> {
    let (value, base) = (
        number(&arguments[0])?.as_f64(),
        number(&arguments[1])?.as_f64(),
    );
    from_f64(value.ln() / base.ln())
}

fn numbers(arguments: &[Value]) -> Result<Vec<Number>, String> {
    arguments.iter().map(number).collect()
}

fn max(arguments: &[Value]) -> Result<Value, String> {
    let greatest = numbers(arguments)?.into_iter().max();
    greatest
        .map(Value::Number)
        .ok_or_else(|| "there are no numbers".to_owned())
}

fn min(arguments: &[Value]) -> Result<Value, String> {
    let least = numbers(arguments)?.into_iter().min();
    least
        .map(Value::Number)
        .ok_or_else(|| "there are no numbers".to_owned())
}

fn parseint(arguments: &[Value]) -> Result<Value, String> {
    let (digits, base) = (text(&arguments[0])?, whole(&arguments[1])?);
    let radix = u32::try_from(base)
        .ok()
        .filter(|radix| (2..=36).contains(radix));
    let radix = radix.ok_or_else(|| format!("the base must be from 2 to 36, not {base}"))?;
    i64::from_str_radix(&digits, radix)
        .map(Value::from)
        .map_err(|_| format!("{digits:?} is not a number in base {base}"))
}

fn pow(arguments: &[Value]) -> Result<Value, String> {
    from_f64(
        number(&arguments[0])?
            .as_f64()
            .powf(number(&arguments[1])?.as_f64()),
    )
}

fn signum(arguments: &[Value]) -> Result<Value, String> {
    let value = number(&arguments[0])?.cmp(&Number::from(0_i64));
    Ok(Value::from(value as i64))
}

fn sum(arguments: &[Value]) -> Result<Value, String> {
    let items = items(&arguments[0])?;
    if items.is_empty() {
        return Err("the sum of no numbers is not defined".to_owned());
    }
    let total = numbers(items)?
        .into_iter()
        .try_fold(Number::from(0_i64), |sum, number| sum.checked_add(&number))
        .ok_or_else(|| "the sum is too large".to_owned())?;
    Ok(Value::Number(total))
}
