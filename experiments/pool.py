"""Pool of jobs, each on a core of its own; what is done already is not done again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Protocol

from animeid.runs.folder import OUTPUTS
from animeid.system.progress import clock

POLL_S = 0.5


class Job(Protocol):
    """Something to be done once by a command of its own.

    name: of its log. needs: the name of the job that it works on, if any. is_done: whether its result is there.
    """

    @property
    def name(self) -> str: ...

    @property
    def needs(self) -> str | None: ...

    @property
    def is_done(self) -> bool: ...

    @property
    def command(self) -> list[str]: ...


class RunJob:
    """What jobs have in common that leave a finished run of their `name`."""

    @property
    def folder(self) -> Path:
        return OUTPUTS / self.name

    @property
    def is_done(self) -> bool:
        return (self.folder / "metrics.json").is_file()


def own_core(core: int) -> None:
    """Binds this process to a core, where the system can."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {core})


def cores() -> list[int]:
    """All that this process may use."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(os.cpu_count() or 1))


def begin(job: Job, core: int, logs: Path) -> subprocess.Popen[bytes]:
    """Starts a job with one thread: threads of several processes on the same cores would wait for one another."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with (logs / f"{job.name}.log").open("ab") as log:
        return subprocess.Popen(
            job.command, env=environment, stdout=log, stderr=subprocess.STDOUT, preexec_fn=partial(own_core, core)
        )


def do(jobs: Sequence[Job], logs: Path) -> None:
    """Does all that is left, a job as soon as the one that it works on is there.

    A job that fails leaves out those that need it and nothing else; all failures are told at the end. The same command
    goes on after them, as after a kill.
    """
    logs.mkdir(parents=True, exist_ok=True)
    waiting, failed = [job for job in jobs if not job.is_done], list[str]()
    free, running = cores(), {}
    began, total, done = time.monotonic(), len(waiting), 0
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that no job is left behind
    print(f"{total} of {len(jobs)} jobs are left, {len(free)} at a time", flush=True)
    try:
        while waiting or running:
            missing = {job.name for job in waiting} | {job.name for job, _ in running.values()}
            ready = [job for job in waiting if job.needs not in missing]
            while free and ready:
                job = ready.pop(0)
                waiting.remove(job)
                core = free.pop(0)
                running[core] = (job, begin(job, core, logs))
            time.sleep(POLL_S)
            for core, (job, process) in list(running.items()):
                if process.poll() is None:
                    continue
                del running[core]
                free.append(core)
                done += 1
                if process.returncode or not job.is_done:
                    failed.append(f"{job.name} failed with status {process.returncode}: see {logs / job.name}.log")
                    print(failed[-1], flush=True)
                    waiting = [other for other in waiting if other.needs != job.name]
                    continue
                left = clock((time.monotonic() - began) / done * (total - done))
                print(f"{done} of {total}: {job.name}; about {left} left", flush=True)
    finally:
        signal.signal(signal.SIGTERM, before)
        for _, process in running.values():
            process.terminate()
        for _, process in running.values():
            process.wait()
    if failed:
        sys.exit("\n".join(failed))
