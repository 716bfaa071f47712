//! The element types of the Open Inference Protocol that the runtime can hold.

use std::fmt;

use serde::{Deserialize, Serialize};
use tract_onnx::prelude::DatumType;
use utoipa::ToSchema;

/// Type of a tensor's elements, by its name in the protocol.
///
/// `BYTES` is missing: the runtime has no operators on strings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Datatype {
    Bool,
    Uint8,
    Uint16,
    Uint32,
    Uint64,
    Int8,
    Int16,
    Int32,
    Int64,
    Fp16,
    Fp32,
    Fp64,
}

impl Datatype {
    /// The protocol's name for the runtime's type; `None` if it has none.
    pub(crate) fn of(datum: DatumType) -> Option<Self> {
        Some(match datum {
            DatumType::Bool => Self::Bool,
            DatumType::U8 => Self::Uint8,
            DatumType::U16 => Self::Uint16,
            DatumType::U32 => Self::Uint32,
            DatumType::U64 => Self::Uint64,
            DatumType::I8 => Self::Int8,
            DatumType::I16 => Self::Int16,
            DatumType::I32 => Self::Int32,
            // TDim is how the runtime holds shapes, which ONNX types as int64.
            DatumType::I64 | DatumType::TDim => Self::Int64,
            DatumType::F16 => Self::Fp16,
            DatumType::F32 => Self::Fp32,
            DatumType::F64 => Self::Fp64,
            _ => return None,
        })
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bool => "BOOL",
            Self::Uint8 => "UINT8",
            Self::Uint16 => "UINT16",
            Self::Uint32 => "UINT32",
            Self::Uint64 => "UINT64",
            Self::Int8 => "INT8",
            Self::Int16 => "INT16",
            Self::Int32 => "INT32",
            Self::Int64 => "INT64",
            Self::Fp16 => "FP16",
            Self::Fp32 => "FP32",
            Self::Fp64 => "FP64",
        }
    }
}

impl fmt::Display for Datatype {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
