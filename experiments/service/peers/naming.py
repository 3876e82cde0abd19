"""What the peers answer: the same decoder, the same file of the network, and names as a service would send them."""

from __future__ import annotations

from typing import BinaryIO

import numpy as np
import onnxruntime

from animeid.artefacts.artefact import Artefact
from animeid.artefacts.layout import ONNX
from animeid.imaging.evaluation import EvalTransform
from animeid.imaging.geometry import working_side
from animeid.imaging.working import working_from_stream
from animeid.predictions import top_names

TOP_K = 5


class Naming:
    """Names pictures, one at a time.

    Args:
        artefact: whose network it is, with the layout `NHWC uint8`.
        threads: of the session; 0 leaves it to ONNX Runtime, which takes all cores.
    """

    def __init__(self, artefact: Artefact, threads: int = 0) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self._session = onnxruntime.InferenceSession(
            artefact.folder / ONNX, options, providers=["CPUExecutionProvider"]
        )
        self._artefact, given = artefact, artefact.input
        self._transform, self._max_pixels = EvalTransform(given.size, given.crop), given.max_pixels

    def read(self, stream: BinaryIO) -> np.ndarray:
        """The picture of a file as the network sees it: `[H, W, 3]` uint8."""
        side = working_side(self._transform.image_size)
        return self._transform(working_from_stream(stream, self._max_pixels, side))

    def __call__(self, picture: np.ndarray) -> list[dict[str, float | str]]:
        (logits,) = self._session.run(["logits"], {"pictures": picture[None]})
        return top_names(np.asarray(logits), self._artefact.classes, TOP_K)[0]
