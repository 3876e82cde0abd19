"""Copies and near-duplicates: what is found, grouped, kept between runs, and called a conflict."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageDraw
from scipy.fft import dct

from animeid.data.duplicates import fingerprints
from animeid.data.duplicates.alignment import aligned_pixels
from animeid.data.duplicates.conflicts import exact_conflicts
from animeid.data.duplicates.drawings import Drawings, explained
from animeid.data.duplicates.fingerprints import THUMBNAIL, fingerprint_all, shrink
from animeid.data.duplicates.hashing import distances, perceptual_hashes
from animeid.data.duplicates.search import near_pairs
from animeid.data.duplicates.similarity import LEVELS, is_same_picture, linear_similarity
from animeid.data.picture_files import decode
from animeid.data.splits.grouping import copy_rule, group_names, joined, originals
from animeid.errors import InputError

CAP = 10**8


def drawing(seed: int) -> Image.Image:
    """Flat shapes on white: what perceptual hashes alone are bad at."""
    random = np.random.default_rng(seed)
    image = Image.new("RGB", (160, 160), "white")
    pen = ImageDraw.Draw(image)
    for _ in range(7):
        left, top, width, height = (int(value) for value in random.integers((0, 0, 20, 20), (110, 110, 70, 70)))
        colour = tuple(int(value) for value in random.integers(0, 256, 3))
        shape = pen.ellipse if random.random() < 0.5 else pen.rectangle
        shape((left, top, left + width, top + height), fill=colour)
    return image


def written(folder: Path, pictures: list[Image.Image]) -> list[Path]:
    paths = [folder / f"{number}.png" for number in range(len(pictures))]
    for path, picture in zip(paths, pictures, strict=True):
        picture.save(path)
    return paths


def changed(image: Image.Image, how: str, folder: Path) -> Image.Image:
    if how == "mirrored":
        return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if how == "smaller":
        return image.resize((90, 90))
    if how == "cropped":
        return image.crop((4, 3, 156, 156))
    if how == "brighter":
        return image.point(lambda value: min(255, round(value * 0.7 + 60)))
    if how == "recoloured":
        return Image.merge("RGB", image.split()[::-1])
    image.save(folder / "compressed.jpg", quality=40)
    return Image.open(folder / "compressed.jpg").convert("RGB")


def test_a_picture_that_was_seen_before_is_not_decoded_again(tmp_path: Path, monkeypatch) -> None:
    paths = written(tmp_path, [drawing(seed) for seed in range(4)])
    (tmp_path / "broken.png").write_bytes(b"no picture")
    home = tmp_path / "home"
    first, reasons = fingerprint_all([*paths, tmp_path / "broken.png"], CAP, home)
    drawing(9).save(paths[2])
    decoded = []
    original = fingerprints.decode_stream
    monkeypatch.setattr(
        fingerprints, "decode_stream", lambda stream, cap: (decoded.append(stream.name), original(stream, cap))[1]
    )
    again, same_reasons = fingerprint_all([*paths, tmp_path / "broken.png"], CAP, home)
    assert sorted(Path(name).name for name in decoded) == sorted(["broken.png", paths[2].name])
    assert same_reasons == reasons
    plain, _ = fingerprint_all([*paths, tmp_path / "broken.png"], CAP)
    for name in ("sizes", "hashes", "mirrored", "thumbnails"):
        assert np.array_equal(getattr(again, name)[:], getattr(plain, name)[:])
        assert np.array_equal(getattr(again, name)[:2], getattr(first, name)[:2])
    assert again.sha256 == plain.sha256
    refused, smaller = fingerprint_all(paths, 100, home)
    assert len(smaller) == 4 and all("too large" in reason for reason in smaller.values())
    assert not refused.sizes.any()


@pytest.mark.parametrize("kept_first", [True, False])
def test_a_picture_that_lacks_pixels_is_known_to_those_alone_who_keep_it(kept_first: bool, tmp_path: Path) -> None:
    paths, home = written(tmp_path, [drawing(seed) for seed in range(2)]), tmp_path / "home"
    paths[1].write_bytes(paths[1].read_bytes()[:-600])
    for keep in (kept_first, not kept_first, kept_first):
        prints, reasons = fingerprint_all(paths, CAP, home, incomplete=keep)
        assert (list(reasons), bool(prints.sizes[1].any())) == ([] if keep else [1], keep)


@pytest.mark.parametrize("damage", ["cut", "other", "unwritable"])
def test_a_damaged_store_of_fingerprints_is_done_without(damage: str, tmp_path: Path) -> None:
    paths, home = written(tmp_path, [drawing(seed) for seed in range(3)]), tmp_path / "home"
    if damage == "unwritable":
        home.write_text("a file where the folder should be")
    expected, _ = fingerprint_all(paths, CAP, home)
    for kept in home.rglob("*.npy"):
        kept.write_bytes(kept.read_bytes()[:300]) if damage == "cut" else np.save(kept, np.zeros(3))
    found, reasons = fingerprint_all(paths, CAP, home)
    assert reasons == {}
    assert np.array_equal(found.hashes, expected.hashes)


@pytest.mark.parametrize("how", ["mirrored", "smaller", "cropped", "brighter", "recoloured", "compressed"])
def test_changed_copies_are_found_and_other_drawings_are_not(tmp_path: Path, how: str) -> None:
    originals_ = [drawing(seed) for seed in range(12)]
    paths = written(tmp_path, [*originals_, *(changed(image, how, tmp_path) for image in originals_)])
    prints, reasons = fingerprint_all(paths, CAP)
    assert not reasons
    assert sorted(near_pairs(prints, ["a"] * 24).same) == [(12 + number, number) for number in range(12)]


def test_near_pairs_of_two_labels_are_conflicts_and_not_joined(tmp_path: Path) -> None:
    paths = written(tmp_path, [drawing(1), drawing(1).resize((120, 120)), drawing(2)])
    pairs = near_pairs(fingerprint_all(paths, CAP)[0], ["a", "b", "a"])
    assert pairs.same == []
    assert pairs.different == [(0, 1)]


def test_pictures_without_a_label_are_left_alone(tmp_path: Path) -> None:
    paths = written(tmp_path, [drawing(1), drawing(1).resize((120, 120))])
    pairs = near_pairs(fingerprint_all(paths, CAP)[0], ["", ""])
    assert pairs.same == pairs.different == []


def test_every_member_is_near_its_representative(tmp_path: Path) -> None:
    """A row of pictures, each like its neighbours, must not become one chain."""
    first, last = np.asarray(drawing(3), dtype=float), np.asarray(drawing(4), dtype=float)
    steps = [Image.fromarray((first + (last - first) * step / 20).astype(np.uint8)) for step in range(21)]
    prints, _ = fingerprint_all(written(tmp_path, steps), CAP)
    pairs = near_pairs(prints, ["a"] * 21).same
    leaders = {leader for _, leader in pairs}
    assert leaders
    assert not leaders & {member for member, _ in pairs}
    assert len(np.unique(joined(21, pairs))) > 1


def test_the_hash_is_that_of_the_written_formula() -> None:
    picture = np.asarray(drawing(5))
    grey = cv2.resize(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), (64, 64), interpolation=cv2.INTER_AREA)
    low = dct(dct(grey.astype(float), axis=0), axis=1)[:16, :16]
    # The unscaled transform weighs the first row and column by sqrt(2) each against the orthonormal one.
    low[0] /= np.sqrt(2)
    low[:, 0] /= np.sqrt(2)
    expected = np.packbits(low > np.median(low))
    assert distances(perceptual_hashes(picture)[0][None], expected[None])[0, 0] <= 1


def test_the_mirrored_hash_is_the_hash_of_the_mirror() -> None:
    picture = np.asarray(drawing(6))
    _, mirrored = perceptual_hashes(picture)
    of_mirror, _ = perceptual_hashes(np.ascontiguousarray(picture[:, ::-1]))
    assert distances(mirrored[None], of_mirror[None])[0, 0] <= 2


def test_distances_count_bits() -> None:
    random = np.random.default_rng(0)
    first, second = (random.integers(0, 256, (count, 32), dtype=np.uint8) for count in (5, 7))
    naive = [[bin(int.from_bytes(bytes(a ^ b))).count("1") for b in second] for a in first]
    assert distances(first, second).tolist() == naive


def test_the_share_explained_is_one_minus_the_variance_within_colours() -> None:
    random = np.random.default_rng(1)
    picture, other = (random.integers(0, 256, (12, 12, 3), dtype=np.uint8) for _ in range(2))
    pixels = other.reshape(-1, 3) / 255
    colours = [tuple(colour) for colour in (picture.reshape(-1, 3).astype(int) * LEVELS // 256).tolist()]
    within = 0.0
    for colour in set(colours):
        members = pixels[[one == colour for one in colours]]
        within += ((members - members.mean(axis=0)) ** 2).sum()
    total = ((pixels - pixels.mean(axis=0)) ** 2).sum()
    assert explained(Drawings(picture[None]), Drawings(other[None]))[0][0, 0] == pytest.approx(
        1 - within / total, abs=1e-5
    )


def test_the_linear_share_is_the_squared_correlation() -> None:
    random = np.random.default_rng(2)
    grey = random.integers(0, 100, (12, 12, 1), dtype=np.uint8)
    other = (grey + random.integers(0, 60, grey.shape)).astype(np.uint8)
    expected = np.corrcoef(grey.ravel(), other.ravel())[0, 1] ** 2
    picture, second = np.repeat(grey, 3, axis=2), np.repeat(other, 3, axis=2)
    assert linear_similarity(picture, second) == pytest.approx(expected)
    assert linear_similarity(picture, 255 - picture) == 0


def test_shaded_pictures_are_recognised_after_compression(tmp_path: Path) -> None:
    """Counted colours explain too little of soft shading, so that equal pictures would be missed."""
    rng = np.random.default_rng(3)
    soft = [cv2.resize(rng.integers(60, 140, (9, 9, 3), dtype=np.uint8), (160, 160)) for _ in range(6)]
    pictures = [Image.fromarray(pixels) for pixels in soft]
    paths = written(tmp_path, [*pictures, *(changed(picture, "compressed", tmp_path) for picture in pictures)])
    same = near_pairs(fingerprint_all(paths, CAP)[0], ["a"] * 12).same
    assert sorted(same) == [(6 + number, number) for number in range(6)]


@pytest.mark.parametrize("left", [0, 5])
def test_a_crop_is_laid_over_its_original(left: int) -> None:
    picture = np.asarray(drawing(8))
    crop = shrink(np.ascontiguousarray(picture[6:150, left : left + 148]), THUMBNAIL)
    whole = shrink(picture, THUMBNAIL)
    pixels = aligned_pixels(whole, crop)
    assert pixels is not None
    assert linear_similarity(*pixels) > 0.95 > linear_similarity(whole, crop)
    assert aligned_pixels(whole, shrink(np.asarray(drawing(9)), THUMBNAIL)) is None or not is_same_picture(
        whole, shrink(np.asarray(drawing(9)), THUMBNAIL)
    )


def test_every_copy_under_two_labels_is_in_a_conflict() -> None:
    table = pd.DataFrame({"label": ["a", "a", "b", "c", ""], "sha256": ["x", "x", "x", "y", "x"]})
    assert exact_conflicts(table) == [(0, 2), (1, 2)]


def test_an_original_of_the_same_name_in_another_folder_is_another_picture() -> None:
    rule = copy_rule(r"(?P<original>.+)_aug\d+")
    assert rule is not None
    paths = ["train/a/1.png", "train/a/1_aug0.png", "val/a/1.png", "val/a/9_aug1.png", "train/a/9.png"]
    components = joined(5, originals(paths, ["a"] * 5, rule))
    assert components[0] == components[1] != components[2]
    assert components[3] == components[4]


def test_offline_copies_stay_with_their_original() -> None:
    rule = copy_rule(r"(?P<original>.+)_aug\d+")
    assert rule is not None
    paths = ["a/1.png", "a/1_aug0.png", "a/1_aug1.png", "a/2.png", "b/1.png", "b/7_aug1.png", "b/7_aug2.png"]
    labels = ["a"] * 4 + ["b"] * 3
    components = joined(len(paths), originals(paths, labels, rule))
    assert len({components[index] for index in (0, 1, 2)}) == 1
    assert components[5] == components[6]
    assert len(set(components.tolist())) == 4


@pytest.mark.parametrize("pattern", ["(?P<original>.+", r".+_aug\d+"])
def test_a_bad_copy_pattern_is_explained(pattern: str) -> None:
    with pytest.raises(InputError, match="copy_pattern"):
        copy_rule(pattern)


def test_a_group_is_named_after_the_manifests_group() -> None:
    table = pd.DataFrame({"path": ["b.png", "a.png", "c.png"], "group": ["", "twins", ""]})
    assert group_names(np.array([0, 0, 1]), table) == ["twins", "twins", "c.png"]


def test_real_drawings_keep_their_groups_apart(emoji_cast: Path) -> None:
    """Recoloured variants of one drawing are joined, drawings of other teams hardly ever."""
    manifest = pd.read_csv(emoji_cast / "manifest.csv", keep_default_na=False)
    chosen = manifest[manifest["label"].isin(sorted(manifest["label"].unique())[:6])].reset_index(drop=True)
    prints, _ = fingerprint_all([emoji_cast / path for path in chosen["path"]], CAP)
    components = joined(len(chosen), near_pairs(prints, chosen["label"].tolist()).same)
    groups = chosen["group"].to_numpy()
    upper = np.triu_indices(len(chosen), 1)
    together = (components[:, None] == components[None])[upper]
    right = (groups[:, None] == groups[None])[upper]
    assert together.sum() > 100
    assert (together & right).sum() / together.sum() > 0.9


def test_decoding_and_fingerprinting_agree_on_sizes(tmp_path: Path) -> None:
    path = written(tmp_path, [drawing(7).resize((70, 50))])[0]
    prints, _ = fingerprint_all([path], CAP)
    assert prints.sizes.tolist() == [[70, 50]]
    assert decode(path, CAP).shape == (50, 70, 3)
