"""Train the quickstart's two digit classifiers and export them as ONNX.

The data is the set of handwritten digits that scikit-learn ships: 1,797
images of 8 x 8 pixels with values 0 to 16. A quarter of it is held out.
Two versions are trained, so that a rollout from one to the other can be
shown:

    digits.onnx    one hidden layer of 32 units
    digits-2.onnx  two hidden layers of 64 and 32 units

Beside them it writes sample.json, one complete Open Inference Protocol
request for a held-out digit, and holdout.json, two held-out digits of each
class with their labels.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import onnxruntime
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

SEED = 20
HIDDEN_LAYERS = {"digits.onnx": (32,), "digits-2.onnx": (64, 32)}
OPSET = {"": 18, "ai.onnx.ml": 1}
HELD_OUT_PER_CLASS = 2


def fit(hidden_layers: tuple[int, ...], pixels: np.ndarray, labels: np.ndarray) -> MLPClassifier:
    """Fit a perceptron on raw pixels: all have the same range, so none is scaled."""
    classifier = MLPClassifier(hidden_layers, alpha=0.1, max_iter=600, random_state=SEED)
    return classifier.fit(pixels, labels)


def export(classifier: MLPClassifier, path: Path) -> None:
    """Write `pixels` FP32 [N, 64] -> `label` INT64 [N], `probabilities` FP32 [N, 10]."""
    model = to_onnx(
        classifier,
        initial_types=[("pixels", FloatTensorType([None, 64]))],
        options={"zipmap": False},
        target_opset=OPSET,
        name=path.stem,
    )
    path.write_bytes(model.SerializeToString(deterministic=True))


def accuracy(path: Path, pixels: np.ndarray, labels: np.ndarray) -> float:
    """Share of rows that the exported file (not the fitted object) gets right."""
    session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    (predicted,) = session.run(["label"], {"pixels": pixels})
    return float(np.mean(predicted == labels))


def request(pixels: np.ndarray, label: int) -> dict:
    """One Open Inference Protocol request; its id says which digit it shows."""
    tensor = {
        "name": "pixels",
        "shape": [1, pixels.size],
        "datatype": "FP32",
        "data": [int(value) for value in pixels],
    }
    return {"id": f"a-handwritten-{label}", "inputs": [tensor]}


def holdout(pixels: np.ndarray, labels: np.ndarray) -> list[dict]:
    """The first few held-out digits of each class, right or wrong, in class order."""
    rows = [row for digit in range(10) for row in np.flatnonzero(labels == digit)[:HELD_OUT_PER_CLASS]]
    return [{"label": int(labels[row]), "pixels": [int(value) for value in pixels[row]]} for row in rows]


def write_json(path: Path, items: list[dict] | dict) -> None:
    """One item a line for a list, so that a change shows as a change of lines."""
    if isinstance(items, list):
        text = "[\n" + ",\n".join(json.dumps(item) for item in items) + "\n]\n"
    else:
        text = json.dumps(items) + "\n"
    path.write_text(text, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent.parent / "model")
    out = parser.parse_args().out
    pixels, labels = load_digits(return_X_y=True)
    pixels = pixels.astype(np.float32)
    fit_pixels, held_pixels, fit_labels, held_labels = train_test_split(
        pixels, labels, test_size=0.25, random_state=SEED, stratify=labels
    )
    for name, hidden_layers in HIDDEN_LAYERS.items():
        export(fit(hidden_layers, fit_pixels, fit_labels), out / name)
        share = accuracy(out / name, held_pixels, held_labels)
        print(f"{name}: {share:.4f} of {len(held_labels)} held-out digits, {(out / name).stat().st_size} bytes")
    write_json(out / "sample.json", request(held_pixels[0], int(held_labels[0])))
    write_json(out / "holdout.json", holdout(held_pixels, held_labels))


if __name__ == "__main__":
    main()
