"""The batched search decides as comparing each with each does, remembers, and says where it was cut short."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from animeid.data.duplicates import between, fingerprints, leaders, multi_index, search
from animeid.data.duplicates.drawings import Drawings, same_drawings
from animeid.data.duplicates.fingerprints import Fingerprints, fingerprint_all
from animeid.data.duplicates.hashing import bits_apart, pairs_apart
from animeid.data.duplicates.limits import limits
from animeid.data.duplicates.multi_index import RADIUS, MultiIndex
from animeid.data.duplicates.search import near_copies, near_pairs
from animeid.data.duplicates.similarity import (
    LEVELS,
    SAME_INSIDE,
    SAME_PICTURE,
    SAME_SHAPES,
    is_same_picture,
    linear_similarity,
)
from animeid.data.duplicates.store import FIRST_RECORD
from experiments.duplicates.drawn import prints_of
from tests.data.duplicates.drawn import sticker


@pytest.fixture(scope="module")
def pictures() -> list[np.ndarray]:
    """Stickers of four outlines in many colours, with copies that are brighter, mirrored, tinted or moved."""
    plain = [sticker(number % 4, number) for number in range(40)]
    copies = [
        np.clip(plain[3].astype(int) + 20, 0, 255).astype(np.uint8),
        np.ascontiguousarray(plain[5][:, ::-1]),
        np.ascontiguousarray(plain[6][..., ::-1]),
        np.roll(plain[9], 3, axis=1),
        plain[10],
        np.roll(plain[10], -2, axis=0),
    ]
    return [*plain, *copies]


@pytest.fixture(scope="module")
def prints(pictures: list[np.ndarray]) -> Fingerprints:
    return prints_of(pictures)


def apart(prints: Fingerprints) -> np.ndarray:
    return bits_apart(prints.hashes, prints.mirrored, prints.hashes)


def share_explained(picture: np.ndarray, other: np.ndarray) -> float:
    """One less what varies of the other within the picture's colours."""
    pixels = other.reshape(-1, 3).astype(float)
    colours = picture.reshape(-1, 3).astype(int) * LEVELS // 256 @ [LEVELS**2, LEVELS, 1]
    within = sum(
        ((pixels[colours == one] - pixels[colours == one].mean(axis=0)) ** 2).sum() for one in np.unique(colours)
    )
    total = pixels.var(axis=0).sum() * len(pixels) if len(pixels) else 0.0
    return 1 - within / total if total else 1.0


def is_explained(picture: np.ndarray, other: np.ndarray) -> bool:
    """Both as a whole and outside the commonest colour."""
    colours = (picture.astype(int) * 4 // 256 @ [16, 4, 1]).ravel()
    outside = colours != np.bincount(colours).argmax()
    inside = share_explained(picture.reshape(-1, 1, 3)[outside], other.reshape(-1, 1, 3)[outside])
    return share_explained(picture, other) >= SAME_SHAPES and inside >= SAME_INSIDE


def is_same_drawing(picture: np.ndarray, other: np.ndarray) -> bool:
    """The definition, of one pair."""
    return any(
        linear_similarity(picture, view) >= SAME_PICTURE
        or (is_explained(picture, view) and is_explained(view, picture))
        for view in (other, other[:, ::-1])
    )


def one_by_one(prints: Fingerprints, rows: list[int]) -> list[tuple[int, int]]:
    """The definition: each picture joins the nearest representative with its drawing, else one of the two nearest."""
    bits, found, pairs = apart(prints), [], []
    for row in rows:
        near = [other for other in sorted(found, key=lambda other: bits[row, other]) if bits[row, other] <= 80]
        same = [other for other in near if is_same_drawing(*prints.thumbnails[[row, other]])]
        same += [other for other in near[:2] if is_same_picture(*prints.thumbnails[[row, other]])]
        if same:
            pairs.append((row, same[0]))
        else:
            found.append(row)
    return pairs


@pytest.fixture(scope="module")
def expected(prints: Fingerprints) -> list[tuple[int, int]]:
    """The definition, of all pictures; worked out once, since that takes a second."""
    return one_by_one(prints, list(range(len(prints.sha256))))


@pytest.mark.parametrize("block", [7, 256])
def test_groups_are_those_of_the_definition(
    prints: Fingerprints, expected: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    monkeypatch.setattr(leaders, "BLOCK", block)
    monkeypatch.setattr(search, "BLOCK", block)
    assert len(expected) >= 6
    assert sorted(near_pairs(prints, ["a"] * len(prints.sha256)).same) == sorted(expected)


def test_pairs_of_two_labels_are_those_of_the_definition(prints: Fingerprints) -> None:
    labels = [("a", "b", "")[number % 3] for number in range(len(prints.sha256))]
    bits = apart(prints)
    expected = [
        (row, other)
        for row in range(len(labels))
        for other in range(row + 1, len(labels))
        if labels[row] and labels[other] and labels[row] != labels[other]
        if bits[row, other] <= RADIUS
        if is_same_picture(*prints.thumbnails[[row, other]])
    ]
    assert expected
    assert near_pairs(prints, labels).different == expected


def test_copies_of_other_pictures_are_found_as_one_by_one(prints: Fingerprints) -> None:
    ours, theirs = prints.take(np.arange(40, 46)), prints.take(np.arange(40))
    found, notes = near_copies(ours, np.array(["a"] * 6, object), theirs, np.array(["a"] * 40, object))
    assert found.all()
    assert not notes
    strangers, _ = near_copies(ours, np.array(["b"] * 6, object), theirs, np.array(["a"] * 40, object))
    assert strangers[4]  # the same bytes, under another label


def hashes_near(count: int, seed: int) -> np.ndarray:
    """Random hashes, of which some are others with up to 30 bits turned."""
    random = np.random.default_rng(seed)
    bits = random.integers(0, 2, (count, 256), dtype=np.uint8)
    for row in range(count // 2, count):
        bits[row] = bits[row - count // 2]
        bits[row, random.permutation(256)[: random.integers(0, 31)]] ^= 1
    return np.packbits(bits, axis=1)


@pytest.mark.parametrize("each_with_each", [0, 2**13])
def test_the_index_finds_all_pairs_within_the_radius(monkeypatch: pytest.MonkeyPatch, each_with_each: int) -> None:
    monkeypatch.setattr(multi_index, "EACH_WITH_EACH", each_with_each)
    hashes, mirrored = hashes_near(600, 1), hashes_near(600, 2)
    index = MultiIndex(hashes, hashes, mirrored)
    found = {
        (int(query), int(row))
        for step in index.steps
        for near in index.near(step)
        for query, row in zip(near.query, near.row, strict=True)
    }
    whole = bits_apart(hashes, mirrored, hashes) <= RADIUS
    assert found == set(zip(*map(np.ndarray.tolist, np.nonzero(whole)), strict=True))
    assert not index.cut.any()


def test_a_block_is_decided_as_its_pairs(prints: Fingerprints) -> None:
    flat = np.repeat(np.uint8([9, 200]), 48 * 48 * 3).reshape(2, 48, 48, 3)
    thumbnails = np.concatenate([prints.thumbnails[:], flat])
    is_same = np.array([[is_same_drawing(one, other) for other in thumbnails] for one in thumbnails[:9]])
    assert 9 < is_same.sum() < is_same.size / 2
    np.testing.assert_array_equal(same_drawings(Drawings(thumbnails[:9]), Drawings(thumbnails)), is_same)


@pytest.mark.parametrize("sparse", [0, 1])
def test_candidates_few_or_many_are_decided_alike(
    prints: Fingerprints, expected: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch, sparse: int
) -> None:
    monkeypatch.setattr(leaders, "SPARSE", sparse)
    monkeypatch.setattr(leaders, "CHUNK", 5)
    assert sorted(near_pairs(prints, ["a"] * len(prints.sha256)).same) == sorted(expected)


def test_two_pictures_are_decided_the_same_in_either_order(pictures: list[np.ndarray]) -> None:
    random = np.random.default_rng(4)
    moved = [
        np.roll(one[:, :: -1 if turn % 2 else 1], random.integers(-9, 10), turn % 2)
        for turn, one in enumerate(pictures[:30])
    ]
    both = prints_of([*pictures[:30], *moved])
    rows, others = np.arange(30), np.arange(30, 60)
    np.testing.assert_array_equal(
        pairs_apart(both.hashes, both.mirrored, rows, others), pairs_apart(both.hashes, both.mirrored, others, rows)
    )
    for one, other in both.thumbnails[:].reshape(2, 30, 48, 48, 3).swapaxes(0, 1):
        assert is_same_picture(one, other) == is_same_picture(other, one)


def test_decisions_are_kept_and_only_new_pictures_are_looked_at(
    prints: Fingerprints, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels = [("a", "b")[number % 2] for number in range(len(prints.sha256))]
    first = near_pairs(prints.take(np.arange(44)), labels[:44], tmp_path)
    looked: list[np.ndarray] = []
    original = search.same_between

    def seen(prints: Fingerprints, numbers: np.ndarray, queries: np.ndarray, *rest: object) -> between.Between:
        looked.append(queries)
        return original(prints, numbers, queries, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(search, "same_between", seen)
    again = near_pairs(prints.take(np.arange(44)), labels[:44], tmp_path)
    assert (again.same, again.different) == (first.same, first.different)
    assert not looked
    more = near_pairs(prints, labels, tmp_path)
    assert [queries.tolist() for queries in looked] == [[44, 45]]
    assert (more.same, more.different) == (near_pairs(prints, labels).same, near_pairs(prints, labels).different)


@pytest.mark.parametrize(("block", "most"), [(5, 1024), (256, 1024), (5, 4)])
def test_a_label_that_changed_is_decided_as_if_it_were_new(
    prints: Fingerprints, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int, most: int
) -> None:
    """Pictures come and go, representatives among them, copies of files too; some have too many candidates."""
    monkeypatch.setattr(leaders, "BLOCK", block)
    monkeypatch.setattr(search, "BLOCK", block)
    monkeypatch.setattr(search, "limits", lambda count: replace(limits(count), nearest=most))
    random = np.random.default_rng(block)
    for turn in range(12):
        size = random.integers(30, 50)
        rows = random.permutation(np.concatenate([np.arange(46), np.arange(3, 11)]))[:size]
        rows = rows if turn % 4 == 3 else np.sort(rows)
        some, labels = prints.take(rows), ["a"] * len(rows)
        found, expected = near_pairs(some, labels, tmp_path), near_pairs(some, labels)
        assert (found.same, found.notes) == (expected.same, expected.notes), turn


@pytest.mark.parametrize("new", [20, 30, 45])
def test_a_new_picture_is_compared_and_no_other_two_are(
    prints: Fingerprints, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, new: int
) -> None:
    """Two that represent nobody in the middle, and a moved copy at the end."""
    numbers = np.arange(len(prints.sha256))
    near_pairs(prints.take(numbers[numbers != new]), ["a"] * (len(numbers) - 1), tmp_path)
    compared: list[tuple[bytes, bytes]] = []
    drawn, laid = leaders.same_drawings, leaders.is_same_picture

    def seen(ours: Drawings, theirs: Drawings) -> np.ndarray:
        compared.extend((one.tobytes(), other.tobytes()) for one in ours.pictures for other in theirs.pictures)
        return drawn(ours, theirs)

    def seen_laid(one: np.ndarray, other: np.ndarray) -> bool:
        compared.append((one.tobytes(), other.tobytes()))
        return laid(one, other)

    monkeypatch.setattr(leaders, "same_drawings", seen)
    monkeypatch.setattr(leaders, "is_same_picture", seen_laid)
    found = near_pairs(prints, ["a"] * len(numbers), tmp_path)
    own = prints.thumbnails[np.array([new])][0].tobytes()
    assert compared
    assert all(own in pair for pair in compared)
    assert found.same == near_pairs(prints, ["a"] * len(numbers)).same


def test_a_search_that_is_cut_short_says_so(prints: Fingerprints, monkeypatch: pytest.MonkeyPatch) -> None:
    assert near_pairs(prints, ["a"] * len(prints.sha256)).notes == ()
    monkeypatch.setattr(search, "limits", lambda count: replace(limits(count), nearest=1, aligned=0.0))
    notes = near_pairs(prints, ["a"] * len(prints.sha256)).notes
    assert len(notes) == 1
    assert "in their class than were compared" in notes[0]


def test_a_picture_with_one_representative_too_many_is_said_to_be_cut(
    prints: Fingerprints, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three of one outline: the last has two before it, and may be compared with one."""
    three = prints.take(np.array([0, 4, 12]))
    assert (apart(three) <= leaders.NEAR_BITS).all()
    monkeypatch.setattr(search, "limits", lambda count: replace(limits(count), nearest=1))
    monkeypatch.setattr(
        leaders, "same_drawings", lambda ours, theirs: np.zeros((len(ours.pictures), len(theirs.pictures)), bool)
    )
    monkeypatch.setattr(leaders, "is_same_picture", lambda *_: False)
    monkeypatch.setattr(leaders, "BLOCK", 1)
    assert [note.split(" ")[0] for note in near_pairs(three, ["a"] * 3).notes] == ["1"]


def test_equal_hashes_in_masses_are_bounded_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multi_index, "EACH_WITH_EACH", 0)
    hashes = np.repeat(hashes_near(1, 0), 500, axis=0)
    index = MultiIndex(hashes, hashes, hashes, work=10_000)
    compared = sum(len(near.query) for step in index.steps for near in index.near(step))
    assert compared < 40 * 500 * 16
    assert index.cut.all()


def test_fingerprints_of_the_first_version_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, home = tmp_path / "picture.png", tmp_path / "home"
    Image.fromarray(sticker(0, 0)).save(path)
    prints, _ = fingerprint_all([path], 10**8)
    record = np.zeros(1, dtype=FIRST_RECORD)
    record["sha256"] = np.frombuffer(bytes.fromhex(prints.sha256[0]), dtype="V32")
    record["size"], record["hash"], record["mirrored"] = prints.sizes[0], prints.hashes[0], prints.mirrored[0]
    record["thumbnail"] = prints.thumbnails[:][0]
    (home / "fingerprints-v1").mkdir(parents=True)
    np.save(home / "fingerprints-v1" / "old.npy", record)
    monkeypatch.delattr(fingerprints, "decode_stream")  # nothing is decoded
    again, _ = fingerprint_all([path], 10**8, home)
    np.testing.assert_array_equal(again.thumbnails[:], prints.thumbnails[:])
    np.testing.assert_array_equal(again.hashes, prints.hashes)
