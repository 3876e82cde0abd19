"""Augmentation that follows over-fitting: shares, what they are made of, and runs that go on."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch.utils.data import DataLoader, Dataset

from animeid import train
from animeid.assembly.planning import make_plan
from animeid.assembly.run import build
from animeid.config import gateway
from animeid.config.compose import compose
from animeid.data.adaptive import Adaptive
from animeid.data.prepare import Prepared
from animeid.engine.confidence_tracker import ConfidenceTracker
from animeid.metrics.confidence import ClassConfidence
from animeid.runs.folder import RunFolder
from tests.small_runs import QUICK, Painted, class_folders

pytestmark = pytest.mark.usefixtures("without_reports")

IMAGE = np.zeros((2, 2, 3), np.uint8)


NAN = float("nan")
COUNTS = (100, 10, 1)


def adaptive(gain: float = 2.0, tolerated: float = 0.0) -> Adaptive:
    made = Adaptive(partial(Painted, 0), partial(Painted, 1), image_size=(2, 2), gain=gain, tolerated=tolerated)
    made.look_at(np.array(COUNTS))
    return made


def share_of_strong(found: Adaptive, target: int) -> float:
    return float(np.mean([found(IMAGE, seed, target)[0, 0, 0] for seed in range(4000)]))


def naive_share(fitted: list[float], held_out: list[float], gain: float, tolerated: float) -> float:
    """Training picture by training picture."""
    ours, theirs = 0.0, 0.0
    for label, count in enumerate(COUNTS):
        for _ in range(count):
            if not (np.isnan(fitted[label]) or np.isnan(held_out[label])):
                ours += fitted[label]
                theirs += held_out[label]
    return float(np.clip(gain * ((ours - theirs) / ours - tolerated), 0, 1))


def test_nothing_is_changed_strongly_before_anything_is_learnt() -> None:
    assert [share_of_strong(adaptive(), target) for target in (0, 1, 2, -1)] == [0, 0, 0, 0]


def test_what_is_known_by_heart_is_changed_strongly() -> None:
    found = adaptive(gain=1.0)
    found.follow(torch.tensor([1.0, 1.0, 1.0]), torch.tensor([0.75, 0.75, 0.75]))
    shares = [share_of_strong(found, target) for target in (0, 1, 2, -1)]
    assert shares == pytest.approx([0.25, 0.25, 0.25, 0.0], abs=0.03)


@pytest.mark.parametrize(
    ("fitted", "held_out"),
    [
        ([0.9, 0.6, 0.2], [0.7, 0.5, 0.1]),
        ([0.9, 0.6, 0.2], [0.7, NAN, 0.1]),
        ([0.9, NAN, 0.2], [0.6, 0.5, NAN]),
        ([0.9, 0.6, 0.2], [0.95, 0.5, 0.4]),  # validation pictures are the easier ones
        ([0.9, 0.6, 0.2], [0.1, 0.1, 0.1]),
    ],
)
@pytest.mark.parametrize(("gain", "tolerated"), [(0.5, 0.0), (1.0, 0.0), (2.0, 0.1), (3.0, 0.4)])
def test_the_share_is_the_lost_confidence_of_a_training_picture(
    fitted: list[float], held_out: list[float], gain: float, tolerated: float
) -> None:
    found = adaptive(gain, tolerated)
    found.follow(torch.tensor(fitted), torch.tensor(held_out))
    assert found.shares.tolist() == pytest.approx([naive_share(fitted, held_out, gain, tolerated)] * 3, abs=1e-6)


def test_where_no_class_is_in_both_parts_the_share_stays() -> None:
    found = adaptive()
    found.follow(torch.tensor([1.0, 1.0, 1.0]), torch.tensor([0.75, 0.75, 0.75]))
    found.follow(torch.tensor([1.0, NAN, NAN]), torch.tensor([NAN, 0.1, 0.1]))
    assert found.shares.tolist() == [0.5, 0.5, 0.5]


class Drawn(Dataset):
    def __init__(self, transform: Adaptive) -> None:
        self.transform = transform

    def __len__(self) -> int:
        return 40

    def __getitem__(self, index: int) -> int:
        return int(self.transform(IMAGE, index, 0)[0, 0, 0])


def test_workers_that_were_started_before_see_the_shares_change() -> None:
    found = adaptive()
    loader = DataLoader(Drawn(found), batch_size=10, num_workers=1, persistent_workers=True)
    before = torch.cat(list(loader))
    found.follow(torch.ones(3), torch.zeros(3))
    after = torch.cat(list(loader))
    assert (int(before.sum()), int(after.sum())) == (0, 40)


def naive_confidence(logits: np.ndarray, shares: np.ndarray) -> list[float]:
    """Class by class, picture by picture."""
    found = []
    for column in range(shares.shape[1]):
        total, pictures = 0.0, 0.0
        for row, share in zip(logits, shares[:, column], strict=True):
            total += share * np.exp(row[column]) / np.exp(row).sum()
            pictures += share * share
        found.append(total / pictures if pictures else float("nan"))
    return found


def test_confidence_is_the_mean_over_pictures() -> None:
    random = np.random.default_rng(0)
    logits, targets = random.normal(size=(30, 4)), random.integers(-1, 3, 30)
    metric = ClassConfidence(4)
    for part in (slice(0, 13), slice(13, 30)):
        metric.update(torch.from_numpy(logits[part]).float(), torch.from_numpy(targets[part]))
    shares = np.array([[float(target == column) for column in range(4)] for target in targets])
    np.testing.assert_allclose(metric.compute().numpy(), naive_confidence(logits, shares), rtol=1e-5)
    mixed = random.dirichlet(np.ones(4), 30)
    metric = ClassConfidence(4)
    metric.update(torch.from_numpy(logits).float(), torch.from_numpy(mixed).float())
    np.testing.assert_allclose(metric.compute().numpy(), naive_confidence(logits, mixed), rtol=1e-5)


def test_mixed_pictures_that_are_known_by_heart_count_as_known() -> None:
    shares = torch.from_numpy(np.random.default_rng(0).dirichlet(np.ones(3), 20)).float()
    metric = ClassConfidence(3)
    metric.update(shares.log(), shares)
    torch.testing.assert_close(metric.compute(), torch.ones(3))


def following() -> tuple[ConfidenceTracker, list[list[list[float]]]]:
    told: list[list[list[float]]] = []
    return ConfidenceTracker(2, lambda *both: told.append([one.tolist() for one in both])), told


def test_an_epoch_is_told_once_the_next_one_begins() -> None:
    found, told = following()
    found.begin(0)
    found.fitted.update(torch.zeros(2, 2), torch.tensor([0, 1]))
    found.held_out.update(torch.tensor([[0.0, np.log(3)]] * 2).float(), torch.tensor([0, 1]))
    found.begin(0)
    assert told == []
    found.begin(1)
    found.begin(1)
    ((fitted, held_out),) = told
    assert fitted == pytest.approx([0.5, 0.5])
    assert held_out == pytest.approx([0.25, 0.75])


@pytest.mark.filterwarnings("error")
def test_an_epoch_that_was_whole_is_told_after_a_resume() -> None:
    found, _ = following()
    for part in (found.fitted, found.held_out):
        part.update(torch.zeros(2, 2), torch.tensor([0, 0]))
    other, told = following()
    other.load(found.state(), is_first=True)
    other.begin(1)
    assert [part[0] for part in told[0]] == [0.5, 0.5]
    assert all(np.isnan(part[1]) for part in told[0])


def test_an_epoch_goes_on_in_its_middle() -> None:
    random = torch.Generator().manual_seed(0)
    batches = [(torch.randn(5, 2, generator=random), torch.tensor([0, 1, 1, 0, 0])) for _ in range(4)]
    straight, told = following()
    cut, told_after = following()
    for found in (straight, cut):
        for batch in batches[:2]:
            found.fitted.update(*batch)
    other, _ = following()
    other.follow = cut.follow
    other.load(cut.state(), is_first=True)
    for found in (straight, other):
        for batch in batches[2:]:
            found.fitted.update(*batch)
        found.held_out.update(*batches[0])
        found.begin(1)
    assert told == told_after
    second, _ = following()
    second.load(cut.state(), is_first=False)
    assert second.fitted.pictures.sum() == 0


def test_the_card_goes_from_light_to_basic() -> None:
    made = {
        name: gateway.build(
            compose("train", ["recipe=none", f"augment={name}"])["augment"], "augment", image_size=(32, 32)
        )
        for name in ("adaptive", "light", "basic")
    }
    made["adaptive"].look_at(np.array([50]))
    image = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    for held_out, name in ((1.0, "light"), (0.0, "basic")):
        made["adaptive"].follow(torch.tensor([1.0]), torch.tensor([held_out]))
        assert np.array_equal(made["adaptive"](image, 5, 0), made[name](image, 5))


def test_training_tells_it_how_it_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class_folders(tmp_path / "pictures", {"easy": 12, "ミク": 12}, coarse=2)
    monkeypatch.chdir(tmp_path)
    told: list[list[list[float]]] = []
    original = Adaptive.follow

    def follow(self: Adaptive, *both: torch.Tensor) -> None:
        told.append([one.tolist() for one in both])
        original(self, *both)

    monkeypatch.setattr(Adaptive, "follow", follow)
    arguments = ["data.root=pictures", *QUICK, "trainer.max_epochs=2", "logger=none"]
    assert train.main([*arguments, "augment=adaptive", "run_id=followed", "keep=all"]) == 0
    last = torch.load(RunFolder(tmp_path / "outputs" / "followed").last, weights_only=True)
    fit, table = last["train_fit"], pd.read_parquet(RunFolder(tmp_path / "outputs" / "followed").manifest)
    parts = table.groupby("split")["target"].value_counts().sort_index()
    assert fit["epoch"] == 1
    assert fit["fitted"]["pictures"] == parts["train"].tolist()
    assert fit["held_out"]["pictures"] == parts["val"].tolist()
    ((fitted, held_out),) = told
    assert fitted != held_out
    assert all(0 < confidence < 1 for confidence in (*fitted, *held_out))
    ours, theirs = (sum(n * one for n, one in zip(parts["train"], part, strict=True)) for part in (fitted, held_out))
    share = float(np.clip(4.0 * (1 - theirs / ours - 0.1), 0, 1))
    assert last["CharacterDataModule"]["strong_shares"] == pytest.approx([share, share], abs=1e-5)


def test_the_margin_of_training_does_not_count(prepared: Prepared) -> None:
    request = compose("train", [*QUICK, "augment=adaptive", "head=arcface"])
    module = build(make_plan(request, prepared, "cpu"), prepared).module.eval()
    image = torch.randint(0, 256, (4, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    image = module.normalise(image)
    trained = module.model(image, torch.tensor([0, 1, 2, 0]))
    plain = module.model(image)
    assert not torch.allclose(trained.logits, plain.logits)
    torch.testing.assert_close(module.model.plain_logits(trained), plain.logits)
