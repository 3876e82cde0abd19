"""Drawn sets of much the same outline, with copies that are known: a catalogue, and emoji of one style."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import cv2
import numpy as np

from animeid.data.duplicates.fingerprints import Fingerprints, shrink
from animeid.data.duplicates.hashing import perceptual_hashes
from animeid.data.duplicates.search import near_pairs
from animeid.data.duplicates.thumbnails import THUMBNAIL, Thumbnails

SIDE = 160
COPIED = 4
"""One in so many pictures has a copy."""


def catalogue(random: np.random.Generator) -> np.ndarray:
    """`[SIDE, SIDE, 3]` uint8: the same bag on white, its body, flap and patches in colours and places of their own."""
    picture = np.full((SIDE, SIDE, 3), 255, np.uint8)
    cv2.ellipse(picture, (80, 60), (30, 34), 0, 180, 360, _colour(random), 6, cv2.LINE_AA)
    cv2.rectangle(picture, (34, 58), (126, 138), _colour(random), -1)
    cv2.rectangle(picture, (34, 58), (126, 58 + int(random.integers(15, 45))), _colour(random), -1)
    for _ in range(3):
        x, y = (int(value) for value in random.integers((38, 62), (105, 118)))
        width, height = (int(value) for value in random.integers(8, 22, 2))
        cv2.rectangle(picture, (x, y), (min(x + width, 126), min(y + height, 138)), _colour(random), -1)
    return picture


def emoji(random: np.random.Generator) -> np.ndarray:
    """`[SIDE, SIDE, 3]` uint8: the same round face on white; eyes, brows, mouth and cheeks differ."""
    picture = np.full((SIDE, SIDE, 3), 255, np.uint8)
    cv2.circle(picture, (80, 80), 66, (255, 204, 77), -1, cv2.LINE_AA)
    dark = (102, 69, 0)
    eyes, height = int(random.integers(18, 34)), int(random.integers(54, 72))
    size = [int(value) for value in random.integers((5, 3), (12, 16))]
    mouth, open_ = int(random.integers(96, 116)), int(random.integers(-18, 19))
    for way in (-1, 1):
        cv2.ellipse(picture, (80 + way * eyes, height), size, 0, 0, 360, dark, -1, cv2.LINE_AA)
        lift = int(random.integers(-6, 7))
        start, end = (80 + way * (eyes - 9), height - 22 + lift), (80 + way * (eyes + 9), height - 22 - lift)
        cv2.line(picture, start, end, dark, 4, cv2.LINE_AA)
    width = int(random.integers(12, 34))
    turn = (0, 180) if open_ >= 0 else (180, 360)
    filled = -1 if random.random() < 0.5 else 5
    cv2.ellipse(picture, (80, mouth), (width, abs(open_) + 2), 0, *turn, dark, filled, cv2.LINE_AA)
    if random.random() < 0.4:
        for way in (-1, 1):
            cv2.circle(picture, (80 + way * 42, 92), 12, (255, 120, 120), -1, cv2.LINE_AA)
    return picture


def _colour(random: np.random.Generator) -> tuple[int, ...]:
    return tuple(int(value) for value in random.integers(0, 230, 3))


SETS: Mapping[str, Callable[[np.random.Generator], np.ndarray]] = {
    "catalogue, one outline": catalogue,
    "emoji of one style": emoji,
}


def copy(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """The picture compressed anew, resized, or cut by up to 3 pixels a side."""
    how = random.integers(3)
    if how == 0:
        return cv2.imdecode(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 50])[1], cv2.IMREAD_COLOR)
    if how == 1:
        return cv2.resize(picture, (96, 96), interpolation=cv2.INTER_AREA)
    left, top, right, bottom = (int(value) for value in random.integers(0, 4, 4))
    return np.ascontiguousarray(picture[top : SIDE - bottom, left : SIDE - right])


def draw(kind: str, count: int, seed: int = 0) -> tuple[list[np.ndarray], list[tuple[int, int]]]:
    """`count` pictures of a set and then copies of every fourth one; and the pairs of copy and original."""
    random = np.random.default_rng(seed)
    pictures = [SETS[kind](random) for _ in range(count)]
    originals = range(0, count, COPIED)
    return [*pictures, *(copy(pictures[row], random) for row in originals)], [
        (count + number, row) for number, row in enumerate(originals)
    ]


def judged(kind: str, count: int) -> tuple[int, int, int]:
    """Pairs in one group, pairs of copies, and those in both, of a set that is one class."""
    pictures, true = draw(kind, count)
    leaders = np.arange(len(pictures))
    for member, leader in near_pairs(prints_of(pictures), ["a"] * len(pictures)).same:
        leaders[member] = leader
    sizes = np.unique(leaders, return_counts=True)[1]
    return int((sizes * (sizes - 1) // 2).sum()), len(true), sum(leaders[one] == leaders[other] for one, other in true)


def prints_of(pictures: Sequence[np.ndarray]) -> Fingerprints:
    """Fingerprints of pictures in memory."""
    hashes = [perceptual_hashes(picture) for picture in pictures]
    count = len(pictures)
    return Fingerprints(
        np.array([picture.shape[1::-1] for picture in pictures]),
        [f"{number:064x}" for number in range(count)],
        np.stack([own for own, _ in hashes]),
        np.stack([mirrored for _, mirrored in hashes]),
        Thumbnails(
            [np.stack([shrink(picture, THUMBNAIL) for picture in pictures])], np.zeros(count, int), np.arange(count)
        ),
    )
