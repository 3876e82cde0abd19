"""Run folders of an earlier version stay readable, go on to the same bits, and their commands still make them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.special import softmax

from animeid import ensemble, evaluate, predict, report, train
from tests.old_runs import (
    ADJUSTED,
    COMMANDS,
    CUT,
    ENSEMBLE,
    RUNS,
    SOUP,
    figures,
    fingerprint,
    history,
    rounding,
    set_root,
)

EXPECTED = json.loads((RUNS / "expected.json").read_text(encoding="utf-8"))
WEIGHTS = pd.read_csv(RUNS / "weights.csv").set_index("run")

ROUNDED_ALIKE = rounding() == EXPECTED["rounding"]
BITS = pytest.mark.skipif(
    not ROUNDED_ALIKE,
    reason=f"bits are compared on {EXPECTED['rounding']} alone, this is {rounding()}; norms are compared instead",
)
ANSWERED = {"rel": 1e-5, "abs": 1e-6}
"""How near figures of the same weights come, whatever the processor."""
RESIZED = {"abs": 2e-3}
"""How near answers come to those of the old version, whose resize differs by a grey level at most: logits differ by
3e-4, embeddings of up to 3 by 2e-3."""
TRAINED = {"rtol": 1e-3, "atol": 1e-3}
"""How near norms of weights come that another processor has trained: without AVX they differed by 6e-5 at most, and by
0.2 with a rate of 0.09 in the place of 0.1."""

# What the tests train: the old run that each should be equal to, and what its command is given besides.
AGAIN = {
    **{f"{name}_again": (name, ()) for name in COMMANDS},
    **{name: (straight, ("resume=must",)) for name, straight in CUT.items()},
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A copy of the old folders, as if they had been made here; the working folder of all tests."""
    home = tmp_path_factory.mktemp("home")
    shutil.copytree(RUNS, home, dirs_exist_ok=True)
    for run in (home / "outputs").iterdir():
        set_root(run, home / "pictures")
        (run / "figures").mkdir(exist_ok=True)  # git keeps no empty folders
    threads = torch.get_num_threads()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        torch.set_num_threads(1)  # the runs had one, and sums are parted among them
        yield home
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def made(home: Path) -> Callable[[str], Path]:
    """The folder of a run of `AGAIN`, trained when it is first asked for."""

    @cache
    def make(name: str) -> Path:
        straight, more = AGAIN[name]
        assert train.main([*COMMANDS[straight], "keep=all", f"run_id={name}", *more]) == 0
        return home / "outputs" / name

    return make


def leaves(node: Any, name: str = "") -> dict[str, Any]:
    """The values of nested mappings and lists by their dotted names."""
    if not isinstance(node, Mapping | list):
        return {name: node}
    items = node.items() if isinstance(node, Mapping) else enumerate(node)
    return {leaf: value for key, item in items for leaf, value in leaves(item, f"{name}.{key}").items()}


def assert_same_figures(found: Any, expected: Any, **tolerance: float) -> None:
    """Raises unless both have the same names, and at each equal texts or numbers that are near."""
    one, other = leaves(found), leaves(expected)
    assert one.keys() == other.keys()
    far = {name: (one[name], other[name]) for name in other if not near(one[name], other[name], **tolerance)}
    assert far == {}


def near(one: Any, other: Any, **tolerance: float) -> bool:
    numbers = [isinstance(value, int | float) and not isinstance(value, bool) for value in (one, other)]
    return one == pytest.approx(other, nan_ok=True, **tolerance) if all(numbers) else one == other


# The two that are left say the most: one is trained from the start, the other goes on with all that it has learnt.
SLOW = ("learning_again", "cut")
EACH = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if name in SLOW else []) for name in AGAIN]
)


def now_and_then(run: Path, straight: str) -> pd.DataFrame:
    """A row a tensor of the last checkpoint: what it is, and (`_then`) what it was in the old run."""
    found, expected = fingerprint(run / "checkpoints" / "last.ckpt"), WEIGHTS.loc[straight]
    assert found["name"].tolist() == expected["name"].tolist()
    return found.join(expected.reset_index(drop=True).add_suffix("_then"))


@BITS
@EACH
def test_training_ends_in_the_same_bits(name: str, made: Callable[[str], Path]) -> None:
    run, straight = made(name), AGAIN[name][0]
    tensors = now_and_then(run, straight)
    assert tensors["name"][tensors["sha256"] != tensors["sha256_then"]].tolist() == []
    assert history(run) == EXPECTED["history"][straight]
    assert_same_figures(figures(run), EXPECTED["figures"][straight], **ANSWERED)


@EACH
def test_training_ends_nearby(name: str, made: Callable[[str], Path]) -> None:
    tensors = now_and_then(made(name), AGAIN[name][0])
    assert tensors["name"][~np.isclose(tensors["norm"], tensors["norm_then"], **TRAINED)].tolist() == []


@pytest.mark.parametrize("name", CUT)
def test_a_cut_lies_in_the_middle_of_an_epoch(name: str) -> None:
    checkpoint = torch.load(RUNS / "outputs" / name / "checkpoints" / "last.ckpt", weights_only=True)
    assert checkpoint["position"] == {"epoch": 3, "batches": 2}


def test_weights_of_a_run_are_taken_over(made: Callable[[str], Path], home: Path) -> None:
    """The partner started from the finished run, then and now."""
    now, then = (pd.read_csv(run / "transfer.csv") for run in (made("partner_again"), home / "outputs" / "partner"))
    pd.testing.assert_frame_equal(now, then)


@pytest.mark.parametrize("run", ["finished", "partner"])
def test_evaluated(run: str, home: Path) -> None:
    assert evaluate.main([f"run=outputs/{run}", "trainer.accelerator=cpu"]) == 0
    old, new = home / "outputs" / run, home / "outputs" / run / "evaluations" / "test"
    assert_same_figures(figures(new), EXPECTED["figures"][f"evaluated {run}"], **ANSWERED)
    assert_same_figures(figures(new)["test"], figures(old)["test"], **RESIZED)
    rows = (pd.read_parquet(old / "predictions.parquet")["split"] == "test").to_numpy()
    for file in ("logits.npy", "embeddings.npy"):
        np.testing.assert_allclose(np.load(new / file), np.load(old / file)[rows], rtol=0, atol=RESIZED["abs"])


def test_evaluated_with_adjusted_logits(home: Path) -> None:
    """By the prior that the kept epoch showed, which its checkpoint holds."""
    assert evaluate.main([*ADJUSTED]) == 0
    newest = max((home / "outputs" / "finished" / "evaluations").iterdir(), key=lambda path: path.stat().st_mtime_ns)
    assert_same_figures(figures(newest), EXPECTED["figures"]["adjusted"], **ANSWERED)


def test_pictures_are_named(home: Path) -> None:
    assert predict.main(["run=outputs/finished", "input=pictures/test", "output=names.csv", "accelerator=cpu"]) == 0
    named = pd.read_csv("names.csv", keep_default_na=False)
    saved = pd.read_parquet("outputs/finished/predictions.parquet")
    logits = pd.DataFrame(softmax(np.load("outputs/finished/logits.npy"), axis=1), index="pictures/" + saved["path"])
    assert set(named["path"]) == set(logits.index[(saved["split"] == "test").to_numpy()])
    assert (named["error"] == "").all()
    assert named["label_1"].tolist() == saved.set_index(logits.index)["predicted"][named["path"]].tolist()
    likeliest = logits.loc[named["path"]].max(axis=1)
    np.testing.assert_allclose(named["probability_1"].astype(float), likeliest, atol=1e-4)


def test_the_page_is_written(home: Path) -> None:
    assert report.main(["run=outputs/finished"]) == 0
    page = Path("outputs/finished/report.html").read_text(encoding="utf-8")
    labels = json.loads(Path("outputs/finished/labels.json").read_text(encoding="utf-8"))
    assert all(label in page for label in labels)
    assert report.main(["runs=outputs/finished:outputs/partner", "output=both.html"]) == 0
    assert "partner" in Path("both.html").read_text(encoding="utf-8")


def test_runs_answer_together(home: Path) -> None:
    assert ensemble.main([*ENSEMBLE, "run_id=ensemble"]) == 0
    assert_same_figures(figures(home / "outputs" / "ensemble"), EXPECTED["figures"]["ensemble"], **ANSWERED)


def test_runs_are_mixed(home: Path) -> None:
    assert train.main([*SOUP, "run_id=soup"]) == 0
    assert_same_figures(figures(home / "outputs" / "soup"), EXPECTED["figures"]["soup"], **ANSWERED)
