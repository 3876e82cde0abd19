"""The jobs of a multirun that one process does, one after the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from animeid.errors import InputError
from animeid.multirun.outcome import make_way, outcome, sentence_of, write_error
from animeid.multirun.record import Asked, Job, Multirun, differing
from animeid.runs.folder import OUTPUTS
from animeid.system.console import say, written_down
from animeid.system.lock import lock
from animeid.system.progress import clock
from animeid.terms import EVALUATED_SPLITS


class JobCrashedError(Exception):
    """A job was ended by a bug, whose traceback is written to its folder."""


class Running:
    """The jobs of this process.

    Args:
        folder: the multirun's, below `outputs`.
        asked: what is known of the jobs beforehand; others are added when they begin.
    """

    def __init__(self, folder: Path, asked: Sequence[Asked] = ()) -> None:
        self.multirun = Multirun(folder)
        self.seconds: list[float] = []
        self._locks = ExitStack()
        self.planned = {job.number: job for job in self.multirun.register(asked)}

    @classmethod
    def begin(cls, folder: Path, asked: Sequence[Asked]) -> Running:
        """The multirun of this process; no other process can begin it until `end`.

        Raises:
            InputError: the folder is something else's, or another process is at work on it.
        """
        multirun = Multirun(folder)
        multirun.refuse_foreign()
        with ExitStack() as locks:
            locks.enter_context(lock(multirun.lock_file("multirun"), f"{folder}"))
            running = cls(folder, asked)
            running._locks = locks.pop_all()
        running._say_what_has_changed()
        return running

    def run(self, asked: Asked, request: dict[str, Any], work: Callable[[dict[str, Any]], Any]) -> Any:
        """Does a job, unless it is finished already; why it fails is written to `error.txt`.

        Returns:
            What `work` returns; for a finished job its `f1_macro` of validation, as `work` did.

        Raises:
            InputError: another process does this job, or the input is bad, or has more classes than a finished job.
            JobCrashedError: anything else was raised.
        """
        (job,) = self.multirun.register([asked])
        # Its launching process may have died and the job, on another machine, may not.
        with lock(self.multirun.lock_file(job.number), f"{job.folder.path}"):
            found = outcome(job.folder)
            if found.is_finished:
                from animeid.runs.added import check_added  # reads tables, and every command imports this

                check_added(job.folder, request["data"])
                say(f"{self._title(job)} is finished already: {job.folder.path}")
                return found.figure("val", "f1_macro")
            aside = make_way(job.folder, keeps_half=request["resume"] != "never")
            if aside:
                say(f"the unfinished {job.folder.path} is now {aside}")
            say(f"{self._title(job)}{self._left(job)}")
            return self._do(job, {**request, "run_id": job.folder.path.relative_to(OUTPUTS).as_posix()}, work)

    def _do(self, job: Job, request: dict[str, Any], work: Callable[[dict[str, Any]], Any]) -> Any:
        start = time.monotonic()
        page = self.multirun.path / f"{job.number}.txt"
        try:
            with page.open("a", encoding="utf-8") as stream, written_down(stream):
                answer = work(request)
        except InputError as error:
            write_error(job.folder, error)
            raise
        except Exception as error:
            sentence = f"{job.folder.path} crashed: {sentence_of(error)}"
            with suppress(OSError):  # a full disk may be what is wrong
                sentence += f"; see {write_error(job.folder, error)}"
            raise JobCrashedError(sentence) from error
        self.seconds.append(time.monotonic() - start)
        self._say_result(job, page)
        return answer

    def _say_result(self, job: Job, page: Path) -> None:
        """A line for a job that is done, and its warnings."""
        for line in dict.fromkeys(page.read_text(encoding="utf-8").splitlines()):
            if line.startswith("WARNING"):
                say(line)
        found, name = outcome(job.folder), "f1_macro"
        figures = [
            f"{part} {value:.3f}" for part in EVALUATED_SPLITS if (value := found.figure(part, name)) is not None
        ]
        took = f"{name} {', '.join(figures)}, " if figures else ""
        say(f"  {took}{clock(self.seconds[-1])}; what it said is in {page}")

    def end(self) -> tuple[int, int]:
        """Sums up what is there and lets go of the folder.

        Returns:
            How many of this call's jobs failed by bad input, and how many crashed.
        """
        with self._locks:
            from animeid.multirun.summary import write_summary  # reads tables, and every command imports this

            say(write_summary(self.multirun))
            failed = [found for job in self.planned.values() if (found := outcome(job.folder)).state == "failed"]
        crashed = sum(found.has_crashed for found in failed)
        return len(failed) - crashed, crashed

    def _title(self, job: Job) -> str:
        what = job.describe(differing(self.multirun.jobs()))
        if job.number not in self.planned:
            return f"job {job.folder.path}: {what}"
        return f"job {list(self.planned).index(job.number) + 1} of {len(self.planned)}: {what}"

    def _left(self, job: Job) -> str:
        if not self.seconds or job.number not in self.planned:
            return ""
        numbers = list(self.planned)
        to_do = [
            number
            for number in numbers[numbers.index(job.number) :]
            if not outcome(self.planned[number].folder).is_finished
        ]
        return f", about {clock(len(to_do) * sum(self.seconds) / len(self.seconds))} left"

    def _say_what_has_changed(self) -> None:
        """Names the jobs that look like earlier ones and are others, since a card or a default has changed."""
        earlier: dict[tuple[str, int], Job] = {}
        for job in self.multirun.jobs():
            words = (str(sorted(job.asked.overrides.items())), job.asked.seed)
            if words in earlier and job.number in self.planned:
                say(
                    f"{job.folder.path} has the overrides of {earlier[words].folder.path}, but a card or a default has "
                    "changed since: it is another job, and both are kept"
                )
            earlier[words] = job
