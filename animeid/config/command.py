"""What every entry point does: compose, check, run, and answer bad input with one sentence and status 2."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import hydra
from hydra._internal.utils import get_args_parser
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from animeid.config.explain import explain
from animeid.config.freeze import check_request, freeze
from animeid.config.gateway import try_transforms
from animeid.config.locate import conf_dir
from animeid.errors import InputError

BAD_INPUT = 2
INTERRUPTED = 130

Work = Callable[[dict[str, Any]], Any]
"""What a command does with its checked request; a number that it returns is what sweepers rank by."""


def say_error(sentence: str) -> None:
    print(f"animeid: error: {sentence}", file=sys.stderr, flush=True)  # noqa: T201


def command(root: str, work: Work) -> Callable[[Sequence[str] | None], int]:
    """The `main` of an entry point.

    Args:
        root: the name of its root configuration, `train` for `conf/train.yaml`.
        work: what it does; whatever is heavy is imported inside.

    Returns:
        A function of the command line's arguments (None: those of this process) that returns the exit status: 0, 2
        for bad input, 130 when the user interrupted. Anything else that is raised is a bug and keeps its traceback.
    """

    def main(arguments: Sequence[str] | None = None) -> int:
        job = Job(root, work)
        try:
            with _composing(arguments):
                hydra.main(version_base="1.3", config_path=str(conf_dir()), config_name=root)(job)()
        except KeyboardInterrupt:
            say_error("interrupted")
            return INTERRUPTED
        except (HydraException, OmegaConfBaseException, YAMLError, InputError, ValueError) as error:
            # Once the work has begun, only bad input may be raised, and the job has caught that.
            if job.has_begun or _wants_tracebacks():
                raise
            say_error(_sentence(error, root, arguments))
            return BAD_INPUT
        return BAD_INPUT if job.has_failed else 0

    return main


class Job:
    """What Hydra calls with a composed configuration, once for each combination of a multirun."""

    def __init__(self, root: str, work: Work) -> None:
        self.root = root
        self.work = work
        self.arguments = sys.argv
        self.has_begun = False
        self.has_failed = False

    def __call__(self, config: DictConfig) -> Any:
        # Whatever starts this command again in other processes needs the arguments that the user wrote.
        sys.argv = self.arguments
        try:
            request = freeze(config)
            check_request(self.root, request)
            try_transforms(request)
            if HydraConfig.get().mode == RunMode.MULTIRUN and "run_id" in request:
                request["run_id"] = _job_folder()
            self.has_begun = True
            return self.work(request)
        except (InputError, OmegaConfBaseException) as error:
            if _wants_tracebacks() or (self.has_begun and not isinstance(error, InputError)):
                raise
            # The other jobs of a multirun go on.
            self.has_failed = True
            say_error(" ".join(str(error).split()))
            return None


def _job_folder() -> str:
    """The folder of a multirun's job below `outputs`, as Hydra made it."""
    return Path(HydraConfig.get().runtime.output_dir).relative_to(Path("outputs").resolve()).as_posix()


def _run_name(run_id: str | None) -> str:
    """What a run's folder is called below `outputs`."""
    return str(run_id) if run_id is not None else f"{datetime.now():%Y-%m-%d/%H-%M-%S}"


def _sentence(error: Exception, root: str, arguments: Sequence[str] | None) -> str:
    if isinstance(error, InputError):
        return str(error)
    parsed = get_args_parser().parse_args(arguments)
    own_cards = Path(parsed.config_dir) if parsed.config_dir else None
    return explain(error, root, parsed.overrides, own_cards)


FULL_ERROR = "HYDRA_FULL_ERROR"


def _wants_tracebacks() -> bool:
    return os.environ.get(ASKED) == "1"


@contextmanager
def _composing(arguments: Sequence[str] | None) -> Iterator[None]: ...
