//! The types of results that rest on the types of arguments, for arguments that are not known yet.

use isobar_sdk::Type;
use isobar_sdk::value::Unknown;

/// The type of the elements, where they have one.
fn element_of(ty: &Type) -> Option<&Type> {
    match ty {
        Type::List(element) | Type::Set(element) | Type::Map(element) => Some(element),
        _ => None,
    }
}

/// One element of the first argument, which may be null.
pub(super) fn element(arguments: &[Type]) -> Unknown {
    let element = element_of(&arguments[0]).cloned();
    Unknown::from(element.unwrap_or(Type::Any))
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
pub(super) fn list(arguments: &[Type]) -> Unknown {
    present(list_of(&arguments[0]))
}

/// A list of lists of elements of the first argument.
pub(super) fn lists(arguments: &[Type]) -> Unknown {
    present(Type::list(list_of(&arguments[0])))
}

/// The names of the elements of the first argument.
pub(super) fn keys(arguments: &[Type]) -> Unknown {
    present(match &arguments[0] {
        Type::Map(_) => Type::list(Type::String),
        Type::Object(fields) => Type::Tuple(fields.keys().map(|_| Type::String).collect()),
        _ => Type::Any,
    })
}

/// The elements of the first argument.
pub(super) fn values(arguments: &[Type]) -> Unknown {
    present(match &arguments[0] {
        Type::Map(element) => Type::list((**element).clone()),
        Type::Object(fields) => Type::Tuple(fields.values().map(|f| f.ty.clone()).collect()),
        _ => Type::Any,
    })
}

/// The lists of all arguments behind one another.
pub(super) fn concat(arguments: &[Type]) -> Unknown {
    let lists = arguments.iter().all(|ty| matches!(ty, Type::List(_)));
    let unified = lists.then(|| Type::unify(arguments)).flatten();
    present(unified.unwrap_or(Type::Any))
}

/// What all arguments are, if they are maps of one type.
pub(super) fn merge(arguments: &[Type]) -> Unknown {
    present(match arguments.split_first() {
        Some((first @ Type::Map(_), rest)) if rest.iter().all(|ty| ty == first) => first.clone(),
        _ => Type::Any,
    })
}

/// All ways to take one element of each argument.
pub(super) fn product(arguments: &[Type]) -> Unknown {
    let elements = arguments.iter().map(|ty| element_of(ty).cloned());
    let ways = elements.collect::<Option<Vec<Type>>>().map(Type::Tuple);
    let is_set = arguments.iter().any(|ty| matches!(ty, Type::Set(_)));
    present(match ways {
        Some(ways) if is_set => Type::set(ways),
        Some(ways) => Type::list(ways),
        None => Type::Any,
    })
}

/// The set that all arguments are converted to.
pub(super) fn set(arguments: &[Type]) -> Unknown {
    present(Type::unify(arguments).unwrap_or_else(|| Type::set(Type::Any)))
}
