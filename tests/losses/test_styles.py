"""Losses that follow styles: Group DRO against algorithm 1 in plain loops, and the adversary's reversed gradient."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from animeid.assembly.planning import make_plan
from animeid.assembly.run import build
from animeid.config.compose import compose
from animeid.data.manifest import Manifest
from animeid.data.prepare import Prepared
from animeid.errors import InputError
from animeid.losses.focal import FocalLoss
from animeid.losses.group_dro import GroupDROLoss
from animeid.losses.style_adversary import StyleAdversary
from animeid.types import Batch, LabelStats, ModelOutput
from tests.small_runs import QUICK

STATS = LabelStats.from_counts(("a", "b", "c"), torch.tensor([5, 4, 3]))
TARGET = torch.tensor([0, 1, 2, 0, 1, 0])
STYLE = torch.tensor([0, 2, 0, 2, -1, 0])


def batch_of(style: Tensor) -> Batch:
    rows = torch.arange(len(style))
    return {"image": torch.zeros(len(style), 3, 4, 4), "target": TARGET, "row": rows, "draw": rows, "style": style}


def logits_of(seed: int) -> Tensor:
    return torch.randn(len(TARGET), 3, generator=torch.Generator().manual_seed(seed))


def output_of(logits: Tensor) -> ModelOutput:
    return ModelOutput(logits, logits)


def algorithm_1(
    weights: Sequence[float], losses: Sequence[float], rate: float
) -> tuple[list[float], dict[int, float], list[float]]:
    """New weights of the styles, their mean losses, and by how much each known picture's loss is trained."""
    own = {style: [i for i, other in enumerate(STYLE.tolist()) if other == style] for style in range(len(weights))}
    means = {style: sum(losses[i] for i in rows) / len(rows) for style, rows in own.items() if rows}
    moved = [weight * math.exp(rate * means.get(style, 0.0)) for style, weight in enumerate(weights)]
    weights = [weight / sum(moved) for weight in moved]
    shares = [0.0 if style < 0 else weights[style] / len(own[style]) for style in STYLE.tolist()]
    return weights, means, shares


def test_group_dro_is_algorithm_1() -> None:
    loss = GroupDROLoss(STATS, rate=0.5)
    loss.take_styles(3)
    weights = [1 / 3] * 3
    for seed in range(3):
        logits = logits_of(seed).requires_grad_()
        (value,) = loss(output_of(logits), batch_of(STYLE)).values()
        plain = functional.cross_entropy(logits, TARGET, reduction="none")
        weights, means, _ = algorithm_1(weights, plain.tolist(), 0.5)
        assert loss.style_weight is not None
        assert loss.style_weight.tolist() == pytest.approx(weights)
        known = STYLE >= 0
        # The mean of the known pictures is the objective, and one of unknown style costs what it costs.
        objective = sum(weights[style] * mean for style, mean in means.items())
        assert float(value[known].detach().mean()) == pytest.approx(objective, rel=1e-5)
        torch.testing.assert_close(value[~known], plain[~known])
    assert weights[1] < min(weights[0], weights[2]), "a style that is not there gains nothing"


def test_the_gradient_of_group_dro_is_the_weighted_one() -> None:
    loss = GroupDROLoss(STATS, rate=0.5)
    loss.take_styles(3)
    logits, reference = logits_of(0).requires_grad_(), logits_of(0).requires_grad_()
    (value,) = loss(output_of(logits), batch_of(STYLE)).values()
    known = STYLE >= 0
    value[known].mean().backward()
    plain = functional.cross_entropy(reference, TARGET, reduction="none")
    _, _, shares = algorithm_1([1 / 3] * 3, plain.tolist(), 0.5)
    (plain * torch.tensor(shares)).sum().backward()
    torch.testing.assert_close(logits.grad, reference.grad)


def test_group_dro_in_evaluation_is_the_loss_inside() -> None:
    loss = GroupDROLoss(STATS, loss=lambda stats: FocalLoss(stats, gamma=1.5)).eval()
    loss.take_styles(3)
    before = loss.state_dict()["style_weight"].clone()
    found = loss(output_of(logits_of(0)), batch_of(STYLE))
    expected = FocalLoss(STATS, gamma=1.5)(output_of(logits_of(0)), batch_of(STYLE))
    torch.testing.assert_close(found, expected)
    assert torch.equal(before, loss.state_dict()["style_weight"])


def test_the_weights_of_two_processes_are_those_of_their_batches_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes with one batch each, the same here: as one process with that batch."""
    alone, shared = GroupDROLoss(STATS, rate=0.5), GroupDROLoss(STATS, rate=0.5)
    alone.take_styles(3)
    shared.take_styles(3)
    expected = alone(output_of(logits_of(0)), batch_of(STYLE))
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.distributed, "all_reduce", lambda tensor: tensor.mul_(2))
    torch.testing.assert_close(shared(output_of(logits_of(0)), batch_of(STYLE)), expected)
    torch.testing.assert_close(shared.style_weight, alone.style_weight)


def test_the_adversary_learns_styles_and_the_embedding_unlearns_them() -> None:
    adversary = StyleAdversary(4, 3, size=5)
    adversary.take_styles(3)
    adversary.set_progress(3, 30, 100, 10)
    strength = 2 / (1 + math.exp(-10 * 0.3)) - 1
    embedding = torch.randn(6, 4, generator=torch.Generator().manual_seed(0)).requires_grad_()
    value = adversary(embedding, batch_of(STYLE))
    value.sum().backward()
    reversed_gradient = embedding.grad
    learnt = [parameter.grad for parameter in adversary.parameters()]
    plain = embedding.detach().clone().requires_grad_()
    logits = adversary.styles(adversary.hidden(plain))
    expected = torch.stack(
        [
            -torch.log(row.exp()[style] / row.exp().sum()) if style >= 0 else 0 * row.sum()
            for row, style in zip(logits, STYLE.tolist(), strict=True)
        ]
    )
    torch.testing.assert_close(value, expected)
    own = torch.autograd.grad(expected.sum(), [plain, *adversary.parameters()])
    torch.testing.assert_close(reversed_gradient, -strength * own[0])
    torch.testing.assert_close(learnt, list(own[1:]))


def test_nothing_is_reversed_as_training_begins() -> None:
    adversary = StyleAdversary(4, 3)
    adversary.take_styles(2)
    adversary.set_progress(0, 0, 100, 10)
    embedding = torch.randn(6, 4).requires_grad_()
    adversary(embedding, batch_of(STYLE.clamp_max(1))).sum().backward()
    assert embedding.grad is not None
    assert (embedding.grad == 0).all()


PARTS = ("loss=group_dro", "contrastive=across_styles", "contrastive=against_styles", "sampler=style_balanced")


@pytest.mark.parametrize("part", [*PARTS, "feature_mixing=mixstyle"])
@pytest.mark.parametrize("style", ["", "ink"])
def test_without_two_styles_a_part_that_follows_them_is_refused(part: str, style: str, prepared: Prepared) -> None:
    bare = Prepared(
        Manifest(prepared.manifest.table.assign(style=style), prepared.manifest.root),
        prepared.labels,
        *(prepared.skipped, prepared.conflicts),
        given_splits=True,
    )
    asked = ["feature_mixing=mixstyle", "feature_mixing.across_styles=true"] if "mixing" in part else [part]
    with pytest.raises(InputError, match=r"follows the styles of pictures.*data\.style_column=NAME"):
        build(make_plan(compose("train", [*QUICK, *asked]), bare, "cpu"), bare)


@pytest.mark.parametrize(
    ("asked", "has"), [((), False), (("loss=group_dro",), True), (("feature_mixing=mixstyle",), False)]
)
def test_batches_hold_styles_where_a_part_asks(asked: tuple[str, ...], has: bool, prepared: Prepared) -> None:
    run = build(make_plan(compose("train", [*QUICK, *asked]), prepared, "cpu"), prepared)
    batch = next(iter(run.data.train_dataloader()))
    assert ("style" in batch) == has
    if has:
        expected = prepared.manifest.table["style"].map({"ink": 0, "paint": 1}).to_numpy()
        assert batch["style"].tolist() == expected[batch["row"].numpy()].tolist()
