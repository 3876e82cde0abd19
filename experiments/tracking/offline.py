"""Reads what W&B wrote for an offline run: a `.wandb` file is a log in LevelDB's format whose entries are protobufs."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wandb.proto import wandb_internal_pb2 as pb

BLOCK = 32768
FILE_HEADER = b":W&B"
FILE_HEADER_SIZE = 7
CHUNK_HEADER = struct.Struct("<IHB")
"""Checksum, length and type of a chunk; an entry is one whole chunk, or a first, some middle ones and a last."""
WHOLE, FIRST, MIDDLE, LAST = 1, 2, 3, 4


def entries(path: Path) -> Iterator[bytes]:
    """The entries of a log, in order.

    A log that is still being written ends in the middle of an entry: the part is left out.

    Raises:
        ValueError: the file is no `.wandb` file, or a chunk is of no known type.
    """
    data = path.read_bytes()
    if not data.startswith(FILE_HEADER[: len(data)]):
        raise ValueError(f"{path} is not a .wandb file")
    place, entry = FILE_HEADER_SIZE, b""
    while place < len(data):
        left = BLOCK - place % BLOCK
        if left < CHUNK_HEADER.size:  # a header does not fit: the rest of the block is filled with zeros
            place += left
            continue
        if place + CHUNK_HEADER.size > len(data):
            return
        _, length, kind = CHUNK_HEADER.unpack_from(data, place)
        place += CHUNK_HEADER.size
        if place + length > len(data):
            return
        chunk = data[place : place + length]
        place += length
        if kind not in (WHOLE, FIRST, MIDDLE, LAST):
            raise ValueError(f"{path} has a chunk of type {kind}")
        entry = chunk if kind in (WHOLE, FIRST) else entry + chunk
        if kind in (WHOLE, LAST):
            yield entry


@dataclass
class OfflineRun:
    """One run's record.

    run: the header with id, name, group, job type and tags.
    config, summary: as W&B will show them. history: a dictionary a step. artifacts: the artifact records.
    exit_code: None where the run was not finished.
    """

    path: Path
    run: pb.RunRecord = field(default_factory=pb.RunRecord)
    config: dict[str, Any] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    artifacts: list[pb.ArtifactRecord] = field(default_factory=list)
    exit_code: int | None = None

    @property
    def media(self) -> Path:
        """The folder that paths of pictures and tables start from."""
        return self.path.parent / "files"

    def values(self, name: str) -> list[Any]:
        """All values of one name in the history."""
        return [row[name] for row in self.history if name in row]


def _merge(into: dict[str, Any], updates: Iterable[Any]) -> dict[str, Any]:
    """Sets the values of items with a name, or with a list of names that leads into nested dictionaries."""
    for item in updates:
        *parents, name = item.nested_key or [item.key]
        place = into
        for parent in parents:
            place = place.setdefault(parent, {})
        place[name] = json.loads(item.value_json)
    return into


def read_offline(path: Path) -> OfflineRun:
    """Reads one `.wandb` file."""
    found = OfflineRun(path)
    for entry in entries(path):
        record = pb.Record.FromString(entry)
        match record.WhichOneof("record_type"):
            case "run":
                found.run.MergeFrom(record.run)
                _merge(found.config, record.run.config.update)
            case "config":
                _merge(found.config, record.config.update)
            case "summary":
                _merge(found.summary, record.summary.update)
            case "history":
                found.history.append(_merge({}, record.history.item))
            case "artifact":
                found.artifacts.append(record.artifact)
            case "request" if record.request.HasField("log_artifact"):
                found.artifacts.append(record.request.log_artifact.artifact)
            case "exit":
                found.exit_code = record.exit.exit_code
            case _:  # versions, metrics' axes, system figures, files
                pass
    return found


def offline_runs(folder: Path) -> list[OfflineRun]:
    """The offline parts of the run in a run's folder, oldest first."""
    return [read_offline(path) for path in sorted((folder / "wandb").glob("offline-run-*/run-*.wandb"))]
