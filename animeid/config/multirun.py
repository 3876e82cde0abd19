"""Hydra's side of a multirun: all its jobs are checked and numbered before the first starts, and summed up at the end.

What a multirun is, and what its folder holds, is in `animeid.multirun`, which knows nothing of Hydra.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.experimental.callback import Callback
from omegaconf import DictConfig, open_dict

from animeid.config.gateway import has_transforms
from animeid.config.request import checked, tried
from animeid.errors import InputError
from animeid.multirun.record import Asked
from animeid.multirun.running import Running
from animeid.runs.folder import OUTPUTS
from animeid.system.console import say, say_loading
from animeid.system.launcher import refuse_launcher

Work = Callable[[dict[str, Any]], Any]
Check = Callable[[Sequence[dict[str, Any]]], None]
"""Refuses the requests of a multirun for what they ask for together."""

MULTIRUN_INSTEAD = "start it as one, each job starts the processes of trainer.devices=N itself"

_running: Running | None = None
"""The multirun that this process has begun; Hydra hands nothing from its callbacks to the command around it."""

_requests: list[dict[str, Any]] = []
"""Those of its jobs, as far as they are known."""

_check: Check | None = None
"""What the command around it refuses them for."""


class JobsRefusedError(BaseException):
    """Carries what is wrong with a job past Hydra, which turns every Exception of a callback into a warning."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


class CheckJobs(Callback):
    """Composes and checks every combination that Hydra's own sweeper will run, and gives each its folder.

    Other sweepers choose their values as they go; their jobs are checked and numbered when each begins.
    """

    def __init__(self, root: str) -> None:
        self.root = root

    def on_run_start(self, config: DictConfig, **_: Any) -> None:
        if _launcher(config) != "BasicLauncher":
            refusal = "hydra/launcher starts the jobs of a multirun, and this is one run: add -m, or leave it out"
            raise JobsRefusedError(InputError(refusal))

    def on_multirun_start(self, config: DictConfig, **_: Any) -> None:
        global _running
        try:
            refuse_launcher("a multirun", MULTIRUN_INSTEAD)
            requests = [(single(checked(self.root, job, overrides)), overrides) for overrides, job in jobs(config)]
            _requests[:] = [request for request, _ in requests]
            if _check is not None:
                _check(_requests)
            if any(has_transforms(request) for request, _ in requests):
                say_loading(self.root)
            asked = [
                Asked.of(tried(self.root, request, overrides), readable(overrides)) for request, overrides in requests
            ]
            _check_launcher(config)
            _running = Running.begin(folder_below_outputs(Path(config.hydra.sweep.dir)), asked)
        except Exception as error:
            raise JobsRefusedError(error) from error


class OneRun(CheckJobs):
    """For a command that is asked about one run of training at a time."""

    def on_multirun_start(self, config: DictConfig, **_: Any) -> None:  # noqa: ARG002
        raise JobsRefusedError(InputError(f"{self.root} is asked about one run at a time: leave out -m"))


@dataclass
class Ended:
    """How a multirun ended: jobs that failed by bad input, and jobs that crashed.

    folder: the multirun's; None where none began. request: that of one of its jobs.
    """

    failed: int = 0
    crashed: int = 0
    folder: Path | None = None
    request: dict[str, Any] | None = None


@contextmanager
def ending(check: Check | None = None) -> Iterator[Ended]:
    """Sums up the multirun that begins inside, if one does, however it ends: an interrupted one too.

    Args:
        check: what its jobs are refused for together, before the first begins.
    """
    global _running, _check
    ended, _check = Ended(), check
    try:
        yield ended
    finally:
        running, _running, _check = _running, None, None
        if running is not None:
            ended.folder, ended.request = running.multirun.path, _requests[-1] if _requests else None
            ended.failed, ended.crashed = running.end()
        _requests.clear()


def do_job(request: dict[str, Any], work: Work) -> Any:
    """Does the job of a multirun that Hydra has begun, in the process that launched it or in another one."""
    refuse_launcher("a job of a multirun", MULTIRUN_INSTEAD)
    hydra = HydraConfig.get()
    running = _running or Running(folder_below_outputs(Path(hydra.runtime.output_dir)))
    if not _requests:  # the sweeper chooses values as it goes
        _requests.append(request)
    return running.run(Asked.of(single(request), readable(list(hydra.overrides.task))), request, work)


def single(request: dict[str, Any]) -> dict[str, Any]:
    """The request, if it asks for one run.

    Raises:
        InputError: it asks for all folds.
    """
    if request["data"].get("fold") == "all":
        raise InputError(
            "data.fold=all makes a multirun of its own: leave out -m, or write the folds, such as data.fold=0,1,2"
        )
    return request


def jobs(config: DictConfig) -> list[tuple[list[str], DictConfig]]:
    """Overrides and configuration of each job that a multirun will run; none where its sweeper decides on the way."""
    loader = GlobalHydra.instance().config_loader()
    if _name(config.hydra.sweeper) != "BasicSweeper":
        return []
    parameters = [f"{key}={value}" for key, value in (config.hydra.sweeper.params or {}).items()]
    overrides = OverridesParser.create(config_loader=loader).parse_overrides(
        [*parameters, *config.hydra.overrides.task]
    )
    if any(override.is_sweep_override() and not override.is_discrete_sweep() for override in overrides):
        return []
    composed = []
    for combination in BasicSweeper.split_arguments(overrides, None)[0]:
        job = loader.load_sweep_config(config, combination)
        with open_dict(job):
            del job["hydra"]
        composed.append((combination, job))
    return composed


def readable(overrides: Sequence[str]) -> dict[str, str]:
    """Overrides as people read them: `["++loss.gamma=2", "'seed=1'"]` becomes `{"loss.gamma": "2", "seed": "1"}`."""
    parsed = OverridesParser.create().parse_overrides(list(overrides))
    return {override.get_key_element().lstrip("+"): _text(override) for override in parsed}


def _text(override: Override) -> str:
    value = override.value()
    return value if isinstance(value, str) else str(override.get_value_element_as_str())


def folder_below_outputs(folder: Path) -> Path:
    """A multirun's folder, as Hydra names it, from the working directory.

    Raises:
        InputError: it lies elsewhere.
    """
    outputs = OUTPUTS.resolve()
    if not folder.resolve().is_relative_to(outputs):
        raise InputError(f"hydra.sweep.dir leads to {folder}, and runs lie below {outputs}: set run_id=NAME instead")
    return OUTPUTS / folder.resolve().relative_to(outputs)


def _name(node: DictConfig) -> str:
    """The class that a plugin's configuration names."""
    return str(node["_target_"]).rpartition(".")[2]


def _launcher(config: DictConfig) -> str:
    return _name(config.hydra.launcher)


def _check_launcher(config: DictConfig) -> None:
    """Says where the output of other launchers' jobs is.

    Raises:
        InputError: the jobs are for SLURM, and this machine has none.
    """
    if _launcher(config) == "SlurmLauncher" and shutil.which("srun") is None:
        raise InputError(
            "hydra/launcher hands the jobs to SLURM, and srun is not found here: start this on a node of the cluster"
        )
    if "submitit_folder" in config.hydra.launcher:
        logs = Path(config.hydra.launcher.submitit_folder).parent
        say(f"the jobs are handed to {_launcher(config)}; what they print is in {logs}")
