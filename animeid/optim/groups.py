"""Which parameters feel weight decay."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatch
from typing import Any

from torch import nn

from animeid.errors import InputError

# Those whose weight may have several dimensions; batch norm's and group norm's always has one.
NORMS = (nn.LayerNorm, nn.RMSNorm)


def parameter_groups(model: nn.Module, *, weight_decay: float) -> list[dict[str, Any]]:
    """The trainable parameters of `model`, each once, in a group with weight decay and one without.

    Without are: norm layers, biases, everything of one dimension or none, and the names that a module's own
    `no_weight_decay()` gives (timm: position embeddings and the like). An empty group is left out.

    Args:
        weight_decay: of the group that has it.

    Raises:
        InputError: every parameter is frozen.
    """
    exempt = _exempt_names(model)
    decayed: list[nn.Parameter] = []
    plain: list[nn.Parameter] = []
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        is_plain = parameter.ndim <= 1 or name.endswith(".bias") or any(fnmatch(name, one) for one in exempt)
        (plain if is_plain else decayed).append(parameter)
    groups = [
        {"params": decayed, "weight_decay": weight_decay},
        {"params": plain, "weight_decay": 0.0},
    ]
    groups = [group for group in groups if group["params"]]
    if not groups:
        raise InputError("every parameter of the model is frozen, so there is nothing to train: leave some of it free")
    return groups


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
