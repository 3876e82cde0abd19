"""Pixels from the cache are those of the files, whatever happens to it."""

from __future__ import annotations

import hashlib
import os
import pickle
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from animeid.data.cache import build, segments
from animeid.data.cache.home import KEPT_DAYS, lent
from animeid.data.cache.pixels import FilePixels
from animeid.data.cache.segments import CachedPixels, CacheUnusable, open_cache
from animeid.data.manifest import Manifest
from animeid.data.picture_files import decode, working_picture
from animeid.errors import InputError
from animeid.imaging.geometry import working_side

SIDE = 48
SIZES = [(300, 301), (20, 90), (48, 48), (49, 47), (1001, 333), (1, 700)]


def listed(root: Path) -> Manifest:
    paths = sorted(path for path in root.iterdir() if path.suffix != ".txt")
    rows = []
    for path in paths:
        height, width = decode(path, 10**7).shape[:2]
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        rows.append({"path": path.name, "sha256": digest, "height": height, "width": width, "split": "train"})
    return Manifest(pd.DataFrame(rows), root)


def draw(path: Path, size: tuple[int, int], seed: int) -> None:
    random = np.random.default_rng(seed)
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its side
    noise = random.integers(0, 256, (*size, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path, **({"quality": 90, "exif": exif} if path.suffix == ".jpg" else {}))


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    root = tmp_path / "図"
    root.mkdir()
    for number, size in enumerate(SIZES):
        draw(root / f"{number}.{'jpg' if number % 2 else 'png'}", size, number)
    shutil.copy(root / "0.png", root / "same.png")
    return root


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def opened(home: Path, root: Path) -> CachedPixels:
    manifest = listed(root)
    return open_cache(home, manifest, FilePixels(manifest, 10**7, SIDE))


def files_in(home: Path) -> dict[str, int]:
    folder = next(home.iterdir())
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir() if path.suffix == ".pixels"}


def assert_right(pixels: CachedPixels, root: Path) -> None:
    table = listed(root).table
    assert (pixels.segment >= 0).all()
    for row, name in enumerate(table["path"]):
        assert np.array_equal(pixels.read(row), working_picture(root / name, 10**7, SIDE))


def test_cached_pixels_are_those_of_the_files(pictures: Path, home: Path) -> None:
    pixels = opened(home, pictures)
    assert_right(pixels, pictures)
    assert min(pixels.read(0).shape[:2]) == SIDE
    with pytest.raises(ValueError, match="read-only"):
        pixels.read(0)[0, 0, 0] = 1
    again = pickle.loads(pickle.dumps(pixels))
    assert again.maps == {}
    assert_right(again, pictures)


def test_working_pictures_are_antialiased_as_pillow_does_it(pictures: Path) -> None:
    whole = Image.open(pictures / "0.png")
    expected = np.asarray(whole.resize((SIDE, SIDE), Image.Resampling.BILINEAR), dtype=int)
    assert abs(working_picture(pictures / "0.png", 10**7, SIDE).astype(int) - expected).max() <= 1


@pytest.mark.parametrize(("size", "side"), [((224, 224), 256), ((64, 64), 80), ((60, 80), 96), ((8, 8), 16)])
def test_working_sides(size: tuple[int, int], side: int) -> None:
    assert working_side(size) == side


def test_a_second_run_reads_what_the_first_one_built(pictures: Path, home: Path, monkeypatch) -> None:
    opened(home, pictures)
    before = files_in(home)
    monkeypatch.setattr(segments, "write_pixels", None)
    assert_right(opened(home, pictures), pictures)
    assert files_in(home) == before


def test_changed_added_and_removed_pictures_are_noticed(pictures: Path, home: Path) -> None:
    opened(home, pictures)
    stamp = (pictures / "2.png").stat().st_mtime_ns
    draw(pictures / "2.png", SIZES[2], 99)  # of the same size and time
    os.utime(pictures / "2.png", ns=(stamp, stamp))
    draw(pictures / "new.png", (60, 61), 7)
    (pictures / "4.png").unlink()
    (pictures / "0.png").rename(pictures / "renamed.png")
    assert_right(opened(home, pictures), pictures)
    assert len(files_in(home)) == 2  # the second holds what was new alone
    added = min((home / f"v{segments.VERSION}-{SIDE}").glob("*.npz"), key=lambda path: len(np.load(path)["offset"]))
    assert len(np.load(added)["offset"]) == 2


def test_a_picture_that_changed_since_the_manifest_was_made_is_refused(pictures: Path, home: Path) -> None:
    manifest = listed(pictures)
    draw(pictures / "2.png", SIZES[2], 99)
    with pytest.raises(InputError, match=r"2\.png has changed"):
        open_cache(home, manifest, FilePixels(manifest, 10**7, SIDE))
    (pictures / "2.png").unlink()
    with pytest.raises(InputError, match=r"2\.png could be read a moment ago"):
        open_cache(home, manifest, FilePixels(manifest, 10**7, SIDE))
    assert files_in(home) == {}
    assert_right(opened(home, pictures), pictures)


def test_excluded_rows_are_read_from_their_files(pictures: Path, home: Path) -> None:
    manifest = listed(pictures)
    manifest.table.loc[1, "split"] = "excluded"
    pixels = open_cache(home, manifest, FilePixels(manifest, 10**7, SIDE))
    assert pixels.segment[1] == -1
    assert np.array_equal(pixels.read(1), pixels.files.read(1))


def test_a_disk_that_is_too_small_is_said_before_the_build(pictures: Path, home: Path, monkeypatch) -> None:
    usage = type("Usage", (), {"total": 10**6, "free": 40_000})
    monkeypatch.setattr(segments.shutil, "disk_usage", lambda folder: usage)
    with pytest.raises(
        CacheUnusable, match=r"needs 0\.\d\d MB in .* and 0\.02 MB can be used there: .*data\.cache=off"
    ):
        opened(home, pictures)
    assert files_in(home) == {}


def test_a_disk_that_fills_meanwhile_is_one_sentence(pictures: Path, home: Path, monkeypatch) -> None:
    def full(descriptor: int, room: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(build, "_reserve", full)
    with pytest.raises(CacheUnusable, match=r"cannot be written \(No space left on device\): name another folder"):
        opened(home, pictures)
    assert files_in(home) == {}


def test_segments_that_no_run_opened_for_long_are_removed_by_the_next_build(pictures: Path, home: Path) -> None:
    opened(home, pictures)
    (old,) = files_in(home)
    long_ago = time.time() - (KEPT_DAYS + 1) * 86400
    os.utime(home / f"v{segments.VERSION}-{SIDE}" / old.replace(".pixels", ".npz"), (long_ago, long_ago))
    draw(pictures / "new.png", (60, 61), 7)
    assert_right(opened(home, pictures), pictures)
    assert old not in files_in(home)


def test_so_are_those_of_other_sides_and_versions(pictures: Path, home: Path) -> None:
    long_ago = time.time() - (KEPT_DAYS + 1) * 86400
    (home / "v1-256").mkdir(parents=True)
    for name in ("old", "new"):
        for suffix in (".npz", ".pixels"):
            (home / "v1-256" / name).with_suffix(suffix).write_bytes(b"what another version kept")
    os.utime(home / "v1-256" / "old.npz", (long_ago, long_ago))
    assert_right(opened(home, pictures), pictures)
    assert sorted(path.name for path in (home / "v1-256").iterdir()) == ["new.npz", "new.pixels"]


@pytest.mark.parametrize("damage", ["cut", "no index", "broken index"])
def test_what_is_not_whole_is_built_anew(damage: str, pictures: Path, home: Path) -> None:
    opened(home, pictures)
    folder = home / f"v{segments.VERSION}-{SIDE}"
    pixels, index = next(folder.glob("*.pixels")), next(folder.glob("*.npz"))
    if damage == "cut":
        os.truncate(pixels, pixels.stat().st_size - 1)
    elif damage == "no index":
        index.unlink()
    else:
        index.write_bytes(index.read_bytes()[:100])
    assert_right(opened(home, pictures), pictures)


BUILDER = """
import sys, pickle, time
from pathlib import Path
from animeid.data.cache import build, segments
from animeid.data.cache.pixels import FilePixels
manifest = pickle.loads(Path(sys.argv[1]).read_bytes())
read = build._read
def slowly(*arguments):
    time.sleep(0.1)
    return read(*arguments)
build._read = slowly
add = segments._build
def told(*arguments):
    print("building", flush=True)
    add(*arguments)
    print("built", flush=True)
segments._build = told
segments.open_cache(Path(sys.argv[2]), manifest, FilePixels(manifest, 10**7, 48))
print("opened", flush=True)
"""


def builder(tmp_path: Path, pictures: Path, home: Path) -> subprocess.Popen[str]:
    (tmp_path / "manifest").write_bytes(pickle.dumps(listed(pictures)))
    command = [sys.executable, "-c", BUILDER, str(tmp_path / "manifest"), str(home)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


def test_two_processes_that_build_at_once_do_the_work_once(tmp_path: Path, pictures: Path, home: Path) -> None:
    said = [process.communicate(timeout=100)[0] for process in [builder(tmp_path, pictures, home) for _ in range(2)]]
    assert sorted(lines.split().count("building") for lines in said) == [0, 1]
    assert all("opened" in lines for lines in said)
    assert_right(opened(home, pictures), pictures)


def test_a_kill_in_the_middle_leaves_nothing_that_is_trusted(tmp_path: Path, pictures: Path, home: Path) -> None:
    process = builder(tmp_path, pictures, home)
    assert process.stdout is not None
    while "building" not in process.stdout.readline():
        pass
    time.sleep(0.25)
    process.send_signal(signal.SIGKILL)
    process.wait()
    folder = home / f"v{segments.VERSION}-{SIDE}"
    assert [path for path in folder.iterdir() if path.name.startswith(".")]  # it was in the middle
    assert segments.segments(folder) == []
    assert_right(opened(home, pictures), pictures)
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]


def test_a_cache_that_is_lent_is_read_and_left_as_it_was(pictures: Path, home: Path) -> None:
    opened(home, pictures)
    before = files_in(home)
    with lent(home) as folder:
        assert files_in(folder).keys() == before.keys()
        assert_right(opened(folder, pictures), pictures)
        draw(pictures / "more.png", (50, 50), 99)
        assert_right(opened(folder, pictures), pictures)
        assert len(files_in(folder)) == 2
    assert files_in(home) == before
    assert not folder.exists()
