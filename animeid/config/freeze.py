"""Configurations as plain values, written and read unchanged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from animeid.config.check import check
from animeid.errors import InputError
from animeid.system.files import read_yaml


def freeze(config: DictConfig) -> dict[str, Any]:
    """A composed configuration as plain dicts and lists, with every interpolation resolved.

    Raises:
        InputError: a value that must be given is missing, or a reference leads nowhere.
    """
    try:
        missing = sorted(OmegaConf.missing_keys(config))
        if missing:
            raise InputError(f"{missing[0]} is not given: write {missing[0]}=..., or see --help")
        plain = OmegaConf.to_container(config, resolve=True)
    except OmegaConfBaseException as error:
        told = " ".join(str(error).split())
        raise InputError(f"{told}: correct the value, or write \\${{...}} for text that is no reference") from error
    assert isinstance(plain, dict)
    return {str(name): value for name, value in plain.items()}


def read_plan(path: Path) -> dict[str, Any]:
    """The plan in a run's folder, whose parts are to be built; the folder may come from anyone.

    Raises:
        InputError: the file is damaged, or names a target that no card can name.
    """
    plan = read_yaml(path)
    try:
        check(plan)
    except InputError as error:
        raise InputError(f"{path} is not used: {error}") from error
    return plan
