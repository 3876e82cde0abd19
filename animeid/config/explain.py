"""Hydra's errors as one sentence each.

Hydra says what it could not do; what was meant is found by looking at each argument ourselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from animeid.config.keys import keys_below, keys_called, keys_like
from animeid.config.locate import conf_dir, groups
from animeid.config.roots import request_target
from animeid.config.signatures import signature
from animeid.config.suggest import nearest, suggestion
from animeid.system.console import how_to_install

SUBMITIT_LAUNCHERS = ("slurm", "submitit_slurm", "submitit_local")

FREE_GROUPS = ("experiment", "scale", "debug")
"""Groups of training whose cards change keys anywhere, and that have no key of their own."""

OTHER_WAYS = {"model": "; any other network of timm: model.name={name}"}
"""What is said of groups of which there is more than cards."""


def explain(error: Exception, root: str, arguments: Sequence[str], own_cards: Path | None = None) -> str:
    """The sentence that tells the user what to change.

    Args:
        error: what Hydra raised while it composed.
        root: the name of the root configuration.
        arguments: the `key=value` arguments of the command line.
        own_cards: a folder with the user's own cards.
    """
    schema = signature(request_target(root))
    assert schema is not None
    cards = {
        group: names
        for group, names in groups(conf_dir(), *([own_cards] if own_cards else [])).items()
        if group in schema.parameters or ("loss" in schema.parameters and group in FREE_GROUPS)
    }
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
            below = keys_below(root)
            meant = keys_called(name, below) or ([] if nearest(name, known) else keys_like(name, below))
            return f"the configuration has no key '{name}'{suggestion(name, known, meant)}"
    return _unquoted_comma(error, arguments) or _own_words(error)


def _unquoted_comma(error: Exception, arguments: Sequence[str]) -> str | None:
    """A sentence about the first argument whose commas Hydra takes for those of a multirun, in a single run."""
    if not str(error).startswith("Ambiguous value for argument"):
        return None
    swept = next(name for name in arguments if (override := _parse(name)) and override.is_sweep_override())
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
            other = OTHER_WAYS.get(choice.key_or_group, "").format(name=name)
            return f"no {choice.key_or_group} card is called '{name}'{suggestion(name, cards)}{other}"
    return None


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
