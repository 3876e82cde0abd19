"""Pictures that could be read, and what is said of the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd

from animeid.data.class_notes import NAMED
from animeid.data.duplicates.fingerprints import Fingerprints
from animeid.data.picture_files import MISSING
from animeid.data.sources import Source
from animeid.errors import InputError
from animeid.system.console import counted, some_of


def readable(
    table: pd.DataFrame, prints: Fingerprints, reasons: dict[int, str], source: Source
) -> tuple[pd.DataFrame, Fingerprints, pd.DataFrame]:
    """Leaves out what could not be read: table and fingerprints of the rest, and a table of what was left out.

    Raises:
        InputError: nothing is left, or nothing of a class.
    """
    rows = np.array([row for row in range(len(table)) if row not in reasons], dtype=np.int64)
    root = source.manifest.root
    if len(table) and all(reasons.get(row) == MISSING for row in range(len(table))):
        raise InputError(
            f"none of the {counted(len(table), 'picture')} of the manifest is there, such as "
            f"{root / table['path'].iloc[0]}: give paths from {root} on, where the manifest lies, with the "
            "files' endings"
        )
    lost = sorted(set(table["label"]) - set(table["label"].iloc[rows]) - {""})
    if lost:
        example = next(row for row in reasons if table["label"].iloc[row] == lost[0])
        raise InputError(
            f"the class '{lost[0]}' in {root} has no picture that can be read "
            f"(such as {table['path'].iloc[example]}: {reasons[example]}): add pictures or remove the class"
        )
    if not len(rows):
        raise InputError(f"no file in {root} is a picture that can be read: see that the path is right")
    unreadable = [(table["path"].iloc[row], reason) for row, reason in reasons.items()]
    skipped = reasons_table([*source.skipped, *unreadable])
    return table.iloc[rows].reset_index(drop=True), prints.take(rows), skipped


def reasons_table(pairs: Sequence[tuple[str, str]]) -> pd.DataFrame:
    """Columns path and reason, ordered by path."""
    ordered = sorted(pairs)
    return pd.DataFrame({"path": [path for path, _ in ordered], "reason": [why for _, why in ordered]}, dtype=str)


def unlabelled_notes(table: pd.DataFrame) -> list[str]:
    """A sentence about pictures that a manifest gives no label, and does not call unknown itself."""
    number = int(((table["label"] == "") & ~table["split"].isin(("unknown", "excluded"))).sum())
    if not number:
        return []
    pictures = counted(number, "picture")
    return [f"{pictures} without a label: in the part unknown, which is answered and neither learnt nor judged"]


def reading_notes(skipped: pd.DataFrame, exact: int, near: int, keeps: bool) -> list[str]:
    """Sentences about files that were left out, and about pictures with two labels.

    Args:
        skipped: columns path and reason.
        exact, near: how many pictures are exact copies, and how many pairs are nearly equal, under other labels.
        keeps: whether broken files are used as far as they can be read.
    """
    notes = []
    if len(skipped):
        kinds = Counter(reason.split(":")[0] for reason in skipped["reason"])
        told = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
        notes.append(f"{counted(len(skipped), 'file', 'were')} left out, listed with their reasons ({told})")
        if "broken" in kinds and not keeps:
            notes.append("data.incomplete=keep uses broken files as far as JPEG, PNG, GIF and BMP can be read")
    if exact:
        notes.append(
            f"{counted(exact, 'picture', 'are')} exact copies of pictures with another label: they are in no "
            f"part and listed"
        )
    if near:
        pairs, are = ("1 pair", "is") if near == 1 else (f"{near:,} pairs", "are")
        notes.append(f"{pairs} of pictures with different labels {are} nearly equal: look at the listed conflicts")
    return notes


def left_out(table: pd.DataFrame) -> list[str]:
    """The classes of which every picture has the split `excluded`, sorted."""
    used = set(table.loc[table["split"] != "excluded", "label"])
    return sorted(set(table["label"]) - used - {""})


def copied_notes(table: pd.DataFrame, clashing: Sequence[int]) -> list[str]:
    """A warning that names the classes of which no picture is left; none where there is nothing.

    Args:
        clashing: rows of exact copies of pictures with another label, which are excluded.
    """
    gone = sorted(set(left_out(table)) & set(table["label"].iloc[list(clashing)]))
    if not gone:
        return []
    names = some_of([f"'{name}'" for name in gone], NAMED)
    sentence = (
        f"WARNING: {counted(len(gone), 'class', 'are')} left out, with every picture an exact copy of one with another "
        f"label: {names}; pictures of one character belong into one folder"
    )
    return [sentence]
