"""The arguments of `python -m animeid.serve`, read without Hydra."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import fields
from types import NoneType
from typing import Any, get_args, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError

from animeid.config.describe import describe_type
from animeid.config.key_values import key_and_text
from animeid.config.suggest import suggestion
from animeid.errors import InputError
from animeid.service.requests import RAY, ServeRequest
from animeid.system.names import expanded

KINDS: dict[str, Any] = get_type_hints(ServeRequest, include_extras=True)
DEFAULT = "default"
"""The name of the artefact that answers where none is asked for."""
ALIAS = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
PATHS = ("keys", "registry", "shadow", "log", "feedback")
OF_ONE_MACHINE = {
    "workers": "give replicas=N, of which each is one",
    "connections": "they are those of Ray's proxies",
    "keys": "have the proxy in front ask for keys",
    "registry": "give the new artefact to the same command again, and the replicas take it over one after the other",
    "log": "its files would lie on whichever machine answers",
    "feedback": "its file would lie on whichever machine answers",
}
"""Keys of what the processes of one machine share, and what to do where there are several machines."""
OF_REPLICAS = ("replicas", "replica_cores")
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
        _check_scale(request)
    elif not makes_key:
        raise InputError("artefact is not given: write artefact=..., or see --help")


def _check_scale(request: ServeRequest) -> None:
    """Raises:
    InputError: a key is not of one machine, or not of several, as the engine has it.
    """
    given = [key for key, default in _defaults().items() if getattr(request, key) != default]
    if request.engine == RAY:
        if alone := next((key for key in given if key in OF_ONE_MACHINE), None):
            raise InputError(f"engine=ray knows no {alone}=: leave it out ({OF_ONE_MACHINE[alone]})")
    elif spread := next((key for key in given if key in OF_REPLICAS), None):
        raise InputError(f"{spread}= is of engine=ray: add that, or leave it out (workers=N are N processes here)")


def _defaults() -> dict[str, Any]:
    return {field.name: field.default for field in fields(ServeRequest)}


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
