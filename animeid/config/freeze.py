"""Configurations as plain values, checked once and then written and read unchanged."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from omegaconf import DictConfig, OmegaConf

from animeid.config.check import accept, check
from animeid.config.schema import SCHEMAS
from animeid.errors import InputError


def freeze(config: DictConfig) -> dict[str, Any]:
    """A composed configuration as plain dicts and lists, with every interpolation resolved.

    Raises:
        InputError: a value that must be given is missing.
    """
    missing = sorted(OmegaConf.missing_keys(config))
    if missing:
        raise InputError(f"{missing[0]} is not given: write {missing[0]}=..., or see --help")
    plain = OmegaConf.to_container(config, resolve=True)
    assert isinstance(plain, dict)
    request = {str(name): value for name, value in plain.items()}
    # A run may be named 7 without quotes.
    if type(request.get("run_id")) is int:
        request["run_id"] = str(request["run_id"])
    return request


def check_request(root: str, request: Mapping[str, Any]) -> None:
    """Checks the keys of a command's root and every node below them.

    Raises:
        InputError: the first thing that is wrong.
    """
    accept(SCHEMAS[root], check(request), "", is_partial=False)


def write_yaml(path: Path, plain: Mapping[str, Any]) -> None:
    """Writes plain values; names in any script stay readable."""
    path.write_text(yaml.safe_dump(dict(plain), allow_unicode=True, sort_keys=False), encoding="utf-8")


def read_yaml(path: Path) -> dict[str, Any]:
    """The plain values that `write_yaml` wrote."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))
