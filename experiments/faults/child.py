"""The real command line in a process of its own that is there at once: a fork of this one, which has imported all."""

from __future__ import annotations

import os
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# Whatever a run imports, so that a fork need not; torch must compute nothing here, since its threads do not survive.
from animeid import evaluate, predict, train

MAINS = {"train": train.main, "evaluate": evaluate.main, "predict": predict.main}

Before = Callable[[], None]
"""What a child does before its command: where a fault comes from within."""


@dataclass
class Child:
    """A command under way.

    log: what it prints.
    """

    pid: int
    log: Path

    @property
    def output(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def poll(self) -> int | None:
        """Its exit status as a shell has it, 128 + the signal where one ended it; None while it runs."""
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        return None if pid == 0 else shell_status(status)

    def wait(self) -> int:
        return shell_status(os.waitpid(self.pid, 0)[1])


def shell_status(status: int) -> int:
    code = os.waitstatus_to_exitcode(status)
    return 128 - code if code < 0 else code


def start(
    command: Sequence[str],
    home: Path,
    *,
    tmpdir: Path | None = None,
    environment: Mapping[str, str] | None = None,
    before: Before | None = None,
) -> Child:
    """Starts `train ...`, `evaluate ...` or `predict ...` in the folder `home`."""
    log = home / f"log-{time.monotonic_ns()}.txt"
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return Child(pid, log)
    status = 1
    try:
        stream = os.open(log, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
        os.dup2(stream, 1)
        os.dup2(stream, 2)
        os.chdir(home)
        os.environ.update(environment or {})
        if tmpdir is not None:
            os.environ["TMPDIR"], tempfile.tempdir = str(tmpdir), None
        if before is not None:
            before()
        status = MAINS[command[0]](list(command[1:]))
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def run(command: Sequence[str], home: Path, **options: object) -> tuple[int, str]:
    """Exit status and output of a whole command."""
    child = start(command, home, **options)  # type: ignore[arg-type]
    return child.wait(), child.output
