"""A data set before training: its counts, sizes, copies and contradictions."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pandas as pd

from animeid.data.prepare import Labelled, read_labelled
from animeid.data.settings import DataSettings
from animeid.errors import InputError
from animeid.plots.contact_sheet import Tile
from animeid.plots.picture import ORANGE


def explore(root: str | Path) -> Labelled:
    """Reads what `data.root=ROOT` would: class folders, folders of parts, or a manifest, a run's own too.

    Raises:
        InputError: there are no pictures.
    """
    return read_labelled(DataSettings(root=str(root)))


def class_counts(found: Labelled) -> pd.Series:
    """Pictures of each class, the largest first; those of no class are left out."""
    table = found.manifest.table
    return table.loc[table["label"] != "", "label"].value_counts()


def class_tiles(found: Labelled, label: str, count: int) -> list[Tile]:
    """Evenly spread pictures of a class, by path.

    Raises:
        InputError: there is no such class.
    """
    table = found.manifest.table
    rows = table[table["label"] == unicodedata.normalize("NFC", label)]
    if rows.empty:
        raise InputError(f"there is no class '{label}' in {found.manifest.root}: choose one of those that are counted")
    step = max(1, len(rows) // count)
    return [Tile(found.manifest.root / path, (Path(path).name,)) for path in rows["path"].iloc[::step][:count]]


def pair_tiles(found: Labelled, pairs: pd.DataFrame, kind: str, count: int) -> list[Tile]:
    """Pairs of `duplicates` or `conflicts`, evenly spread: the two pictures of each follow one another.

    Those of different labels are framed.
    """
    chosen = pairs[pairs["kind"] == kind]
    chosen = chosen.iloc[:: max(1, len(chosen) // count)].head(count)
    tiles = []
    for pair in chosen.to_dict("records"):
        frame = ORANGE if pair["label"] != pair["other_label"] else None
        for which in ("", "other_"):
            path = pair[f"{which}path"]
            tiles.append(Tile(found.manifest.root / path, (pair[f"{which}label"], Path(path).name), frame))
    return tiles
