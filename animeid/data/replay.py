"""Replay: stored pictures of an earlier run beside new ones, so that added classes do not push out the old."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from animeid.data.cache.home import cache_home
from animeid.data.duplicates.trained import trained_before
from animeid.data.manifest import Manifest, complete, targets_by_label
from animeid.data.prepare import Prepared
from animeid.data.settings import DataSettings
from animeid.data.shards.layout import is_shard_folder
from animeid.data.spellings import spelling_notes
from animeid.errors import InputError
from animeid.system.console import counted, some_of

PARTS = ("train", "val", "test")
NAMED = 5
"""How many classes a sentence names at most."""


def with_replayed(prepared: Prepared, earlier: Manifest, settings: DataSettings) -> Prepared:
    """The pictures with those of an earlier run beside them, each in the part that it had there.

    Left out are exact copies of pictures that are there already, pictures of val and test that these train on (near
    copies too), and, of each class, training pictures beyond `settings.replay` of them. The other direction, pictures
    of these parts that the earlier run was trained on, is told of any run that starts from another.

    Args:
        prepared: the new pictures.
        earlier: the earlier run's manifest.
        settings: with `replay`, `auto` or a number.

    Returns:
        With the nearest folder that holds both for a root.

    Raises:
        InputError: either reads its pictures from shards, whose order is fixed.
    """
    refuse_shards(prepared.manifest.root, earlier.root)
    own, theirs = prepared.manifest.root.resolve(), earlier.root.resolve()
    root = Path(os.path.commonpath([own, theirs]))
    table = earlier.table
    table = _below(table[table["split"].isin(PARTS) & (table["target"] >= 0)], theirs, root)
    table = table.assign(group=[f"{theirs}/{group}" for group in table["group"]])
    table = table[~table["sha256"].isin(set(prepared.manifest.table["sha256"]) - {""})]
    there = np.array([(root / path).is_file() for path in table["path"]], dtype=bool)
    gone, table = table[~there], table[there].reset_index(drop=True)
    judged = (table["split"] != "train").to_numpy()
    home = cache_home(settings.cache)
    seen = trained_before(Manifest(table, root), prepared.manifest, judged, settings.max_pixels, home).rows
    table = _thinned(table[~(seen & judged)], settings)
    joined = pd.concat([_below(prepared.manifest.table, own, root), table], ignore_index=True)
    joined = joined.sort_values(["path", "label"], kind="stable", ignore_index=True)
    labels = tuple(sorted({*prepared.labels, *table.loc[table["split"] == "train", "label"]}))
    number = joined["label"].map(targets_by_label(labels))
    known = joined["split"].isin(PARTS) & number.notna()
    joined = joined[known | ~joined["split"].isin(PARTS)]
    joined = joined.assign(target=number.where(known, -1).astype(np.int64))
    attributes = prepared.manifest.attributes
    manifest = Manifest(complete(joined, attributes), root, attributes)
    notes = (*prepared.notes, *spelling_notes(labels, told=prepared.labels), *_told(table, gone, labels))
    return replace(prepared, manifest=manifest, labels=labels, notes=notes)


def refuse_shards(*roots: Path) -> None:
    """Raises:
    InputError: one of the folders holds shards.
    """
    for root in roots:
        if is_shard_folder(root):
            raise InputError(
                f"data.replay puts pictures of two folders together, and those of {root} are in shards: give pictures "
                "as files, or leave out data.replay"
            )


def _below(table: pd.DataFrame, folder: Path, root: Path) -> pd.DataFrame:
    """The table with paths from `root`, which is above the folder that they start from."""
    start = folder.relative_to(root)
    return table.assign(path=[(start / path).as_posix() for path in table["path"]])


def _thinned(table: pd.DataFrame, settings: DataSettings) -> pd.DataFrame:
    """At most so many training pictures of each class, by lot."""
    if not isinstance(settings.replay, int):
        return table
    trained = table[table["split"] == "train"].sample(frac=1, random_state=settings.split_seed)
    return pd.concat([table[table["split"] != "train"], trained.groupby("label").head(settings.replay)])


def _told(table: pd.DataFrame, gone: pd.DataFrame, labels: Sequence[str]) -> list[str]:
    trained = table[table["split"] == "train"]
    classes = counted(trained["label"].nunique(), "class")
    pictures, held_out = counted(len(trained), "training picture"), len(table) - len(trained)
    notes = [f"replayed of the earlier run: {pictures} of {classes}, and {held_out:,} of val and test"]
    if len(gone):
        lost = sorted(set(gone["label"]) - set(trained["label"]))
        classes = f", all training pictures of {some_of(lost, NAMED)} among them" if lost else ""
        forgotten = [name for name in lost if name not in labels]
        unnamed = f"; {some_of(forgotten, NAMED)} will not be named any more" if forgotten else ""
        notes.append(
            f"WARNING: of the earlier run {counted(len(gone), 'picture', 'are')} not where they were{classes}, and "
            f"cannot be replayed: put them back, or what they taught may be forgotten{unnamed}"
        )
    return notes
