"""Layout of a shard folder.

- `index.json`: format, counts and labels, and of every shard its name, part, class, pictures, bytes and sha256. It is
  written last: a folder that has it is whole.
- `manifest.parquet`: a row a picture, with group, split and sha256, as in a run's folder. The path of a picture is the
  name of its shard and its own path before, `train-000003.tar/初音ミク/0001.jpg`.
- `skipped.csv`, `conflicts.csv`, `duplicates.csv`: as in a run's folder.
- `train-000003.tar`: a WebDataset shard. Each picture is three members, `00000042.jpg` (the file as it was),
  `00000042.cls` (the number of its class) and `00000042.json` (its row of the manifest).
- `train-000003.json`: where in the shard each picture lies, so that one can be read without the others.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from animeid.errors import InputError
from animeid.system.files import read_json
from animeid.system.names import expanded

FORMAT = "animeid shards 1"
INDEX, MANIFEST, SKIPPED, CONFLICTS, DUPLICATES, REQUEST = (
    "index.json",
    "manifest.parquet",
    "skipped.csv",
    "conflicts.csv",
    "duplicates.csv",
    "request.json",
)
SUFFIX = ".tar"


@dataclass(frozen=True)
class Shard:
    """One shard of the index.

    label: the class whose pictures alone it holds; None where it holds all classes.
    size: of the file, in bytes.
    """

    name: str
    split: str
    label: str | None
    pictures: int
    size: int
    sha256: str


@dataclass(frozen=True)
class Index:
    """The index of a shard folder.

    counts: pictures of each part and class.
    by_class: whether each training shard holds one class.
    """

    labels: tuple[str, ...]
    counts: dict[str, dict[str, int]]
    by_class: bool
    shards: tuple[Shard, ...]

    def as_json(self) -> dict[str, Any]:
        return {"format": FORMAT, **asdict(self)}


def is_shard_folder(root: str | Path | None) -> bool:
    """Whether a folder is one of shards; a folder of pictures may hold an `index.json` of another kind."""
    return root is not None and _read(Path(expanded("data.root", str(root))) / INDEX) is not None


def read_index(root: Path) -> Index:
    """The index of a folder that `is_shard_folder`."""
    found = _read(root / INDEX)
    if found is None:
        raise InputError(f"{root} has no {INDEX} of shards: write them with python -m animeid.shard output={root}")
    shards = tuple(Shard(**shard) for shard in found["shards"])
    return Index(tuple(found["labels"]), found["counts"], found["by_class"], shards)


def split_path(path: Path) -> tuple[Path, str] | None:
    """The shard of a picture and the picture's own path; None where `path` is in no shard."""
    for parent in path.parents:
        if parent.suffix == SUFFIX and parent.is_file():
            return parent, path.relative_to(parent).as_posix()
    return None


def _read(path: Path) -> dict[str, Any] | None:
    try:
        found = read_json(path)
    except (OSError, InputError):
        return None
    return found if isinstance(found, dict) and found.get("format") == FORMAT else None
