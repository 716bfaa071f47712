//! Functions of lists and tuples.

use isobar_sdk::value::{Marks, Unknown};
use isobar_sdk::{Number, Type, Value};

use super::function::{any, number as number_of, text as text_of};
use super::{Care, Function, Parameter, Shape, items, number, outcome, text, truth, whole};
use crate::eval::{bounds, operator};

const LIST: Shape = Shape::List(&Shape::Any);
const BOOLS: &[Parameter] = &[Parameter::new("list", Shape::List(&Shape::Bool))];
const TEXTS: &[Parameter] = &[Parameter::new("list", Shape::List(&Shape::String))];

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("alltrue", alltrue, "Whether all elements are true.")
        .takes(BOOLS)
        .gives(Shape::Bool)
        .care(Care::Open),
    Function::new("anytrue", anytrue, "Whether some element is true.")
        .takes(BOOLS)
        .gives(Shape::Bool)
        .care(Care::Open),
    Function::new(
        "chunklist",
        chunklist,
        "The list cut into lists of `size` elements.",
    )
    .takes(&[
        Parameter::new("list", LIST),
        number_of("size").about("The length of every part but the last; 0 for one part."),
    ])
    .gives(Shape::List(&LIST))
    .care(Care::Shallow)
    .resulting(outcome::lists),
    Function::new("compact", compact, "The list without empty and null texts.")
        .takes(TEXTS)
        .gives(Shape::List(&Shape::String)),
    Function::new("concat", concat, "All lists behind one another.")
        .any_number_of(any("seqs"))
        .care(Care::Shallow)
        .resulting(outcome::concat),
    Function::new(
        "contains",
        contains,
        "Whether a list, set or tuple has this value as an element.",
    )
    .takes(&[any("list"), any("value")])
    .gives(Shape::Bool)
    .care(Care::Open),
    Function::new(
        "distinct",
        distinct,
        "The list with each value once, where it comes first.",
    )
    .takes(&[Parameter::new("list", LIST)])
    .gives(LIST)
    .resulting(outcome::list),
    Function::new(
        "element",
        element,
        "An element by its position; behind the last comes the first again.",
    )
    .takes(&[any("list"), number_of("index")])
    .care(Care::Shallow)
    .resulting(outcome::element),
    Function::new(
        "flatten",
        flatten,
        "The elements of lists within lists, as one list.",
    )
    .takes(&[any("list")])
    .care(Care::Shallow)
    .resulting(outcome::flat),
    Function::new(
        "index",
        index,
        "The position of the first element that equals the value.",
    )
    .takes(&[any("list"), any("value")])
    .gives(Shape::Number)
    .care(Care::Open),
    Function::new(
        "matchkeys",
        matchkeys,
        "The values whose keys are among those searched for.",
    )
    .takes(&[
        Parameter::new("values", LIST),
        Parameter::new("keys", LIST),
        Parameter::new("searchset", LIST),
    ])
    .gives(LIST)
    .resulting(outcome::list),
    Function::new("one", one, "The only element; null where there is none.")
        .takes(&[any("list")])
        .care(Care::Open)
        .resulting(outcome::one),
    Function::new(
        "range",
        range,
        "The numbers from a start, 0 if left out, up to a limit, in steps.",
    )
    .any_number_of(number_of("params"))
    .gives(Shape::List(&Shape::Number)),
    Function::new(
        "reverse",
        reverse,
        "The elements from the last to the first.",
    )
    .takes(&[any("list")])
    .care(Care::Shallow)
    .resulting(outcome::list),
    Function::new(
        "slice",
        slice,
        "The elements from one position up to another, which is left out.",
    )
    .takes(&[
        any("list"),
        number_of("start_index"),
        number_of("end_index"),
    ])
    .care(Care::Shallow)
    .resulting(outcome::part),
    Function::new("sort", sort, "The texts in the order of their characters.")
        .takes(TEXTS)
        .gives(Shape::List(&Shape::String))
        .care(Care::Open),
    Function::new("split", split, "The parts of a text between separators.")
        .takes(&[text_of("separator"), text_of("str")])
        .gives(Shape::List(&Shape::String)),
];

/// What stands behind an element that is unknown is not looked at.
fn alltrue(arguments: &[Value]) -> Result<Value, String> {
    for item in items(&arguments[0])? {
        if item.is_unknown() {
            return Ok(Value::unknown_of(Unknown::from(Type::Bool).not_null()));
        }
        if item.is_null() || !truth(item)? {
            return Ok(false.into());
        }
    }
    Ok(true.into())
}

fn anytrue(arguments: &[Value]) -> Result<Value, String> {
    let items = items(&arguments[0])?;
    if items.iter().any(|item| item.as_bool() == Some(true)) {
        return Ok(true.into());
    }
    Ok(if items.iter().any(Value::is_unknown) {
        Value::unknown_of(Unknown::from(Type::Bool).not_null())
    } else {
        false.into()
    })
}

fn chunklist(arguments: &[Value]) -> Result<Value, String> {
    let (items, size) = (items(&arguments[0])?, whole(&arguments[1])?);
    let size = usize::try_from(size).map_err(|_| "the size must not be negative".to_owned())?;
    let size = if size == 0 { items.len().max(1) } else { size };
    let chunks = items.chunks(size).map(|part| Value::list(part.to_vec()));
    Ok(Value::list(chunks.collect()))
}

fn compact(arguments: &[Value]) -> Result<Value, String> {
    let there = |value: &&Value| !value.is_null() && value.as_str() != Some("");
    let there = items(&arguments[0])?.iter().filter(there).cloned();
    Ok(Value::list(there.collect()))
}

fn concat(arguments: &[Value]) -> Result<Value, String> {
    if arguments.is_empty() {
        return Err("at least one list is needed".to_owned());
    }
    let mut all = Vec::new();
    for argument in arguments {
        all.extend(ordered(argument)?.iter().cloned());
    }
    if arguments
        .iter()
        .any(|argument| matches!(argument, Value::Tuple(_)))
    {
        return Ok(Value::tuple(all));
    }
    let lists: Vec<Type> = arguments.iter().map(Type::of).collect();
    let whole = Value::tuple(all);
    match Type::unify(&lists) {
        Some(list) => list
            .convert(&whole)
            .map_err(|mismatch| mismatch.to_string()),
        None => Ok(whole),
    }
}

/// The elements of a list or tuple.
fn ordered(value: &Value) -> Result<&[Value], String> {
    match value {
        Value::List(items) | Value::Tuple(items) => Ok(items),
        other => Err(format!(
            "a list or tuple is needed, but this is of type {}",
            Type::of(other)
        )),
    }
}

fn contains(arguments: &[Value]) -> Result<Value, String> {
    let mut open = false;
    for item in items(&arguments[0])? {
        match operator::same(item, &arguments[1]) {
            Some(true) => return Ok(true.into()),
            Some(false) => {}
            None => open = true,
        }
    }
    Ok(if open {
        Value::unknown_of(Type::Bool)
    } else {
        false.into()
    })
}

fn distinct(arguments: &[Value]) -> Result<Value, String> {
    let all = items(&arguments[0])?;
    // Equal ones stand beside one another, the first of them first.
    let mut places: Vec<usize> = (0..all.len()).collect();
    places.sort_by(|left, right| all[*left].compare(&all[*right]));
    places.dedup_by(|next, first| all[*next].compare(&all[*first]).is_eq());
    places.sort_unstable();
    let distinct = places.into_iter().map(|place| all[place].clone());
    Ok(list_like(&arguments[0], distinct.collect()))
}

/// A list of elements as those of `model`.
fn list_like(model: &Value, items: Vec<Value>) -> Value {
    let element = match model {
        Value::List(model) | Value::Set(model) => model.element_type(),
        _ => Type::Any,
    };
    Value::list_of(&element, items)
}

fn element(arguments: &[Value]) -> Result<Value, String> {
    let (items, position) = (ordered(&arguments[0])?, whole(&arguments[1])?);
    let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
    if length == 0 {
        return Err("the list is empty".to_owned());
    }
    // A list is counted from its end, too; the elements of a tuple have places of their own.
    if position < 0 && matches!(arguments[0], Value::Tuple(_)) {
        return Err(format!(
            "the position in a tuple must not be negative, but is {position}"
        ));
    }
    let position = usize::try_from(position.rem_euclid(length)).unwrap_or(0);
    Ok(items[position].clone())
}

/// An element that is unknown may turn out to be a list of any length.
fn flatten(arguments: &[Value]) -> Result<Value, String> {
    let mut flat = Vec::new();
    let mut marks = Marks::NONE;
    collect(items(&arguments[0])?, &mut flat, &mut marks);
    let open = |value: &Value| match value.reveal() {
        Value::Unknown(unknown) => !matches!(unknown.ty, Type::Bool | Type::Number | Type::String),
        _ => false,
    };
    if flat.iter().any(open) {
        return Ok(Value::unknown().marked(marks));
    }
    Ok(Value::tuple(flat).marked(marks))
}

/// Adds the elements of nested lists one by one; a mark on a nested list is one on the whole.
fn collect(items: &[Value], into: &mut Vec<Value>, marks: &mut Marks) {
    for item in items {
        match item.items() {
            Some(inner) => {
                *marks = marks.union(item.marks());
                collect(inner, into, marks);
            }
            None => into.push(item.clone()),
        }
    }
}

fn index(arguments: &[Value]) -> Result<Value, String> {
    let wanted = &arguments[1];
    for (position, item) in ordered(&arguments[0])?.iter().enumerate() {
        match operator::same(item, wanted) {
            Some(true) => return Ok(position.into()),
            Some(false) => {}
            None => return Ok(Value::unknown_of(Type::Number)),
        }
    }
    Err("the list does not contain it".to_owned())
}

fn matchkeys(arguments: &[Value]) -> Result<Value, String> {
    let (values, keys) = (items(&arguments[0])?, items(&arguments[1])?);
    if values.len() != keys.len() {
        return Err(format!(
            "there are {} values but {} keys",
            values.len(),
            keys.len()
        ));
    }
    let list = Type::unify([&Type::of(&arguments[1]), &Type::of(&arguments[2])])
        .ok_or_else(|| "the keys and what is searched for are of different types".to_owned())?;
    let convert = |value: &Value| list.convert(value).map_err(|mismatch| mismatch.to_string());
    let (keys, wanted) = (convert(&arguments[1])?, convert(&arguments[2])?);
    let wanted = items(&wanted)?;
    let found = values.iter().zip(items(&keys)?);
    let found = found.filter(|(_, key)| wanted.contains(key));
    let found = found.map(|(value, _)| value.clone()).collect();
    Ok(list_like(&arguments[0], found))
}

fn one(arguments: &[Value]) -> Result<Value, String> {
    match items(&arguments[0])? {
        [] => Ok(Value::Null(match &arguments[0] {
            Value::List(items) | Value::Set(items) => items.element_type(),
            _ => Type::Any,
        })),
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
    let toward = |start: &Number, end: &Number| {
        let one = one.clone();
        if end < start { one.negate() } else { one }
    };
    let (start, end, step) = match given?.as_slice() {
        [end] => (zero.clone(), end.clone(), toward(&zero, end)),
        [start, end] => (start.clone(), end.clone(), toward(start, end)),
        [start, end, step] => (start.clone(), end.clone(), step.clone()),
        _ => return Err("it takes 1 to 3 arguments".to_owned()),
    };
    if step == zero && start != end {
        return Err("the step must not be zero".to_owned());
    }
    if (step > zero && end < start) || (step < zero && end > start) {
        return Err(format!("steps of {step} lead away from {end}"));
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
        list_like(&arguments[0], reversed)
    })
}

fn slice(arguments: &[Value]) -> Result<Value, String> {
    let all = ordered(&arguments[0])?;
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
        list_like(&arguments[0], part)
    })
}

fn sort(arguments: &[Value]) -> Result<Value, String> {
    let items = items(&arguments[0])?;
    if !items.iter().all(Value::is_wholly_known) {
        let each = items.iter().map(|_| Value::unknown_of(Type::String));
        return Ok(Value::list(each.collect()));
    }
    let texts: Result<Vec<&str>, String> = items.iter().map(text).collect();
    let mut texts = texts?;
    texts.sort_unstable();
    Ok(Value::list(texts.into_iter().map(Value::from).collect()))
}

fn split(arguments: &[Value]) -> Result<Value, String> {
    let (separator, whole) = (text(&arguments[0])?, text(&arguments[1])?);
    let count = match separator {
        "" => whole.chars().count(),
        separator => whole.matches(separator).count() + 1,
    };
    bounds::parts(count)?;
    let parts: Vec<Value> = if separator.is_empty() {
        whole.chars().map(|c| c.to_string().into()).collect()
    } else {
        whole.split(separator).map(Value::from).collect()
    };
    Ok(Value::list(parts))
}
