"""A command's request without its command line, for studies and tests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import hydra
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from animeid.config.arguments import as_overrides
from animeid.config.explain import explain
from animeid.config.locate import conf_dir
from animeid.config.request import checked
from animeid.errors import InputError


def compose(root: str, overrides: Sequence[str], own_cards: Sequence[str] = ()) -> dict[str, Any]:
    """What `python -m animeid.<root> <overrides>` would work on.

    Args:
        root: the command.
        overrides: its arguments.
        own_cards: folders with cards of the user's.

    Raises:
        InputError: a card or value is wrong.
    """
    forced = as_overrides(overrides)
    found = [f"hydra.searchpath=[{','.join(f'file://{folder}' for folder in own_cards)}]"] if own_cards else []
    with _apart():
        try:
            config = hydra.compose(root, [*forced, *found])
        except (HydraException, OmegaConfBaseException) as error:
            raise InputError(explain(error, root, forced)) from error
        return checked(root, config, forced)


@contextmanager
def _apart() -> Iterator[None]:
    """Our cards, also while a command of Hydra's is running, which stays what it was."""
    running = GlobalHydra.instance().hydra
    GlobalHydra.instance().clear()
    try:
        with hydra.initialize_config_dir(version_base="1.3", config_dir=str(conf_dir())):
            yield
    finally:
        GlobalHydra.instance().hydra = running
