"""8 bits by NNCF: with its correction of biases, or layer by layer back to float32 until accuracy holds."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import onnx

from animeid.artefacts.pace import cores
from animeid.deploy.onnx_file import INPUT
from animeid.deploy.quantise.graph import outside
from animeid.deploy.quiet import quietly
from animeid.deploy.runtime import TOGETHER
from animeid.metrics.adjustment import f1_macro

MOST_LAYERS = 20
"""That are given back to float32, one after the other; with more little of the speed is left."""
RANKED_BY = 100
"""Pictures by which layers are ranked, each of which is left out once."""


def quantise(source: Path, target: Path, pixels: np.ndarray) -> None:
    """Writes `source` in 8 bits.

    Args:
        pixels: `[N, H, W, 3]` uint8 of calibration pictures.
    """
    with quietly():
        nncf = _library()
        model = onnx.load(source)
        onnx.save(nncf.quantize(model, _dataset(nncf, pixels), **_settings(nncf, model, pixels)), target)


def quantise_with_accuracy_control(
    source: Path, target: Path, pixels: np.ndarray, targets: np.ndarray, most_lost: float
) -> None:
    """Writes `source` in 8 bits, but for the layers that cost more than `most_lost` of f1_macro.

    Args:
        pixels: `[N, H, W, 3]` uint8 of calibration pictures, by which accuracy is told as well.
        targets: `[N]`, their classes.
    """
    with quietly():
        nncf = _library()
        model = onnx.load(source)
        places = nncf.Dataset(range(len(pixels)), lambda place: {INPUT: pixels[place : place + 1]})

        def accuracy(found: onnx.ModelProto, chosen: Iterable[int]) -> tuple[float, None]:
            rows = list(chosen)
            return f1_macro(_logits(found, pixels[rows]), targets[rows]), None

        quantised = nncf.quantize_with_accuracy_control(
            model,
            _dataset(nncf, pixels),
            places,
            accuracy,
            max_drop=most_lost,
            advanced_accuracy_restorer_parameters=nncf.AdvancedAccuracyRestorerParameters(
                max_num_iterations=MOST_LAYERS, ranking_subset_size=RANKED_BY
            ),
            **_settings(nncf, model, pixels),
        )
        onnx.save(quantised, target)


def _library() -> ModuleType:
    # It tells its makers of each use, without asking, unless this variable is set when it is first imported.
    os.environ.setdefault("NNCF_CI", "1")
    import nncf

    nncf.set_log_level(logging.ERROR)
    return nncf


def _dataset(nncf: Any, pixels: np.ndarray) -> Any:
    return nncf.Dataset([{INPUT: pixels[place : place + 1]} for place in range(len(pixels))])


def _settings(nncf: Any, model: onnx.ModelProto, pixels: np.ndarray) -> dict[str, Any]:
    return {"subset_size": len(pixels), "ignored_scope": nncf.IgnoredScope(names=outside(model), validate=False)}


def _logits(model: onnx.ModelProto, pixels: np.ndarray) -> np.ndarray:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = cores()
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    parts = np.array_split(pixels, -(-len(pixels) // TOGETHER))
    return np.concatenate([session.run(["logits"], {INPUT: part})[0] for part in parts])
