"""Write the small ONNX models of this crate's tests.

    pip install onnx==1.23.2 numpy==2.4.6 && python make.py

kinds.onnx     one input and one output of each datatype; the output is x + x,
               or the negation for BOOL
pair.onnx      two inputs that share the free dimension "batch"; their sum
heavy.onnx     a matrix power that takes long enough to be interrupted
scaler.onnx    an operator that the server does not support
reciprocal.onnx  1 / x, which is not finite at 0
"""

from pathlib import Path

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper, save

FOLDER = Path(__file__).parent
OPSETS = [helper.make_opsetid("", 18), helper.make_opsetid("ai.onnx.ml", 3)]
KINDS = {
    "BOOL": TensorProto.BOOL,
    "UINT8": TensorProto.UINT8,
    "UINT16": TensorProto.UINT16,
    "UINT32": TensorProto.UINT32,
    "UINT64": TensorProto.UINT64,
    "INT8": TensorProto.INT8,
    "INT16": TensorProto.INT16,
    "INT32": TensorProto.INT32,
    "INT64": TensorProto.INT64,
    "FP16": TensorProto.FLOAT16,
    "FP32": TensorProto.FLOAT,
    "FP64": TensorProto.DOUBLE,
}
HEAVY_SIZE = 1024
HEAVY_STEPS = 16


def tensor(name, kind, shape):
    return helper.make_tensor_value_info(name, kind, shape)


def write(name, nodes, inputs, outputs, constants=()):
    graph = helper.make_graph(nodes, name, inputs, outputs, list(constants))
    model = helper.make_model(graph, opset_imports=OPSETS, ir_version=8)
    checker.check_model(model)
    save(model, FOLDER / f"{name}.onnx")


def kinds():
    nodes, inputs, outputs = [], [], []
    for name, kind in KINDS.items():
        taken, given = f"in_{name}", f"out_{name}"
        operator, operands = ("Not", [taken]) if name == "BOOL" else ("Add", [taken, taken])
        nodes.append(helper.make_node(operator, operands, [given]))
        inputs.append(tensor(taken, kind, ["batch"]))
        outputs.append(tensor(given, kind, ["batch"]))
    write("kinds", nodes, inputs, outputs)


def pair():
    inputs = [tensor(name, TensorProto.FLOAT, ["batch", 2]) for name in ("left", "right")]
    node = helper.make_node("Add", ["left", "right"], ["sum"])
    write("pair", [node], inputs, [tensor("sum", TensorProto.FLOAT, ["batch", 2])])


def heavy():
    shape = numpy_helper.from_array(np.array([HEAVY_SIZE, HEAVY_SIZE], dtype=np.int64), "square")
    nodes = [helper.make_node("Expand", ["x", "square"], ["power_0"])]
    for step in range(HEAVY_STEPS):
        nodes.append(helper.make_node("MatMul", [f"power_{step}", f"power_{step}"], [f"power_{step + 1}"]))
    nodes.append(helper.make_node("ReduceMax", [f"power_{HEAVY_STEPS}"], ["y"], keepdims=1))
    x, y = (tensor(name, TensorProto.FLOAT, [1, 1]) for name in "xy")
    write("heavy", nodes, [x], [y], [shape])


def scaler():
    node = helper.make_node("Scaler", ["x"], ["y"], domain="ai.onnx.ml", offset=[0.0], scale=[1.0])
    x, y = (tensor(name, TensorProto.FLOAT, [None, 1]) for name in "xy")
    write("scaler", [node], [x], [y])


def reciprocal():
    x, y = (tensor(name, TensorProto.FLOAT, [None]) for name in "xy")
    write("reciprocal", [helper.make_node("Reciprocal", ["x"], ["y"])], [x], [y])


if __name__ == "__main__":
    kinds()
    pair()
    heavy()
    scaler()
    reciprocal()
