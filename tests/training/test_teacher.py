"""`teacher=RUN distill=CARD` as a user starts it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import f1_score
from torch import Tensor

from animeid import train
from animeid.assembly.plan import Plan
from animeid.assembly.teacher import columns_of, untold_priors
from animeid.assembly.teaching import TeachingRun
from animeid.config.compose import compose
from animeid.engine import teacher as teachers
from animeid.engine.module import CharacterModule
from animeid.inference.predictor import Predictor
from animeid.runs.finished import FinishedRun
from animeid.runs.folder import RunFolder
from animeid.runs.saved import SavedRun
from animeid.types import Batch
from tests.small_runs import QUICK, class_folders, trained_home

COMMON = (
    *QUICK,
    *("data.root=pictures", "data.val_ratio=0.25", "data.test_ratio=0.25", "logger=none"),
    *("trainer.precision=32-true", "trainer.max_epochs=1", "embeddings=off"),
)
STUDENT = (*COMMON, "distill=logits", "teacher=outputs/one")
COUNTS = {"many": 24, "少": 12, "third": 12}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    first = (train.main, (*COMMON, "run_id=one", "loss=balanced_softmax"))
    return trained_home(tmp_path_factory, COUNTS, first, (train.main, (*COMMON, "run_id=two", "seed=2")))


@pytest.fixture(autouse=True)
def inside(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home)


class Told:
    """What a teacher was asked and has answered."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.batches: list[Batch] = []
        self.asked = 0
        taught, networks = CharacterModule._taught, teachers.Networks.__call__

        def keep(module: CharacterModule, batch: Batch) -> Batch:
            self.batches.append(taught(module, batch))
            return self.batches[-1]

        def count(network: teachers.Networks, image: Tensor, row: Tensor) -> object:
            self.asked += len(row)
            return networks(network, image, row)

        monkeypatch.setattr(CharacterModule, "_taught", keep)
        monkeypatch.setattr(teachers.Networks, "__call__", count)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    return Told(monkeypatch)


def test_an_ensemble_teaches_by_the_mean_of_its_probabilities(told: Told) -> None:
    """On still pictures the answers are those of evaluation, each asked once; the second run's prior is taken off."""
    asked = ("run_id=taught", "teacher=outputs/one:outputs/two", "augment=none", "data.crop_pct=1")
    assert train.main([*STUDENT, *asked, "trainer.max_epochs=2", "loss=balanced_softmax"]) == 0
    run = RunFolder(Path("outputs/taught"))
    manifest = SavedRun(run).manifest
    rows = np.flatnonzero((manifest.table["split"] == "train").to_numpy())
    assert told.asked == len(rows)
    assert sum(len(batch["row"]) for batch in told.batches) == 2 * len(rows)
    paths = [manifest.root / path for path in manifest.table["path"].iloc[rows]]
    one, two = (
        torch.tensor(Predictor.load(f"outputs/{name}", accelerator="cpu", num_workers=0)(paths).logits)
        for name in ("one", "two")
    )
    prior = torch.tensor(SavedRun(RunFolder(Path("outputs/two"))).plan["facts"]["prior"])
    mean = (one.softmax(1) + (two - prior.log()).softmax(1)) / 2
    place = {row: number for number, row in enumerate(rows.tolist())}
    for batch in told.batches:
        expected = mean[[place[row] for row in batch["row"].tolist()]]
        torch.testing.assert_close(batch["teacher"].logits.softmax(1), expected, atol=1e-3, rtol=1e-2)
    facts = SavedRun(run).plan["facts"]["teacher"]
    assert facts["runs"] == ["outputs/one", "outputs/two"]
    assert facts["asked"] == "once a picture"
    assert "outputs/one, outputs/two" in run.report.read_text(encoding="utf-8")
    state = torch.load(run.best, weights_only=True)["state_dict"]
    assert not [name for name in state if name.startswith(("teacher", "distillation"))]


class Cut(BaseException):
    """The moment at which a test's process is killed."""


def test_a_run_that_was_cut_off_goes_on_with_its_teacher(
    told: Told, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the second epoch; it becomes what the straight run becomes, its projection included."""
    asked = (*COMMON, "teacher=outputs/[ot]*[eo]", "distill=embedding", "mixing=mixup", "keep=all")
    asked = (*asked, "trainer.max_epochs=2")
    assert train.main([*asked, "run_id=straight"]) == 0
    steps = len(told.batches)

    def cut(module: CharacterModule, batch: Batch) -> Batch:
        if len(told.batches) == steps + steps // 2 + 1:
            raise Cut
        return taught(module, batch)

    taught = CharacterModule._taught
    with pytest.raises(Cut), monkeypatch.context() as patch:
        patch.setattr(CharacterModule, "_taught", cut)
        train.main([*asked, "run_id=cut"])
    assert train.main([*asked, "run_id=cut", "resume=must"]) == 0
    both = [RunFolder(Path("outputs") / name) for name in ("straight", "cut")]
    straight, after = (torch.load(run.last, weights_only=True)["state_dict"] for run in both)
    assert "distillation.projection.weight" in straight
    assert all(torch.equal(straight[name], after[name]) for name in straight)
    assert SavedRun(both[1]).plan["facts"]["teacher"]["asked"] == "each draw"
    assert train.main([*asked, "run_id=cut", "resume=must", "distill.weight=2"]) == 2
    assert "was begun with distill.weight=1.0" in capsys.readouterr().err


def test_the_teacher_sees_the_pixels_that_the_student_sees(home: Path) -> None:
    normalise = Predictor.load("outputs/one", accelerator="cpu").model.normalise
    image = torch.randint(0, 256, (2, 3, 8, 8), dtype=torch.uint8)
    pixels = normalise.pixels(normalise(image))
    torch.testing.assert_close(pixels, image.float(), atol=1e-3, rtol=0)


REFUSED = [
    (("teacher=outputs/one",), "needs a way to teach: add distill=logits"),
    (("distill=dist",), "distill compares with a teacher: add teacher=RUN"),
    ((*STUDENT[-2:], "stage=probe"), "a teacher is for a training of its own"),
    (("distill=dist", "teacher=nowhere"), "there is no run folder nowhere"),
    ((*STUDENT[-2:], "head=arcface"), "learns with a margin on its own: take distill=embedding"),
    ((*STUDENT[-2:], "data.split_seed=5"), "in the training of outputs/one, which teaches here"),
]


@pytest.mark.parametrize(("asked", "told"), REFUSED)
def test_what_does_not_fit_is_refused(asked: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert train.main([*COMMON, "run_id=refused", *asked]) == 2
    assert told in capsys.readouterr().err
    assert not Path("outputs/refused").exists()


def test_a_class_that_the_teacher_does_not_know_is_refused(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    class_folders(home / "more", {"many": 8, "少": 8, "new": 8}, coarse=3)
    assert train.main([*STUDENT, "data.root=more", "run_id=refused"]) == 2
    assert "outputs/one does not know 1 class of these pictures (new)" in capsys.readouterr().err


def test_a_prior_that_cannot_be_told_is_said() -> None:
    teachers = [TeachingRun(RunFolder(Path("outputs/one")))]
    labels = teachers[0].labels
    for loss, sentences in (("cross_entropy", 0), ("ldam", 1)):
        plan = Plan.from_dict(compose("train", [*COMMON, f"loss={loss}"]))
        assert len(untold_priors(plan, teachers, labels)) == sentences


def test_classes_are_matched_by_name() -> None:
    known = list(json.loads(RunFolder(Path("outputs/one")).labels.read_text()))
    assert columns_of(TeachingRun(RunFolder(Path("outputs/one"))), [known[2], known[0]]).tolist() == [2, 0]


def test_what_was_forgotten_is_told(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of the earlier run's classes, on the same pictures: as that run names them, and as the new one does."""
    root = class_folders(home / "grown", {**COUNTS, "added": 12, "later": 12}, coarse=4)
    shutil.rmtree(root / "third")
    grown = [word for word in COMMON if not word.startswith("data.root")]
    assert train.main([*grown, "data.root=grown", "from_run=outputs/one", "run_id=grown", "data.leaks=report"]) == 0
    out = capsys.readouterr().out
    assert "WARNING: 1 class of outputs/one without pictures here (third)" in out
    run = FinishedRun(RunFolder(Path("outputs/grown")))
    common = ["many", "少"]
    for part, found in run.metrics["forgetting"].items():
        positions = [place for place in run.positions_in(part) if run.labels[run.targets[place]] in common]
        paths = [run.manifest.root / run.predictions["path"].iloc[place] for place in positions]
        targets = [run.labels[run.targets[place]] for place in positions]
        earlier = Predictor.load("outputs/one", accelerator="cpu", num_workers=0)
        logits = earlier(paths).logits[:, [earlier.labels.index(name) for name in common]]
        before = [common[place] for place in logits.argmax(1)]
        after = [run.labels[place] for place in run.predictions_at(np.array(positions)).logits.argmax(1)]
        for when, named in (("before", before), ("after", after)):
            assert found[when]["support"] == len(targets)
            assert found[when]["f1_macro"] == pytest.approx(f1_score(targets, named, labels=common, average="macro"))
    assert "whose classes the earlier run knew: f1_macro" in out
    assert "Classes that were there before" in run.folder.report.read_text(encoding="utf-8")
