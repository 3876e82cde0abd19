"""Names and shapes of the tensors in a safetensors file, read without torch."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

LENGTH_BYTES = 8
LONGEST = 100_000_000
"""Bytes of a header; the format's own limit."""


def network_digest(path: Path) -> str:
    """The SHA-256 of names, types and shapes: equal for weights of one architecture and number of classes.

    Raises:
        ValueError: the file is not in the format.
    """
    tensors = shapes_in(path)
    lines = [f"{name}\t{kind}\t{list(shape)}" for name, (kind, shape) in sorted(tensors.items())]
    return sha256("\n".join(lines).encode()).hexdigest()


def shapes_in(path: Path) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Type and shape of each tensor.

    Raises:
        ValueError: the file is not in the format.
    """
    with path.open("rb") as stream:
        length = int.from_bytes(stream.read(LENGTH_BYTES), "little")
        if length > LONGEST:
            raise ValueError(f"{path} is not in the format of safetensors")
        header = json.loads(stream.read(length))
    if not isinstance(header, dict):
        raise ValueError(f"{path} is not in the format of safetensors")
    return {
        name: (tensor["dtype"], tuple(tensor["shape"])) for name, tensor in header.items() if name != "__metadata__"
    }
