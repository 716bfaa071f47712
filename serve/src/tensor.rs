//! Tensors between the protocol's JSON and the runtime, with every check on the way.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;
use tract_onnx::prelude::{Datum, Tensor, TractResult, f16};

use crate::datatype::Datatype;
use crate::protocol::{Elements, RequestInput, TensorMetadata};

/// One dimension of a tensor that a model takes or gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Dimension {
    Fixed(usize),
    /// Any size; dimensions of the same name have the same size within a request.
    Free(String),
}

impl fmt::Display for Dimension {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(size) => write!(formatter, "{size}"),
            Self::Free(name) => formatter.write_str(name),
        }
    }
}

/// Name, element type and shape of a tensor that a model takes or gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TensorSpec {
    pub(crate) name: String,
    pub(crate) datatype: Datatype,
    pub(crate) shape: Vec<Dimension>,
}

impl TensorSpec {
    pub(crate) fn metadata(&self) -> TensorMetadata {
        let size = |dimension: &Dimension| match dimension {
            Dimension::Fixed(size) => i64::try_from(*size).unwrap_or(i64::MAX),
            Dimension::Free(_) => -1,
        };
        TensorMetadata {
            name: self.name.clone(),
            datatype: self.datatype,
            shape: self.shape.iter().map(size).collect(),
        }
    }

    fn shape_text(&self) -> String {
        let sizes: Vec<String> = self.shape.iter().map(Dimension::to_string).collect();
        format!("[{}]", sizes.join(", "))
    }
}

impl fmt::Display for TensorSpec {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{:?} ({} {})",
            self.name,
            self.datatype,
            self.shape_text()
        )
    }
}

/// Sizes that a request has given to the free dimensions so far.
pub(crate) type Bindings = BTreeMap<String, usize>;

/// What about an input is not as the model needs it.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TensorError {
    #[error("expected datatype {expected}, got {given}")]
    Datatype { expected: Datatype, given: String },
    #[error("expected shape {expected}, got {given:?}")]
    Shape { expected: String, given: Vec<i64> },
    #[error("dimension {name} is {given} here but {bound} in an earlier input")]
    Binding {
        name: String,
        bound: usize,
        given: i64,
    },
    #[error("expected {expected} elements for shape {shape:?}, got {given}")]
    Count {
        expected: usize,
        shape: Vec<usize>,
        given: usize,
    },
    #[error("shape {shape:?} has more elements than a tensor can hold")]
    TooLarge { shape: Vec<usize> },
    #[error("expected data as a flat array or nested as shape {shape:?}")]
    Nesting { shape: Vec<usize> },
    #[error("expected {datatype} at element {index}, got {given}")]
    Element {
        datatype: Datatype,
        index: usize,
        given: String,
    },
}

/// Builds the runtime's tensor from a request's input.
///
/// # Errors
/// The first check that fails: datatype, shape, number of elements, each element's range.
pub(crate) fn decode(
    spec: &TensorSpec,
    input: &RequestInput,
    bindings: &mut Bindings,
) -> Result<Tensor, TensorError> {
    if input.datatype != spec.datatype.name() {
        return Err(TensorError::Datatype {
            expected: spec.datatype,
            given: input.datatype.clone(),
        });
    }
    let shape = check_shape(spec, &input.shape, bindings)?;
    let elements = flatten(&input.data, &shape)?;
    build(spec.datatype, &shape, &elements)
}

fn check_shape(
    spec: &TensorSpec,
    given: &[i64],
    bindings: &mut Bindings,
) -> Result<Vec<usize>, TensorError> {
    let mismatch = || TensorError::Shape {
        expected: spec.shape_text(),
        given: given.to_vec(),
    };
    if given.len() != spec.shape.len() {
        return Err(mismatch());
    }
    let mut shape = Vec::with_capacity(given.len());
    for (&given, expected) in given.iter().zip(&spec.shape) {
        let size = usize::try_from(given)
            .ok()
            .filter(|&size| size > 0)
            .ok_or_else(mismatch)?;
        match expected {
            Dimension::Fixed(fixed) if *fixed != size => return Err(mismatch()),
            Dimension::Fixed(_) => {}
            Dimension::Free(name) => {
                let bound = *bindings.entry(name.clone()).or_insert(size);
                if bound != size {
                    return Err(TensorError::Binding {
                        name: name.clone(),
                        bound,
                        given,
                    });
                }
            }
        }
        shape.push(size);
    }
    Ok(shape)
}

/// The scalars of `data` in row-major order, which must be as many as the shape says.
fn flatten<'a>(data: &'a Value, shape: &[usize]) -> Result<Vec<&'a Value>, TensorError> {
    let nesting = || TensorError::Nesting {
        shape: shape.to_vec(),
    };
    let items = data.as_array().ok_or_else(nesting)?;
    let mut elements = Vec::new();
    if shape.len() > 1 && items.iter().any(Value::is_array) {
        unnest(data, shape, &mut elements).ok_or_else(nesting)?;
    } else {
        elements.extend(items);
    }
    let expected = shape
        .iter()
        .try_fold(1_usize, |product, &size| product.checked_mul(size));
    let expected = expected.ok_or_else(|| TensorError::TooLarge {
        shape: shape.to_vec(),
    })?;
    if elements.len() != expected {
        return Err(TensorError::Count {
            expected,
            shape: shape.to_vec(),
            given: elements.len(),
        });
    }
    Ok(elements)
}

fn unnest<'a>(data: &'a Value, shape: &[usize], elements: &mut Vec<&'a Value>) -> Option<()> {
    let Some((size, rest)) = shape.split_first() else {
        elements.push(data);
        return Some(());
    };
    let items = data.as_array().filter(|items| items.len() == *size)?;
    items
        .iter()
        .try_for_each(|item| unnest(item, rest, elements))
}

fn build(datatype: Datatype, shape: &[usize], elements: &[&Value]) -> Result<Tensor, TensorError> {
    let column = Column {
        datatype,
        shape,
        elements,
    };
    match datatype {
        Datatype::Bool => column.tensor(Value::as_bool),
        Datatype::Uint8 => column.tensor(unsigned::<u8>),
        Datatype::Uint16 => column.tensor(unsigned::<u16>),
        Datatype::Uint32 => column.tensor(unsigned::<u32>),
        Datatype::Uint64 => column.tensor(unsigned::<u64>),
        Datatype::Int8 => column.tensor(signed::<i8>),
        Datatype::Int16 => column.tensor(signed::<i16>),
        Datatype::Int32 => column.tensor(signed::<i32>),
        Datatype::Int64 => column.tensor(signed::<i64>),
        Datatype::Fp16 => column.tensor(|value| {
            value
                .as_f64()
                .map(f16::from_f64)
                .filter(|half| half.is_finite())
        }),
        Datatype::Fp32 => column.tensor(single),
        Datatype::Fp64 => column.tensor(Value::as_f64),
    }
}

/// Elements on their way into a tensor.
struct Column<'a> {
    datatype: Datatype,
    shape: &'a [usize],
    elements: &'a [&'a Value],
}

impl Column<'_> {
    fn tensor<T: Datum + Copy>(
        &self,
        convert: impl Fn(&Value) -> Option<T>,
    ) -> Result<Tensor, TensorError> {
        let element = |(index, value): (usize, &&Value)| {
            convert(value).ok_or_else(|| TensorError::Element {
                datatype: self.datatype,
                index,
                given: value.to_string().chars().take(40).collect(),
            })
        };
        let elements = self
            .elements
            .iter()
            .enumerate()
            .map(element)
            .collect::<Result<Vec<T>, _>>()?;
        Tensor::from_shape(self.shape, &elements).map_err(|_| TensorError::Nesting {
            shape: self.shape.to_vec(),
        })
    }
}

fn unsigned<T: TryFrom<u64>>(value: &Value) -> Option<T> {
    T::try_from(value.as_u64()?).ok()
}

fn signed<T: TryFrom<i64>>(value: &Value) -> Option<T> {
    T::try_from(value.as_i64()?).ok()
}

/// Rounds to the nearest single; a number beyond its range is refused, not made infinite.
fn single(value: &Value) -> Option<f32> {
    let nearest = value.as_f64()? as f32;
    nearest.is_finite().then_some(nearest)
}

/// The elements of a runtime's tensor, widened to what JSON can tell apart.
///
/// # Errors
/// When the tensor is not of the datatype.
pub(crate) fn encode(datatype: Datatype, tensor: &Tensor) -> TractResult<Elements> {
    Ok(match datatype {
        Datatype::Bool => Elements::Bool(elements(tensor)?),
        Datatype::Uint8 | Datatype::Uint16 | Datatype::Uint32 | Datatype::Uint64 => {
            Elements::Unsigned(elements(tensor)?)
        }
        Datatype::Int8 | Datatype::Int16 | Datatype::Int32 | Datatype::Int64 => {
            Elements::Signed(elements(tensor)?)
        }
        Datatype::Fp16 | Datatype::Fp32 => Elements::Single(elements(tensor)?),
        Datatype::Fp64 => Elements::Double(elements(tensor)?),
    })
}

fn elements<T: Datum + Copy>(tensor: &Tensor) -> TractResult<Vec<T>> {
    let tensor = tensor.cast_to::<T>()?;
    Ok(tensor.to_plain_array_view::<T>()?.iter().copied().collect())
}

impl Elements {
    /// Index of the first element that JSON has no number for.
    pub(crate) fn first_not_finite(&self) -> Option<usize> {
        match self {
            Self::Bool(_) | Self::Unsigned(_) | Self::Signed(_) => None,
            Self::Single(elements) => elements.iter().position(|element| !element.is_finite()),
            Self::Double(elements) => elements.iter().position(|element| !element.is_finite()),
        }
    }
}
