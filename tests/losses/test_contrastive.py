"""Contrastive terms against the papers' equations in plain loops, and in runs."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from lightning.pytorch import seed_everything
from torch import Tensor
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from animeid.assembly.planning import make_plan
from animeid.assembly.run import build
from animeid.config.compose import compose
from animeid.data.prepare import Prepared
from animeid.data.samplers.natural import Natural
from animeid.data.samplers.views import RepeatedViews
from animeid.data.stream import ShardedStream, TrainingBatches, shared_epoch
from animeid.engine.trainer import quieten
from animeid.errors import InputError
from animeid.losses.contrastive import across_styles_contrastive, balanced_contrastive, supervised_contrastive
from tests.small_runs import QUICK, quiet_trainer

TARGETS = torch.tensor([0, 0, 1, 2, 0, 1, -1, 3])
TAU = 0.2


def directions(number: int, seed: int) -> Tensor:
    values = torch.randn(number, 5, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return functional.normalize(values)


def similarity(a: Tensor, b: Tensor) -> float:
    return math.exp(float(a @ b) / TAU)


def test_supervised_is_equation_2() -> None:
    z = directions(len(TARGETS), 0)
    expected = []
    for i, own in enumerate(TARGETS.tolist()):
        positives = [p for p, other in enumerate(TARGETS.tolist()) if p != i and other == own and own >= 0]
        denominator = sum(similarity(z[i], z[a]) for a in range(len(z)) if a != i)
        terms = [math.log(similarity(z[i], z[p]) / denominator) for p in positives]
        expected.append(-sum(terms) / len(terms) if terms else 0.0)
    found = supervised_contrastive(z, TARGETS, TAU)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-5)


STYLES = torch.tensor([0, 1, 0, 2, 1, -1, 0, 1])


def test_across_styles_is_equation_2_with_its_positives() -> None:
    targets, styles = [0, 0, 1, 2, 0, 1, -1, 3], STYLES.tolist()
    z = directions(len(targets), 0)
    expected = []
    for i, (own, style) in enumerate(zip(targets, styles, strict=True)):
        others = [j for j in range(len(z)) if j != i]
        of_class = [j for j in others if own >= 0 and targets[j] == own]
        positives = [j for j in of_class if style >= 0 and styles[j] >= 0 and styles[j] != style]
        counted = [j for j in others if j in positives or j not in of_class]
        denominator = sum(similarity(z[i], z[a]) for a in counted)
        terms = [math.log(similarity(z[i], z[p]) / denominator) for p in positives]
        expected.append(-sum(terms) / len(terms) if terms else 0.0)
    assert sum(value > 0 for value in expected) == 3
    found = across_styles_contrastive(z, TARGETS, STYLES, TAU)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-5)


def test_pictures_of_one_class_and_style_have_no_gradient_across_styles() -> None:
    z = directions(3, 0).requires_grad_()
    across_styles_contrastive(z, torch.zeros(3).long(), torch.zeros(3).long(), 0.01).sum().backward()
    assert z.grad is not None
    assert (z.grad == 0).all()


def test_balanced_is_equations_5_and_6() -> None:
    z, centres, classes = directions(len(TARGETS), 1), directions(5, 2), range(5)
    expected = []
    for i, own in enumerate(TARGETS.tolist()):
        denominator = 0.0
        for j in classes:  # also a class that is in the batch by its centre alone
            members = [z[k] for k, other in enumerate(TARGETS.tolist()) if other == j and k != i] + [centres[j]]
            denominator += sum(similarity(z[i], member) for member in members) / len(members)
        positives = [z[p] for p, other in enumerate(TARGETS.tolist()) if other == own and p != i]
        positives = [*positives, centres[own]] if own >= 0 else []
        terms = [math.log(similarity(z[i], p) / denominator) for p in positives]
        expected.append(-sum(terms) / len(terms) if terms else 0.0)
    found = balanced_contrastive(z, TARGETS, centres, TAU)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-5)


def test_a_picture_of_no_class_moves_nobody_in_the_balanced_term() -> None:
    z, centres = directions(len(TARGETS), 1), directions(5, 2)
    known = TARGETS >= 0
    alone = balanced_contrastive(z[known], TARGETS[known], centres, TAU)
    torch.testing.assert_close(balanced_contrastive(z, TARGETS, centres, TAU)[known], alone)


def test_the_balanced_term_of_many_classes_costs_its_similarities_alone() -> None:
    """Sizes of classes are counted; a product of everything with every class would cost C / P times as much."""
    pictures, length, classes = 6, 5, 200
    target = torch.arange(pictures)
    with FlopCounterMode(display=False) as counter:
        balanced_contrastive(directions(pictures, 0), target, directions(classes, 1), TAU)
    assert counter.get_total_flops() == 2 * pictures * (pictures + classes) * length


@pytest.mark.parametrize("term", ["supervised", "balanced"])
def test_gradients_are_finite_where_nothing_is_similar_or_alone(term: str) -> None:
    z = directions(3, 0).float().requires_grad_()
    target = torch.tensor([0, 1, -1])
    found = (
        supervised_contrastive(z, target, 0.01)
        if term == "supervised"
        else balanced_contrastive(z, target, directions(3, 1).float(), 0.01)
    )
    found.sum().backward()
    assert torch.isfinite(found).all()
    assert z.grad is not None
    assert torch.isfinite(z.grad).all()


@pytest.mark.parametrize(("pictures", "ranks"), [(6, 1), (6, 2), (7, 3)])
def test_views_of_a_picture_stand_side_by_side_on_one_rank(pictures: int, ranks: int) -> None:
    rows = np.arange(10, 10 + pictures)
    plain = Natural(rows, np.zeros(pictures, dtype=np.int64), 1)
    views = RepeatedViews(plain, 2)
    np.testing.assert_array_equal(views.prior(), plain.prior())
    seen: list[int] = []
    for rank in range(ranks):
        stream = ShardedStream(views, seed=0, epoch=shared_epoch(), rank=rank, world_size=ranks, views=2)
        found, draws = zip(*stream, strict=True)
        assert found[::2] == found[1::2]
        assert list(found[::2]) == plain.stream(0, 0)[rank::ranks].tolist()
        assert len(found) == len(stream)
        seen += draws
    assert sorted(seen) == list(range(2 * pictures))


@pytest.mark.parametrize("views", [2, 3])
@pytest.mark.parametrize("ranks", [1, 2, 3])
@pytest.mark.parametrize("pictures", [6, 7, 9, 10])
def test_no_batch_takes_views_apart_or_holds_one_picture(pictures: int, ranks: int, views: int) -> None:
    sampler = RepeatedViews(Natural(np.arange(pictures), np.zeros(pictures, dtype=np.int64), 1), views)
    for rank in range(ranks):
        share = {"rank": rank, "world_size": ranks, "views": views}
        stream = ShardedStream(sampler, seed=0, epoch=shared_epoch(), **share)
        batches = list(TrainingBatches(stream, 2 * views))
        assert len(batches) == len(TrainingBatches(stream, 2 * views))
        for batch in batches:
            shown = np.bincount([row for row, _ in batch])
            assert set(shown[shown > 0]) == {views}
            assert np.count_nonzero(shown) >= 2
        stream.resume_at(0, len(batches) - 1, 2 * views)
        assert list(TrainingBatches(stream, 2 * views)) == batches[-1:]


RUN = (*QUICK, "data.batch_size=6", "trainer.max_epochs=1")


@pytest.mark.parametrize("card", ["supervised", "balanced", "across_styles"])
@pytest.mark.parametrize("head", ["linear", "arcface", "fusion", "multi_stage", "transformer"])
def test_it_trains_beside_any_loss_and_is_forgotten(card: str, head: str, prepared: Prepared, tmp_path) -> None:
    quieten()
    seed_everything(1, verbose=False)
    request = compose("train", [*RUN, f"contrastive={card}", f"head={head}", "loss=focal", "deep_supervision=taps"])
    run = build(make_plan(request, prepared, "cpu"), prepared)
    assert run.module.contrast is not None
    before = {name: value.detach().clone() for name, value in run.module.contrast.named_parameters()}
    trainer = quiet_trainer(limit_val_batches=1)
    trainer.fit(run.module, datamodule=run.data)
    assert trainer.global_step == 3, "nine pictures twice"
    for name, value in run.module.contrast.named_parameters():
        assert not torch.equal(before[name], value), name
    trainer.save_checkpoint(tmp_path / "best.ckpt", weights_only=True)
    trainer.save_checkpoint(tmp_path / "last.ckpt")
    best, last = (torch.load(tmp_path / f"{name}.ckpt", weights_only=True)["state_dict"] for name in ("best", "last"))
    assert not any("contrast" in name for name in best)
    assert any("contrast" in name for name in last)
    run.module.drop_auxiliary()
    run.module.load_state_dict(best)


@pytest.mark.parametrize(("size", "views"), [(5, 2), (2, 2), (8, 3)])
def test_batches_that_take_views_apart_are_refused(size: int, views: int, prepared: Prepared) -> None:
    asked = [*RUN, "contrastive=supervised", f"data.batch_size={size}", f"contrastive.views={views}"]
    with pytest.raises(InputError, match="two or more whole pictures"):
        make_plan(compose("train", asked), prepared, "cpu")


def test_a_batch_that_is_not_asked_for_fits_the_views(prepared: Prepared) -> None:
    plan = make_plan(compose("train", [*QUICK, "contrastive=supervised", "contrastive.views=3"]), prepared, "cpu")
    assert plan["data"]["batch_size"] == 6


def test_a_single_view_is_refused() -> None:
    with pytest.raises(InputError, match=r"contrastive\.views"):
        compose("train", [*RUN, "contrastive=supervised", "contrastive.views=1"])


def test_mixed_pictures_have_no_class_to_be_drawn_to(prepared: Prepared) -> None:
    with pytest.raises(InputError, match="contrastive=none"):
        make_plan(compose("train", [*RUN, "contrastive=balanced", "mixing=mixup"]), prepared, "cpu")
