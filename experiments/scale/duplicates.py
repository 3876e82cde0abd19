"""What the search for near-duplicates costs: many hashes, and pictures of a catalogue that all look alike."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from animeid.data.duplicates.fingerprints import Fingerprints, fingerprint_all
from animeid.data.duplicates.hashing import HASH_BYTES
from animeid.data.duplicates.search import near_pairs
from animeid.data.duplicates.thumbnails import SHAPE, Thumbnails
from experiments.scale.lines import Goal, Line, Watch, sized
from experiments.speed.apart import apart

HASHES = (62_500, 250_000, 1_000_000)
PER_CLASS = 100
COPIES, DIFFERENT = 0.01, 12

CATALOGUE = (2_500, 5_000, 10_000)
CLASSES, LARGEST, SIDE = 45, 0.1127, 224
CAP = 10**7


def hashes(count: int) -> list[float]:
    """Seconds and MiB of drawn hashes, a hundredth of them copies of others, in another class and twelve bits apart."""
    random = np.random.default_rng(0)
    own = random.integers(0, 256, (count, HASH_BYTES), dtype=np.uint8)
    copied = random.permutation(count // 2)[: int(COPIES * count)]
    own[copied] = own[copied + count // 2]
    own[copied, :DIFFERENT] ^= 1
    prints = Fingerprints(
        np.ones((count, 2), dtype=np.int64),
        [f"{number:064x}" for number in range(count)],
        own,
        random.integers(0, 256, own.shape, dtype=np.uint8),
        Thumbnails([np.zeros((1, *SHAPE), np.uint8)], np.zeros(count, np.int64), np.zeros(count, np.int64)),
    )
    labels = [f"class {number // PER_CLASS}" for number in range(count)]
    with Watch() as watch:
        found = near_pairs(prints, labels)
    assert len(found.different) == len(copied)
    return watch.found


def draw(folder: Path, count: int) -> list[str]:
    """Writes pictures of one thing on white, an outline a class, each in its own pattern; returns their classes."""
    random = np.random.default_rng(1)
    sizes = np.full(CLASSES, (1 - LARGEST) / (CLASSES - 1))
    sizes[0] = LARGEST
    classes = np.sort(random.choice(CLASSES, count, p=sizes))
    for number, kind in enumerate(classes.tolist()):
        shape = np.random.default_rng([2, kind])
        outline = np.zeros((SIDE, SIDE), np.uint8)
        for _ in range(3):
            centre, axes = shape.integers(70, 154, 2).tolist(), shape.integers(20, 70, 2).tolist()
            cv2.ellipse(outline, centre, axes, float(shape.integers(180)), 0, 360, 255, -1)
        pattern = cv2.resize(random.integers(0, 230, (9, 9, 3), dtype=np.uint8), (SIDE, SIDE))
        picture = np.where(outline[..., None] > 0, pattern, np.uint8(255))
        cv2.imwrite(str(folder / f"{number}.jpg"), picture)
    return [f"class {kind}" for kind in classes]


def catalogue(scratch: str, count: int) -> list[list[float]]:
    """Seconds and MiB of the first reading, of the next run's, with what the first kept, and of one picture more."""
    folder = Path(scratch) / f"catalogue-{count}"
    folder.mkdir()
    labels = draw(folder, count + 1)
    paths = [folder / f"{number}.jpg" for number in range(count + 1)]
    home = folder / "cache"
    found = []
    for first in (1, 1, 0):  # the first picture is of the largest class
        with Watch() as watch:
            prints, _ = fingerprint_all(paths[first:], CAP, home)
            pairs = near_pairs(prints, labels[first:], home)
        found.append(watch.found)
        print(f"{count:,} pictures: {watch.seconds:.1f} s, {len(pairs.same):,} joined, {pairs.notes}", flush=True)
    return found


def rows(scratch: Path) -> list[Line]:
    """Lines of this module."""
    sizes = [sized(number, 200) for number in HASHES]
    pictures = [sized(number, 200) for number in CATALOGUE]
    measured = [apart(catalogue, str(scratch), size) for size in dict.fromkeys(pictures)]
    pictures = list(dict.fromkeys(pictures))
    sizes = list(dict.fromkeys(sizes))
    what = f"{pictures[-1]:,} pictures of one thing on white, {CLASSES} classes"
    return [
        Line(
            "near-duplicates of drawn hashes, first run",
            f"{sizes[-1]:,} pictures in classes of {PER_CLASS}",
            sizes,
            [apart(hashes, size) for size in sizes],
            Goal("600 s, 2 GiB", 600, 2048),
        ),
        Line(
            "fingerprints and near-duplicates, first run",
            what,
            pictures,
            [first for first, _, _ in measured],
            Goal("30 s", 30),
        ),
        Line("the same, next run", what, pictures, [again for _, again, _ in measured], Goal("2 s", 2)),
        Line("the same, with one picture more", what, pictures, [more for _, _, more in measured]),
    ]
