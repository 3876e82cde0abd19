"""Two runs of one data set, and the artefact of the first."""

from __future__ import annotations

from pathlib import Path

import pytest

from animeid import export, train
from tests.small_runs import QUICK, made_by_one, trained_home

RUN = (
    *QUICK,
    "model.name=test_efficientnet",
    "data.root=pictures",
    "data.val_ratio=0.3",
    "data.test_ratio=0.3",
    "trainer.max_epochs=1",
    "trainer.precision=32-true",
)


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the runs `run` and `partner` below `outputs`, and the artefact `artefact` of the first."""
    return made_by_one(tmp_path_factory, "deployed", lambda: deployed(tmp_path_factory))


def deployed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained_home(
        tmp_path_factory,
        {"many": 30, "少": 12, "Tom & Jerry": 8},
        (train.main, [*RUN, "run_id=run"]),
        (train.main, [*RUN, "run_id=partner", "seed=2"]),
        (export.main, ["run=outputs/run", "output=artefact", "references=2", "licence=mit"]),
    )


@pytest.fixture
def at_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder, as the working one."""
    monkeypatch.chdir(home)
    return home
