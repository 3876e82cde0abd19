"""Pictures that a run, or one that it comes from, was trained on: found at any remove, and as near copies."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageOps

from animeid.data.duplicates.digests import digests_of
from animeid.data.duplicates.fingerprints import content_of
from animeid.data.manifest import Manifest, complete
from animeid.errors import InputError
from animeid.runs.folder import RunFolder
from animeid.runs.leaks import check_leaks, check_teacher, seen_by_digests
from animeid.runs.lineage import lineage, with_ancestors
from animeid.system.files import write_yaml


def picture(path: Path, number: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(number).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    Image.fromarray(noise).resize((40, 40)).save(path)
    return path


def manifest(root: Path, parts: Sequence[str], group: Sequence[str] | None = None) -> Manifest:
    """Of the pictures below root by name, in these parts."""
    paths = sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
    table = pd.DataFrame({"path": paths, "split": parts, "group": group or paths})
    return Manifest(complete(table.assign(label="a", sha256=[content_of(root / path) for path in paths])), root)


def run(path: Path, pictures: Manifest, from_run: str | None = None, weights: str | None = None) -> RunFolder:
    """As much of a run's folder as is looked at."""
    folder = RunFolder(path)
    folder.create()
    write_yaml(folder.config, plan(from_run, weights))
    pictures.write(folder.manifest)
    folder.best.touch()
    return folder


def plan(from_run: str | None = None, weights: str | None = None, **data: Any) -> dict[str, Any]:
    data = {"leaks": "auto", "max_pixels": 10**6, "cache": "off", **data}
    return {"from_run": from_run, "model": {"weights": weights}, "data": data}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Runs A on x, B on y from A, C on y by B's checkpoint."""
    monkeypatch.chdir(tmp_path)
    for number in range(3):
        picture(tmp_path / "x" / f"{number}.png", number)
        picture(tmp_path / "y" / f"{number}.png", 10 + number)
    x, y = (manifest(tmp_path / name, ["train", "train", "test"]) for name in "xy")
    run(Path("outputs/A"), x)
    run(Path("outputs/B"), y, from_run="outputs/A")
    run(Path("outputs/C"), y, weights="outputs/B/checkpoints/best.ckpt")
    return tmp_path


@pytest.mark.parametrize(
    "origin",
    [
        {"from_run": "outputs/A"},
        {"from_run": "outputs/B"},
        {"from_run": "outputs/C"},
        {"weights": "outputs/A/checkpoints/best.ckpt"},
        {"weights": "outputs/C/checkpoints/best.ckpt"},
    ],
    ids=["parent", "grandparent", "great-grandparent", "checkpoint", "checkpoint's ancestor"],
)
def test_training_pictures_of_any_ancestor_are_refused(home: Path, origin: dict[str, str]) -> None:
    picture(home / "z" / "0.png", 20)
    shutil.copy(home / "x" / "0.png", home / "z" / "1.png")
    with pytest.raises(InputError, match=r"of the test part, 1 picture was in the training of outputs/A, where "):
        check_leaks(plan(**origin), manifest(home / "z", ["train", "test"]))
    leaks = check_leaks(plan(**origin, leaks="report"), manifest(home / "z", ["train", "test"]))
    assert leaks is not None
    assert leaks.counts == {"val": 0, "test": 1}
    assert any("better than they would be" in note for note in leaks.notes)


def test_the_chain_is_followed_from_any_folder_and_ends_where_it_ends(
    home: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    found = with_ancestors(RunFolder(home / "outputs" / "C"))
    assert [folder.path.name for folder in found.runs] == ["C", "B", "A"]
    assert found.notes == ()
    shutil.rmtree(home / "outputs" / "A")
    found = with_ancestors(RunFolder(home / "outputs" / "C"))
    assert [folder.path.name for folder in found.runs] == ["C", "B"]
    assert len(found.notes) == 1
    assert "outputs/A, which the run" in found.notes[0]
    # A name that was taken again must not lead round in a circle.
    run(home / "outputs" / "A", manifest(home / "x", ["train"] * 3), from_run=str(home / "outputs" / "B"))
    assert len(with_ancestors(RunFolder(home / "outputs" / "C")).runs) == 3
    (home / "weights.pth").touch()
    assert lineage(plan(weights=str(home / "weights.pth"))).runs == ()
    assert check_leaks(plan(weights=str(home / "weights.pth")), manifest(home / "x", ["test"] * 3)) is None


def test_near_copies_of_training_pictures_are_found(home: Path) -> None:
    """Saved in another format, mirrored, or in one group with a copy; not another picture."""
    original, z = Image.open(home / "x" / "0.png"), home / "z"
    picture(z / "0 new.png", 30)
    original.save(z / "1 format.jpg", quality=85)
    ImageOps.mirror(original).save(z / "2 mirrored.png")
    picture(z / "3 in its group.png", 31)
    new = manifest(z, ["test"] * 4, group=["0", "1", "2", "2"])
    leaks = check_leaks(plan("outputs/A", leaks="report"), new)
    assert leaks is not None
    assert leaks.counts == {"val": 0, "test": 3}
    of_another_label = Manifest(new.table.assign(label="b", group=list("0123")), new.root)
    leaks = check_leaks(plan("outputs/A", leaks="report"), of_another_label)
    assert leaks is not None
    assert leaks.counts["test"] >= 1, "of another label too, though only what is very near"


def test_what_the_run_held_out_itself_is_no_near_copy(home: Path) -> None:
    """A run on the same split goes on, however near some of its test pictures are to training ones."""
    Image.open(home / "x" / "0.png").save(home / "x" / "3.jpg")
    same = manifest(home / "x", ["train", "train", "test", "test"])
    run(Path("outputs/D"), same)
    leaks = check_leaks(plan("outputs/D"), same)
    assert leaks is not None
    assert leaks.counts == {"val": 0, "test": 0}


def test_near_copies_are_found_by_what_is_kept_or_it_is_said(home: Path) -> None:
    picture(home / "z" / "0.png", 30)
    Image.open(home / "x" / "0.png").save(home / "z" / "1.jpg")
    new, cache = manifest(home / "z", ["train", "test"]), str(home / "cache")
    first = check_leaks(plan("outputs/A", leaks="report", cache=cache), new)
    (home / "x" / "0.png").unlink()
    picture(home / "x" / "1.png", 40)  # another picture by an old name
    again = check_leaks(plan("outputs/A", leaks="report", cache=cache), new)
    without = check_leaks(plan("outputs/A", leaks="report"), new)
    assert first is not None
    assert again is not None
    assert without is not None
    assert first == again
    assert first.counts["test"] == 1
    assert without.counts["test"] == 0
    assert len(without.notes) == 1
    assert "2 training pictures of outputs/A are not there any more" in without.notes[0]


def test_what_digests_tell_are_exact_copies_and_what_is_in_a_group_with_them(home: Path) -> None:
    for number in range(4):
        picture(home / "z" / f"{number}.png", 50 + number)
    shutil.copy(home / "x" / "0.png", home / "z" / "4.png")
    new = manifest(home / "z", ["train", "train", "val", "test", "test"], ["a", "b", "c", "d", "d"])
    new.table.loc[2, "sha256"] = ""  # a picture that could not be read
    earlier = manifest(home / "x", ["train"] * 3).table["sha256"]
    seen = seen_by_digests(Path("artefact"), digests_of([*earlier, *earlier, ""]), new)
    assert seen.rows.tolist() == [False, False, False, True, True]
    assert seen.notes == (
        "of what artefact was trained on, 2 pictures are not among these: of such, only exact copies were looked for",
    )
    by_runs = check_teacher([RunFolder(Path("outputs/B"))], plan(leaks="report")["data"], new, [seen])
    assert by_runs.counts == {"val": 0, "test": 2}
    with pytest.raises(
        InputError, match=r"of the test part, 2 pictures were .* of outputs/A and artefact, which teaches"
    ):
        check_teacher([RunFolder(Path("outputs/B"))], plan()["data"], new, [seen])
