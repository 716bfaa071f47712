//! One inference request: checked against the model, run, and put into an answer.

use tract_onnx::prelude::Tensor;

use crate::model::Model;
use crate::problem::Problem;
use crate::protocol::{InferenceRequest, RequestInput, RequestOutput, ResponseOutput};
use crate::tensor::{self, Bindings, TensorSpec};

/// A request that fits the model: tensors in the model's order, and the outputs to return.
pub(crate) struct Inference {
    inputs: Vec<Tensor>,
    selected: Vec<usize>,
}

impl Inference {
    /// Checks and converts a request.
    ///
    /// # Errors
    /// A [`Problem`] that names the input or output at fault.
    pub(crate) fn of(model: &Model, request: &InferenceRequest) -> Result<Self, Problem> {
        check_names(model.inputs(), &request.inputs)?;
        let mut bindings = Bindings::new();
        let inputs = model
            .inputs()
            .iter()
            .map(|spec| convert(spec, &request.inputs, model.inputs(), &mut bindings));
        let inputs = inputs.collect::<Result<_, _>>()?;
        Ok(Self {
            inputs,
            selected: select(model.outputs(), &request.outputs)?,
        })
    }

    /// Runs the model. It blocks for as long as the model computes.
    ///
    /// # Errors
    /// When the runtime refuses the tensors, or an output cannot be written as JSON.
    pub(crate) fn run(self, model: &Model) -> Result<Vec<ResponseOutput>, Problem> {
        let tensors = model
            .run(self.inputs)
            .map_err(|error| Problem::Inference(format!("{error:#}")))?;
        let outputs: Vec<_> = model.outputs().iter().zip(&tensors).collect();
        let selected = self
            .selected
            .into_iter()
            .filter_map(|index| outputs.get(index));
        selected
            .map(|(spec, tensor)| answer(spec, tensor))
            .collect()
    }
}

fn check_names(specs: &[TensorSpec], inputs: &[RequestInput]) -> Result<(), Problem> {
    for (index, input) in inputs.iter().enumerate() {
        if !specs.iter().any(|spec| spec.name == input.name) {
            return Err(Problem::UnknownInput {
                name: input.name.clone(),
                expected: list(specs),
            });
        }
        if inputs[..index]
            .iter()
            .any(|earlier| earlier.name == input.name)
        {
            return Err(Problem::RepeatedInput {
                name: input.name.clone(),
            });
        }
    }
    Ok(())
}

fn convert(
    spec: &TensorSpec,
    given: &[RequestInput],
    specs: &[TensorSpec],
    bindings: &mut Bindings,
) -> Result<Tensor, Problem> {
    let Some(input) = given.iter().find(|input| input.name == spec.name) else {
        return Err(Problem::MissingInput {
            name: spec.name.clone(),
            expected: list(specs),
        });
    };
    tensor::decode(spec, input, bindings).map_err(|source| Problem::Input {
        name: spec.name.clone(),
        source,
    })
}

/// Indices of the requested outputs in the request's order; all of them when none is named.
fn select(specs: &[TensorSpec], requested: &[RequestOutput]) -> Result<Vec<usize>, Problem> {
    if requested.is_empty() {
        return Ok((0..specs.len()).collect());
    }
    let index = |output: &RequestOutput| {
        specs
            .iter()
            .position(|spec| spec.name == output.name)
            .ok_or_else(|| Problem::UnknownOutput {
                name: output.name.clone(),
                expected: list(specs),
            })
    };
    requested.iter().map(index).collect()
}

fn answer(spec: &TensorSpec, tensor: &Tensor) -> Result<ResponseOutput, Problem> {
    let data = tensor::encode(spec.datatype, tensor)
        .map_err(|error| Problem::Inference(format!("{error:#}")))?;
    if let Some(index) = data.first_not_finite() {
        return Err(Problem::NotFinite {
            name: spec.name.clone(),
            index,
        });
    }
    Ok(ResponseOutput {
        name: spec.name.clone(),
        shape: tensor.shape().to_vec(),
        datatype: spec.datatype,
        data,
    })
}

fn list(specs: &[TensorSpec]) -> String {
    let specs: Vec<String> = specs.iter().map(ToString::to_string).collect();
    specs.join(", ")
}
