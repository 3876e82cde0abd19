"""The head of an earlier run for other classes: what belongs to a class goes with its name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from animeid.errors import InputError
from animeid.models.checkpoint import read_checkpoint
from animeid.models.weights import CLASSIFIER_PREFIXES, strip_prefix
from animeid.system.console import counted

BACKBONE = "backbone."
HEAD = "head."

WAY_OUT = "give this run the head of that one, or take from_run_parts=backbone to start with a new head"


@dataclass(frozen=True)
class Moved:
    """What became of one tensor: its name, `kept`, `by class`, `new` or `dropped`, and how much of it."""

    name: str
    outcome: str
    detail: str


def move_head(model: nn.Module, path: Path, earlier: Sequence[str], labels: Sequence[str]) -> list[Moved]:
    """Copies into `model` all that an earlier run's checkpoint holds above the backbone.

    A tensor whose first dimension is the number of classes is copied row by row, for the classes that both have by
    name; the rows of new classes stay as they were initialised. Every other tensor is copied as a whole.

    Args:
        model: a `Classifier`; other parts of it than `head`, such as auxiliary classifiers, may be missing in the
            checkpoint and stay new.
        path: the earlier run's checkpoint.
        earlier: its class names in target order.
        labels: the model's class names in target order.

    Raises:
        InputError: the heads are of another kind or size.
    """
    own = _above_backbone(model.state_dict())
    stored = _above_backbone(strip_prefix(read_checkpoint(path).tensors, model.state_dict(), CLASSIFIER_PREFIXES))
    differing = sorted(name for name in own.keys() ^ stored.keys() if name.startswith(HEAD))
    if differing:
        raise InputError(f"{path} holds another head than this run's (such as {differing[0]}): {WAY_OUT}")
    moved = []
    for name, tensor in own.items():
        if name not in stored:
            moved.append(Moved(name, "new", "the earlier run has no such tensor"))
            continue
        value, report = _moved(name, tensor, stored[name], earlier, labels)
        tensor.copy_(value)  # the model's own storage, so that nothing else of it is touched
        moved.append(report)
    return [*moved, *(Moved(name, "dropped", "this run has no such tensor") for name in stored.keys() - own.keys())]


def _above_backbone(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor for name, tensor in state.items() if not name.startswith(BACKBONE)}


def _moved(
    name: str, own: Tensor, stored: Tensor, earlier: Sequence[str], labels: Sequence[str]
) -> tuple[Tensor, Moved]:
    """The tensor's new value, and what was done."""
    shapes = (tuple(own.shape[:1]), tuple(stored.shape[:1]))
    if shapes == ((len(labels),), (len(earlier),)) and own.shape[1:] == stored.shape[1:]:
        place = {label: row for row, label in enumerate(earlier)}
        kept = [(row, place[label]) for row, label in enumerate(labels) if label in place]
        value = own.clone()
        if kept:
            here, there = (torch.tensor(rows) for rows in zip(*kept, strict=True))
            value[here] = stored[there].to(own.dtype)
        return value, Moved(name, "by class", f"{len(kept)} of {counted(len(labels), 'row')}")
    if own.shape == stored.shape:
        return stored, Moved(name, "kept", counted(own.numel(), "value"))
    raise InputError(
        f"{name} of the earlier run is {list(stored.shape)}, and this run's is {list(own.shape)}: {WAY_OUT}"
    )
