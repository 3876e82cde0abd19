"""The folder that the processes of one service share while it lives."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from animeid.service.requests import ServeRequest
from animeid.service.state import State, StateFile
from animeid.system.files import read_json, write_json


@dataclass(frozen=True)
class Home:
    """A temporary folder of this user's alone."""

    folder: Path

    @property
    def metrics(self) -> Path:
        """The files of prometheus_client."""
        return self.folder / "metrics"

    @property
    def workers(self) -> Path:
        """What each worker says of the state, by its number."""
        return self.folder / "workers"

    @property
    def answering(self) -> Path:
        """An empty file for each of them, once it does."""
        return self.folder / "answering"

    @property
    def rates(self) -> Path:
        """How much of its rate each key has used."""
        return self.folder / "rates"

    @property
    def windows(self) -> Path:
        """The answers of late, by version."""
        return self.folder / "windows"

    @property
    def speaker(self) -> Path:
        """Is locked by the worker that says alarms of them all."""
        return self.folder / "speaker"

    @property
    def state(self) -> StateFile:
        return StateFile(self.folder / "state.json")

    @property
    def plan(self) -> Path:
        return self.folder / "plan.json"

    @property
    def way(self) -> Path:
        return self.folder / "way.json"

    def begin(self, request: ServeRequest, state: State) -> None:
        """Writes what workers read."""
        for folder in (self.metrics, self.workers, self.answering, self.rates, self.windows):
            folder.mkdir()
        write_json(self.plan, asdict(request))
        state.write(self.state.path)

    def request(self) -> ServeRequest:
        return ServeRequest(**read_json(self.plan))

    def is_answering(self, pid: int) -> bool:
        return (self.answering / str(pid)).is_file()

    def forget(self, pid: int) -> None:
        """Of a worker that is gone."""
        for folder in (self.workers, self.answering):
            (folder / str(pid)).unlink(missing_ok=True)
