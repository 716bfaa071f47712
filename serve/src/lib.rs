//! A small model server: ONNX over the Open Inference Protocol.
