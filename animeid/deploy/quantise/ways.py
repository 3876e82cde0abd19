"""The ways of making a network in 8 bits, cheapest first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from animeid.deploy.quantise import nncf_int8, onnxruntime_int8
from animeid.system.console import how_to_install

HISTOGRAMS_OF = 16
"""Pictures of which every activation is kept until all are seen, some 60 MB each of a MobileNet at 224 px."""


@dataclass(frozen=True)
class Way:
    """How a network in 8 bits is made.

    name: as a person reads it. make: from `model.onnx` and to a file. needs: the library. share: how long it takes
    beside the others.
    """

    name: str
    make: Callable[[Path, Path], None]
    needs: str
    share: float

    @property
    def absent(self) -> str:
        """Why it cannot be tried, or ""."""
        if find_spec(self.needs):
            return ""
        return f"{self.needs} is not installed: {how_to_install('compress')}"


def ways_of(pixels: np.ndarray, targets: np.ndarray, most_lost: float) -> Sequence[Sequence[Way]]:
    """Ways, by steps: where one of a step is fast enough and not accurate enough, those of the next are tried.

    Args:
        pixels: `[N, H, W, 3]` uint8 to calibrate by. targets: `[N]`, their classes, by which layers are ranked: those
            that engines are judged by afterwards would flatter.
        most_lost: of f1_macro, as a share of 1.
    """
    own, theirs = "onnxruntime", "nncf"
    by_channel = partial(onnxruntime_int8.quantise, pixels=pixels)
    percentile = partial(onnxruntime_int8.quantise, pixels=pixels[:HISTOGRAMS_OF], method="Percentile")
    controlled = partial(nncf_int8.quantise_with_accuracy_control, pixels=pixels, targets=targets, most_lost=most_lost)
    ends_kept = partial(by_channel, keep_ends=True)
    return (
        (
            Way("INT8 by NNCF", partial(nncf_int8.quantise, pixels=pixels), theirs, 2.0),
            Way("INT8 by channel, MinMax", by_channel, own, 1.0),
            Way("INT8 by channel, first and last layer in float32", ends_kept, own, 1.0),
        ),
        (Way("INT8 by channel, Percentile", percentile, own, 3.0),),
        (Way("INT8 by NNCF with accuracy control", controlled, theirs, 20.0),),
    )
