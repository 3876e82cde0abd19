"""The contract of losses. The cards are found, not listed: a new loss is one file and one card."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from torch import Tensor, nn

from animeid.config import gateway
from animeid.errors import InputError
from animeid.losses.class_balanced import ClassBalancedLoss
from animeid.losses.class_balanced_focal import ClassBalancedFocalLoss
from animeid.losses.contract import FollowsPrior, parts_with
from animeid.losses.cross_entropy import CrossEntropyLoss
from animeid.losses.focal import FocalLoss
from animeid.losses.ldam import LDAMLoss
from animeid.losses.logit_adjustment import LogitAdjustmentLoss
from animeid.losses.seesaw import SeesawLoss
from animeid.types import Batch, LabelStats, Loss, ModelOutput

CARDS = sorted((Path(__file__).resolve().parents[2] / "conf" / "loss").glob("*.yaml"))
COUNTS = torch.tensor([300, 40, 12, 3])
NAMES = ("Asuka", "初音ミク", "Rei & Rei", "零")
STATS = LabelStats.from_counts(NAMES, COUNTS)
BALANCED = LabelStats(NAMES, COUNTS, torch.full((4,), 0.25, dtype=torch.float64))
TARGET = torch.tensor([0, 1, 2, 3, -1, 3])


def build(card: Path, stats: LabelStats = STATS) -> Loss:
    settings: Mapping[str, Any] = yaml.safe_load(card.read_text(encoding="utf-8"))
    assert settings["_partial_"], "a loss is built with the statistics of the run's classes"
    return gateway.build(settings, "loss", stats=stats)


def make_output(dtype: torch.dtype = torch.float32) -> ModelOutput:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(len(TARGET), len(NAMES), generator=generator).to(dtype).requires_grad_()
    return ModelOutput(logits, torch.randn(len(TARGET), 8, generator=generator).to(dtype).requires_grad_())


def make_batch(target: Tensor) -> Batch:
    rows = torch.arange(len(target))
    return {"image": torch.zeros(len(target), 3, 8, 8), "target": target, "row": rows, "draw": rows}


def one_hot(target: Tensor) -> Tensor:
    shares = torch.zeros(len(target), len(NAMES))
    known = target >= 0
    shares[known] = nn.functional.one_hot(target[known], len(NAMES)).float()
    return shares


def check(loss: Loss) -> None:
    """The contract of a loss: see `animeid.types.Loss`."""
    output = make_output()
    terms = loss(output, make_batch(TARGET))
    assert terms, "a loss has at least one term"
    for value in terms.values():
        assert value.shape == TARGET.shape
        assert value.dtype == torch.float32
        assert torch.isfinite(value).all()
        assert value[4] == 0, "a picture of no class costs nothing"
    sum(value.sum() for value in terms.values()).backward()  # type: ignore[union-attr]
    gradient = output.logits.grad
    assert gradient is not None
    assert torch.isfinite(gradient).all()
    assert (gradient[4] == 0).all(), "a picture of no class has no gradient"
    assert (gradient[TARGET >= 0].abs().sum(1) > 0).all()
    mixed = loss(make_output(), make_batch(one_hot(TARGET)))
    for name, value in terms.items():
        torch.testing.assert_close(mixed[name], value)


def test_cards_were_found() -> None:
    assert {"cross_entropy", "focal", "class_balanced", "class_balanced_focal"} <= {card.stem for card in CARDS}


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.stem)
def test_every_card_keeps_the_contract(card: Path) -> None:
    check(build(card))


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.stem)
def test_under_autocast_every_term_is_float32(card: Path) -> None:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        terms = build(card)(make_output(torch.bfloat16), make_batch(TARGET))
    assert {value.dtype for value in terms.values()} == {torch.float32}


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.stem)
def test_buffers_are_float(card: Path) -> None:
    loss = build(card)
    assert isinstance(loss, nn.Module)
    assert all(buffer.is_floating_point() for buffer in loss.buffers()), "averaging truncates integers"


def test_a_new_loss_is_one_file_and_one_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "squared.py").write_text(
        "from torch import nn\n"
        "from animeid.numerics import class_shares\n"
        "class SquaredLoss(nn.Module):\n"
        "    def __init__(self, stats, *, scale=1.0):\n"
        "        super().__init__()\n"
        "        self.scale = scale\n"
        "    def forward(self, output, batch):\n"
        "        shares = class_shares(output.logits, batch['target'])\n"
        "        miss = (shares - output.logits.softmax(1)).square().sum(1)\n"
        "        return {'squared': self.scale * miss * shares.sum(1)}\n"
    )
    (tmp_path / "squared.yaml").write_text("_target_: squared.SquaredLoss\n_partial_: true\nscale: 2.0\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("animeid.config.check.ALLOWED", ("squared.",))
    (card,) = tmp_path.glob("*.yaml")
    check(build(card))


def value_of(loss: Loss) -> Tensor:
    (value,) = loss(make_output(), make_batch(TARGET)).values()
    return value


def test_balancing_is_not_done_twice() -> None:
    torch.testing.assert_close(value_of(ClassBalancedLoss(BALANCED)), value_of(CrossEntropyLoss(BALANCED)))
    torch.testing.assert_close(
        value_of(ClassBalancedFocalLoss(BALANCED, gamma=1.5)), value_of(FocalLoss(BALANCED, gamma=1.5))
    )


def test_class_balance_weighs_by_class() -> None:
    beta = 0.99
    naive = torch.tensor([(1 - beta) / (1 - beta**count) for count in COUNTS.tolist()])
    weight = (naive / naive.mean())[TARGET.clamp_min(0)]
    balanced = value_of(ClassBalancedLoss(STATS, beta=beta))
    torch.testing.assert_close(balanced, weight * value_of(CrossEntropyLoss(STATS)))
    focal = value_of(ClassBalancedFocalLoss(STATS, beta=beta, gamma=2.0))
    torch.testing.assert_close(focal, weight * value_of(FocalLoss(STATS, gamma=2.0)))


def test_weights_begin_when_they_should() -> None:
    loss, plain = ClassBalancedFocalLoss(STATS, start=0.8), FocalLoss(STATS)
    for epoch, step in ((0, 0), (7, 79)):
        loss.set_progress(epoch, step, 100, 10)
        torch.testing.assert_close(value_of(loss), value_of(plain))
    loss.set_progress(8, 80, 100, 10)
    torch.testing.assert_close(value_of(loss), value_of(ClassBalancedFocalLoss(STATS)))
    loss.set_progress(0, 0, 100, 10)
    torch.testing.assert_close(value_of(loss), value_of(plain))
    for epoch, step in ((2, 50), (3, 75)):  # of four epochs; the last one has weights whatever its share
        loss.set_progress(epoch, step, 100, 4)
        assert loss.has_begun == (epoch == 3)
    loss.set_progress(0, 0, 100, 1)
    assert loss.has_begun, "an only epoch is the last one"


def test_logit_adjustment_moves_logits_by_the_prior() -> None:
    logits = make_output().logits.detach().double()
    share = COUNTS.double() / COUNTS.sum()
    for tau in (0.0, 1.0, 1.5):
        naive = -(logits.exp() * share**tau / (logits.exp() * share**tau).sum(1, keepdim=True)).log()
        expected = torch.tensor([0.0 if t < 0 else float(row[t]) for row, t in zip(naive, TARGET, strict=True)])
        torch.testing.assert_close(value_of(LogitAdjustmentLoss(STATS, tau=tau)), expected)


def test_balanced_softmax_is_that_of_the_paper() -> None:
    """Equation 4 of Ren 2020: counts in the place of the prior."""
    logits = make_output().logits.detach().double()
    weighted = COUNTS * logits.exp()
    naive = -(weighted / weighted.sum(1, keepdim=True)).log()
    expected = torch.tensor([0.0 if t < 0 else float(row[t]) for row, t in zip(naive, TARGET, strict=True)])
    (card,) = (card for card in CARDS if card.stem == "balanced_softmax")
    torch.testing.assert_close(value_of(build(card)), expected)


def test_margins_are_those_of_the_paper() -> None:
    """Cao 2019: in proportion to the inverse fourth root of the counts."""
    margins = LDAMLoss(STATS, max_margin=0.5).margins
    naive = torch.tensor([count**-0.25 for count in COUNTS.tolist()])
    torch.testing.assert_close(margins, 0.5 * naive / naive[3])


def test_the_prior_is_that_of_the_sampler() -> None:
    torch.testing.assert_close(value_of(LogitAdjustmentLoss(BALANCED)), value_of(CrossEntropyLoss(BALANCED)))
    plain = value_of(SeesawLoss(BALANCED, compensation=0.0))
    torch.testing.assert_close(plain, value_of(CrossEntropyLoss(BALANCED)))
    assert LDAMLoss(BALANCED).margins.unique().numel() == 1


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.stem)
def test_the_prior_of_an_epoch_takes_the_place_of_that_of_the_run(card: Path) -> None:
    """As if the loss had been built with it; without one it is that of the run again."""
    other = LabelStats(NAMES, COUNTS, torch.tensor([0.1, 0.2, 0.3, 0.4], dtype=torch.float64))
    found = build(card)
    before = value_of(found)
    for stats, prior in ((other, other.prior), (STATS, None)):
        for part in parts_with(found, FollowsPrior):
            part.set_prior(prior)
        torch.testing.assert_close(value_of(found), value_of(build(card, stats)))
    torch.testing.assert_close(value_of(found), before)


@pytest.mark.parametrize(
    "factory", [ClassBalancedLoss, ClassBalancedFocalLoss, LogitAdjustmentLoss, LDAMLoss, SeesawLoss]
)
def test_a_class_without_pictures_is_refused(factory: type) -> None:
    with pytest.raises(InputError, match="零 has none"):
        factory(LabelStats.from_counts(NAMES, torch.tensor([5, 4, 3, 0])))
