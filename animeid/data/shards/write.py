"""Writes prepared pictures as WebDataset shards."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

import numpy as np
import pandas as pd

from animeid.data.manifest import Manifest
from animeid.data.picture_files import open_picture
from animeid.data.prepare import Prepared
from animeid.data.shards.layout import CONFLICTS, DUPLICATES, MANIFEST, REQUEST, SKIPPED, SUFFIX, Index, Shard
from animeid.data.shards.layout import INDEX as INDEX_FILE
from animeid.errors import InputError
from animeid.system.files import atomic, read_json, write_json
from animeid.system.output import check_place
from animeid.system.progress import progress

MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Planned:
    """A shard before it is written: its rows of the manifest, in their order."""

    name: str
    split: str
    label: str | None
    rows: np.ndarray


def plan_shards(table: pd.DataFrame, sizes: np.ndarray, *, by_class: bool, shard_mb: int, seed: int) -> list[Planned]:
    """Which picture is in which shard.

    Training pictures are shuffled once, so that neighbours in a shard are strangers; those of other parts keep the
    order of the manifest. A shard is closed when it has `shard_mb`.

    Args:
        table: of the manifest.
        sizes: `[N]` int64 bytes of the files.
    """
    planned: list[Planned] = []
    for split in ("train", "val", "test", "unknown"):
        rows = np.flatnonzero((table["split"] == split).to_numpy())
        if split == "train":
            rows = np.random.default_rng(seed).permutation(rows)
        kinds = (
            table["target"].to_numpy()[rows] if split == "train" and by_class else np.zeros(len(rows), dtype=np.int64)
        )
        for kind in np.unique(kinds):
            chosen = rows[kinds == kind]
            numbers = np.cumsum(sizes[chosen]) // (shard_mb * MEGABYTE)
            name = f"{split}-class{kind:05d}" if split == "train" and by_class else split
            label = str(table["label"].iloc[chosen[0]]) if split == "train" and by_class else None
            for place, number in enumerate(np.unique(numbers)):
                planned.append(Planned(f"{name}-{place:06d}{SUFFIX}", split, label, chosen[numbers == number]))
    return planned


def write_shards(
    prepared: Prepared, output: Path, request: dict[str, Any], *, by_class: bool, shard_mb: int, seed: int
) -> Index:
    """Writes the folder `output`, or goes on with one that was cut off; the index comes last.

    Raises:
        InputError: `output` is finished or something else's, or a picture has changed since it was read.
    """
    check_output(output, request)
    output.mkdir(parents=True, exist_ok=True)
    write_json(output / REQUEST, request)
    table, root = prepared.manifest.table, prepared.manifest.root
    sizes = np.array([_size(root / path) for path in table["path"]], dtype=np.int64)
    planned = plan_shards(table, sizes, by_class=by_class, shard_mb=shard_mb, seed=seed)
    shards = list(_written(planned, prepared.manifest, output))
    # The rows in the order of the shards: who reads them in order reads each shard once, from its beginning to its end.
    order = np.concatenate([shard.rows for shard in planned])
    names = np.repeat([shard.name for shard in planned], [len(shard.rows) for shard in planned])
    stored = table.iloc[order].reset_index(drop=True)
    stored["path"] = [f"{name}/{path}" for name, path in zip(names, stored["path"], strict=True)]
    Manifest(stored, output, prepared.manifest.attributes).write(output / MANIFEST)
    for name, listed in (
        (SKIPPED, prepared.skipped),
        (CONFLICTS, prepared.conflicts),
        (DUPLICATES, prepared.duplicates),
    ):
        with atomic(output / name, "w") as stream:
            listed.to_csv(stream, index=False)
    counts = {
        str(split): {str(label): int(count) for label, count in part["label"].value_counts().sort_index().items()}
        for split, part in stored.groupby("split")
    }
    index = Index(prepared.labels, counts, by_class, tuple(shards))
    write_json(output / INDEX_FILE, index.as_json())
    return index


def check_output(output: Path, request: dict[str, Any]) -> None:
    """Raises:
    InputError: the folder holds finished shards, those of another request, or something else, or cannot be written.
    """
    if (output / INDEX_FILE).exists():
        raise InputError(f"output={output} holds finished shards, which are never overwritten: name another folder")
    begun = output / REQUEST
    if begun.is_file():
        if read_json(begun) != json.loads(json.dumps(request)):
            raise InputError(
                f"output={output} was begun with other settings, which are in {begun}: give those, or another folder"
            )
    elif output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise InputError(f"output={output} is there and holds something else: name a folder that is not there yet")
    check_place(f"output={output}", output)


def _size(path: Path) -> int:
    with open_picture(path) as stream:
        return stream.seek(0, io.SEEK_END)


def _written(planned: list[Planned], manifest: Manifest, output: Path) -> Iterator[Shard]:
    """Writes what is not there yet, with progress over pictures."""
    items = ((shard, row) for shard in planned for row in shard.rows)
    steps = progress(items, sum(len(shard.rows) for shard in planned), "writing shards")
    for shard in planned:
        path, sidecar = output / shard.name, output / f"{Path(shard.name).stem}.json"
        digest = _digest(shard, manifest.table)
        done = read_json(sidecar) if sidecar.is_file() and path.is_file() else {}
        if done.get("plan") != digest or path.stat().st_size != done["size"]:
            done = {"plan": digest, **_write_one(path, shard, manifest, steps)}
            write_json(sidecar, done)
        else:
            for _ in shard.rows:
                next(steps)
        yield Shard(shard.name, shard.split, shard.label, len(shard.rows), done["size"], done["sha256"])
    next(steps, None)  # ends the bar


def _digest(shard: Planned, table: pd.DataFrame) -> str:
    """Tells whether a shard that is there holds these pictures."""
    rows = table.iloc[shard.rows]
    told = "\n".join(f"{row.path}\t{row.label}\t{row.group}\t{row.sha256}" for row in rows.itertuples())
    return hashlib.sha256(told.encode()).hexdigest()


class _Hashing:
    """A stream that is written from its beginning to its end and hashed on the way."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream = stream
        self.sha256 = hashlib.sha256()
        self.size = 0

    def write(self, content: bytes) -> int:
        self.sha256.update(content)
        self.size += len(content)
        return self.stream.write(content)

    def tell(self) -> int:
        return self.size


def _write_one(path: Path, shard: Planned, manifest: Manifest, steps: Iterator[Any]) -> dict[str, Any]:
    """Writes a shard beside its place and moves it there; returns its size, sha256 and where its pictures lie."""
    places: dict[str, tuple[int, int]] = {}
    with atomic(path) as stream:
        hashing = _Hashing(stream)
        # Names are digits, so that the oldest format holds them and every reader can read it.
        with tarfile.open(fileobj=hashing, mode="w", format=tarfile.USTAR_FORMAT) as tar:  # type: ignore[call-overload]
            for row in shard.rows:
                record = manifest.table.iloc[row]
                content = _content(manifest.root / record["path"], record["sha256"])
                key, suffix = f"{row:08d}", PurePosixPath(record["path"]).suffix.lower() or ".jpg"
                _add(tar, f"{key}.cls", str(record["target"]).encode())
                _add(tar, f"{key}.json", json.dumps(_plain(record), ensure_ascii=False).encode())
                places[record["path"]] = (_add(tar, key + suffix, content), len(content))
                next(steps)
    return {"size": hashing.size, "sha256": hashing.sha256.hexdigest(), "pictures": places}


def _content(path: Path, sha256: str) -> bytes:
    with open_picture(path) as stream:
        content = stream.read()
    if hashlib.sha256(content).hexdigest() != sha256:
        raise InputError(f"the picture {path} has changed since it was read: leave the pictures alone and start again")
    return content


def _plain(record: pd.Series) -> dict[str, Any]:
    """A row as JSON: what is not known is null."""
    values = {str(name): value.item() if isinstance(value, np.generic) else value for name, value in record.items()}
    return {name: None if isinstance(value, float) and np.isnan(value) else value for name, value in values.items()}


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> int:
    """Adds a member that is the same whoever writes it, and returns where its content begins."""
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(content), 0o644
    start = tar.offset + tarfile.BLOCKSIZE
    tar.addfile(info, io.BytesIO(content))
    return start
