"""Audit of a split, recomputed from the finished table."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from animeid.data.settings import Leaks
from animeid.errors import InputError
from animeid.system.console import counted

PRECEDENCE = ("test", "val", "train", "unknown")
"""Of two pictures that belong together, the one in the later of these parts gives way."""

KEYS = ("sha256", "group")


@dataclass(frozen=True)
class Audit:
    """table: with dropped pictures `excluded`. dropped: columns path, reason. overlap: see `overlap`."""

    table: pd.DataFrame
    dropped: pd.DataFrame
    overlap: dict[str, dict[str, int]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def overlap(table: pd.DataFrame) -> dict[str, dict[str, int]]:
    """Pictures of the part that would give way, for each pair of parts and each of `KEYS`; pairs without are left out.

    `{"test/train": {"sha256": 3, "group": 5}}` says that 3 training pictures are exact copies of test pictures and
    that 5 belong to groups that have test pictures.
    """
    found: dict[str, dict[str, int]] = {}
    for key in KEYS:
        for place, strong in enumerate(PRECEDENCE):
            for weak in PRECEDENCE[place + 1 :]:
                count = int((_shares(table, key, strong) & (table["split"] == weak)).sum())
                if count:
                    found.setdefault(f"{strong}/{weak}", dict.fromkeys(KEYS, 0))[key] = count
    return found


def _shares(table: pd.DataFrame, key: str, part: str) -> pd.Series:
    """Which pictures have a value of `key` that pictures of `part` have too."""
    values = set(table.loc[table["split"] == part, key]) - {""}
    return table[key].isin(values)


def resolve(table: pd.DataFrame, leaks: Leaks) -> Audit:
    """Fails on overlap, drops one side of it, or only reports it.

    Args:
        table: with split, sha256 and group.
        leaks: `fail`, `drop` or `report`.

    Raises:
        InputError: parts overlap and `leaks` is `fail`.
    """
    found = overlap(table)
    nothing = pd.DataFrame({"path": [], "reason": []}, dtype=str)
    if not found:
        return Audit(table, nothing)
    told = _told(found)
    if leaks == "fail":
        raise InputError(
            f"the parts overlap: {told}: move these pictures to one part, or take data.leaks=drop to leave out one side"
        )
    if leaks == "report":
        return Audit(table, nothing, found, (f"the parts overlap, which data.leaks=report allows: {told}",))
    dropped = _giving_way(table)
    gone = dropped.notna().to_numpy()
    cleaned = table.assign(split=table["split"].mask(gone, "excluded"))
    listed = pd.DataFrame({"path": table["path"][gone], "reason": dropped[gone]}).reset_index(drop=True)
    note = f"the given parts overlap: {told}; {counted(int(gone.sum()), 'picture', 'were')} left out and listed"
    return Audit(cleaned, listed, found, (note,))


def _told(found: dict[str, dict[str, int]]) -> str:
    sentences = []
    for pair, counts in found.items():
        strong, weak = pair.split("/")
        sentences.append(
            f"{counts['sha256']} pictures of {weak} are exact copies of pictures of {strong} "
            f"and {counts['group']} are in groups with them"
        )
    return "; ".join(sentences)


def _giving_way(table: pd.DataFrame) -> pd.Series:
    """The reason why a picture gives way to another part, missing where it stays."""
    reasons = pd.Series([None] * len(table), index=table.index, dtype=object)
    for place, weak in enumerate(PRECEDENCE):
        for strong in PRECEDENCE[:place]:
            for key, kind in (("group", "in one group with a picture"), ("sha256", "an exact copy")):
                hit = (table["split"] == weak) & _shares(table, key, strong)
                reasons = reasons.mask(hit & reasons.isna(), f"left out of {weak}: {kind} of the part {strong}")
    return reasons
