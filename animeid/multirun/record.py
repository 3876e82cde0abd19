"""Record of a multirun's jobs, `multirun.json`.

Folders are numbered, since names made of overrides (`loss=focal,seed=1`) could not be given to `run=...` without
quoting, and values can be paths. Hydra's own numbers are positions in one call, and job 3 of the next call may be
another one: so numbers are given once, in this file, and stay.

A job is known by its checked configuration rather than by the words of its overrides: `loss=focal` and
`seed=1 loss=focal` are one job, and the same words after a card was changed are another.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from animeid.errors import InputError
from animeid.runs.folder import MULTIRUN_RECORD, RunFolder
from animeid.runs.identity import result_keys
from animeid.system.files import read_json, write_json
from animeid.system.lock import lock, lock_file

ABOUT_THE_FOLDER = ("run_id", "resume", "compare")


@dataclass(frozen=True)
class Asked:
    """What a job is asked for.

    overrides: the arguments of the job, for people: key to value.
    config: a digest of its checked configuration, `seed` left out.
    """

    overrides: dict[str, str]
    seed: int
    config: str

    @classmethod
    def of(cls, request: Mapping[str, Any], overrides: Mapping[str, str]) -> Asked:
        rest = {key: value for key, value in result_keys(request).items() if key != "seed"}
        digest = sha256(json.dumps(rest, sort_keys=True, default=str).encode()).hexdigest()
        shown = {key: value for key, value in overrides.items() if key not in ABOUT_THE_FOLDER}
        return cls(shown, request["seed"], digest)

    @property
    def identity(self) -> tuple[str, int]:
        return self.config, self.seed


@dataclass(frozen=True)
class Job:
    """A job with its number, which is the name of its folder."""

    number: int
    asked: Asked
    folder: RunFolder

    def value(self, key: str) -> str:
        return str(self.asked.seed) if key == "seed" else self.asked.overrides.get(key, "")

    def describe(self, keys: Iterable[str]) -> str:
        return " ".join(f"{key}={self.value(key)}" for key in keys if self.value(key))


def differing(jobs: Sequence[Job]) -> list[str]:
    """The overrides in which jobs differ, `seed` last; only `seed` where they differ in nothing."""
    keys = dict.fromkeys(key for job in jobs for key in job.asked.overrides if key != "seed")
    found = [key for key in keys if len({job.value(key) for job in jobs}) > 1]
    return [*found, "seed"] if not found or len({job.asked.seed for job in jobs}) > 1 else found


@dataclass(frozen=True)
class Multirun:
    """The folder of a multirun."""

    path: Path

    def refuse_foreign(self) -> None:
        """Refuses a folder that holds something else.

        Raises:
            InputError: the folder is there and not that of a multirun.
        """
        if (self.path / MULTIRUN_RECORD).is_file() or not self.path.exists():
            return
        if not self.path.is_dir() or any(not item.name.startswith(".") for item in self.path.iterdir()):
            raise InputError(
                f"{self.path} exists already and is no multirun's folder ({MULTIRUN_RECORD} is missing): "
                "choose another run_id"
            )

    def lock_file(self, name: str | int) -> Path:
        return lock_file(self.path, name)

    def jobs(self) -> list[Job]:
        """All jobs that any call has asked for, by number."""
        record = self.path / MULTIRUN_RECORD
        entries = read_json(record)["jobs"] if record.is_file() else []
        return [self._job(entry["job"], Asked(entry["overrides"], entry["seed"], entry["config"])) for entry in entries]

    def register(self, asked: Sequence[Asked]) -> list[Job]:
        """The jobs that are asked for, in their order; those that are new get the next numbers."""
        with lock(self.lock_file("record"), f"{self.path / MULTIRUN_RECORD}", waits=True):
            before = self.jobs()
            known = {job.asked.identity: job for job in before}
            for item in asked:
                job = known.get(item.identity)
                number = job.number if job else max((job.number for job in known.values()), default=-1) + 1
                # Another call's words for the same job: `model=small`, the default, may be said or not.
                words = {**(job.asked.overrides if job else {}), **item.overrides}
                known[item.identity] = self._job(number, Asked(words, item.seed, item.config))
            jobs = list(known.values())
            if jobs != before:
                self._write(jobs)
            return [known[item.identity] for item in asked]

    def _job(self, number: int, asked: Asked) -> Job:
        return Job(number, asked, RunFolder(self.path / str(number)))

    def _write(self, jobs: Sequence[Job]) -> None:
        entries = [
            {"job": job.number, "overrides": job.asked.overrides, "seed": job.asked.seed, "config": job.asked.config}
            for job in jobs
        ]
        write_json(self.path / MULTIRUN_RECORD, {"jobs": entries})
