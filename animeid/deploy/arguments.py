"""The arguments of `python -m animeid.predict artefact=DIR`, read without Hydra, which need not be installed."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Literal

from animeid.config.key_values import key_and_text
from animeid.config.suggest import suggestion
from animeid.errors import InputError
from animeid.system.names import expanded

Read = Callable[[str, str], Any]
"""From a key and the text of its value to the value."""

KEY = "artefact"
RUN_ONLY = ("run", "accelerator", "precision", "logit_adjustment", "tta", "num_workers", "code")
"""Keys of `conf/predict.yaml` that an exported artefact has settled."""


@dataclass(frozen=True, kw_only=True)
class ArtefactRequest:
    """What an artefact is asked; keys that `conf/predict.yaml` has mean the same there (see `PredictRequest`).

    artefact: its folder, or `hub:USER/NAME`.
    input: a picture, a folder or a glob.
    output: a CSV or JSONL file, or a folder; None prints the answers.
    top_k: names given for each picture, likeliest first.
    batch_size: pictures that are answered together; `auto` suits processors.
    temperature: what logits are divided by; `auto` is the artefact's.
    incomplete: what becomes of pictures that lack pixels.
    sort: whether a folder gets copies of the pictures, or symbolic links to them.
    unknown_below: the probability of the likeliest name under which a picture is sorted into `unknown`.
    engine: a library or a precision of the artefact's; `auto` is the first that is installed.
    """

    artefact: str
    input: str
    output: str | None = None
    top_k: int = 5
    batch_size: int | Literal["auto"] = "auto"
    temperature: float | Literal["auto"] = "auto"
    incomplete: Literal["leave_out", "keep"] | None = None
    sort: Literal["copy", "link"] = "copy"
    unknown_below: float = 0.0
    engine: str = "auto"


def given_to(arguments: Sequence[str] | None) -> Sequence[str]:
    """The arguments; None means those of this process."""
    return sys.argv[1:] if arguments is None else arguments


def is_for_artefact(arguments: Sequence[str] | None) -> bool:
    """Whether a command line asks an artefact: it says so, or nothing that could answer for a run is installed."""
    return any(argument.startswith(f"{KEY}=") for argument in given_to(arguments)) or find_spec("hydra") is None


def request_of(arguments: Sequence[str]) -> ArtefactRequest:
    """The request that a command line makes.

    Raises:
        InputError: an argument is none that an artefact can follow.
    """
    pairs = dict(_pair(argument) for argument in arguments)
    request = {key: _value(key, text) for key, text in pairs.items()}
    missing = [key for key in (KEY, "input") if request.get(key) is None]
    if missing:
        raise InputError(f"{missing[0]} is not given: write {missing[0]}=..., or see --help")
    return ArtefactRequest(**request)


def _pair(argument: str) -> tuple[str, str]:
    key, text = key_and_text(argument, f"cannot be read beside {KEY}=: write key=value alone, such as top_k=3")
    if key in RUN_ONLY:
        raise InputError(f"{key}= asks a run, and an artefact answers as it was exported: leave {key} or {KEY} out")
    if key not in READ:
        raise InputError(f"an artefact has no key '{key}'{suggestion(key, READ)}")
    return key, text


def _value(key: str, text: str) -> Any:
    return None if text == "null" and key in NULLABLE else READ[key](key, text)


def _path(key: str, text: str) -> str:
    if not text.strip():
        raise InputError(f"{key} must be a path, not '{text}'")
    return expanded(key, text)


def _whole(key: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) >= 1):
        raise InputError(f"{key} must be a whole number of at least 1, not {text or 'empty'}")
    return int(text)


def _number(fits: Callable[[float], bool], told: str) -> Read:
    def read(key: str, text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not fits(number):
            raise InputError(f"{key} must be a number {told}, not {text or 'empty'}")
        return number

    return read


def _word(*words: str) -> Read:
    def read(key: str, text: str) -> str:
        if text not in words:
            raise InputError(f"{key} must be {' or '.join(words)}, not {text or 'empty'}")
        return text

    return read


def _or_auto(read: Read) -> Read:
    return lambda key, text: text if text == "auto" else read(key, text)


def _text(key: str, text: str) -> str:  # noqa: ARG001 - of every reader
    return text


NULLABLE = ("output", "incomplete")
READ: Mapping[str, Read] = {
    KEY: _path,
    "input": _path,
    "output": _path,
    "top_k": _whole,
    "batch_size": _or_auto(_whole),
    "temperature": _or_auto(_number(lambda number: 0 < number < math.inf, "above 0")),
    "incomplete": _word("leave_out", "keep"),
    "sort": _word("copy", "link"),
    "unknown_below": _number(lambda number: 0 <= number <= 1, "between 0 and 1"),
    "engine": _text,
}
