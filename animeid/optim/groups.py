"""Parameter groups: decay, rates by depth, a rate of the head."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatch
from typing import Any

from torch import nn

from animeid.errors import InputError

# Those whose weight may have several dimensions; batch norm's and group norm's always has one.
NORMS = (nn.LayerNorm, nn.RMSNorm)


def parameter_groups(
    model: nn.Module, *, weight_decay: float, layer_decay: float | None = None, head_lr_scale: float | None = None
) -> list[dict[str, Any]]:
    """The trainable parameters of `model`, each once, in groups with weight decay and without.

    Without are: norm layers, biases, everything of one dimension or none, and the names that a module's own
    `no_weight_decay()` gives (timm: position embeddings and the like). An empty group is left out.

    With `layer_decay`, each layer below the head has groups of its own, whose `lr_scale` is `layer_decay` to the power
    of its distance from the head (ELECTRA, Clark 2020, arXiv 2003.10555; BEiT, Bao 2022, arXiv 2106.08254). A module
    tells the distances of its parameters with `layers_below_head()`; what nobody tells is 0, as for heads. With
    `head_lr_scale`, all that lies in no such module has groups of its own, whose `lr_scale` is that. The groups nearest
    to the end come first.

    Args:
        weight_decay: of the groups that have it.
        layer_decay: above 0 and at most 1; None gives every layer the same rate.
        head_lr_scale: the head's rate over the backbone's; None gives both the same.

    Raises:
        InputError: every parameter is frozen, or a module cannot tell its layers.
    """
    exempt = _exempt_names(model)
    distances = {} if layer_decay is None else _distances(model)
    below = frozenset() if head_lr_scale is None else _below_head(model)
    groups: dict[tuple[int, bool, bool], dict[str, Any]] = {}
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        is_plain = parameter.ndim <= 1 or name.endswith(".bias") or any(fnmatch(name, one) for one in exempt)
        key = (distances.get(name, 0), name in below, is_plain)
        group = groups.setdefault(key, {"params": [], "weight_decay": 0.0 if is_plain else weight_decay})
        group["params"].append(parameter)
    if not groups:
        raise InputError("every parameter of the model is frozen, so there is nothing to train: leave some of it free")
    if layer_decay is not None or head_lr_scale is not None:
        for (distance, is_below, _), group in groups.items():
            of_head = 1.0 if head_lr_scale is None or is_below else head_lr_scale
            group["lr_scale"] = of_head * (1.0 if layer_decay is None else layer_decay) ** distance
    return [groups[key] for key in sorted(groups)]


def _distances(model: nn.Module) -> dict[str, int]:
    """Full names of parameters with the layers between them and the head."""
    return {
        f"{prefix}.{name}" if prefix else name: distance
        for prefix, module in model.named_modules()
        if callable(tell := getattr(module, "layers_below_head", None))
        for name, distance in tell().items()
    }


def _below_head(model: nn.Module) -> frozenset[str]:
    """Full names of the parameters of modules that can tell their layers: of backbones."""
    return frozenset(
        f"{prefix}.{name}" if prefix else name
        for prefix, module in model.named_modules()
        if callable(getattr(module, "layers_below_head", None))
        for name, _ in module.named_parameters()
    )


def _exempt_names(model: nn.Module) -> set[str]:
    """Full names, or patterns of them, that decay leaves alone whatever their shape."""
    return {f"{prefix}.{name}" if prefix else name for prefix, name in _module_exemptions(model)}


def _module_exemptions(model: nn.Module) -> Iterator[tuple[str, str]]:
    for prefix, module in model.named_modules():
        if isinstance(module, NORMS):
            yield from ((prefix, name) for name, _ in module.named_parameters(recurse=False))
        own = getattr(module, "no_weight_decay", None)
        if callable(own):
            yield from ((prefix, name) for name in own())
