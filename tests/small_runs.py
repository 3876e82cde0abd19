"""Real runs of seconds for tests: their arguments, and pictures to train on."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from animeid.runs.folder import RunFolder
from animeid.system.lock import lock

if TYPE_CHECKING:
    from lightning.pytorch import Trainer

Command = tuple[Callable[[Sequence[str]], int], Sequence[str]]
"""The `main` of an entry point and its arguments."""

QUICK = (
    "recipe=none",
    "model=small",
    "model.name=test_resnet",  # a tenth of the size, with as many stages
    "model.pretrained=false",
    "data.image_size=32",
    "data.num_workers=0",
    "data.cache=off",
)


def noise(random: np.random.Generator, path: Path, *, coarse: int = 40) -> None:
    """Writes a picture of 40 px, `coarse` values of noise a side."""
    pixels = random.integers(0, 256, (coarse, coarse, 3), dtype=np.uint8)
    Image.fromarray(pixels).resize((40, 40)).save(path)


def class_folders(root: Path, counts: Mapping[str, int], *, coarse: int = 40) -> Path:
    """Folders with so many pictures of noise each."""
    random = np.random.default_rng(0)
    for name, count in counts.items():
        (root / name).mkdir(parents=True)
        for number in range(count):
            noise(random, root / name / f"{number}.png", coarse=coarse)
    return root


# A network with layer norm: batch norm on the CPU has statistics of each process's own pictures.
LAYER_NORM = (
    *QUICK,
    "model=vit_small",
    "model.name=test_vit",
    "trainer.precision=32-true",
    "head.dropout=0",
    "optimizer=sgd",
    "optimizer.lr=0.05",
    "augment=none",
)


def uneven_manifest(root: Path) -> Path:
    """21 pictures to train on, 7 to validate, 5 to test and one stranger: uneven for two processes in every part."""
    random = np.random.default_rng(0)
    rows = []
    for split, count in (("train", 21), ("val", 7), ("test", 5), ("unknown", 1)):
        for number in range(count):
            path = f"{split}-{number}.png"
            noise(random, root / path)
            rows.append({"path": path, "label": "ab"[number % 2] if split != "unknown" else "stranger", "split": split})
    pd.DataFrame(rows).to_csv(root / "manifest.csv", index=False)
    return root / "manifest.csv"


class Painted:
    """A transform that paints a picture in one value, so that it is seen which one was applied."""

    def __init__(self, value: int, *, image_size: tuple[int, int]) -> None:
        self.picture = np.full((*image_size, 3), value, np.uint8)

    def __call__(self, image: np.ndarray, seed: int, target: int = -1) -> np.ndarray:
        return self.picture


def assert_each_picture_is_answered_once(run: RunFolder) -> None:
    """Raises unless the run has one answer for each picture of `uneven_manifest`, and `evaluate` gives the same.

    The working folder is the one in which `outputs` lies.
    """
    from animeid import evaluate

    table = pd.read_parquet(run.predictions)
    assert sorted(table["row"]) == list(range(34))
    assert not list(run.path.glob(".answers*"))
    logits = np.load(run.logits)
    for split in ("val", "test"):
        assert evaluate.main([f"run={run.path}", f"split={split}", "trainer.precision=32-true"]) == 0
        again = RunFolder(run.path / "evaluations" / split)
        rows = pd.read_parquet(again.predictions)["row"]
        assert list(rows) == list(table.loc[table["split"] == split, "row"])
        np.testing.assert_allclose(np.load(again.logits), logits[(table["split"] == split).to_numpy()], atol=1e-5)
        before, now = (json.loads(folder.metrics.read_text())[split] for folder in (run, again))
        for name in ("acc_micro", "f1_macro", "nll"):
            assert now[name] == pytest.approx(before[name], abs=1e-5)


def trained_home(tmp_path_factory: pytest.TempPathFactory, counts: Mapping[str, int], *commands: Command) -> Path:
    """A folder with `pictures` of noise, so many of each class, in which the commands ran well, in their order."""
    home = tmp_path_factory.mktemp("home")
    class_folders(home / "pictures", counts, coarse=4)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        for main, arguments in commands:
            assert main(list(arguments)) == 0
    return home


@contextmanager
def unreported() -> Iterator[None]:
    """Trainings in the block end as trials of a search do: without baselines, evidence, charts and page.

    Those take a third of a small run.
    """
    from animeid.training import run

    whole = run.finish
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "finish", lambda *given, **settings: whole(*given, **{**settings, "report": False}))
        yield


def made_by_one(tmp_path_factory: pytest.TempPathFactory, name: str, make: Callable[[], Path]) -> Path:
    """What `make` makes in a folder, made by the first of pytest's processes that asks; others have a copy.

    Args:
        name: told apart from all that is shared so.
    """
    own = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return make()
    told = own.parent / f"{name}.path"
    with lock(own.parent / f"{name}.lock", name, waits=True):
        if not told.is_file():
            folder = make()
            told.write_text(str(shutil.copytree(folder, own.parent / name)))
            return folder
    return Path(shutil.copytree(told.read_text(), tmp_path_factory.mktemp(name) / "home"))


def quiet_trainer(**settings: Any) -> Trainer:
    """Lightning's own trainer on the CPU, of an epoch unless told otherwise, that prints and saves nothing."""
    from lightning.pytorch import Trainer

    quiet = {
        "logger": False,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
    }
    return Trainer(**{"accelerator": "cpu", "max_epochs": 1, **quiet, **settings})
