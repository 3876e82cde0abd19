"""Weights under other authors' names, fitted to a network by the names of EfficientNet's port or by order and shape."""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor

COUNTER = "num_batches_tracked"

_STEM = {
    "_conv_stem": "conv_stem",
    "_bn0": "bn1",
    "_conv_head": "conv_head",
    "_bn1": "bn2",
    "_fc": "classifier",
}
_SQUEEZE = {"_se_reduce": "se.conv_reduce", "_se_expand": "se.conv_expand"}
_EXPANDED = {
    "_expand_conv": "conv_pw",
    "_bn0": "bn1",
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn2",
    "_project_conv": "conv_pwl",
    "_bn2": "bn3",
} | _SQUEEZE
_PLAIN = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"} | _SQUEEZE
_BLOCK = re.compile(r"_blocks\.(\d+)\.(_\w+)\.(.+)")


def from_efficientnet_port(tensors: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors of the PyTorch port of EfficientNet that most others copy (`_blocks.3._expand_conv.weight`), by timm's
    names; those of other files as they are.

    A block without expansion has names of its own at timm.

    Args:
        tensors: of the file. expected: of the network, which say how its blocks are counted.
    """
    if "_conv_stem.weight" not in tensors:
        return dict(tensors)
    blocks = list(dict.fromkeys(found[0] for name in expected if (found := re.match(r"blocks\.\d+\.\d+", name))))
    expanding = {name.split(".")[1] for name in tensors if "._expand_conv." in name}
    renamed = {}
    for name, tensor in tensors.items():
        if (found := _BLOCK.fullmatch(name)) is None:
            layer, _, rest = name.partition(".")
            renamed[f"{_STEM.get(layer, layer)}.{rest}"] = tensor
            continue
        number, layer, rest = found.groups()
        names = _EXPANDED if number in expanding else _PLAIN
        block = blocks[int(number)] if int(number) < len(blocks) else f"blocks.{number}"
        renamed[f"{block}.{names.get(layer, layer)}.{rest}"] = tensor
    return renamed


def by_order(tensors: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> dict[str, Tensor] | str:
    """Tensors that stand in the network's order under other names, as torchvision's do.

    Each must be of the same kind (`weight`, `running_var`, ...) and shape as the network's at its place; a linear layer
    may stand for a convolution of one pixel. After the network's a classifier may follow, which is left out.

    Returns:
        The tensors by the network's names, or what differs first.
    """
    theirs, ours = [*uncounted(tensors).items()], [*uncounted(expected).items()]
    placed = {}
    for (name, wanted), (other, tensor) in zip(ours, theirs, strict=False):
        if _kind(name) != _kind(other) or _squeezed(wanted) != _squeezed(tensor):
            return f"{other} {list(tensor.shape)} stands where the model has {name} {list(wanted.shape)}"
        placed[name] = tensor.reshape(wanted.shape)
    if len(theirs) < len(ours):
        return f"the file ends before the model's {ours[len(theirs)][0]}"
    rest = theirs[len(ours) :]
    if rest and [_kind(name) for name, _ in rest] not in (["weight"], ["weight", "bias"]):
        return f"{rest[0][0]} {list(rest[0][1].shape)} comes after the model's last tensor"
    return placed


def uncounted(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Without the counts of batches, which old files lack and nothing depends on."""
    return {name: tensor for name, tensor in tensors.items() if not name.endswith(COUNTER)}


def _kind(name: str) -> str:
    return name.rpartition(".")[2]


def _squeezed(tensor: Tensor) -> list[int]:
    """The shape without a kernel of one pixel."""
    shape = list(tensor.shape)
    return shape[:2] if len(shape) == 4 and shape[2:] == [1, 1] else shape
