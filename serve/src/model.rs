//! A loaded model: what it takes, what it gives, and one inference at a time.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use tract_onnx::Onnx;
use tract_onnx::pb::ModelProto;
use tract_onnx::prelude::{
    DatumType, Framework, InferenceModelExt, IntoRunnable, IntoTensor, Tensor, TractResult,
    TypedModel, TypedRunnableModel,
};
use tract_onnx::tract_core::internal::bail;
use tract_onnx::tract_hir::infer::{Factoid, InferenceModel};

use crate::datatype::Datatype;
use crate::error::ServeError;
use crate::tensor::{Dimension, TensorSpec};

/// A model that can be run from several threads at the same time.
pub(crate) struct Model {
    plan: Arc<TypedRunnableModel>,
    inputs: Vec<TensorSpec>,
    outputs: Vec<TensorSpec>,
}

impl Model {
    /// Reads, prepares and warms up the model. It blocks: minutes are possible for a large one.
    ///
    /// # Errors
    /// See [`ServeError`]: unreadable, not ONNX, unsupported operators, or refused by the runtime.
    pub(crate) fn load(path: &Path) -> Result<Self, ServeError> {
        let bytes = std::fs::read(path).map_err(|source| ServeError::ModelFile {
            path: path.to_owned(),
            source,
        })?;
        let onnx = tract_onnx::onnx();
        let proto = decode(&onnx, path, &bytes)?;
        let operators = unsupported(&onnx, &proto);
        if !operators.is_empty() {
            return Err(ServeError::UnsupportedOperators {
                path: path.to_owned(),
                operators,
            });
        }
        let refuse = |reason: String| ServeError::Model {
            path: path.to_owned(),
            reason,
        };
        let folder = path.parent().and_then(Path::to_str);
        let parsed = onnx
            .parse(&proto, folder)
            .map_err(|error| refuse(format!("{error:#}")))?;
        let model = Self::prepare(parsed.model).map_err(|error| refuse(format!("{error:#}")))?;
        model
            .warm_up()
            .map_err(|error| refuse(format!("its first inference failed: {error:#}")))?;
        Ok(model)
    }

    fn prepare(mut model: InferenceModel) -> TractResult<Self> {
        name_free_dimensions(&mut model)?;
        let input_names: Vec<String> = model
            .inputs
            .iter()
            .map(|outlet| model.nodes[outlet.node].name.clone())
            .collect();
        let output_names: Vec<String> = model
            .outputs
            .iter()
            .map(|outlet| {
                model
                    .outlet_label(*outlet)
                    .unwrap_or(&model.nodes[outlet.node].name)
                    .to_owned()
            })
            .collect();
        let model = model.into_optimized()?;
        let inputs = input_names
            .into_iter()
            .enumerate()
            .map(|(index, name)| input(&model, index, name));
        let inputs = inputs.collect::<TractResult<Vec<_>>>()?;
        let outputs = output_names
            .into_iter()
            .enumerate()
            .map(|(index, name)| output(&model, index, name));
        let outputs = outputs.collect::<TractResult<Vec<_>>>()?;
        Ok(Self {
            plan: model.into_runnable()?,
            inputs,
            outputs,
        })
    }

    /// One inference on zeros, so that the first request pays for no initialisation.
    ///
    /// Left out when a dimension other than the first is free: whether the
    /// model accepts a size of 1 there cannot be known.
    fn warm_up(&self) -> TractResult<()> {
        let known = |spec: &TensorSpec| {
            spec.shape
                .iter()
                .skip(1)
                .all(|size| matches!(size, Dimension::Fixed(_)))
        };
        if !self.inputs.iter().all(known) {
            return Ok(());
        }
        let zeros = |(index, spec): (usize, &TensorSpec)| {
            let size = |dimension: &Dimension| match dimension {
                Dimension::Fixed(size) => *size,
                Dimension::Free(_) => 1,
            };
            let shape: Vec<usize> = spec.shape.iter().map(size).collect();
            Tensor::zero_dt(self.plan.model().input_fact(index)?.datum_type, &shape)
        };
        let inputs = self
            .inputs
            .iter()
            .enumerate()
            .map(zeros)
            .collect::<TractResult<Vec<_>>>()?;
        self.run(inputs).map(drop)
    }

    pub(crate) fn inputs(&self) -> &[TensorSpec] {
        &self.inputs
    }

    pub(crate) fn outputs(&self) -> &[TensorSpec] {
        &self.outputs
    }

    /// One inference: tensors in the order of [`inputs`](Self::inputs) to those of [`outputs`](Self::outputs).
    ///
    /// # Errors
    /// When the runtime refuses the tensors.
    pub(crate) fn run(&self, inputs: Vec<Tensor>) -> TractResult<Vec<Tensor>> {
        let outputs = self
            .plan
            .run(inputs.into_iter().map(Into::into).collect())?;
        Ok(outputs.into_iter().map(IntoTensor::into_tensor).collect())
    }
}

fn decode(onnx: &Onnx, path: &Path, bytes: &[u8]) -> Result<ModelProto, ServeError> {
    let refuse = |reason: String| ServeError::NotOnnx {
        path: path.to_owned(),
        reason,
    };
    let proto = onnx
        .proto_model_for_read(&mut &bytes[..])
        .map_err(|error| refuse(format!("{error:#}")))?;
    match &proto.graph {
        Some(graph) if !graph.output.is_empty() => Ok(proto),
        Some(_) => Err(refuse("its graph has no output".to_owned())),
        None => Err(refuse("it holds no graph".to_owned())),
    }
}

/// Operators of the graph that the runtime has no builder for, in order.
///
/// Only the outermost graph is looked at; the runtime reports those inside
/// loops and branches when it prepares the model.
fn unsupported(onnx: &Onnx, proto: &ModelProto) -> Vec<String> {
    let nodes = proto.graph.iter().flat_map(|graph| &graph.node);
    let missing: BTreeSet<String> = nodes
        .filter(|node| !onnx.op_register.0.contains_key(&node.op_type))
        .map(|node| match node.domain.as_str() {
            "" | "ai.onnx" => node.op_type.clone(),
            domain => format!("{} ({domain})", node.op_type),
        })
        .collect();
    missing.into_iter().collect()
}

/// Gives each dimension that the file leaves open, without a name, a name of its own.
fn name_free_dimensions(model: &mut InferenceModel) -> TractResult<()> {
    for index in 0..model.inputs.len() {
        let mut fact = model.input_fact(index)?.clone();
        let Some(rank) = fact.shape.rank().concretize() else {
            continue;
        };
        for axis in 0..rank as usize {
            if fact
                .shape
                .dim(axis)
                .is_some_and(|dimension| dimension.concretize().is_none())
            {
                let symbol = model.symbols.new_with_prefix("n");
                fact.shape.set_dim(axis, symbol.into());
            }
        }
        model.set_input_fact(index, fact)?;
    }
    Ok(())
}

fn input(model: &TypedModel, index: usize, name: String) -> TractResult<TensorSpec> {
    let fact = model.input_fact(index)?;
    specify(
        name,
        fact.datum_type,
        fact.shape.iter().map(ToString::to_string),
    )
}

fn output(model: &TypedModel, index: usize, name: String) -> TractResult<TensorSpec> {
    let fact = model.output_fact(index)?;
    specify(
        name,
        fact.datum_type,
        fact.shape.iter().map(ToString::to_string),
    )
}

fn specify(
    name: String,
    datum: DatumType,
    sizes: impl Iterator<Item = String>,
) -> TractResult<TensorSpec> {
    let Some(datatype) = Datatype::of(datum) else {
        bail!("tensor {name:?} holds {datum:?}, which this server cannot carry as JSON");
    };
    let shape = sizes
        .map(|size| size.parse().map_or(Dimension::Free(size), Dimension::Fixed))
        .collect();
    Ok(TensorSpec {
        name,
        datatype,
        shape,
    })
}
