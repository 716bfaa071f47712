//! The types of results that rest on the types of arguments, and what is wrong with these, for
//! arguments that are not known yet.

use isobar_sdk::Type;
use isobar_sdk::value::Unknown;

/// What is known about a result, or why there cannot be one.
pub(super) type Outcome = Result<Unknown, String>;

/// Refuses types of which no value fits; what is not known may.
fn only(ty: &Type, what: &str, fits: impl Fn(&Type) -> bool) -> Result<(), String> {
    if *ty == Type::Any || fits(ty) {
        return Ok(());
    }
    Err(format!("{what} is needed, but this is of type {ty}"))
}

fn ordered(ty: &Type) -> Result<(), String> {
    let fits = |ty: &Type| matches!(ty, Type::List(_) | Type::Tuple(_));
    only(ty, "a list or tuple", fits)
}

fn several(ty: &Type) -> Result<(), String> {
    let fits = |ty: &Type| matches!(ty, Type::List(_) | Type::Set(_) | Type::Tuple(_));
    only(ty, "a list, set or tuple", fits)
}

fn named(ty: &Type) -> Result<(), String> {
    let fits = |ty: &Type| matches!(ty, Type::Map(_) | Type::Object(_));
    only(ty, "a map or object", fits)
}

/// A number of elements or characters.
pub(super) fn count(arguments: &[Type]) -> Outcome {
    let fits = |ty: &Type| !matches!(ty, Type::Bool | Type::Number);
    only(&arguments[0], "a text, a collection or an object", fits)?;
    Ok(present(Type::Number))
}

/// A number that a text writes.
pub(super) fn written(arguments: &[Type]) -> Outcome {
    only(&arguments[0], "a text", |ty| *ty == Type::String)?;
    Ok(present(Type::Number))
}

/// What lists within lists hold.
pub(super) fn flat(arguments: &[Type]) -> Outcome {
    several(&arguments[0])?;
    Ok(present(Type::Any))
}

/// The type of the elements, where they have one.
fn element_of(ty: &Type) -> Option<&Type> {
    match ty {
        Type::List(element) | Type::Set(element) | Type::Map(element) => Some(element),
        _ => None,
    }
}

/// One element of the first argument, which may be null.
fn some_element(arguments: &[Type]) -> Unknown {
    let element = element_of(&arguments[0]).cloned();
    Unknown::from(element.unwrap_or(Type::Any))
}

/// An element of a list.
pub(super) fn element(arguments: &[Type]) -> Outcome {
    ordered(&arguments[0])?;
    Ok(some_element(arguments))
}

/// The only element.
pub(super) fn one(arguments: &[Type]) -> Outcome {
    several(&arguments[0])?;
    Ok(some_element(arguments))
}

/// An element of a map or object, or a default.
pub(super) fn lookup(arguments: &[Type]) -> Outcome {
    named(&arguments[0])?;
    if arguments.len() > 3 {
        return Err("it takes 2 or 3 arguments".to_owned());
    }
    if let (Type::Map(element), Some(default)) = (&arguments[0], arguments.get(2))
        && element.accepts(default).is_none()
    {
        return Err(format!(
            "the default must be of type {element}, as the elements are, and not {default}"
        ));
    }
    Ok(some_element(arguments))
}

fn list_of(ty: &Type) -> Type {
    element_of(ty).map_or(Type::Any, |element| Type::list(element.clone()))
}

/// Something of this type that is not null.
pub(super) fn present(ty: Type) -> Unknown {
    let open = Unknown::from(ty);
    if open.ty == Type::Any {
        open
    } else {
        open.not_null()
    }
}

/// A list of elements of the first argument.
pub(super) fn list(arguments: &[Type]) -> Outcome {
    several(&arguments[0])?;
    Ok(present(list_of(&arguments[0])))
}

/// A part of the first argument.
pub(super) fn part(arguments: &[Type]) -> Outcome {
    ordered(&arguments[0])?;
    list(arguments)
}

/// A list of lists of elements of the first argument.
pub(super) fn lists(arguments: &[Type]) -> Outcome {
    Ok(present(Type::list(list_of(&arguments[0]))))
}

/// The names of the elements of the first argument.
pub(super) fn keys(arguments: &[Type]) -> Outcome {
    named(&arguments[0])?;
    Ok(present(match &arguments[0] {
        Type::Map(_) => Type::list(Type::String),
        Type::Object(fields) => Type::Tuple(fields.keys().map(|_| Type::String).collect()),
        _ => Type::Any,
    }))
}

/// The elements of the first argument.
pub(super) fn values(arguments: &[Type]) -> Outcome {
    named(&arguments[0])?;
    Ok(present(match &arguments[0] {
        Type::Map(element) => Type::list((**element).clone()),
        Type::Object(fields) => Type::Tuple(fields.values().map(|f| f.ty.clone()).collect()),
        _ => Type::Any,
    }))
}

/// The lists of all arguments behind one another.
pub(super) fn concat(arguments: &[Type]) -> Outcome {
    arguments.iter().try_for_each(ordered)?;
    let lists = arguments.iter().all(|ty| matches!(ty, Type::List(_)));
    let unified = lists.then(|| Type::unify(arguments)).flatten();
    Ok(present(unified.unwrap_or(Type::Any)))
}

/// What all arguments are, if they are maps of one type.
pub(super) fn merge(arguments: &[Type]) -> Outcome {
    arguments.iter().try_for_each(named)?;
    Ok(present(match arguments.split_first() {
        Some((first @ Type::Map(_), rest)) if rest.iter().all(|ty| ty == first) => first.clone(),
        _ => Type::Any,
    }))
}

/// All ways to take one element of each argument.
pub(super) fn product(arguments: &[Type]) -> Outcome {
    arguments.iter().try_for_each(several)?;
    let elements = arguments.iter().map(|ty| element_of(ty).cloned());
    let ways = elements.collect::<Option<Vec<Type>>>().map(Type::Tuple);
    let is_set = arguments.iter().any(|ty| matches!(ty, Type::Set(_)));
    Ok(present(match ways {
        Some(ways) if is_set => Type::set(ways),
        Some(ways) => Type::list(ways),
        None => Type::Any,
    }))
}

/// The set that all arguments are converted to.
pub(super) fn set(arguments: &[Type]) -> Outcome {
    Ok(present(
        Type::unify(arguments).unwrap_or_else(|| Type::set(Type::Any)),
    ))
}
