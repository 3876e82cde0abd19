"""Samplers against their definition, and the sharding of their streams."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from animeid.config.gateway import build
from animeid.data.samplers.class_aware import ClassAware
from animeid.data.samplers.deferred import Deferred
from animeid.data.samplers.dynamic import Dynamic
from animeid.data.samplers.natural import Natural
from animeid.data.samplers.weighted import Weighted
from animeid.data.stream import EvaluationOrder, ShardedStream, TrainingBatches, shared_epoch
from animeid.errors import InputError
from animeid.types import Sampler

CARDS = sorted((Path(__file__).resolve().parents[2] / "conf" / "sampler").glob("*.yaml"))
COUNTS = (400, 90, 25, 7, 0, 3)
TARGETS = np.random.default_rng(0).permutation(np.repeat(np.arange(len(COUNTS)), COUNTS))
ROWS = np.arange(len(TARGETS)) * 3 + 11
TARGET_OF = dict(zip(ROWS.tolist(), TARGETS.tolist(), strict=True))


def shown(sampler: Sampler, epochs: int) -> np.ndarray:
    """How often the stream shows each class."""
    rows = np.concatenate([sampler.stream(5, epoch) for epoch in range(epochs)])
    return np.bincount([TARGET_OF[row] for row in rows.tolist()], minlength=len(COUNTS))


@pytest.mark.parametrize("path", CARDS, ids=lambda path: path.stem)
def test_contract(path: Path) -> None:
    card = yaml.safe_load(path.read_text())
    if "epochs" in card:
        card["epochs"] = 5  # what the plan fills in
    sampler = build(card, "sampler", rows=ROWS, targets=TARGETS, num_classes=len(COUNTS))
    first = sampler.stream(1, 0)
    assert first.dtype == np.int64
    assert np.array_equal(first, sampler.stream(1, 0))
    assert not np.array_equal(first, sampler.stream(1, 1))
    assert not np.array_equal(first, sampler.stream(2, 0))
    assert set(first.tolist()) <= set(ROWS.tolist())
    assert sampler.prior().shape == (len(COUNTS),)
    assert sampler.prior().dtype == np.float64
    assert sampler.prior().sum() == pytest.approx(1)
    assert sampler.prior()[4] == 0
    sampler.observe(torch.tensor(first[:4]), torch.zeros(4))
    sampler.load_state_dict(sampler.state_dict())
    assert np.array_equal(first, sampler.stream(1, 0))


def test_natural_shows_every_picture_once() -> None:
    sampler = Natural(ROWS, TARGETS, len(COUNTS))
    stream = sampler.stream(0, 3)
    assert not np.array_equal(stream, ROWS)
    assert np.array_equal(np.sort(stream), ROWS)
    assert sampler.prior() == pytest.approx(np.array(COUNTS) / sum(COUNTS))


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0, 2.0])
def test_weighted_shows_the_classes_of_its_prior(power: float) -> None:
    sampler = Weighted(ROWS, TARGETS, len(COUNTS), power=power)
    mass = [sum(1 / COUNTS[target] ** power for target in TARGETS if target == label) for label in range(len(COUNTS))]
    expected = np.array(mass) / sum(mass)
    assert sampler.prior() == pytest.approx(expected)
    counts = shown(sampler, 40)
    present = np.array(COUNTS) > 0
    assert counts[~present].sum() == 0
    assert chisquare(counts[present], counts.sum() * expected[present]).pvalue > 1e-3


def test_weighted_treats_the_pictures_of_a_class_alike() -> None:
    rows = np.concatenate([Weighted(ROWS, TARGETS, len(COUNTS)).stream(9, epoch) for epoch in range(200)])
    of_class = ROWS[TARGETS == 2]
    counts = np.array([(rows == row).sum() for row in of_class])
    assert chisquare(counts).pvalue > 1e-3


def test_weighted_never_draws_a_picture_of_no_class() -> None:
    targets = TARGETS.copy()
    targets[::2] = -1
    stream = Weighted(ROWS, targets, len(COUNTS)).stream(0, 0)
    assert not set(stream.tolist()) & set(ROWS[::2].tolist())


@pytest.mark.parametrize("epochs", [1, 2, 7])
def test_dynamic_goes_from_balanced_to_natural(epochs: int) -> None:
    sampler = Dynamic(ROWS, TARGETS, len(COUNTS), epochs=epochs)
    natural = np.array(COUNTS) / sum(COUNTS)
    balanced = np.array([0.2, 0.2, 0.2, 0.2, 0.0, 0.2])
    present = balanced > 0
    assert sampler.prior_of(0) == pytest.approx(balanced)
    for epoch in range(max(epochs, 2) + 2):
        way = 1.0 if epoch >= epochs - 1 and epoch > 0 else epoch / max(epochs - 1, 1)
        expected = balanced + way * (natural - balanced)
        assert sampler.prior_of(epoch) == pytest.approx(expected)
        rows = np.concatenate([sampler.stream(seed, epoch) for seed in range(20)])
        counts = np.bincount([TARGET_OF[row] for row in rows.tolist()], minlength=len(COUNTS))
        assert counts[~present].sum() == 0
        assert chisquare(counts[present], counts.sum() * expected[present]).pvalue > 1e-4


@pytest.mark.parametrize("epochs", [1, 2, 7])
def test_the_prior_of_dynamic_is_what_all_epochs_show(epochs: int) -> None:
    sampler = Dynamic(ROWS, TARGETS, len(COUNTS), epochs=epochs)
    rows = np.concatenate([sampler.stream(seed, epoch) for seed in range(20) for epoch in range(epochs)])
    counts = np.bincount([TARGET_OF[row] for row in rows.tolist()], minlength=len(COUNTS))
    present = np.array(COUNTS) > 0
    assert chisquare(counts[present], counts.sum() * sampler.prior()[present]).pvalue > 1e-4


def test_dynamic_keeps_the_ratio_of_tail_to_head() -> None:
    """Weights of different scales would let it collapse at once: half way it must still be clearly lifted."""
    targets = np.repeat([0, 1], [2468, 1])
    sampler = Dynamic(np.arange(len(targets)), targets, 2, epochs=31)
    assert [sampler.prior_of(epoch)[1] for epoch in (0, 1, 15, 30)] == pytest.approx(
        [0.5, 0.483, 0.25, 0.0004], abs=1e-3
    )


def test_dynamic_needs_its_number_of_epochs() -> None:
    with pytest.raises(ValueError, match="auto"):
        Dynamic(ROWS, TARGETS, len(COUNTS))


@pytest.mark.parametrize(("epochs", "natural"), [(10, 8), (5, 4), (3, 2), (2, 1), (1, 0)])
def test_deferred_is_natural_first_and_balanced_then(epochs: int, natural: int) -> None:
    sampler = Deferred(ROWS, TARGETS, len(COUNTS), start=0.8, epochs=epochs)
    for epoch in range(epochs):
        stream = sampler.stream(5, epoch)
        assert len(stream) == len(ROWS)
        assert (len(set(stream.tolist())) == len(ROWS)) == (epoch < natural)
    rest = Weighted(ROWS, TARGETS, len(COUNTS))
    assert np.array_equal(sampler.stream(5, epochs - 1), rest.stream(5, epochs - 1))
    counts = np.array(COUNTS)
    balanced = (counts > 0) / 5
    expected = (natural * counts / counts.sum() + (epochs - natural) * balanced) / epochs
    np.testing.assert_allclose(sampler.prior(), expected)
    for epoch in range(epochs):
        np.testing.assert_allclose(sampler.prior_of(epoch), counts / counts.sum() if epoch < natural else balanced)


def test_deferred_needs_its_number_of_epochs() -> None:
    with pytest.raises(ValueError, match="filled in"):
        Deferred(ROWS, TARGETS, len(COUNTS))


@pytest.mark.parametrize("sampler", [ClassAware, lambda *facts: Dynamic(*facts, epochs=2)])
def test_pictures_of_no_class_are_never_drawn(sampler: Callable[..., Sampler]) -> None:
    targets = TARGETS.copy()
    targets[::2] = -1
    drawn = {row for epoch in range(3) for row in sampler(ROWS, targets, len(COUNTS)).stream(0, epoch).tolist()}
    assert drawn
    assert not drawn & set(ROWS[::2].tolist())


@settings(max_examples=80, deadline=None)
@given(st.lists(st.integers(-1, 4), min_size=1, max_size=14), st.integers(0, 2**32), st.integers(1, 6))
def test_class_aware_takes_classes_and_pictures_in_turn(labels: list[int], seed: int, epochs: int) -> None:
    targets = np.array([*labels, 2])
    rows = np.arange(len(targets)) * 5 + 2
    sampler = ClassAware(rows, targets, 6)
    label_of = dict(zip(rows.tolist(), targets.tolist(), strict=True))
    present = set(targets.tolist()) - {-1}
    drawn = [row for epoch in range(epochs) for row in sampler.stream(seed, epoch).tolist()]
    assert len(drawn) == epochs * len(rows)
    classes = [label_of[row] for row in drawn]
    for start in range(0, len(classes) - len(present) + 1, len(present)):
        assert set(classes[start : start + len(present)]) == present
    for label in present:
        pictures = set(rows[targets == label].tolist())
        own = [row for row in drawn if label_of[row] == label]
        for start in range(0, len(own) - len(pictures) + 1, len(pictures)):
            assert set(own[start : start + len(pictures)]) == pictures
        rest = own[len(own) // len(pictures) * len(pictures) :]
        assert len(set(rest)) == len(rest)
    assert sampler.prior()[sorted(present)] == pytest.approx(1 / len(present))


def test_class_aware_shuffles_classes_and_pictures() -> None:
    """In each place of a round each class is as likely, and in each place of its turn each picture of a class."""
    targets = np.repeat([0, 1, 2], [4, 4, 4])
    firsts = [ClassAware(np.arange(12), targets, 3).stream(seed, epoch) for seed in range(300) for epoch in range(3)]
    for place in range(12):
        counts = np.bincount([stream[place] for stream in firsts], minlength=12)
        assert chisquare(counts).pvalue > 1e-4


@pytest.mark.parametrize("sampler", [ClassAware, lambda *facts: Dynamic(*facts, epochs=4)])
@pytest.mark.parametrize("epoch", [0, 3, 9])
def test_two_ranks_share_the_stream(sampler: Callable[..., Sampler], epoch: int) -> None:
    part = sampler(ROWS[:-1], TARGETS[:-1], len(COUNTS))
    shards = []
    for rank in range(2):
        shards.append(ShardedStream(part, seed=4, epoch=shared_epoch(), rank=rank, world_size=2))
        shards[-1].set_epoch(epoch)
    pairs = sorted((draw, row) for shard in shards for row, draw in shard)
    assert pairs == list(enumerate(part.stream(4, epoch).tolist()))


def stream(rank: int = 0, world_size: int = 1, epoch: int = 0) -> ShardedStream:
    shard = ShardedStream(
        Natural(ROWS, TARGETS, len(COUNTS)), seed=4, epoch=shared_epoch(), rank=rank, world_size=world_size
    )
    shard.set_epoch(epoch)
    return shard


@pytest.mark.parametrize("world_size", [1, 2, 3, 8])
def test_ranks_share_the_global_stream(world_size: int) -> None:
    whole = Natural(ROWS, TARGETS, len(COUNTS)).stream(4, 2)
    shards = [list(stream(rank, world_size, epoch=2)) for rank in range(world_size)]
    assert [len(shard) for shard in shards] == [len(stream(rank, world_size)) for rank in range(world_size)]
    assert len(shards[0]) - len(shards[-1]) <= 1
    pairs = sorted((draw, row) for shard in shards for row, draw in shard)
    assert pairs == list(enumerate(whole.tolist()))


@pytest.mark.parametrize("batch_size", [1, 2, 5, 16])
@pytest.mark.parametrize("count", [7, 8, 9, 14, 15, 22, 23, 31])
@pytest.mark.parametrize("world_size", [2, 3, 7])
def test_ranks_make_equally_many_batches_of_all_draws(world_size: int, count: int, batch_size: int) -> None:
    sampler = Natural(np.arange(count), np.zeros(count, dtype=np.int64), 1)
    ranks = [
        TrainingBatches(
            ShardedStream(sampler, seed=4, epoch=shared_epoch(), rank=rank, world_size=world_size), batch_size
        )
        for rank in range(world_size)
    ]
    found = [list(batches) for batches in ranks]
    assert {len(batches) for batches in found} == {len(ranks[0])}
    assert sorted(row for batches in found for batch in batches for row, _ in batch) == list(range(count))
    assert all(len(batch) == batch_size for batches in found for batch in batches[:-1])
    if batch_size > 1 and count // world_size > 1:
        assert all(2 <= len(batches[-1]) <= batch_size + 2 for batches in found)


def test_fewer_pictures_than_processes_are_refused() -> None:
    with pytest.raises(InputError, match="an epoch of 3 training pictures cannot be shared by 4 processes"):
        ShardedStream(Natural(ROWS[:3], TARGETS[:3], len(COUNTS)), seed=4, epoch=shared_epoch(), rank=0, world_size=4)


def test_the_first_batches_of_all_ranks_are_the_first_draws() -> None:
    firsts = [list(stream(rank, 4))[:8] for rank in range(4)]
    assert sorted(draw for first in firsts for _, draw in first) == list(range(32))


@pytest.mark.parametrize(("rank", "world_size"), [(0, 1), (1, 3)])
def test_a_resumed_epoch_is_the_tail_of_the_whole(rank: int, world_size: int) -> None:
    whole = list(TrainingBatches(stream(rank, world_size, epoch=6), 16))
    shard = stream(rank, world_size)
    shard.resume_at(6, start=4, batch_size=16)
    assert list(TrainingBatches(shard, 16)) == whole[4:]
    shard.set_epoch(7)
    assert list(shard) == list(stream(rank, world_size, epoch=7))


@pytest.mark.parametrize("world_size", [1, 2, 3, 7])
@pytest.mark.parametrize("count", [0, 1, 5, 22])
def test_evaluation_shows_every_row_once(world_size: int, count: int) -> None:
    rows = np.arange(count) * 2
    shards = [EvaluationOrder(rows, rank=rank, world_size=world_size) for rank in range(world_size)]
    assert [len(shard) for shard in shards] == [len(list(shard)) for shard in shards]
    pairs = sorted((draw, row) for shard in shards for row, draw in shard)
    assert pairs == list(enumerate(rows.tolist()))


@pytest.mark.parametrize("batch_size", [1, 2, 3, 8, 30])
@pytest.mark.parametrize("count", [1, 2, 3, 7, 9, 16, 17, 31])
def test_no_draw_is_lost_and_no_last_batch_is_alone(batch_size: int, count: int) -> None:
    sampler = Natural(np.arange(count), np.zeros(count, dtype=np.int64), 1)
    order = ShardedStream(sampler, seed=4, epoch=shared_epoch())
    batches = TrainingBatches(order, batch_size)
    found = list(batches)
    assert len(found) == len(batches)
    assert [pair for batch in found for pair in batch] == list(order)
    if batch_size > 1 and count > 1:
        assert all(2 <= len(batch) <= batch_size + 1 for batch in found)
    assert all(len(batch) == batch_size for batch in found[:-1])
