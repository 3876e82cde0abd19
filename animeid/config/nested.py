"""Values inside nested mappings, by the names that lead to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def at(node: Mapping[str, Any], path: Sequence[str]) -> Any:
    """The value that the names lead to."""
    for name in path:
        node = node[name]
    return node


def put(node: dict[str, Any], path: Sequence[str], value: Any) -> None:
    """Sets the value that the names lead to."""
    for name in path[:-1]:
        node = node.setdefault(name, {})
    node[path[-1]] = value
