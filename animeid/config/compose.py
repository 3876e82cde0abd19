"""A command's request without its command line, for studies and tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import hydra

from animeid.config.freeze import checked
from animeid.config.locate import conf_dir


def compose(root: str, overrides: Sequence[str]) -> dict[str, Any]:
    """What `python -m animeid.<root> <overrides>` would work on.

    Raises:
        InputError: a card or value is wrong.
    """
    with hydra.initialize_config_dir(version_base="1.3", config_dir=str(conf_dir())):
        return checked(root, hydra.compose(root, [f"++{item}" if "." in item else item for item in overrides]))
