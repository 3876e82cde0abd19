"""Putting a file's weights into a model, or saying why they do not fit."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor, nn

from animeid.errors import InputError
from animeid.models.catalogue import is_known, same_architecture
from animeid.models.checkpoint import Checkpoint, read_checkpoint
from animeid.models.deep_supervision import AUXILIARY
from animeid.models.layouts import COUNTER, by_order, from_efficientnet_port, uncounted
from animeid.system.console import some_of

BACKBONE_PREFIXES = ("", "model.backbone.net.", "backbone.net.", "net.", "model.", "backbone.")
"""Where a network's tensors stand in a file: alone, or inside a run of ours or of other Lightning projects."""

CLASSIFIER_PREFIXES = ("", "model.")
"""Where a whole classifier's tensors stand in a file: alone, or inside the module that trained it."""

NAMED = 3
"""How many classes or tensors an explanation names."""


@dataclass(frozen=True)
class Fit:
    """How a file's tensors compare with those that a model has."""

    matching: list[str]
    missing: list[str]
    unexpected: list[str]
    reshaped: list[str]
    expected: int

    @property
    def complete(self) -> bool:
        return not (self.missing or self.unexpected or self.reshaped)

    def explained(self) -> str:
        reasons = [f"{len(self.matching)} of the model's {self.expected} tensors fit"]
        for what, names in (
            ("missing in the file", self.missing),
            ("of another shape", self.reshaped),
            ("not in the model", self.unexpected),
        ):
            if names:
                reasons.append(f"{len(names)} {what}, such as {names[0]}")
        return ", ".join(reasons)


def load_backbone(net: nn.Module, name: str, path: Path) -> str:
    """Loads a timm network's weights from a local file and says so in one sentence; a classifier in it is left out.

    The file holds a timm model, with or without its classifier, or a checkpoint of one of our runs; or a model under
    the names of torchvision or of EfficientNet's PyTorch port, which are told by name or by order and shape.

    Raises:
        InputError: the file cannot be used, or holds the weights of another architecture.
    """
    checkpoint = read_checkpoint(path)
    _refuse_another(checkpoint, name)
    stored = checkpoint.tensors
    tensors = strip_prefix(stored, net.state_dict(), BACKBONE_PREFIXES)
    own, how = _without_classifier(tensors, net), ""
    fitting = own if _compare(own, net.state_dict()).complete else _converted(own, net)
    if not _compare(fitting, net.state_dict()).complete:
        fitting = own = _without_classifier(from_efficientnet_port(tensors, net.state_dict()), net)
    if not _compare(fitting, net.state_dict()).complete:
        _refuse_pruned(checkpoint, name)
        fitting = own = _in_order(tensors, net, name, path)
        how = ", which has other names for the same shapes in the same order"
    net.load_state_dict(fitting)
    left_out = "; the classifier in it is left out" if len(uncounted(own)) < len(uncounted(stored)) else ""
    return f"{name} starts from the weights in {path}{how}{left_out}."


def _refuse_another(checkpoint: Checkpoint, name: str) -> None:
    """Raises:
    InputError: the file tells what it holds, and that is another architecture of timm's, even if its tensors fit.
    """
    told = checkpoint.network
    if told is None or not is_known(told) or same_architecture(told, name):
        return
    raise InputError(
        f"{checkpoint.path} holds the weights of {told}, which are none for model.name={name}: choose "
        f"model.name={told}, or leave out model.weights"
    )


def _refuse_pruned(checkpoint: Checkpoint, name: str) -> None:
    """Raises:
    InputError: the file holds what pruning has left of the network.
    """
    if checkpoint.is_pruned:
        raise InputError(
            f"{checkpoint.path} holds what pruning has left of {name}, and model.name={name} is the whole network: "
            "start from its run with from_run=RUN, or leave out model.weights"
        )


def _in_order(tensors: dict[str, Tensor], net: nn.Module, name: str, path: Path) -> dict[str, Tensor]:
    ordered = by_order(tensors, net.state_dict())
    if isinstance(ordered, str):
        fit = _compare(_without_classifier(tensors, net), net.state_dict())
        raise InputError(
            f"{path} does not hold the weights of {name}: {fit.explained()}, and in their order {ordered}; "
            "choose the model that the file was saved from, or leave out model.weights"
        )
    return ordered


def load_classifier(model: nn.Module, path: Path, labels: Sequence[str]) -> None:
    """Loads a whole classifier, head included, from a checkpoint of one of our runs.

    Auxiliary classifiers, those of the model as those of the file, are no part of it and are left as they are.

    Args:
        model: a `Classifier` with the checkpoint's backbone and head.
        path: the checkpoint.
        labels: the model's class names in target order.

    Raises:
        InputError: the checkpoint cannot be used, is of other classes, or of another architecture or head.
    """
    checkpoint = read_checkpoint(path)
    _check_labels(checkpoint, tuple(labels))
    expected = _without_auxiliary(model.state_dict())
    tensors = _without_auxiliary(strip_prefix(checkpoint.tensors, expected, CLASSIFIER_PREFIXES))
    fit = _compare(tensors, expected)
    if not fit.complete:
        raise InputError(
            f"{path} does not hold the weights of this model: {fit.explained()}; "
            "choose the model and head that the checkpoint was trained with"
        )
    model.load_state_dict(tensors, strict=False)


def _without_auxiliary(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor for name, tensor in tensors.items() if not name.startswith(AUXILIARY)}


def strip_prefix(
    tensors: Mapping[str, Tensor], expected: Mapping[str, Tensor], prefixes: Sequence[str]
) -> dict[str, Tensor]:
    """The tensors under the prefix that gives most of the expected names."""
    candidates = [
        {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
        for prefix in prefixes
    ]
    return max(candidates, key=lambda candidate: len(candidate.keys() & expected.keys()))


def _without_classifier(tensors: dict[str, Tensor], net: nn.Module) -> dict[str, Tensor]:
    names = getattr(net, "pretrained_cfg", {}).get("classifier") or ()
    prefixes = tuple(f"{name}." for name in ((names,) if isinstance(names, str) else names))
    own = net.state_dict()
    return {name: tensor for name, tensor in tensors.items() if name in own or not name.startswith(prefixes)}


def _converted(tensors: dict[str, Tensor], net: nn.Module) -> dict[str, Tensor]:
    """As timm's own conversion for this family of networks: other authors' names, other sizes of pictures."""
    convert = getattr(sys.modules[type(net).__module__], "checkpoint_filter_fn", None)
    if convert is None:
        return tensors
    try:
        converted = convert(dict(tensors), net)
    except (KeyError, IndexError, RuntimeError, ValueError, TypeError, AttributeError, AssertionError):
        return tensors  # written for this family's files; what these tensors are is explained by the caller
    return _without_classifier(converted, net)


def _compare(tensors: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> Fit:
    both = [name for name in expected if name in tensors]
    reshaped = [name for name in both if tensors[name].shape != expected[name].shape]
    # files from before torch 0.4.1 do not count batches, and nothing depends on the count
    missing = [name for name in expected if name not in tensors and not name.endswith(COUNTER)]
    return Fit(
        matching=[name for name in both if name not in set(reshaped)],
        missing=missing,
        unexpected=[name for name in tensors if name not in expected],
        reshaped=[f"{n} {list(tensors[n].shape)} for {list(expected[n].shape)}" for n in reshaped],
        expected=len(expected),
    )


def _check_labels(checkpoint: Checkpoint, labels: tuple[str, ...]) -> None:
    if checkpoint.labels is None:
        raise InputError(
            f"{checkpoint.path} does not tell its classes, so it may be of others: "
            "give a checkpoint in its run's folder, or its backbone alone as model.weights"
        )
    if checkpoint.labels == labels:
        return
    absent = [label for label in checkpoint.labels if label not in labels]
    new = [label for label in labels if label not in checkpoint.labels]
    differences = _listed(absent, "not wanted here") + _listed(new, "not known to it")
    raise InputError(
        f"{checkpoint.path} is of other classes: {', '.join(differences) or 'the same ones in another order'}; "
        "train on the same classes, or take over its backbone alone with model.weights"
    )


def _listed(names: Sequence[str], what: str) -> list[str]:
    if not names:
        return []
    return [f"{len(names)} {what} ({some_of(names, NAMED)})"]
