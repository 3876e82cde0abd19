"""Paths in a request: `~`, `$NAME` and names that look like numbers are understood wherever a path is given."""

from __future__ import annotations

import os
import re
import typing
from collections.abc import Mapping, Sequence
from typing import Any

from annotated_types import DocInfo

from animeid.config.check import SPECIAL, is_node, join, target_of
from animeid.config.signatures import signature
from animeid.system.names import expanded
from animeid.values import A_NAME, A_PATH, PATHS

TEXTS = {A_NAME, A_PATH, PATHS}


def with_paths(value: Any, overrides: Sequence[str], target: str | None = None, key: str = "") -> Any:
    """The request with its paths as the system takes them.

    Args:
        value: a request, or a part of it.
        overrides: what the command line set, `key=value` each: Hydra makes a number of a folder called 2024 or 1e5,
            and only here it is still seen how it was written.
        target: what takes the arguments in `value`; None where that is said inside, or nowhere.
        key: where it lies.

    Raises:
        InputError: a path begins with a user who is not known.
    """
    if isinstance(value, list):
        return [with_paths(item, overrides, key=join(key, index)) for index, item in enumerate(value)]
    if not isinstance(value, Mapping):
        return value
    target = target_of(value, key) if is_node(value) else target
    found = signature(target) if target else None
    parameters = found.parameters if found else {}
    return {
        name: item
        if name in SPECIAL
        else _typed(join(key, name), item, kinds, overrides)
        if name in parameters and (kinds := _kinds(parameters[name].annotation))
        else with_paths(item, overrides, key=join(key, name))
        for name, item in value.items()
    }


def _kinds(annotation: Any) -> set[str]:
    """Which of `TEXTS` a value of this type may be."""
    found = {item.documentation for item in getattr(annotation, "__metadata__", ()) if isinstance(item, DocInfo)}
    return (found & TEXTS).union(*map(_kinds, typing.get_args(annotation)))


def _typed(key: str, value: Any, kinds: set[str], overrides: Sequence[str]) -> Any:
    if type(value) in (int, float):
        text = _as_written(key, value, overrides)
        # 0 may be meant to switch something off.
        value = text if value or A_NAME in kinds or os.path.lexists(text) else value
    if not isinstance(value, str) or A_NAME in kinds:
        return value
    pieces = value.split(":") if PATHS in kinds else [value]
    return ":".join(expanded(key, piece) for piece in pieces)


def _as_written(key: str, number: float, overrides: Sequence[str]) -> str:
    """The text that became a number."""
    pairs = [override.partition("=") for override in overrides]
    written = [text.strip() for name, _, text in pairs if name.lstrip("+") == key]
    return written[-1] if written and re.fullmatch(r"[\w.+-]+", written[-1]) else str(number)
