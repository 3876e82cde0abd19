"""A command's request without its command line, for studies and tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import hydra
from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from animeid.config.arguments import as_overrides
from animeid.config.defaults import cards_alone
from animeid.config.explain import explain
from animeid.config.request import checked, tried
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
    with cards_alone():
        try:
            config = hydra.compose(root, [*forced, *found])
        except (HydraException, OmegaConfBaseException) as error:
            raise InputError(explain(error, root, overrides)) from error
        return tried(root, checked(root, config, forced), forced)
