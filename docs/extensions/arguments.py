"""The arguments of a class that a card names: type, default, and what its docstring says of each."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import Any

from animeid.config.annotations import PART
from animeid.config.describe import describe_type, describe_value
from animeid.config.signatures import UNTOLD, signature
from animeid.config.source import find

NAMES = re.compile(r"^(?P<indent> *)(?P<names>\w+(, \w+)*): (?P<text>.+)$")


@dataclass(frozen=True)
class Argument:
    """One argument; `default` is as it would be typed, empty where there is none or it is not told."""

    name: str
    type: str
    default: str
    text: str
    required: bool


def arguments(target: str) -> list[Argument]:
    """What a card can set of its target; none of a target that is not ours."""
    found = signature(target)
    if found is None or not target.startswith("animeid."):
        return []
    texts = described(target)
    return [
        Argument(name, describe_type(item.annotation), _shown(item.default), texts.get(name, ""), item.required)
        for name, item in found.parameters.items()
        if item.annotation != PART
    ]


def _shown(value: Any) -> str:
    return "" if value is UNTOLD else value if isinstance(value, str) else describe_value(value)


def described(target: str) -> dict[str, str]:
    """What docstrings of a class and of its bases say of each argument, `name: text` or `one, two: text`."""
    module, _, name = target.rpartition(".")
    found = find(module, name)
    if found is None:
        return {}
    texts: dict[str, str] = {}
    if isinstance(found.node, ast.ClassDef):
        for base in found.node.bases:
            if isinstance(base, ast.Name):
                texts |= described(f"{found.module}.{base.id}")
    return texts | entries(ast.get_docstring(found.node) or "")


def entries(text: str) -> dict[str, str]:
    """The `name: text` entries of a docstring, each with the lines that are indented below it."""
    found: dict[str, str] = {}
    names, indent = [], 0
    for line in text.splitlines():
        match = NAMES.match(line)
        deeper = len(line) - len(line.lstrip()) > indent
        if match and not (names and deeper):
            names, indent = match["names"].split(", "), len(match["indent"])
            found |= dict.fromkeys(names, match["text"])
        elif names and line.strip() and deeper:
            found |= {name: f"{found[name]} {line.strip()}" for name in names}
        else:
            names, indent = [], 0
    return found
