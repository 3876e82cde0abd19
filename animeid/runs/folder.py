"""A run's folder: where it is, what it holds, and writing into it so that a kill leaves no half file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from animeid import terms
from animeid.errors import InputError
from animeid.runs.claiming import alone_in, claim, unused
from animeid.runs.files import RunFiles
from animeid.system.files import remove_strays
from animeid.system.lock import refuse_held
from animeid.system.names import expanded

OUTPUTS = Path(terms.OUTPUTS)

TWIN = "twin"
"""The folder, in that of a refit, of the run that was trained without val."""

MULTIRUN_RECORD, SEARCH_STORE = "multirun.json", "trials.db"
"""The files by which folders of several runs are known."""
SUMS_OF_ARTEFACTS = "checksums.txt"
"""What tells an artefact from a run; `animeid.artefacts.checksums` writes it."""


def group_path(run_id: str | None) -> Path:
    """The folder below `outputs` of several runs, which a later call may go on with; a new one without a `run_id`."""
    return OUTPUTS / run_id if run_id else claim(OUTPUTS)


class RunFolder(RunFiles):
    """One run's folder."""

    @classmethod
    def reserve(cls, run_id: str | None, outputs: Path = OUTPUTS, now: datetime | None = None) -> RunFolder:
        """Chooses `outputs/<run_id>`, or `outputs/<date>/<time>` without one; nothing is made yet (see `claimed`).

        Raises:
            InputError: the folder is there already, and a run never overwrites another, or a process is at work on it.
        """
        if run_id:
            run = cls(outputs / run_id)
            run.refuse_held()
            run.refuse_existing()
            return run
        now = now or datetime.now()
        base = outputs / f"{now:%Y-%m-%d}" / f"{now:%H-%M-%S}"
        return cls(unused(base))

    @classmethod
    @contextmanager
    def claimed(cls, run_id: str | None, outputs: Path = OUTPUTS) -> Iterator[RunFolder]:
        """The folder of a run, new or not, which is this process's alone for as long as the block runs.

        It is made at once, so that it is nobody else's; one without a name is a new one. A folder that the block leaves
        empty is removed. A finished run that cannot be written to is not locked.

        Raises:
            InputError: another process is at work on it, or nothing can be made there.
        """
        run = cls(outputs / run_id) if run_id else cls(claim(outputs))
        if run.path.exists() and not run.path.is_dir():
            run.refuse_existing()
        with alone_in(run.path, run.lock_file, outputs, only_read=run.is_finished):
            yield run

    def create(self) -> None:
        """Makes the folder.

        Raises:
            InputError: another run made it in the meantime.
        """
        self.refuse_existing()
        self.path.mkdir(parents=True, exist_ok=True)
        try:
            self.checkpoints.mkdir()
        except FileExistsError:  # where no file can be locked, this step is what only one process can do
            self.refuse_existing()
        self.figures.mkdir(exist_ok=True)

    def clear_start(self) -> None:
        """Removes what a run left that was killed before it had begun; a folder that holds more stays as it is."""
        if not self.has_begun:
            self.twin._clear_inputs()  # a twin is trained only once the run has begun
            self._clear_inputs()

    def _clear_inputs(self) -> None:
        if not self.path.is_dir():
            return
        remove_strays(self.path)
        there = set(self.path.iterdir()) - {self.lock_file}
        folders = {self.checkpoints, self.figures, self.twin.path} & there
        if there - folders - set(self._inputs) or any(any(folder.iterdir()) for folder in folders):
            return
        for path in there:
            path.rmdir() if path in folders else path.unlink()

    def refuse_held(self) -> None:
        """Raises:
        InputError: a process is at work on the run.
        """
        refuse_held(self.lock_file, str(self.path))

    def refuse_existing(self) -> None:
        """Raises:
        InputError: something is there that a new run would overwrite.
        """
        if not self.is_empty:
            raise InputError(
                f"the run folder {self.path} exists already, and runs are never overwritten: {self._way_on()}"
            )

    def _way_on(self) -> str:
        """What whoever asked for this folder, which is there, may have meant."""
        if (self.path / MULTIRUN_RECORD).is_file():
            what, goes_on = "a multirun", "the command that began it"
        elif (self.path / SEARCH_STORE).is_file():
            what, goes_on = "a search", "animeid.tune"
        elif self.config.is_file() and not self.is_finished:
            what, goes_on = "a training that was cut off", "resume=auto"
        else:
            return "choose another run_id, or move that folder away"
        return f"it holds {what}, with which {goes_on} goes on; for a new run choose another run_id"

    @classmethod
    def open(cls, path: str | Path) -> RunFolder:
        """A run that has a best checkpoint; see `is_finished` for whether it came to its end.

        Raises:
            InputError: there is no such folder, or nothing in it that could answer.
        """
        run = cls(Path(expanded("run", str(path))))
        if not run.path.is_dir():
            raise InputError(
                f"there is no run folder {path}: give the folder that a training run named in its last line"
            )
        missing = [file.name for file in (run.config, run.labels, run.manifest, run.best) if not file.is_file()]
        if missing and (run.path / SUMS_OF_ARTEFACTS).is_file():
            raise InputError(
                f"{path} is an artefact, which knows neither its training pictures nor how it was trained: give the "
                "run that it was exported from, or take animeid.predict artefact=, animeid.compare or teacher=, which "
                "take it"
            )
        if missing:
            raise InputError(
                f"{path} is not the folder of a finished run ({', '.join(missing)} missing): "
                "give the folder that a training run named in its last line"
            )
        return run

    @property
    def _inputs(self) -> tuple[Path, ...]:
        """What is written before training, the environment last."""
        tables = (self.manifest, self.labels, self.skipped, self.conflicts, self.transfer)
        return (self.request, self.config, *tables, self.environment)

    @property
    def has_begun(self) -> bool:
        """Whether all is there that is written before training, so that the run can go on."""
        return self.environment.is_file() and self.config.is_file() and self.labels.is_file()

    @property
    def is_finished(self) -> bool:
        """Whether the run came to its end: its figures are written last."""
        return self.metrics.is_file()

    @property
    def unfinished_note(self) -> str:
        """A warning for whoever uses a run that is not finished; empty for one that is."""
        if self.is_finished:
            return ""
        return f"WARNING: the run {self.path} has not finished; its best epoch until now is used"

    @property
    def is_empty(self) -> bool:
        """Whether nothing is there, or a folder as a job leaves it that failed, or was killed, before it had begun."""
        if not self.path.is_dir():
            return not self.path.exists()
        return set(self.path.iterdir()) <= {self.lock_file}

    @property
    def name(self) -> str:
        """The folder's, and of a twin that of its run before it."""
        return f"{self.path.parent.name}/{TWIN}" if self.path.name == TWIN else self.path.name

    @property
    def twin(self) -> RunFolder:
        """The run that was trained without val; there for a refit alone."""
        return RunFolder(self.path / TWIN)

    @property
    def can_go_on(self) -> bool:
        """Whether there is a checkpoint to go on from, of the run or of its twin."""
        return any(folder.last.is_file() or folder.previous.is_file() for folder in (self, self.twin))

    @property
    def was_trained(self) -> bool:
        """Whether there was a history to write: a second stage may train nothing."""
        return self.history.is_file()
