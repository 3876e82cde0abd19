"""Signatures of card targets, read from source text."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from animeid.config.annotations import UnreadableError, constant, evaluate, unreadable
from animeid.config.source import OWN, Found, find

UNTOLD = object()
"""The default of an argument that has none, or one that only importing would tell."""


@dataclass(frozen=True)
class Parameter:
    """One argument: its type, whether it must be given, and its default as a plain value where the text tells it."""

    annotation: Any
    required: bool
    default: Any = UNTOLD


@dataclass(frozen=True)
class Signature:
    """The arguments of a target; an open one takes names that are not listed as well."""

    parameters: Mapping[str, Parameter]
    is_open: bool = False


@cache
def signature(target: str) -> Signature | None:
    """The signature of `package.module.Name`; None where there is no such thing."""
    module, _, name = target.rpartition(".")
    found = find(module, name)
    return _of(found) if found else None


def _of(found: Found) -> Signature:
    if isinstance(found.node, ast.FunctionDef):
        return _of_function(found.module, found.node, skip=0)
    for part in found.node.body:
        if isinstance(part, ast.FunctionDef) and part.name == "__init__":
            return _of_function(found.module, part, skip=1)
    if _is_dataclass(found.node):
        return Signature(_fields(found))
    for base in _bases(found):
        inherited = _of(base)
        if inherited.parameters or inherited.is_open:
            return inherited
    return Signature({})


def _is_dataclass(node: ast.ClassDef) -> bool:
    return any("dataclass" in ast.unparse(decorator) for decorator in node.decorator_list)


def _bases(found: Found) -> list[Found]:
    """Base classes in order; of ours, those outside the package are left out: torch.nn.Module takes anything."""
    assert isinstance(found.node, ast.ClassDef)
    bases = [find(found.module, base.id) for base in found.node.bases if isinstance(base, ast.Name)]
    is_own = found.module.startswith(OWN)
    return [base for base in bases if base and (not is_own or base.module.startswith(OWN))]


def _fields(found: Found) -> dict[str, Parameter]:
    """Fields of a dataclass, those of its bases first."""
    assert isinstance(found.node, ast.ClassDef)
    fields: dict[str, Parameter] = {}
    for base in reversed(_bases(found)):
        if isinstance(base.node, ast.ClassDef) and _is_dataclass(base.node):
            fields |= _fields(base)
    for part in found.node.body:
        if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name):
            if "ClassVar" in ast.unparse(part.annotation) or _keyword(part.value, "init") == "False":
                continue
            required = not _has_default(part.value)
            default = UNTOLD if required else _default(found.module, part.value)
            fields[part.target.id] = Parameter(_type(found.module, part.annotation), required, default)
    return fields


def _keyword(value: ast.expr | None, name: str) -> str | None:
    """The text of a keyword in `field(...)`."""
    if isinstance(value, ast.Call):
        return next((ast.unparse(keyword.value) for keyword in value.keywords if keyword.arg == name), None)
    return None


def _has_default(value: ast.expr | None) -> bool:
    if isinstance(value, ast.Call) and ast.unparse(value.func).endswith("field"):
        return bool(_keyword(value, "default") or _keyword(value, "default_factory"))
    return value is not None


def _of_function(module: str, node: ast.FunctionDef, skip: int) -> Signature:
    arguments = node.args
    positional = [*arguments.posonlyargs, *arguments.args]
    no_default = [None] * (len(positional) - len(arguments.defaults))
    pairs = [
        *list(zip(positional, [*no_default, *arguments.defaults], strict=True))[skip:],
        *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True),
    ]
    parameters = {
        argument.arg: Parameter(_type(module, argument.annotation), default is None, _default(module, default))
        for argument, default in pairs
    }
    return Signature(parameters, is_open=arguments.kwarg is not None)


def _default(module: str, value: ast.expr | None) -> Any:
    """The value of a literal, or of a constant of the module, with lists for tuples as in a card."""
    try:
        plain = UNTOLD if value is None else constant(module, value)
    except UnreadableError:
        return UNTOLD
    return list(plain) if isinstance(plain, tuple) else plain


def _type(module: str, annotation: ast.expr | None) -> Any:
    """The type of an argument; anything where nothing is said."""
    try:
        return Any if annotation is None else evaluate(module, annotation)
    except UnreadableError:
        return unreadable(module)
