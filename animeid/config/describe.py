"""Types and values in plain words, for sentences about wrong values."""

from __future__ import annotations

import collections.abc
import json
import types
import typing
from typing import Annotated, Any

from annotated_types import DocInfo, Ge, Gt, Interval, Le, Lt

from animeid.config.annotations import PART

WORDS = {type(None): "null", None: "null", bool: "true or false", int: "a whole number", float: "a number", str: "text"}
BOUNDS = {Ge: ("ge", "at least"), Gt: ("gt", "above"), Le: ("le", "at most"), Lt: ("lt", "below")}


def literals(annotation: Any) -> list[Any]:
    """The values of all `Literal`s in a type."""
    if typing.get_origin(annotation) is typing.Literal:
        return list(typing.get_args(annotation))
    if typing.get_origin(annotation) in (typing.Union, types.UnionType, Annotated):
        return [value for inner in typing.get_args(annotation) for value in literals(inner)]
    return []


def describe_value(value: Any) -> str:
    """A value as it would be written in a card."""
    if isinstance(value, str):
        return f"'{value}'"
    return (
        json.dumps(value, ensure_ascii=False, default=lambda _: "...")
        if isinstance(value, bool | list | dict | None)
        else str(value)
    )


def describe_type(annotation: Any) -> str:
    """`int | Literal["auto"]` becomes `a whole number or 'auto'`."""
    if annotation == PART:
        return "a part with a _target_ of its own"
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        return _describe_bounded(inner[0], inner[1:])
    if origin is typing.Literal:
        return _choice([describe_value(value) for value in inner])
    if origin in (typing.Union, types.UnionType):
        return _choice([describe_type(part) for part in inner])
    if origin is tuple and inner[-1:] != (...,):
        return f"a list of {len(inner)} values, each {_choice([describe_type(part) for part in inner])}"
    if origin in (tuple, list, collections.abc.Sequence):
        return f"a list of values, each {describe_type(inner[0])}"
    if origin in (dict, collections.abc.Mapping):
        return f"a mapping of names to values, each {describe_type(inner[-1])}"
    return WORDS.get(annotation, getattr(annotation, "__name__", str(annotation)))


def _choice(words: list[str]) -> str:
    """The words without repetition, joined by commas and a last `or`."""
    *first, last = dict.fromkeys(words)
    return f"{', '.join(first)} or {last}" if first else last


def _number(value: float) -> str:
    """All digits of a whole number, as it must be typed."""
    return str(value) if isinstance(value, int) else f"{value:g}"


def _describe_bounded(inner: Any, metadata: tuple[Any, ...]) -> str:
    documented = [item.documentation for item in metadata if isinstance(item, DocInfo)]
    if documented:
        return documented[0]
    bounds = [bound for item in metadata for bound in (item if isinstance(item, Interval) else (item,))]
    words = [
        f"{word} {_number(getattr(bound, name))}"
        for bound in bounds
        for kind, (name, word) in BOUNDS.items()
        if isinstance(bound, kind)
    ]
    if not words:
        return describe_type(inner)
    return f"{describe_type(inner)} {'of ' if words[0].startswith('at') else ''}{' and '.join(words)}"
