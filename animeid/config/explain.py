"""Hydra's errors as one sentence each.

Hydra says what it could not do; what was meant is found by looking at each argument ourselves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from animeid.config.check import is_node, join, settable
from animeid.config.locate import conf_dir, groups
from animeid.config.signatures import signature
from animeid.config.suggest import suggestion


def explain(error: Exception, root: str, arguments: Sequence[str], own_cards: Path | None = None) -> str:
    """The sentence that tells the user what to change.

    Args:
        error: what Hydra raised while it composed.
        root: the name of the root configuration.
        arguments: the `key=value` arguments of the command line.
        own_cards: a folder with the user's own cards.
    """
    folders = [conf_dir(), *([own_cards] if own_cards else [])]
    cards = groups(*folders)
    choices, settings = [], []
    for argument in arguments:
        override = _parse(argument)
        if override is None:
            return f"the argument '{argument}' cannot be read: write key=value, such as seed=2 or loss=focal"
        (choices if override.key_or_group in cards else settings).append(override)
    wrong_card = next(filter(None, (_wrong_card(choice, cards[choice.key_or_group]) for choice in choices)), None)
    return wrong_card or _wrong_key(root, choices, settings, cards) or _own_words(error)


def _parse(argument: str) -> Override | None:
    try:
        return OverridesParser.create().parse_override(argument)
    except HydraException:
        return None


def _values(override: Override) -> list[Any]:
    """The values of an argument, all of them when it is swept over."""
    return list(override.sweep_iterator()) if override.is_sweep_override() else [override.value()]


def _wrong_card(choice: Override, cards: Sequence[str]) -> str | None:
    for value in _values(choice):
        name = str(value)
        if value is not None and not choice.is_delete() and name not in cards:
            return f"no {choice.key_or_group} card is called '{name}'{suggestion(name, cards)}"
    return None


def _wrong_key(
    root: str, choices: Sequence[Override], settings: Sequence[Override], cards: Mapping[str, Sequence[str]]
) -> str | None:
    """The first setting whose key is not in the configuration that the chosen cards make."""
    overrides = [choice.input_line for choice in choices if choice.input_line and not choice.is_sweep_override()]
    try:
        with initialize_config_dir(str(conf_dir()), version_base="1.3"):
            composed = compose(root, overrides=overrides)
    except (HydraException, OmegaConfBaseException):
        return None
    plain = OmegaConf.to_container(composed, resolve=False)
    absent = (
        _absent(plain, setting.key_or_group, cards)
        for setting in settings
        if not setting.is_add() and not setting.is_force_add() and not setting.key_or_group.startswith("hydra")
    )
    return next(filter(None, absent), None)


def _absent(plain: Any, key: str, cards: Mapping[str, Sequence[str]]) -> str | None:
    """A sentence about the first part of a dotted key that is not there; None when all of it is."""
    done = ""
    for name in key.split("."):
        if not isinstance(plain, Mapping):
            return f"{done} is a value and has no key '{name}'"
        if name not in plain:
            known = {*map(str, plain), *_settable(plain)} if done else {*map(str, plain), *cards}
            if name in _settable(plain):
                return f"the card of {done} does not list '{name}': write +{key}=... to set it"
            place = done or "the configuration"
            return f"{place} has no key '{name}'{suggestion(name, known)}"
        plain, done = plain[name], join(done, name)
    return None


def _settable(node: Mapping[str, Any]) -> list[str]:
    """What the target of a node takes, whether or not its card lists it."""
    found = signature(str(node["_target_"])) if is_node(node) else None
    return settable(found) if found else []


def _own_words(error: Exception) -> str:
    """What the error says itself, on one line."""
    words = str(error)
    if isinstance(error.__cause__, OmegaConfBaseException):
        words = f"{words}: {error.__cause__}"
    return " ".join(words.split())
