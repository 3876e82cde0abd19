"""From a checked node of the configuration to the object that it describes: the one place that instantiates."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from hydra.utils import instantiate
from pydantic import ValidationError

from animeid.config.check import SPECIAL, accept, is_node, join, target_of
from animeid.config.source import OWN
from animeid.errors import InputError

# albumentations asks a server for its newest version when it is imported.
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")


def build(node: Any, key: str = "", /, **facts: Any) -> Any:
    """Builds a node, the nodes inside it first.

    Arguments never pass through OmegaConf, which would turn dataclasses and tuples into containers of its own.

    Args:
        node: a plain mapping with `_target_`, or a container of such; anything else is returned as it is.
        key: where the node lies, for messages.
        facts: arguments that only the run knows, such as class counts.

    Returns:
        The object; a partial one when the node says `_partial_: true` and no facts are given.

    Raises:
        InputError: the node does not fit its target, names one that is not allowed, or sets what the run gives.
    """
    if isinstance(node, list | tuple):
        return [build(item, join(key, index)) for index, item in enumerate(node)]
    if not isinstance(node, Mapping):
        return node
    if not is_node(node):
        return {name: build(item, join(key, name)) for name, item in node.items()}
    target = target_of(node, key)
    is_partial = node.get("_partial_", False)
    values = {name: build(item, join(key, name)) for name, item in node.items() if name not in SPECIAL}
    arguments = accept(target, values, key, is_partial or bool(facts))
    taken = sorted(arguments.keys() & facts.keys())
    if taken:
        raise InputError(f"{join(key, taken[0])} is given by the run: leave it out of the card and the command")
    factory = part_class(node, key)
    if is_partial and not facts:
        return partial(factory, **arguments)
    return _call(factory, target, key, {**arguments, **facts})


def part_class(node: Mapping[str, Any], key: str = "") -> Any:
    """What a node names, not built: a class, whose traits can be read.

    Raises:
        InputError: it is none that a card can name.
    """
    return instantiate({"_target_": target_of(node, key), "_partial_": True}).func


def _call(factory: Callable[..., Any], target: str, key: str, arguments: Mapping[str, Any]) -> Any:
    """Calls a target; what others' code refuses is bad input, what ours refuses without saying so is a bug."""
    if target.startswith(OWN):
        return factory(**arguments)
    with warnings.catch_warnings():
        # albumentations only warns about arguments that it does not know, and ignores them.
        warnings.filterwarnings("error", message=".*not valid for transform.*")
        try:
            return factory(**arguments)
        except (ValueError, TypeError, UserWarning) as error:
            raise InputError(
                f"{key or target}: {target} refuses its arguments, which must be corrected: {_reason(error)}"
            ) from error


def _reason(error: Exception) -> str:
    """One line that says why; albumentations wraps what pydantic found."""
    for cause in (error, error.__cause__, error.__context__):
        if isinstance(cause, ValidationError):
            return "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in cause.errors())
    return " ".join(str(error).split())


def _is_transform(value: Any) -> bool:
    return is_node(value) and str(value["_target_"]).startswith("albumentations.")


def has_transforms(value: Any) -> bool:
    """Whether there is something to try, for which albumentations must be imported."""
    return _is_transform(value) or (isinstance(value, Mapping) and any(map(has_transforms, value.values())))


def try_transforms(value: Any, key: str = "") -> None:
    """Builds each albumentations node once, as their ranges are known to their constructors only.

    Raises:
        InputError: a constructor refuses its arguments.
    """
    if _is_transform(value):
        build(value, key)
    elif isinstance(value, Mapping):
        for name, item in value.items():
            try_transforms(item, join(key, name))
