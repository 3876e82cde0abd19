"""Fixtures that several rooms' tests share."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from animeid.data.prepare import Prepared

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

ROOT = Path(__file__).resolve().parents[1]

# Beside the code: what the tests keep is neither found in, nor left in, the user's own cache.
os.environ["ANIMEID_CACHE"] = str(ROOT / ".cache" / "tests")


@pytest.fixture(autouse=True, scope="module")
def blank_charts() -> Iterator[None]:
    """Charts are written as one white pixel: drawing them takes half of a small run.

    Rooms whose tests look at charts have a fixture of this name in the place of this one.
    """
    from matplotlib.figure import Figure

    from tests.charts import blank

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Figure, "savefig", blank)
        yield


@pytest.fixture(scope="module")
def without_reports() -> Iterator[None]:
    """The module's trainings end without baselines, evidence, charts and page: none of its tests looks at them."""
    from tests.small_runs import unreported

    with unreported():
        yield


@pytest.fixture
def without_report() -> Iterator[None]:
    """As `without_reports`, in one test."""
    from tests.small_runs import unreported

    with unreported():
        yield


QUICK_CARDS = pytest.MonkeyPatch()


def pytest_collection() -> None:
    """Hydra composes from cards that are read once, from here on: some tests are named by what is composed."""
    from tests.quick_cards import quicken

    quicken(QUICK_CARDS)


def pytest_collection_finish() -> None:
    """What is imported stays: to look through its million objects again and again takes a twentieth of the time."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def quick_cards() -> pytest.MonkeyPatch:
    """To undo it gives Hydra as it is."""
    return QUICK_CARDS


@pytest.fixture(scope="session")
def emoji_cast() -> Path:
    """The folder of real pictures that lies beside the checkout, where there is one."""
    folder = ROOT.parent / "shared" / "emoji_cast"
    if not (folder / "manifest.csv").is_file():
        pytest.skip("emoji_cast (real pictures) is not beside this checkout")
    return folder


@pytest.fixture
def untried_transforms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In an empty folder, with transforms left untried: importing albumentations takes seconds."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("animeid.config.request.try_transforms", lambda request: None)


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """Three classes, nine training pictures and three of validation."""
    import numpy as np
    import pandas as pd

    from animeid.data.manifest import Manifest, complete
    from animeid.data.prepare import Prepared
    from tests.small_runs import noise

    root = tmp_path_factory.mktemp("pictures")
    random = np.random.default_rng(0)
    paths = [f"{number}.png" for number in range(12)]
    for path in paths:
        noise(random, root / path)
    labels = ("a", "b", "c")
    targets = [0, 0, 0, 0, 0, 1, 1, 2, 2, 0, 1, 2]
    table = pd.DataFrame(
        {
            "path": paths,
            "label": [labels[target] for target in targets],
            "target": targets,
            "split": ["train"] * 9 + ["val"] * 3,
            "group": paths,
            "style": ["ink", "paint"] * 6,
        }
    )
    nothing = pd.DataFrame()
    return Prepared(Manifest(complete(table), root), labels, nothing, nothing, given_splits=True)
