"""The one rule whether runs may be compared or joined: each reason to refuse, and what is let through."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from animeid.errors import InputError
from animeid.runs.comparison import (
    check_comparable,
    check_joinable,
    common_order,
    pictures_of,
    recorded_basis,
)
from animeid.runs.find import each_once, find_runs, matching
from animeid.runs.finished import FinishedRun
from animeid.runs.folder import RunFolder
from animeid.system.files import write_json, write_yaml
from tests.runs.fake_runs import LABELS, PARTS, fake_manifest, fake_run

NAMES = "abcdefghijklmn"


@pytest.fixture
def run(tmp_path: Path) -> FinishedRun:
    return FinishedRun(fake_run(tmp_path / "one", fake_manifest(tmp_path)))


def other(
    path: Path, *, splits: tuple[str, ...] = PARTS, names: str = NAMES, labels: tuple[str, ...] = LABELS
) -> FinishedRun:
    return FinishedRun(fake_run(path / "two", fake_manifest(path, splits, names, labels), labels, seed=1))


def test_other_training_pictures_are_no_reason(run: FinishedRun, tmp_path: Path) -> None:
    check_comparable([run, other(tmp_path, names="uvwxyz" + NAMES[6:])])


def test_other_test_pictures_are_refused(run: FinishedRun, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"two was judged on other test pictures than .*one"):
        check_comparable([run, other(tmp_path, names=NAMES[:12] + "zn")])


def test_pictures_of_no_class_count_as_well(run: FinishedRun, tmp_path: Path) -> None:
    splits = (*PARTS[:12], "unknown", "unknown")
    with pytest.raises(InputError, match="was judged on other test pictures"):
        check_comparable([run, other(tmp_path, splits=splits)])


def test_another_part_is_refused(run: FinishedRun, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="was judged on other test pictures"):
        check_comparable([run, other(tmp_path, splits=PARTS[:9], names=NAMES[:9])])


def test_other_classes_are_refused(run: FinishedRun, tmp_path: Path) -> None:
    folder = other(tmp_path).folder
    write_json(folder.labels, [*LABELS, "d"])
    with pytest.raises(InputError, match=r"two has other classes than .*one"):
        check_comparable([run, FinishedRun(folder)])


def test_classes_in_another_order_are_refused(run: FinishedRun, tmp_path: Path) -> None:
    folder = other(tmp_path).folder
    write_json(folder.labels, [*LABELS[::-1]])
    with pytest.raises(InputError, match="has other classes"):
        check_comparable([run, FinishedRun(folder)])


def test_what_leaks_report_let_stand_is_compared(run: FinishedRun, tmp_path: Path) -> None:
    leaking = other(tmp_path, names="aj" + NAMES[2:])
    write_yaml(leaking.folder.config, {"data": {"leaks": "report"}})
    check_comparable([run, leaking])


@pytest.mark.parametrize("turned", [False, True])
def test_a_training_picture_in_the_others_test_part_is_refused(turned: bool, run: FinishedRun, tmp_path: Path) -> None:
    """A copy that no audit saw: `j`, a test picture, is the second training picture as well."""
    runs = [run, other(tmp_path, names="aj" + NAMES[2:])]
    with pytest.raises(InputError, match=r"1 of the test pictures that .* is judged on were in the training of .*two"):
        check_comparable(runs[::-1] if turned else runs)


def test_pictures_whose_content_is_not_known_are_no_copies(tmp_path: Path) -> None:
    manifest = fake_manifest(tmp_path)
    manifest.table["sha256"] = ""
    check_comparable([FinishedRun(fake_run(tmp_path / name, manifest)) for name in "ab"])


def folds(path: Path, held_out: tuple[range, ...], names: tuple[str, ...] = (NAMES, NAMES)) -> list[FinishedRun]:
    runs = []
    for number, (rows, own) in enumerate(zip(held_out, names, strict=True)):
        splits = tuple("val" if row in rows else "train" for row in range(14))
        runs.append(FinishedRun(fake_run(path / str(number), fake_manifest(path, splits, own))))
    return runs


def test_folds_are_joined(tmp_path: Path) -> None:
    runs = folds(tmp_path, (range(7), range(7, 14)))
    assert check_joinable(runs) is runs[0].manifest


def test_folds_of_other_pictures_are_not_joined(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"the pictures changed between .*0 and .*1"):
        check_joinable(folds(tmp_path, (range(7), range(7, 14)), (NAMES, NAMES[::-1])))


def test_folds_that_held_out_the_same_picture_are_not_joined(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"2 pictures were held out both by .*0 and by .*1"):
        check_joinable(folds(tmp_path, (range(7), range(5, 14))))


def test_a_pattern_finds_each_finished_training_run_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    manifest = fake_manifest(tmp_path)
    for name in ("a", "b", "ensemble", "half"):
        fake_run(Path(name), manifest)
    RunFolder(Path("ensemble")).config.unlink()
    RunFolder(Path("half")).metrics.unlink()
    assert [folder.path.name for folder in matching("b:*")] == ["b", "a"]
    assert capsys.readouterr().out == "left out, as no training run made them: ensemble\n"
    assert [run.folder.path.name for run in find_runs("a:b")] == ["a", "b"]
    with pytest.raises(InputError, match="runs=a finds 1 finished run: give a quoted pattern"):
        find_runs("a")
    again = [RunFolder(Path("a")), RunFolder(tmp_path / "a")]
    assert each_once(again) == again[:1]


def test_the_common_order_is_that_of_the_content(run: FinishedRun, tmp_path: Path) -> None:
    """The second run has its pictures in another order."""
    order = [13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0]
    manifest = fake_manifest(tmp_path)
    turned = type(manifest)(manifest.table.iloc[order].reset_index(drop=True), manifest.root)
    second = FinishedRun(fake_run(tmp_path / "turned", turned))
    check_comparable([run, second])
    paths = [one.predictions["path"].to_numpy()[common_order(one)].tolist() for one in (run, second)]
    assert paths[0] == paths[1] == ["j.png", "k.png", "l.png", "m.png"]
    assert not np.array_equal(common_order(run), common_order(second))


def test_fingerprints_are_of_content_label_and_split(run: FinishedRun, tmp_path: Path) -> None:
    same = FinishedRun(fake_run(tmp_path / "same", fake_manifest(tmp_path / "elsewhere"), seed=5))
    assert pictures_of(run, PARTS) == pictures_of(same, PARTS)
    assert pictures_of(run, ("val",)) != pictures_of(run, ("test",))


def test_what_a_run_recorded_tells_whether_its_figures_compare(run: FinishedRun, tmp_path: Path) -> None:
    second = other(tmp_path)
    assert recorded_basis(run) == recorded_basis(second)
    write_json(second.folder.labels, ["x"])
    assert recorded_basis(run) != recorded_basis(FinishedRun(second.folder))
    third = FinishedRun(second.folder)
    write_json(third.folder.labels, list(LABELS))
    write_json(third.folder.environment, {"judged_fingerprint": "of others"})
    assert recorded_basis(run) != recorded_basis(third)
