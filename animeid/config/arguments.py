"""Arguments as people write them become overrides that Hydra can read."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from functools import cache

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException

from animeid.system.names import refuse_unreadable

INSIDE_CARD = re.compile(r"(?!hydra\.)\w+(\.[\w-]+)+=")
"""An argument that sets a value inside a card, `loss.gamma=3`."""

PATH_KEYS = frozenset(
    ("data.root", "data.cache", "from_run", "input", "model.weights", "models", "output", "parts", "run", "runs")
    + ("stage.runs", "teacher")
)
"""Keys whose values are paths, on any command line."""


def as_overrides(arguments: Sequence[str]) -> list[str]:
    """Arguments with quotes where Hydra needs them, and keys inside a card forced.

    Hydra refuses keys that a card does not list, though its target may take them; our own check knows what a target
    takes.

    Raises:
        InputError: an argument is no text here.
    """
    for argument in arguments:
        refuse_unreadable(argument)
    given = [with_own_cards(quoted(argument)) for argument in arguments]
    return [f"++{argument}" if INSIDE_CARD.match(argument) else argument for argument in given]


def with_own_cards(argument: str) -> str:
    """`--config-dir=~/cards` with the `~` that no shell writes out there."""
    option, sign, folder = argument.partition("=")
    return f"{option}={with_home(folder)}" if sign and option in ("--config-dir", "-cd") else argument


def with_home(folder: str) -> str:
    return os.path.expanduser(folder)  # noqa: PTH111 - a user that is not known stays as it is


def quoted(argument: str) -> str:
    """`key=value` with quotes round a value that Hydra's grammar cannot read bare: a Chinese name, an ampersand.

    Commas still separate the values of a multirun, but for a path that is there with its comma.
    """
    key, sign, value = argument.partition("=")
    if key.lstrip("+") in PATH_KEYS and value and not value.startswith(("'", '"')):
        return f"{key}={_paths(value)}"
    if not sign or value.startswith(("[", "{", "'", '"')) or _is_readable(argument):
        return argument
    pieces = [piece if _is_readable(f"{key}={piece}") else _in_quotes(piece) for piece in value.split(",")]
    found = f"{key}={','.join(pieces)}"
    return found if _is_readable(found) else argument


def _paths(value: str) -> str:
    """A path, or several with commas between them; one that is there with its comma, or lies in such, is one."""
    if re.fullmatch(r"\w+\(.*\)", value) and _is_readable(f"path={value}"):  # a function of Hydra's, such as choice
        return value
    one = (path for path in (value, _folder_with_comma(value)) if path)
    is_one = value[:1] in "[{" or any(os.path.lexists(with_home(path)) for path in one)
    pieces = [value] if is_one else value.split(",")
    return ",".join(map(_as_path, pieces))


def _folder_with_comma(path: str) -> str:
    folder = os.path.dirname(path)  # noqa: PTH120 - a blank at its end stays
    return folder if "," in folder else ""


def _as_path(text: str) -> str:
    """A path as Hydra reads it as text: `[Group] Title` is no list, and `true` is a folder where one is called so."""
    if "," in text:
        return _in_quotes(text)
    try:
        found = OverridesParser.create().parse_override(f"path={text}").value()
    except HydraException:
        return _in_quotes(text)
    is_other = type(found) in (list, dict) or (type(found) is bool and os.path.lexists(text))
    return _in_quotes(text) if is_other else text


@cache
def _is_readable(argument: str) -> bool:
    try:
        OverridesParser.create().parse_override(argument)
    except HydraException:
        return False
    return True


def _in_quotes(text: str) -> str:
    # Within its quotes Hydra reads a backslash as itself, but for one before a quote.
    return "'" + text.replace("'", "\\'") + "'"


def keys_of(overrides: Sequence[str]) -> list[str]:
    """The keys that a command line sets."""
    return [override.partition("=")[0].lstrip("+") for override in overrides]
