"""A small artefact for tests, made in milliseconds: its network names pictures by the mean of their pixels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import save_file

from animeid.artefacts.checksums import seal
from animeid.artefacts.layout import CONFIG, FORMAT, LABELS, ONNX, OURS, WEIGHTS
from animeid.artefacts.tensors import network_digest
from animeid.system.files import write_json

CLASSES = ("red", "green", "青")
WEIGHT = np.array([[9, -3, -2], [-4, 8, -1], [-1, -5, 7]], np.float32)
BIAS = np.array([0.5, -0.25, 0.125], np.float32)
SIZE = (20, 24)
MEAN, STD = (0.5, 0.4, 0.3), (0.25, 0.2, 0.3)


def tiny_artefact(folder: Path, *, layout: str = "NHWC uint8", engines: Sequence[str] = (), **own: Any) -> Path:
    """Writes one of `CLASSES`.

    Args:
        folder: is made.
        layout: of the network's input.
        engines: more files that hold the same network, before the usual one, as `NAME:FILE:PRECISION`.
        own: in the place of what stands under our key of `config.json`.
    """
    folder.mkdir(parents=True)
    onnx.save(network(layout), folder / ONNX)
    save_file({"weight": WEIGHT}, folder / WEIGHTS)
    kind = layout.split()[1]
    others = [dict(zip(("name", "file", "precision"), text.split(":"), strict=True), input=kind) for text in engines]
    for engine in others:
        onnx.save(network(layout), folder / engine["file"])
    usual = {"name": "onnxruntime", "file": ONNX, "input": kind, "precision": "float32", "reason": "exact"}
    facts: dict[str, Any] = {
        "format": FORMAT,
        "kind": "classifier",
        "run_id": "tiny",
        "created_by": "animeid",
        "classes": list(CLASSES),
        "class_counts": [4, 3, 2],
        "class_prior_offset": None,
        "offset_in_network": True,
        "temperature": 2.0,
        "input": {
            "size": list(SIZE),
            "crop": 0.8,
            "resize": "pillow-bilinear",
            "mean": list(MEAN),
            "std": list(STD),
            "layout": layout,
            "max_pixels": 1_000_000,
        },
        "networks": [{"folder": ".", "architecture": "mean", "tensors": network_digest(folder / WEIGHTS)}],
        "engines": [*others, usual],
    }
    write_json(folder / CONFIG, {"architecture": "mean", "label_names": list(CLASSES), OURS: {**facts, **own}})
    write_json(folder / LABELS, [{"name": name, "pictures": 3} for name in CLASSES])
    seal(folder)
    return folder


def network(layout: str) -> onnx.ModelProto:
    """The mean of each channel, standardised, is the embedding; logits are `WEIGHT` times it, and `BIAS`."""
    raw = layout == "NHWC uint8"
    constants = {"weight": WEIGHT, "bias": BIAS, "two": np.array(2, np.float32)}
    constants["mean"] = np.array(MEAN, np.float32) * 255
    constants["std"] = np.array(STD, np.float32) * 255
    constants["sides"] = np.array([1, 2] if raw else [2, 3], np.int64)
    steps = [
        helper.make_node("ReduceMean", ["floats" if raw else "pictures", "sides"], ["channels"], keepdims=0),
        helper.make_node("Gemm", ["embedding", "weight", "bias"], ["logits"]),
        helper.make_node("Div", ["logits", "two"], ["tempered"]),
        helper.make_node("Softmax", ["tempered"], ["probabilities"], axis=1),
    ]
    standard = [
        helper.make_node("Sub", ["channels", "mean"], ["centred"]),
        helper.make_node("Div", ["centred", "std"], ["embedding"]),
    ]
    if raw:
        steps.insert(0, helper.make_node("Cast", ["pictures"], ["floats"], to=TensorProto.FLOAT))
        steps[2:2] = standard
    else:
        steps.insert(1, helper.make_node("Identity", ["channels"], ["embedding"]))
    shape = ["batch", *SIZE, 3] if raw else ["batch", 3, *SIZE]
    graph = helper.make_graph(
        steps,
        "mean",
        [helper.make_tensor_value_info("pictures", TensorProto.UINT8 if raw else TensorProto.FLOAT, shape)],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 3])
            for name in ("embedding", "logits", "probabilities")
        ],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return helper.make_model(graph, ir_version=10, opset_imports=[helper.make_opsetid("", 20)])


def reference(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What the network must answer to `[B, H, W, 3]` uint8: embeddings and logits, in float64."""
    means = pixels.astype(np.float64).mean(axis=(1, 2)) / 255
    embeddings = (means - np.array(MEAN)) / np.array(STD)
    return embeddings, embeddings @ WEIGHT.astype(np.float64) + BIAS
