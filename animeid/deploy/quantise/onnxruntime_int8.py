"""8 bits by ONNX Runtime: static, weights by channel, activations by what calibration pictures show."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
import onnx

from animeid.deploy.onnx_file import INPUT
from animeid.deploy.quantise.graph import first_and_last, outside
from animeid.deploy.quiet import quietly
from animeid.deploy.runtime import TOGETHER
from animeid.system.machine import multiplies_8_bits


def quantise(
    source: Path,
    target: Path,
    pixels: np.ndarray,
    *,
    method: Literal["MinMax", "Percentile"] = "MinMax",
    keep_ends: bool = False,
) -> None:
    """Writes `source` in 8 bits.

    Args:
        pixels: `[N, H, W, 3]` uint8 of calibration pictures.
        method: how the range of an activation is found.
        keep_ends: leave the first and the last weights as they are.
    """
    with quietly():
        from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static

        model = onnx.load(source)
        quantize_static(
            source,
            target,
            Calibration(pixels),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            # Sums of two products of 8 bits overflow in the 16 bits of older processors (onnxruntime #6545).
            reduce_range=not multiplies_8_bits(),
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=[*outside(model), *(first_and_last(model) if keep_ends else [])],
            calibrate_method=CalibrationMethod[method],
        )


class Calibration:
    """What onnxruntime asks for pictures, some at a time, until there are none; its own class would import it."""

    def __init__(self, pixels: np.ndarray) -> None:
        self.batches = _batches(pixels)

    def get_next(self) -> dict[str, np.ndarray] | None:
        return next(self.batches, None)


def _batches(pixels: np.ndarray) -> Iterator[dict[str, np.ndarray]]:
    for start in range(0, len(pixels), TOGETHER):
        yield {INPUT: pixels[start : start + TOGETHER]}
