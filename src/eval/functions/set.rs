//! Functions of sets.

use isobar_sdk::{Type, Value};

use super::function::any;
use super::{Care, Function, Parameter, Shape, items, outcome};
use crate::eval::bounds;

const SET: Shape = Shape::Set(&Shape::Any);
const FIRST: Parameter = Parameter::new("first_set", SET);
const OTHERS: Parameter = Parameter::new("other_sets", SET);

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new(
        "setintersection",
        setintersection,
        "The elements that all sets have.",
    )
    .takes(&[FIRST])
    .any_number_of(OTHERS)
    .gives(SET)
    .resulting(outcome::set),
    Function::new(
        "setproduct",
        setproduct,
        "All ways to take one element of each list or set.",
    )
    .any_number_of(
        any("sets").about("Lists keep their order; with a set among them, the result is a set."),
    )
    .care(Care::Shallow)
    .resulting(outcome::product),
    Function::new(
        "setsubtract",
        setsubtract,
        "The elements of the first set that the second does not have.",
    )
    .takes(&[Parameter::new("a", SET), Parameter::new("b", SET)])
    .gives(SET)
    .resulting(outcome::set),
    Function::new("setunion", setunion, "The elements that some set has.")
        .takes(&[FIRST])
        .any_number_of(OTHERS)
        .gives(SET)
        .care(Care::Open)
        .resulting(outcome::set),
];

/// The sets, converted to one type.
fn of_one_type(arguments: &[Value]) -> Result<Vec<Value>, String> {
    let open = Type::set(Type::Any);
    let types = arguments.iter().map(Type::of).filter(|ty| *ty != open);
    let types: Vec<Type> = types.collect();
    if types.is_empty() {
        return Ok(arguments.to_vec());
    }
    let ty = Type::unify_elements(&types)
        .ok_or_else(|| "the sets have elements of different types".to_owned())?;
    let convert = |value| ty.convert(value).map_err(|mismatch| mismatch.to_string());
    arguments.iter().map(convert).collect()
}

/// The elements of a set in an order that they can be searched by.
struct Index<'a>(Vec<&'a Value>);

impl<'a> Index<'a> {
    fn of(set: &'a [Value]) -> Self {
        let mut elements: Vec<&Value> = set.iter().collect();
        elements.sort_by(|left, right| left.compare(right));
        Self(elements)
    }

    fn has(&self, item: &Value) -> bool {
        self.0.binary_search_by(|other| other.compare(item)).is_ok()
    }
}

fn setunion(arguments: &[Value]) -> Result<Value, String> {
    let mut all = Vec::new();
    for argument in &of_one_type(arguments)? {
        all.extend(items(argument)?.iter().cloned());
    }
    Ok(Value::set(all))
}

fn setintersection(arguments: &[Value]) -> Result<Value, String> {
    let sets = of_one_type(arguments)?;
    let mut common = items(&sets[0])?.to_vec();
    for set in &sets[1..] {
        let other = Index::of(items(set)?);
        common.retain(|item| other.has(item));
    }
    Ok(Value::set(common))
}

fn setsubtract(arguments: &[Value]) -> Result<Value, String> {
    let sets = of_one_type(arguments)?;
    let taken = Index::of(items(&sets[1])?);
    let left = items(&sets[0])?.iter().filter(|item| !taken.has(item));
    Ok(Value::set(left.cloned().collect()))
}

fn setproduct(arguments: &[Value]) -> Result<Value, String> {
    if arguments.len() < 2 {
        return Err("at least two lists or sets are needed".to_owned());
    }
    let mut product: Vec<Vec<Value>> = vec![Vec::new()];
    for argument in arguments {
        // The elements of a tuple get one type, as in a list.
        let list = match argument {
            Value::Tuple(_) => Type::list(Type::Any)
                .convert(argument)
                .map_err(|mismatch| mismatch.to_string())?,
            other => other.clone(),
        };
        let choices = items(&list)?;
        let ways = product.len().saturating_mul(choices.len());
        bounds::parts(ways.saturating_mul(arguments.len() + 1))?;
        product = product
            .iter()
            .flat_map(|begun| {
                choices
                    .iter()
                    .map(|next| [begun, std::slice::from_ref(next)].concat())
            })
            .collect();
    }
    let product = product.into_iter().map(Value::tuple).collect();
    Ok(if arguments.iter().any(|a| matches!(a, Value::Set(_))) {
        Value::set(product)
    } else {
        Value::list(product)
    })
}
