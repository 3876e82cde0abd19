"""Pictures that a run was trained on: copies, near copies, groups."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from animeid.data.duplicates.digests import digests_of, is_among
from animeid.data.duplicates.fingerprints import fingerprint_all
from animeid.data.duplicates.search import near_copies
from animeid.data.manifest import Manifest


@dataclass(frozen=True)
class Trained:
    """rows: `[N]` bool. unread: training pictures that near duplicates could not be looked for of.

    notes: sentences for the user.
    """

    rows: np.ndarray
    unread: int
    notes: tuple[str, ...] = ()


def trained_before(new: Manifest, run: Manifest, judged: np.ndarray, max_pixels: int, home: Path | None) -> Trained:
    """Which pictures of `new` a run was trained on.

    These are exact copies of its training pictures, near duplicates of them, and what is in one group with either. A
    group's name may be taken again below another root, so that groups are compared by name below one root only. What
    the run held out itself is no near duplicate, however near: it was found to be another picture when the run began.

    Args:
        new: the pictures, with sha256 and group.
        run: the run's manifest.
        judged: `[N]` bool, the pictures of `new` that near duplicates are looked for among.
        max_pixels: larger pictures are not looked at.
        home: the cache's folder, where the fingerprints of known pictures are kept; None decodes all.
    """
    copies = _known(new, run, "train")
    asked = judged & ~copies & ~_known(new, run, "val", "test")
    near, unread, notes = _near(new, np.flatnonzero(asked), run, max_pixels, home)
    copies = copies | np.isin(np.arange(len(copies)), near)
    groups = set(new.table.loc[copies, "group"])
    if new.root.resolve() == run.root.resolve():
        groups |= set(run.table.loc[run.table["split"] == "train", "group"])
    return Trained(copies | new.table["group"].isin(groups - {""}).to_numpy(), unread, notes)


def trained_by_digests(new: Manifest, digests: np.ndarray) -> Trained:
    """Which pictures of `new` were trained on by what has kept no more than the digests of its own.

    These are exact copies, and what is in one group with them here: near duplicates are found of those training
    pictures that are among the new ones, and `unread` are the others.

    Args:
        new: the pictures, with sha256 and group.
        digests: `[M]`, of `digests_of`.
    """
    copies = is_among(new.table["sha256"], digests)
    groups = set(new.table.loc[copies, "group"]) - {""}
    elsewhere = ~np.isin(digests, digests_of(new.table["sha256"]))
    return Trained(copies | new.table["group"].isin(groups).to_numpy(), int(elsewhere.sum()))


def _known(new: Manifest, run: Manifest, *parts: str) -> np.ndarray:
    """`[N]` bool: which pictures of `new` are exact copies of pictures in these parts of the run."""
    return new.table["sha256"].isin(set(run.table.loc[run.table["split"].isin(parts), "sha256"]) - {""}).to_numpy()


def _near(
    new: Manifest, asked: np.ndarray, run: Manifest, max_pixels: int, home: Path | None
) -> tuple[np.ndarray, int, tuple[str, ...]]:
    """Rows of `new` that nearly equal training pictures, how many of those could not be read, and notes."""
    trained = run.table[run.table["split"] == "train"]
    if not len(asked) or not len(trained):
        return asked[:0], 0, ()
    chosen = new.table.iloc[asked]
    prints, unread = fingerprint_all(
        [new.root / path for path in chosen["path"]], max_pixels, home, chosen["sha256"].tolist(), incomplete=True
    )
    theirs, lost = fingerprint_all(
        [run.root / path for path in trained["path"]], max_pixels, home, trained["sha256"].tolist(), incomplete=True
    )
    ours_left, theirs_left = (
        np.array([row for row in range(count) if row not in gone], dtype=np.int64)
        for count, gone in ((len(chosen), unread), (len(trained), lost))
    )
    is_near, notes = near_copies(
        prints.take(ours_left),
        chosen["label"].to_numpy()[ours_left],
        theirs.take(theirs_left),
        trained["label"].to_numpy()[theirs_left],
    )
    return asked[ours_left[is_near]], len(lost), notes
