"""One row a picture: read, write, validate."""

from __future__ import annotations

import json
import os
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import Self
from urllib.parse import unquote

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from animeid.data.columns import require_columns
from animeid.data.part_names import part_of
from animeid.data.tables import METADATA, read_table
from animeid.errors import InputError
from animeid.system.files import atomic
from animeid.system.names import refuse_unreadable

SPLITS = ("train", "val", "test", "unknown", "excluded")
TEXTS = ("path", "label", "split", "group", "source", "style", "sha256", "caption")
SIZES = ("width", "height")


@dataclass(frozen=True)
class Manifest:
    """The pictures of a data set.

    table: a row a picture, its position is the `row` of batches. Columns: `path` (below root, with `/`, as spelled on
        disk), `label` (NFC; "" is none), `split` (one of `SPLITS`, or "" before the split is made), `group`, `source`,
        `style`, `sha256`, `caption` (texts, "" where not known), `width`, `height` (int64, 0 where not known), the
        attribute columns (float64, NaN where not known), and `target` (int64, -1 is none) once classes are known.
    root: the folder that paths start from.
    attributes: names of the attribute columns.
    """

    table: pd.DataFrame
    root: Path
    attributes: tuple[str, ...] = ()

    def write(self, path: Path) -> None:
        """Saves as CSV or, by the ending `.parquet`, as Parquet that keeps root and attributes too."""
        with atomic(path) as stream:
            if path.suffix == ".csv":
                self.table.to_csv(stream, index=False)
                return
            facts = {"root": str(self.root.resolve()), "attributes": list(self.attributes)}
            frame = pa.Table.from_pandas(self.table, preserve_index=False)
            metadata = {**(frame.schema.metadata or {}), METADATA: json.dumps(facts).encode()}
            pq.write_table(frame.replace_schema_metadata(metadata), stream)


def targets_by_label(labels: Sequence[str]) -> dict[str, int]:
    """The numbers of classes in target order."""
    return {label: target for target, label in enumerate(labels)}


def complete(table: pd.DataFrame, attributes: Sequence[str] = ()) -> pd.DataFrame:
    """The table with every column of a manifest, in their order and types, and nothing else."""
    columns: dict[str, pd.Series | np.ndarray] = {}
    for name in TEXTS:
        given = table[name] if name in table else pd.Series("", index=table.index)
        columns[name] = given.fillna("").astype(str)
    for name in SIZES:
        columns[name] = table[name].astype(np.int64) if name in table else np.zeros(len(table), dtype=np.int64)
    for name in attributes:
        columns[name] = table[name].astype(np.float64)
    if "target" in table:
        columns["target"] = table["target"].astype(np.int64)
    return pd.DataFrame(columns).reset_index(drop=True)


def read_manifest(path: Path, attributes: Sequence[str] | None = None, *, style: str = "style") -> Manifest:
    """Reads a manifest that a user or a run wrote.

    Args:
        path: a `.csv` or `.parquet` file; paths in it start from its own folder, or from the root that a run recorded.
        attributes: names of the attribute columns; None takes those that a run recorded.
        style: the column that names styles, which becomes `style`.

    Raises:
        InputError: the file is missing or cannot be parsed; a column is missing; a path leaves the root; a split or an
            attribute has a value that it cannot have.
    """
    raw, facts = read_table(path, {*TEXTS, style})
    there = [str(name) for name in raw.columns]
    require_columns(there, path, ("path", "label") if style == "style" else ("path", "label", style))
    if "root" not in facts and "split" in raw:
        raw["split"] = [_known_split(split) for split in raw["split"].tolist()]
    names = tuple(facts.get("attributes", ()) if attributes is None else attributes)
    require_columns(there, path, names)
    root = Path(facts["root"]) if "root" in facts else path.parent
    table = raw.assign(style=raw[style]) if style in raw else raw.copy()
    home = Home.of(root)
    table["path"] = [_below_root(value, home, path, row) for row, value in enumerate(raw["path"].tolist())]
    table["label"] = [unicodedata.normalize("NFC", label) for label in raw["label"].tolist()]
    if "root" not in facts:  # written by hand, where a space after a comma means nothing
        table["label"] = [label.strip() for label in table["label"]]
    for name in (*names, *(name for name in SIZES if name in raw)):
        table[name] = _numbers(raw[name], path)
    for name in SIZES:
        if name in table:
            table[name] = table[name].fillna(0)
    if "target" in table:
        table["target"] = _numbers(raw["target"], path).fillna(-1)
    _check_splits(table, path)
    return Manifest(complete(table, names), root, names)


def _known_split(split: str) -> str:
    """A part by the words that folders of parts go by: `Train`, `validation`."""
    found = part_of(split)
    return found.part if split not in SPLITS and found and not found.rest and not found.numbers else split


@dataclass(frozen=True)
class Home:
    """The root of a manifest, by all of its names: as given, from `/` on, and with links followed.

    Found once a reading: rows are many, and a relative root is another folder once the working one has changed.
    """

    root: Path
    whole: str
    real: str

    @classmethod
    def of(cls, root: Path) -> Self:
        return cls(root, os.path.normpath(root.absolute()), os.path.realpath(root))


def _below_root(given: str, home: Home, manifest: Path, row: int) -> str:
    """The path relative to root, spelled as on disk."""
    if _is_plain(given):
        return given
    root = home.root
    where = f"row {row + 1} of the manifest {manifest}"
    if not given:
        raise InputError(f"{where} has no path: fill it in or remove the row")
    if given != given.strip() and not os.path.lexists(root / given):
        given = given.strip()
    if "://" in given:
        given = _local(given, where)
    full = os.path.normpath(Path(home.whole, _with_slashes(given, root, where)))
    relative = _below(full, home.whole) or _below(full, home.real)
    # A link on the way is another name of the folder.
    relative = relative or _below(os.path.realpath(full), home.real)
    if not relative:
        raise InputError(f"{where} has the path {given}, which is outside {root}: give paths below that folder")
    return _as_on_disk(relative, root)


def _below(path: str, folder: str) -> str:
    """A path from `folder` on; "" where it is not below it."""
    start = folder.rstrip("/") + "/"
    return path.removeprefix(start) if path.startswith(start) else ""


def _is_plain(given: str) -> bool:
    """Whether a path is sure to stay as it is, as nearly all are: of a million rows every microsecond is waited for."""
    odd = "\\" in given or ":" in given or "//" in given or "/." in given
    return given.isascii() and not odd and given == given.strip().strip("/") and given[:1] not in ("", ".")


def _local(address: str, where: str) -> str:
    """The path of a `file:///` address.

    Raises:
        InputError: it leads to another machine.
    """
    if address.lower().startswith("file:///"):
        return unquote(address[len("file://") :])
    raise InputError(f"{where} has the address {address}: download the pictures first, and give the paths of the files")


def _with_slashes(given: str, root: Path, where: str) -> str:
    """The path of a list that was made on Windows, where folders are told apart by backslashes.

    Raises:
        InputError: it begins with a drive, of which there is none here.
    """
    if not {"\\", ":"} & set(given) or os.path.lexists(root / given):
        return given
    if PureWindowsPath(given).drive and not given.startswith("/"):
        raise InputError(
            f"{where} has the Windows path {given}, whose drive is not here: give paths from the manifest's own "
            r"folder on, such as miku\0001.png"
        )
    return given.replace("\\", "/")


def _as_on_disk(path: str, root: Path) -> str:
    """Some file systems keep decomposed accents: the spelling that exists wins."""
    refuse_unreadable(path)
    if not path.isascii() and not (root / path).exists():
        for form in ("NFC", "NFD"):
            spelled = unicodedata.normalize(form, path)
            if (root / spelled).exists():
                return spelled
    return path


def _numbers(column: pd.Series, path: Path) -> pd.Series:
    """Numbers, with NaN where nothing is said."""
    text = column.astype(object).where(column.notna(), "")
    numbers = pd.to_numeric(text.replace("", np.nan), errors="coerce").astype(np.float64)
    wrong = numbers.isna() & ~text.astype(str).str.strip().str.lower().isin({"", "nan"})
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise InputError(
            f"row {row + 1} of the manifest {path} has '{text.iloc[row]}' in the column '{column.name}': "
            "give a number, or nothing where it is not known"
        )
    return numbers


def _check_splits(table: pd.DataFrame, path: Path) -> None:
    if "split" not in table:
        return
    given = table["split"].fillna("").astype(str)
    known = given.isin((*SPLITS, ""))
    if not known.all():
        row = int(np.flatnonzero(~known)[0])
        raise InputError(
            f"row {row + 1} of the manifest {path} has the split '{given.iloc[row]}': "
            f"choose one of {', '.join(SPLITS)}, or leave the column out to have it split"
        )
