"""What a command works on: a composed configuration, checked once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from omegaconf import DictConfig

from animeid.config.check import accept, check, complete
from animeid.config.freeze import freeze
from animeid.config.gateway import try_transforms
from animeid.config.schema import SCHEMAS
from animeid.config.second_stage import inherit


def checked(root: str, config: DictConfig, overrides: Sequence[str]) -> dict[str, Any]:
    """The request that a composed configuration makes: checked, and with the defaults of our settings written out.

    Args:
        root: the command.
        config: as composed.
        overrides: what the command line set, `key=value` each.

    Raises:
        InputError: the first thing that is wrong with it.
    """
    request = freeze(config)
    accept(SCHEMAS[root], check(request), "", is_partial=False)
    if request.get("stage"):
        request = inherit(request, overrides)
        check(request)
    try_transforms(request)
    return complete(request)
