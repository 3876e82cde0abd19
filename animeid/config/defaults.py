"""Keys of a request that differ from the root configuration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import hydra
from hydra.core.global_hydra import GlobalHydra

from animeid.config.check import join
from animeid.config.freeze import freeze
from animeid.config.locate import conf_dir
from animeid.runs.identity import changes_result

NO_CARD = ("recipe", "budget", "seed", "test")
"""Keys that lie in no card."""


@contextmanager
def cards_alone() -> Iterator[None]:
    """Our cards, also while a command of Hydra's is running, which stays what it was."""
    running = GlobalHydra.instance().hydra
    GlobalHydra.instance().clear()
    try:
        with hydra.initialize_config_dir(version_base="1.3", config_dir=str(conf_dir())):
            yield
    finally:
        GlobalHydra.instance().hydra = running


@cache
def default_request(root: str) -> dict[str, Any]:
    """What a command without arguments asks for, unchecked."""
    with cards_alone():
        return freeze(hydra.compose(root))


def fixed_keys(root: str, request: Mapping[str, Any], overrides: Sequence[str]) -> list[str]:
    """Keys that the command line names, and those whose value is not the default one, sorted.

    Cards of an experiment, of a folder of one's own and of groups that change keys anywhere are seen by the second.

    Args:
        root: the command.
        request: as composed.
        overrides: what the command line set, `key=value` each.
    """
    named = {override.partition("=")[0].lstrip("+~") for override in overrides}
    found = named | set(_changes(request, default_request(root), ""))
    return sorted(key for key in found if changes_result(key) and key not in NO_CARD)


def _changes(value: Any, default: Any, key: str) -> Iterator[str]:
    """Keys of leaves, or of whole cards where another one was taken."""
    if not isinstance(value, Mapping) or not isinstance(default, Mapping):
        if value != default:
            yield key
        return
    if value.get("_target_") != default.get("_target_"):
        yield key
        return
    for name in value.keys() | default.keys():
        yield from _changes(value.get(name), default.get(name), join(key, name))
