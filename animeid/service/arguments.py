"""The arguments of `python -m animeid.serve`, read without Hydra."""

from __future__ import annotations

import re
from collections.abc import Sequence
from types import NoneType
from typing import Any, get_args, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError

from animeid.config.describe import describe_type
from animeid.config.key_values import key_and_text
from animeid.config.suggest import suggestion
from animeid.errors import InputError
from animeid.service.requests import ServeRequest
from animeid.system.names import expanded

KINDS: dict[str, Any] = get_type_hints(ServeRequest, include_extras=True)
DEFAULT = "default"
"""The name of the artefact that answers where none is asked for."""
ALIAS = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
PATHS = ("keys", "registry", "shadow", "log", "feedback")
FINITE = ConfigDict(allow_inf_nan=False)


def request_of(arguments: Sequence[str]) -> ServeRequest:
    """The request that a command line makes.

    Raises:
        InputError: an argument is none that the service can follow.
    """
    told = "cannot be read: write key=value alone, such as port=8000"
    pairs = dict(key_and_text(argument, told) for argument in arguments)
    if unknown := next((key for key in pairs if key not in KINDS), None):
        raise InputError(f"the service has no key '{unknown}'{suggestion(unknown, KINDS)}")
    request = ServeRequest(**{key: _value(key, text) for key, text in pairs.items()})
    _check(request)
    return request


def _check(request: ServeRequest) -> None:
    """Raises:
    InputError: keys do not fit one another.
    """
    makes_key = request.new_key is not None or request.new_admin_key is not None
    if makes_key and (request.keys is None or request.artefact is not None):
        raise InputError("new_key and new_admin_key make a key and need keys=FILE alone: leave the others out")
    if request.new_key is not None and request.new_admin_key is not None:
        raise InputError("new_key and new_admin_key make a key each: give one of them")
    if request.rate is not None and request.keys is None:
        raise InputError("rate limits the requests of each key: add keys=FILE, or leave it out")
    if request.artefact is not None:
        artefacts_of(request.artefact)
    elif not makes_key:
        raise InputError("artefact is not given: write artefact=..., or see --help")


def artefacts_of(text: str) -> dict[str, str]:
    """`DIR` or `a=DIR,b=DIR` as a folder, or `hub:USER/NAME`, for each name; the first is `default` as well.

    Raises:
        InputError: a name is none, stands twice or has no folder.
    """
    found: dict[str, str] = {}
    for piece in text.split(","):
        name, sign, folder = piece.partition("=")
        name, folder = (name.strip(), folder.strip()) if sign else (DEFAULT, piece.strip())
        if not ALIAS.fullmatch(name) or not folder:
            raise InputError(f"artefact={text} must be {describe_type(KINDS['artefact'])}; '{piece}' is none")
        if name in found:
            raise InputError(f"artefact={text} says {name} twice: give each artefact a name of its own")
        found[name] = expanded("artefact", folder)
    first = next(iter(found.values()))
    return found if DEFAULT in found else {DEFAULT: first, **found}


def _value(key: str, text: str) -> Any:
    if text == "null" and NoneType in get_args(KINDS[key]):
        return None
    try:
        value = TypeAdapter(KINDS[key], config=FINITE).validate_strings(text)
    except ValidationError as error:
        raise InputError(f"{key} must be {describe_type(KINDS[key])}, not {text or 'empty'}") from error
    return expanded(key, value) if key in PATHS else value
