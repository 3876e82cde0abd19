"""Samplers against their definition, and the sharding of their streams."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from scipy.stats import chisquare

from animeid.config.gateway import build
from animeid.data.samplers.natural import Natural
from animeid.data.samplers.weighted import Weighted
from animeid.data.stream import EvaluationOrder, ShardedStream, TrainingBatches, shared_epoch

CARDS = sorted((Path(__file__).resolve().parents[1] / "conf" / "sampler").glob("*.yaml"))
COUNTS = (400, 90, 25, 7, 0, 3)
TARGETS = np.random.default_rng(0).permutation(np.repeat(np.arange(len(COUNTS)), COUNTS))
ROWS = np.arange(len(TARGETS)) * 3 + 11
TARGET_OF = dict(zip(ROWS.tolist(), TARGETS.tolist(), strict=True))


def shown(sampler: Natural | Weighted, epochs: int) -> np.ndarray:
    """How often the stream shows each class."""
    rows = np.concatenate([sampler.stream(5, epoch) for epoch in range(epochs)])
    return np.bincount([TARGET_OF[row] for row in rows.tolist()], minlength=len(COUNTS))


@pytest.mark.parametrize("path", CARDS, ids=lambda path: path.stem)
def test_contract(path: Path) -> None:
    sampler = build(yaml.safe_load(path.read_text()), "sampler", rows=ROWS, targets=TARGETS, num_classes=len(COUNTS))
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
    assert {len(shard) for shard in shards} == {len(ROWS) // world_size} == {len(stream(0, world_size))}
    pairs = sorted((draw, row) for shard in shards for row, draw in shard)
    used = len(ROWS) // world_size * world_size
    assert pairs == list(enumerate(whole[:used].tolist()))


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
@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 9, 16, 17, 31])
def test_no_draw_is_lost_and_no_last_batch_is_alone(batch_size: int, count: int) -> None:
    order = EvaluationOrder(np.arange(count))
    batches = TrainingBatches(order, batch_size)
    found = list(batches)
    assert len(found) == len(batches)
    assert [pair for batch in found for pair in batch] == list(order)
    if batch_size > 1 and count > 1:
        assert all(2 <= len(batch) <= batch_size + 1 for batch in found)
    assert all(len(batch) == batch_size for batch in found[:-1])
