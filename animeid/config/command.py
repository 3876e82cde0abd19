"""The frame of every entry point: compose, check, run, exit status."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from animeid.config.arguments import as_overrides, with_home
from animeid.config.explain import explain
from animeid.config.locate import conf_dir
from animeid.config.multirun import Ended, JobsRefusedError, do_job, ending
from animeid.config.options import options_last, parsed
from animeid.config.request import checked, tried
from animeid.errors import (
    BAD_INPUT,
    CRASHED,
    INTERRUPTED,
    InputError,
    Interrupted,
    MachineError,
    PeerFailedError,
)
from animeid.multirun.running import JobCrashedError
from animeid.runs.claiming import claim
from animeid.runs.folder import OUTPUTS
from animeid.system.console import say_error, say_loading, write_anything
from animeid.system.faults import in_sentences
from animeid.system.home import settle_in
from animeid.system.launcher import own_rank, refuse_launcher
from animeid.system.stop import stoppable
from animeid.system.streams import let_go

FULL_ERROR = "HYDRA_FULL_ERROR"
COMPOSING_ERRORS = (HydraException, OmegaConfBaseException, YAMLError, InputError, ValueError)

WAYS_ON = {"tune": "the same command with its run_id goes on", "shard": "the same command goes on"}
"""How commands go on that keep what they have done."""

Work = Callable[[dict[str, Any]], Any]
"""What a command does with its checked request; a number that it returns is what sweepers rank by."""

Check = Callable[[dict[str, Any]], None]
"""Refuses a request for what can be seen at once, such as a folder that is not there."""


class Together(Protocol):
    """What a command does once for all jobs of a multirun."""

    def check(self, requests: Sequence[Mapping[str, Any]]) -> None:
        """Raises:
        InputError: the jobs of these requests cannot be taken together; asked before the first begins.
        """

    def do(self, request: Mapping[str, Any], folder: Path) -> None:
        """Is called when all jobs are done, with the request of one of them and the multirun's folder."""


def task_overrides() -> list[str]:
    """The arguments of the command that is running, as Hydra got them."""
    overrides = OmegaConf.to_container(HydraConfig.get().overrides, resolve=False)  # as they were written
    assert isinstance(overrides, dict)
    return list(overrides["task"])


def own_cards() -> list[str]:
    """The folder of cards that `--config-dir` of the command that is running names, if it names one."""
    sources = HydraConfig.get().runtime.config_sources
    return [source.path for source in sources if source.provider == "command-line"]


class Main(Protocol):
    """An entry point: arguments (None: those of this process) to exit status."""

    def __call__(self, arguments: Sequence[str] | None = None) -> int: ...


def command(root: str, work: Work, check: Check | None = None, together: Together | None = None) -> Main:
    """The `main` of an entry point.

    Args:
        root: the name of its root configuration, `train` for `conf/train.yaml`.
        work: what it does; whatever is heavy is imported inside.
        check: comes before that where the command is one run, and imports nothing heavy.
        together: comes after the jobs of a multirun.

    Returns:
        A function of the command line's arguments (None: those of this process) that returns the exit status: 0, 2
        for bad input, 1 where the machine cannot go on (`MachineError`), 130 when the user interrupted, 143 after
        SIGTERM. Anything else that is raised is a bug and keeps its traceback; that of a multirun's job goes to the
        job's folder, the others are done, and the status is 1.
    """

    def main(arguments: Sequence[str] | None = None) -> int:
        write_anything()
        settle_in()
        job = Job(root, work, check)
        try:
            with in_sentences(), stoppable(), _readable(job), _composing(arguments):
                with ending(together.check if together else None) as ended:
                    hydra.main(version_base="1.3", config_path=str(conf_dir()), config_name=root)(job)()
                job.end(ended, together)
        except Interrupted as stop:
            say_error(f"stopped by a signal: {_way_on(root, stop.way_on)}")
            return 128 + stop.signum
        except KeyboardInterrupt:
            say_error(f"interrupted: {_way_on(root)}")
            return INTERRUPTED
        except MachineError as error:
            if job.wants_tracebacks:
                raise
            say_error(str(error))
            return CRASHED
        except (*COMPOSING_ERRORS, JobsRefusedError) as error:
            cause = error.error if isinstance(error, JobsRefusedError) else error
            # What is raised later than composing is a bug: the job catches bad input itself.
            if job.has_begun or job.wants_tracebacks or not isinstance(cause, COMPOSING_ERRORS):
                raise cause from None
            say_error(_sentence(cause, root, arguments))
            return BAD_INPUT
        if job.has_crashed or ended.crashed:
            return CRASHED
        return BAD_INPUT if job.has_failed or ended.failed else 0

    return main


class Job:
    """What Hydra calls with a composed configuration, once for each combination of a multirun."""

    def __init__(self, root: str, work: Work, check: Check | None) -> None:
        self.root = root
        self.work = work
        self.check = check
        self.arguments = sys.argv
        self.wants_tracebacks = os.environ.get(FULL_ERROR) == "1"
        self.has_begun = False
        self.has_failed = False
        self.has_crashed = False

    def __call__(self, config: DictConfig) -> Any:
        self.has_begun = True
        # Whatever starts this command again in other processes needs the arguments that the user wrote.
        sys.argv = self.arguments
        try:
            overrides = task_overrides()
            request = checked(self.root, config, overrides)
            if self.root != "train":
                refuse_launcher(f"animeid.{self.root}", "start it without")
            is_job = self.root == "train" and HydraConfig.get().mode == RunMode.MULTIRUN
            if self.check is not None and not is_job and own_rank().rank == 0:
                self.check(request)
                say_loading(self.root)
            request = tried(self.root, request, overrides)
            work = in_sentences()(self.work)
            return do_job(request, work) if is_job else work(request)
        except (InputError, MachineError, JobCrashedError, PeerFailedError) as error:
            if self.wants_tracebacks:
                raise
            # The other jobs of a multirun go on.
            self._say(error)
            return None

    def end(self, ended: Ended, together: Together | None) -> None:
        """Does what is done once for all jobs, where there were several."""
        if together is None or ended.folder is None or ended.request is None:
            return
        try:
            in_sentences()(together.do)(ended.request, ended.folder)
        except (InputError, MachineError) as error:
            if self.wants_tracebacks:
                raise
            self._say(error)

    def _say(self, error: Exception) -> None:
        self.has_failed |= isinstance(error, InputError)
        self.has_crashed |= not isinstance(error, InputError)
        say_error(str(error))


def _run_name(run_id: str | int | None) -> str:
    """What a multirun's folder is called below `outputs`; without a `run_id` never one that is there."""
    return claim(OUTPUTS).relative_to(OUTPUTS).as_posix() if run_id is None else str(run_id)


# Cached, so that all jobs of a multirun have one time.
OmegaConf.register_new_resolver("animeid.run_name", _run_name, use_cache=True, replace=True)


def _way_on(root: str, known: str = "") -> str:
    """How to go on after a signal.

    Args:
        known: what the command itself says of it.
    """
    return known or WAYS_ON.get(root, "the same command starts again")


def _sentence(error: Exception, root: str, arguments: Sequence[str] | None) -> str:
    if isinstance(error, InputError):
        return str(error)
    given = parsed(arguments)
    own_cards = Path(with_home(given.config_dir)) if given.config_dir else None
    is_there = own_cards is not None and own_cards.is_dir()
    return explain(error, root, given.overrides, own_cards if is_there else None)


@contextmanager
def _readable(job: Job) -> Iterator[None]:
    """Ends quietly where whoever reads Hydra's help has seen enough of it."""
    try:
        yield
    except BrokenPipeError:
        if job.has_begun:
            raise
        let_go(sys.stdout)


@contextmanager
def _composing(arguments: Sequence[str] | None) -> Iterator[None]:
    """Gives Hydra the arguments, and makes it raise its errors instead of printing them and leaving."""
    before, full_error = sys.argv, os.environ.get(FULL_ERROR)
    given = options_last(as_overrides(before[1:] if arguments is None else arguments))
    os.environ[FULL_ERROR] = "1"
    sys.argv = [before[0], *given]
    try:
        yield
    finally:
        sys.argv = before
        if full_error is None:
            del os.environ[FULL_ERROR]
        else:
            os.environ[FULL_ERROR] = full_error
