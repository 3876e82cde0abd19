"""A multirun checks all its jobs before it starts the first, so that a typing error does not wait for hours."""

from __future__ import annotations

from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.experimental.callback import Callback
from omegaconf import DictConfig, open_dict

from animeid.config.freeze import checked


class JobsRefusedError(BaseException):
    """Carries what is wrong with a job past Hydra, which turns every Exception of a callback into a warning."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


class CheckJobs(Callback):
    """Composes and checks every combination that Hydra's own sweeper will run.

    Other sweepers choose their values as they go; their jobs are checked when each begins.
    """

    def __init__(self, root: str) -> None:
        self.root = root

    def on_multirun_start(self, config: DictConfig, **_: Any) -> None:
        try:
            for job in jobs(config):
                checked(self.root, job)
        except Exception as error:
            raise JobsRefusedError(error) from error


def jobs(config: DictConfig) -> list[DictConfig]:
    """The configurations that a multirun will run, or none where its sweeper decides on the way."""
    loader = GlobalHydra.instance().config_loader()
    overrides = OverridesParser.create(config_loader=loader).parse_overrides(list(config.hydra.overrides.task))
    if any(override.is_sweep_override() and not override.is_discrete_sweep() for override in overrides):
        return []
    composed = []
    for combination in BasicSweeper.split_arguments(overrides, None)[0]:
        job = loader.load_sweep_config(config, combination)
        with open_dict(job):
            del job["hydra"]
        composed.append(job)
    return composed
