"""Names of the files in an artefact, and what its `config.json` says of pictures and engines."""

from __future__ import annotations

from dataclasses import dataclass

FORMAT = 1
"""The format that this version writes, and the newest that it reads."""
OURS = "animeid"
"""The key of `config.json` with what is ours; timm ignores it."""
CONFIG, LABELS, METRICS, CARD, PARITY = "config.json", "labels.json", "metrics.json", "README.md", "parity.json"
WEIGHTS, ONNX, INT8 = "model.safetensors", "model.onnx", "model.int8.onnx"
REFERENCES, MEANS, TRAINED_ON = "references.npz", "means.npz", "trained_on.npz"
LAYOUTS = ("NHWC uint8", "NCHW float32")
MEMBERS = "members"
"""The folder of the networks of several runs that answer together."""
PICTURES = "references"
"""The folder of the references' pictures."""
OWN_FILES = (METRICS, PARITY, WEIGHTS, ONNX, INT8, REFERENCES, MEANS, TRAINED_ON, f"{MEMBERS}/*", f"{PICTURES}/*")
"""Patterns of the files that some artefacts have and some have not."""


@dataclass(frozen=True, kw_only=True)
class Input:
    """What a network is given.

    size: (H, W) in pixels.
    crop: the share of the resized side that the centre crop keeps.
    resize: how pictures are resized, `pillow-bilinear`.
    mean, std: a channel each, on a scale of 0 to 1.
    layout: `NHWC uint8`, normalised in the network, or `NCHW float32`, normalised by the reader.
    max_pixels: pictures with more are refused before they are decoded.
    incomplete: whether pictures that lack pixels are read as far as they go.
    """

    size: tuple[int, int]
    crop: float
    resize: str
    mean: tuple[float, ...]
    std: tuple[float, ...]
    layout: str
    max_pixels: int
    incomplete: bool


@dataclass(frozen=True, kw_only=True)
class Engine:
    """A way of answering that the artefact holds.

    name: the library, `onnxruntime` or `openvino`.
    file: in the folder.
    input: `uint8` or `float32`.
    precision: `float32`, `bfloat16` or `int8`.
    needs_vnni: whether it answers as it was judged only where the processor sums products of 8 bits without overflow.
    reason: why it stands where it stands in the order of preference.
    """

    name: str
    file: str
    input: str
    precision: str
    needs_vnni: bool = False
    reason: str = ""
