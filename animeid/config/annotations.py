"""Annotations read from source text become types that pydantic can check values against."""

from __future__ import annotations

import ast
import builtins
import collections.abc
import pathlib
import typing
from collections.abc import Mapping
from types import ModuleType
from typing import Annotated, Any

import annotated_types
import pydantic
from pydantic import BeforeValidator, PlainValidator

from animeid.config.source import OWN, find, module_names

PLAIN = (type(None), bool, int, float, str, list, tuple, dict)

# Modules that are cheap to import and whose names mean in an annotation what they are.
LIGHT: Mapping[str, ModuleType] = {
    module.__name__: module for module in (annotated_types, collections.abc, pathlib, pydantic, typing)
}
BUILTINS = ("int", "float", "str", "bool", "tuple", "list", "dict", "object")


class UnreadableError(Exception):
    """An annotation that names a type which no plain value can have."""


def _object(value: Any) -> Any:
    if isinstance(value, PLAIN):
        raise ValueError("not a plain value")
    return value


PART = Annotated[Any, PlainValidator(_object)]
"""The type of everything that is no plain value: it is built from a node with `_target_`, or given by the run."""


def unreadable(module: str) -> Any:
    """What stands for a type that cannot be read: in our own code an object, in that of others anything."""
    return PART if f"{module}.".startswith(OWN) else Any


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def evaluate(module: str, expression: ast.expr) -> Any:
    """The type that an annotation in the text of `module` means.

    Raises:
        UnreadableError: it names something that only importing would tell.
    """
    match expression:
        case ast.Constant(value=None):
            return None
        case ast.Constant(value=str(text)):
            return evaluate(module, ast.parse(text, mode="eval").body)
        case ast.Name(id=name):
            return _named(module, name)
        case ast.Attribute(value=ast.Name(id=name), attr=attribute):
            return _attribute(module, name, attribute)
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return typing.Union[evaluate(module, left), evaluate(module, right)]  # noqa: UP007
        case ast.Subscript(value=value, slice=inner):
            return _subscript(module, evaluate(module, value), inner)
        case _:
            raise UnreadableError(ast.unparse(expression))


def _named(module: str, name: str) -> Any:
    names = module_names(module)
    if name in names.imports:
        source, original = names.imports[name]
        if source in LIGHT and original:
            return getattr(LIGHT[source], original)
        if original is None:
            raise UnreadableError(name)
        return _named(source, original)
    if name in names.values:
        return evaluate(module, names.values[name])
    if name in BUILTINS and name not in names.definitions:
        return getattr(builtins, name)
    if find(module, name):
        return unreadable(module)
    raise UnreadableError(name)


def _attribute(module: str, name: str, attribute: str) -> Any:
    source, original = module_names(module).imports.get(name, ("", None))
    source = f"{source}.{original}" if original else source
    if source not in LIGHT:
        raise UnreadableError(f"{name}.{attribute}")
    return getattr(LIGHT[source], attribute)


def _subscript(module: str, origin: Any, inner: ast.expr) -> Any:
    items = inner.elts if isinstance(inner, ast.Tuple) else [inner]
    if origin is typing.Literal:
        return typing.Literal[tuple(_literal(item) for item in items)]
    if origin is Annotated:
        metadata = tuple(_metadata(module, item) for item in items[1:])
        return Annotated[(_or_part(module, items[0]), *metadata)]
    if origin in (type, typing.Callable, collections.abc.Callable):
        return PART
    arguments = tuple(
        ... if isinstance(item, ast.Constant) and item.value is ... else _or_part(module, item) for item in items
    )
    if origin is tuple:
        return Annotated[tuple.__class_getitem__(arguments), BeforeValidator(_as_tuple)]
    return origin[arguments if len(arguments) > 1 else arguments[0]]


def _or_part(module: str, expression: ast.expr) -> Any:
    try:
        return evaluate(module, expression)
    except UnreadableError:
        return unreadable(module)


def _literal(expression: ast.expr) -> Any:
    try:
        return ast.literal_eval(expression)
    except ValueError:
        raise UnreadableError(ast.unparse(expression)) from None


def _metadata(module: str, expression: ast.expr) -> Any:
    """`Ge(0)` in an `Annotated` becomes the object."""
    if not isinstance(expression, ast.Call):
        raise UnreadableError(ast.unparse(expression))
    arguments = [constant(module, argument) for argument in expression.args]
    keywords = {keyword.arg: constant(module, keyword.value) for keyword in expression.keywords if keyword.arg}
    return evaluate(module, expression.func)(*arguments, **keywords)


def constant(module: str, expression: ast.expr) -> Any:
    """A literal, or a constant of the module."""
    if isinstance(expression, ast.Name):
        expression = module_names(module).values.get(expression.id, expression)
    return _literal(expression)
