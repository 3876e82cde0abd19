"""Hydra's errors as one sentence each.

Hydra says what it could not do; what was meant is found by looking at each argument ourselves.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from animeid.config.arguments import quoted
from animeid.config.keys import keys_below, keys_called, keys_like
from animeid.config.locate import conf_dir, groups
from animeid.config.roots import request_target
from animeid.config.signatures import Signature, signature
from animeid.config.suggest import nearest, suggestion
from animeid.system.console import how_to_install

SUBMITIT_LAUNCHERS = ("slurm", "submitit_slurm", "submitit_local")

FREE_GROUPS = ("experiment", "scale", "debug")
"""Groups of training whose cards change keys anywhere, and that have no key of their own."""

WEIGHTS = (".safetensors", ".ckpt", ".pth", ".pt", ".bin")
"""Endings of files that somebody may give for a network."""


def explain(error: Exception, root: str, written: Sequence[str], own_cards: Path | None = None) -> str:
    """The sentence that tells the user what to change.

    Args:
        error: what Hydra raised while it composed.
        root: the name of the root configuration.
        written: the `key=value` arguments of the command line, as the user wrote them.
        own_cards: a folder with the user's own cards.
    """
    arguments = [quoted(argument) for argument in written]
    schema = signature(request_target(root))
    assert schema is not None
    cards = _cards(schema, conf_dir(), *([own_cards] if own_cards else []))
    for argument in arguments:
        override = _parse(argument)
        if override is None:
            return f"the argument '{argument}' cannot be read: write key=value, such as seed=2 or loss=focal"
        name = override.key_or_group
        if name == "hydra/launcher" and (sentence := _missing_plugin(override)):
            return sentence
        if name in cards:
            if sentence := _wrong_card(override, cards[name]):
                return sentence
        elif "." not in name and not name.startswith("hydra/") and name not in schema.parameters:
            known = {*schema.parameters, *cards}
            below = keys_below(root, _chosen(arguments, _cards(schema, conf_dir())))
            meant = keys_called(name, below) or ([] if nearest(name, known) else keys_like(name, below))
            return f"the configuration has no key '{name}'{suggestion(name, known, meant)}"
    return _unquoted_comma(error, written) or _own_words(error)


def _cards(schema: Signature, *folders: Path) -> dict[str, list[str]]:
    """Of each group that a command takes, the names of the cards in these folders."""
    return {
        group: names
        for group, names in groups(*folders).items()
        if group in schema.parameters or ("loss" in schema.parameters and group in FREE_GROUPS)
    }


def _chosen(arguments: Sequence[str], cards: Mapping[str, Sequence[str]]) -> list[str]:
    """Those that name one of these cards."""
    read = {argument: _parse(argument) for argument in arguments}
    return [
        argument
        for argument, one in read.items()
        if one is not None
        and not one.is_sweep_override()
        and not one.is_delete()
        and one.value() in cards.get(one.key_or_group, ())
    ]


def _unquoted_comma(error: Exception, written: Sequence[str]) -> str | None:
    """A sentence about the first argument whose commas Hydra takes for those of a multirun, in a single run."""
    if not str(error).startswith("Ambiguous value for argument"):
        return None
    swept = next(name for name in written if (override := _parse(quoted(name))) and override.is_sweep_override())
    key, _, value = swept.partition("=")
    return (
        f"{swept} has a comma, which separates the values of a multirun: add -m to run each, or put the value into "
        f"quotes of its own, \"{key}='{value}'\""
    )


def _parse(argument: str) -> Override | None:
    try:
        return OverridesParser.create().parse_override(argument)
    except HydraException:
        return None


def _wrong_card(choice: Override, cards: Sequence[str]) -> str | None:
    """A sentence about the first card that is not there; a choice that is swept over has several."""
    values: list[Any] = list(choice.sweep_iterator()) if choice.is_sweep_override() else [choice.value()]
    for name in ("null" if value is None else str(value) for value in values):
        if not choice.is_delete() and name not in cards:
            other = _no_card_needed(name) if choice.key_or_group == "model" else ""
            return f"no {choice.key_or_group} card is called '{name}'{suggestion(name, cards)}{other}"
    return None


def _no_card_needed(name: str) -> str:
    """How a network or weights are taken that have no card; what is no name of either is not told of."""
    if re.fullmatch(r"[a-z]\w*(\.\w+)?", name) and name != "null" and Path(name).suffix not in WEIGHTS:
        return f"; any other network of timm: model.name={name}"
    return f"; weights in a file: model.weights={name}" if Path(name).suffix in WEIGHTS else ""


def _missing_plugin(launcher: Override) -> str | None:
    if launcher.value() not in SUBMITIT_LAUNCHERS or find_spec("submitit"):
        return None
    return f"hydra/launcher={launcher.value()} needs a plugin that is not installed: {how_to_install('slurm')}"


def _own_words(error: Exception) -> str:
    """What the error says itself, on one line."""
    words = str(error).partition("Config search path")[0]
    if isinstance(error.__cause__, OmegaConfBaseException):
        words = f"{words}: {error.__cause__}"
    return " ".join(words.split())
