"""Pictures that could be read, and what is said of the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd

from animeid.data.duplicates.fingerprints import Fingerprints
from animeid.data.sources import Source
from animeid.errors import InputError
from animeid.system.console import counted


def readable(
    table: pd.DataFrame, prints: Fingerprints, reasons: dict[int, str], source: Source
) -> tuple[pd.DataFrame, Fingerprints, pd.DataFrame]:
    """Leaves out what could not be read: table and fingerprints of the rest, and a table of what was left out.

    Raises:
        InputError: nothing is left, or nothing of a class.
    """
    rows = np.array([row for row in range(len(table)) if row not in reasons], dtype=np.int64)
    lost = sorted(set(table["label"]) - set(table["label"].iloc[rows]) - {""})
    if lost:
        example = next(row for row in reasons if table["label"].iloc[row] == lost[0])
        raise InputError(
            f"the class '{lost[0]}' in {source.manifest.root} has no picture that can be read "
            f"(such as {table['path'].iloc[example]}: {reasons[example]}): add pictures or remove the class"
        )
    if not len(rows):
        raise InputError(f"no file in {source.manifest.root} is a picture that can be read: see that the path is right")
    unreadable = [(table["path"].iloc[row], reason) for row, reason in reasons.items()]
    skipped = reasons_table([*source.skipped, *unreadable])
    return table.iloc[rows].reset_index(drop=True), prints.take(rows), skipped


def reasons_table(pairs: Sequence[tuple[str, str]]) -> pd.DataFrame:
    """Columns path and reason, ordered by path."""
    ordered = sorted(pairs)
    return pd.DataFrame({"path": [path for path, _ in ordered], "reason": [why for _, why in ordered]}, dtype=str)


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
