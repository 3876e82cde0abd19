"""Checks every node with a `_target_` against what its target takes, before any data is touched.

Names, types and ranges come from the targets' source text (see `source`), so that a mistake is answered without
importing torch.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError

from animeid.config.annotations import PART
from animeid.config.describe import describe_type, describe_value, literals
from animeid.config.own_code import prefixes
from animeid.config.signatures import UNTOLD, Signature, signature
from animeid.config.source import OWN, find
from animeid.config.suggest import nearest, suggestion
from animeid.errors import InputError

ALLOWED = (
    "animeid.",
    "albumentations.",
    "lightning.pytorch.callbacks.",
    "lightning.pytorch.loggers.",
    "timm.layers.",
    "timm.loss.",
    "timm.optim.",
    "torch.nn.",
    "torch.optim.",
)
"""A card can name classes under these only, whoever wrote it: a run's folder may come from anyone.

A function could do anything when it is called, such as timm's that load pickles; a class of these packages makes an
object.
"""

FACTORIES = ("animeid.tracking.",)
"""Where functions may be named too, since they choose a class."""

SPECIAL = {"_target_", "_partial_"}


class Part:
    """Stands for the object that a nested node will be built into."""


def join(key: str, name: str | int) -> str:
    return f"{key}.{name}" if key else str(name)


def is_node(value: Any) -> bool:
    """Whether a value is to be built, as it names a target."""
    return isinstance(value, Mapping) and "_target_" in value


def check(value: Any, key: str = "") -> Any:
    """Checks all nodes inside a plain configuration.

    Args:
        value: the configuration or a part of it.
        key: where it lies, `loss.gamma` for instance.

    Returns:
        The value, with a `Part` in the place of each node.

    Raises:
        InputError: the first thing that is wrong.
    """
    if isinstance(value, Mapping):
        inner = {name: check(item, join(key, name)) for name, item in value.items() if name not in SPECIAL}
        if not is_node(value):
            _check_parts(value, key)
            return inner
        accept(target_of(value, key), inner, key, is_partial=value.get("_partial_", False))
        return Part()
    if isinstance(value, list | tuple):
        return [check(item, join(key, index)) for index, item in enumerate(value)]
    return value


def _check_parts(container: Mapping[str, Any], key: str) -> None:
    """In a mapping of parts, what is no part is a misspelt name; the root holds both."""
    parts = [name for name, item in container.items() if is_node(item)]
    others = [name for name, item in container.items() if not is_node(item)]
    if not (key and parts and others):
        return
    wrong, value = others[0], container[others[0]]
    if not isinstance(value, Mapping):
        raise InputError(
            f"{join(key, wrong)} must be a part with a _target_ of its own, not {describe_value(value)}; there are: "
            f"{', '.join(sorted(parts))}; one value of a part is changed by {join(key, parts[0])}.NAME=VALUE"
        )
    raise InputError(f"{key} has no part '{wrong}'{suggestion(wrong, parts)}")


def complete(value: Any) -> Any:
    """The configuration with the defaults of our own targets written out.

    Nodes that the run completes (`_partial_`) stay as they are: what they lack may be the run's to give.
    """
    if isinstance(value, list):
        return [complete(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    inner = {name: complete(item) for name, item in value.items()}
    found = signature(str(value["_target_"])) if is_node(value) and str(value["_target_"]).startswith(OWN) else None
    if found is None or value.get("_partial_", False):
        return inner
    defaults = {name: item.default for name, item in found.parameters.items() if item.default is not UNTOLD}
    return {**inner, **{name: default for name, default in defaults.items() if name not in inner}}


def target_of(node: Mapping[str, Any], key: str) -> str:
    """The target that a node names.

    Raises:
        InputError: the node is not well formed, or its target is none of those that a card can name.
    """
    target = node["_target_"]
    if not isinstance(target, str) or not _is_allowed(target):
        raise InputError(
            f"{join(key, '_target_')} is {describe_value(target)}; a card can name only what lies under "
            + ", ".join(prefix.rstrip(".") for prefix in ALLOWED)
            + ", and only classes there; code of your own is allowed by code=FOLDER on the command line"
        )
    unused = [name for name in node if isinstance(name, str) and name.startswith("_") and name not in SPECIAL]
    if unused:
        raise InputError(
            f"{join(key, unused[0])} means nothing here: leave it out, a card has _target_, _partial_ and arguments"
        )
    if not isinstance(node.get("_partial_", False), bool):
        raise InputError(f"{join(key, '_partial_')} must be true or false")
    return target


def _is_allowed(target: str) -> bool:
    """Whether a card can name it; what is not there at all is told later, as a spelling mistake."""
    module, _, name = target.rpartition(".")
    allowed = (*ALLOWED, *prefixes())
    if not target.startswith(allowed):
        return False
    found = find(module, name)
    if found is None:
        return True
    is_class = isinstance(found.node, ast.ClassDef)
    return f"{found.module}.".startswith(allowed) and (is_class or target.startswith(FACTORIES))


def accept(target: str, values: Mapping[str, Any], key: str, is_partial: bool) -> dict[str, Any]:
    """The arguments of a target, checked and with lists turned to tuples where the target takes tuples.

    Args:
        values: arguments by name; nested nodes are objects already, or a `Part`.
        is_partial: whether the run adds arguments later, those that must be given and are not.

    Raises:
        InputError: an unknown or missing name, or a value of another type or out of range.
    """
    found = signature(target)
    if found is None:
        raise InputError(f"{join(key, '_target_')}: there is no {target} in the installed packages; check its spelling")
    missing = [name for name, parameter in found.parameters.items() if parameter.required and name not in values]
    if missing and not is_partial:
        advice = f"and {target} needs it" if key else f"write {missing[0]}=..., or see --help"
        raise InputError(f"{join(key, missing[0])} is not given{', ' if key else ': '}{advice}")
    return {name: _argument(found, name, value, key, missing) for name, value in values.items()}


def _argument(found: Signature, name: str, value: Any, key: str, missing: Sequence[str]) -> Any:
    parameter = found.parameters.get(name)
    if parameter is None:
        if found.is_open:
            return value
        known = settable(found) if key else list(found.parameters)
        near = nearest(name, known)  # of what is missing too, which may be this one, misspelt
        told = suggestion(name, [one for one in known if one not in missing], [near] if near else [])
        raise InputError(f"{key or 'the configuration'} has no key '{name}'{told}")
    return check_value(join(key, name), value, parameter.annotation)


def settable(found: Signature) -> list[str]:
    """The arguments that a card can set; the others are objects that the run gives."""
    return [name for name, parameter in found.parameters.items() if parameter.annotation != PART]


@cache
def _adapter(annotation: Any) -> TypeAdapter[Any]:
    return TypeAdapter(annotation, config=ConfigDict(arbitrary_types_allowed=True, allow_inf_nan=False))


def check_value(key: str, value: Any, annotation: Any) -> Any:
    """The value as the type wants it: no text for numbers, no `true` for 1; a whole number is a number.

    Raises:
        InputError: the value is of another type, or out of range.
    """
    try:
        return _adapter(annotation).validate_python(value, strict=True)
    except ValidationError:
        pass
    if annotation == PART:
        raise InputError(
            f"{key} is given by the run, or built from a _target_: {describe_value(value)} cannot be used, leave it out"
        )
    shown = "a part with a _target_" if isinstance(value, Part) else describe_value(value)
    words = [word for word in literals(annotation) if isinstance(word, str)]
    near = nearest(value, words) if isinstance(value, str) else None
    raise InputError(
        f"{key} must be {describe_type(annotation)}, not {shown}" + (f"; did you mean '{near}'?" if near else "")
    )
