"""Near-duplicates: found by perceptual hashes, confirmed by aligned pixels, grouped without chaining."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from animeid.data.duplicates.between import same_between
from animeid.data.duplicates.fingerprints import Fingerprints
from animeid.data.duplicates.leaders import ALIGNED, BLOCK, LabelSearch
from animeid.data.duplicates.limits import Limits, limits
from animeid.data.duplicates.remembered import NOBODY, Group, Remembered, Set, content
from animeid.data.duplicates.told import Told
from animeid.system.machine import usable_cores
from animeid.system.progress import progress


@dataclass(frozen=True)
class NearPairs:
    """same: (member, representative) rows of one label. different: rows (smaller first) of two labels.

    notes: sentences for the user.
    """

    same: list[tuple[int, int]]
    different: list[tuple[int, int]]
    notes: tuple[str, ...] = ()


def near_pairs(prints: Fingerprints, labels: Sequence[str], home: Path | None = None) -> NearPairs:
    """Near-duplicates within each label, and near pairs between labels; a picture without a label has neither.

    Within a label every member is near its group's representative, the first picture of the group, and not merely
    near another member: chains of small differences would join a whole style of flat art. Between labels every copy of
    a file is paired with the first copy of the other.

    Args:
        home: the cache's folder, where decisions are kept; None decides all.
    """
    names = np.array(labels, dtype=object)
    within, remembered = limits(len(names)), Remembered(home)
    pictures = np.array([content(words) for words in zip(names, prints.sha256, strict=True)], dtype=np.uint64)
    with one_core_each(), ThreadPoolExecutor(usable_cores()) as pool:
        try:
            same, cut_within = _within(prints, names, pictures, within, remembered, pool)
            different, cut_between = _between(prints, names, pictures, within, remembered, pool)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return NearPairs(same, different, tuple(_notes(cut_within, cut_between)))


def _within(
    prints: Fingerprints,
    names: np.ndarray,
    pictures: np.ndarray,
    within: Limits,
    remembered: Remembered,
    pool: ThreadPoolExecutor,
) -> tuple[list[tuple[int, int]], int]:
    """(member, representative) pairs of each label, and how many pictures were not wholly looked at.

    Of a label that has changed, only what earlier decisions do not say is looked at: new pictures beside the others.
    """
    rows_of = rows_by_label(names)
    keys = {
        label: content([*vars(within).values(), *(prints.sha256[row] for row in rows)])
        for label, rows in rows_of.items()
    }
    known = remembered.groups(set(keys.values()))
    new: dict[int, Group] = {}
    missing = {keys[label]: rows for label, rows in rows_of.items() if keys[label] not in known}
    before = remembered.likest({key: pictures[rows] for key, rows in missing.items()})

    def blocks() -> Iterator[None]:
        for key, rows in missing.items():
            told = Told.of(prints, rows, pictures[rows], before[key]) if key in before else None
            search = LabelSearch(prints, within, int(within.aligned * len(rows)), pool, told)
            pairs: list[tuple[int, int]] = []
            for some in search.groups(rows):
                pairs += some
                yield
            new[key] = _group(search, rows, pictures[rows], pairs)

    count = sum(-(-len(rows) // BLOCK) for rows in missing.values())
    for _ in progress(blocks(), count, "comparing pictures of a class"):
        pass
    remembered.add_groups(new)
    known.update(new)
    pairs = [(label, known[keys[label]].pairs) for label in rows_of]
    same = [(int(member), int(leader)) for label, places in pairs for member, leader in rows_of[label][places]]
    return same, sum(len(known[key].cut) for key in keys.values())


def _group(search: LabelSearch, rows: np.ndarray, pictures: np.ndarray, pairs: list[tuple[int, int]]) -> Group:
    """The decisions of a search among the rows of a label."""
    leader, last, laid = (np.full(shape, NOBODY) for shape in (len(rows), len(rows), (len(rows), ALIGNED)))
    members, leaders = np.searchsorted(rows, np.array(pairs, dtype=np.int64).reshape(-1, 2)).T
    leader[members] = leaders
    last[np.searchsorted(rows, list(search.last))] = np.searchsorted(rows, list(search.last.values()))
    for row, others in search.laid.items():
        laid[np.searchsorted(rows, row), : len(others)] = np.searchsorted(rows, others)
    cut = np.searchsorted(rows, np.array(sorted(search.cut), dtype=np.int64))
    spent = search.alignments <= 0 or len(rows) - len(pairs) > search.limits.leaders
    return Group(pictures, leader, laid, last, cut, spent)


def one_core_each() -> threadpool_limits:
    """A context in which each of our threads multiplies matrices on its own core: BLAS's own would wait for them."""
    return threadpool_limits(1, user_api="blas")


def rows_by_label(names: np.ndarray) -> dict[str, np.ndarray]:
    """The rows of each label, by label; those without one are left out."""
    if not len(names):
        return {}
    labels, numbers = np.unique(names.astype(str), return_inverse=True)
    order = np.argsort(numbers, kind="stable")
    rows = np.split(order, np.cumsum(np.bincount(numbers, minlength=len(labels)))[:-1])
    return {label: some for label, some in zip(labels.tolist(), rows, strict=True) if label}


def _between(
    prints: Fingerprints,
    names: np.ndarray,
    content_of: np.ndarray,
    within: Limits,
    remembered: Remembered,
    pool: ThreadPoolExecutor,
) -> tuple[list[tuple[int, int]], int]:
    """Pairs of rows with different labels, and how many pictures were not wholly looked at.

    Only pictures that are not in the remembered set are looked at, each with all.
    """
    labelled = np.flatnonzero(names != "")
    if not len(labelled):
        return [], 0
    keys = content_of[labelled]
    pictures, places, copies = np.unique(keys, return_index=True, return_inverse=True)
    before = remembered.largest_set(pictures, within)
    rows = labelled[places]
    new = np.sort(rows[~np.isin(pictures, before.pictures)])
    found = before
    if len(new):
        numbers = np.unique(names.astype(str), return_inverse=True)[1]
        looked = same_between(prints, numbers, new, np.sort(rows), within, pool)
        key_of = dict(zip(labelled.tolist(), keys, strict=True))
        pairs = [(key_of[row], key_of[other]) for row, other in looked.pairs.tolist()]
        there = np.isin(before.pairs, pictures).all(axis=1)
        found = Set(
            pictures,
            np.concatenate([before.pairs[there], np.array(pairs, dtype=np.uint64).reshape(-1, 2)]),
            np.union1d(
                before.cut[np.isin(before.cut, pictures)],
                np.array([key_of[row] for row in looked.cut], dtype=np.uint64),
            ),
        )
        remembered.add_set(found, within)
    copies_of = np.split(labelled[np.argsort(copies, kind="stable")], np.cumsum(np.bincount(copies))[:-1])
    ours = found.pairs[np.isin(found.pairs, pictures).all(axis=1)]
    both = [(copies_of[one], copies_of[other]) for one, other in np.searchsorted(pictures, ours).tolist()]
    firsts = [(row, other[0]) for one, other in both for row in one] + [
        (one[0], row) for one, other in both for row in other
    ]
    different = sorted({(int(min(pair)), int(max(pair))) for pair in firsts})
    return different, int(np.isin(found.cut, pictures).sum())


def _notes(within: int, between: int) -> Iterator[str]:
    rest = (
        "the nearest by their hashes were; near-duplicates may be missed there: where you know them, give them a group"
    )
    if within:
        yield f"{within} pictures have more pictures like them in their class than were compared: {rest}"
    if between:
        yield f"{between} pictures have more pictures like them in other classes than were compared: {rest}"


def near_copies(
    prints: Fingerprints, labels: np.ndarray, others: Fingerprints, other_labels: np.ndarray
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Which pictures are near-duplicates of one of the others: looked for widely within a label, closely elsewhere.

    Args:
        prints, labels: of N pictures.
        others, other_labels: of M pictures.

    Returns:
        `[N]` bool, and sentences for the user.
    """
    both, names = prints.followed_by(others), np.concatenate([labels, other_labels])
    count, within = len(labels), limits(len(names))
    found = np.zeros(count, dtype=bool)
    ours, theirs = rows_by_label(names[:count]), rows_by_label(names[count:])
    shared = [label for label in ours if label in theirs]
    cut: set[int] = set()
    # What has no label is another picture's stranger, be that without one as well.
    numbers = np.unique(names.astype(str), return_inverse=True)[1]
    numbers[:count][names[:count] == ""] = -1
    with one_core_each(), ThreadPoolExecutor(usable_cores()) as pool:
        for label in progress(shared, len(shared), "comparing pictures of a class"):
            search = LabelSearch(both, within, int(within.aligned * len(ours[label])), pool)
            for pairs in search.members(ours[label], count + theirs[label]):
                found[[row for row, _ in pairs]] = True
            cut |= search.cut
        left = np.flatnonzero(~found)
        looked = same_between(both, numbers, left, np.arange(count, len(names)), within, pool)
    found[looked.pairs[:, 0]] = True
    return found, tuple(_notes(len(cut), len(looked.cut)))
