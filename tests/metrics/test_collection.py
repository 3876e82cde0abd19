"""Online figures against scikit-learn on the pooled predictions."""

from __future__ import annotations

import os

import numpy as np
import pytest
import torch
import torch.multiprocessing as mp
from sklearn import metrics as sk
from torchmetrics.classification import MulticlassAccuracy, MulticlassStatScores

from animeid.metrics.collection import ClassRecall, build_collection
from animeid.metrics.evaluate import evaluate
from animeid.types import LabelStats
from tests.largest_tensor import LargestTensor

CLASSES = 6


def answers(pictures: int = 101) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits and targets; class 5 has no pictures but is predicted, some targets are -1."""
    generator = torch.Generator().manual_seed(0)
    targets = torch.randint(-1, CLASSES - 1, (pictures,), generator=generator)
    logits = torch.randn(pictures, CLASSES, generator=generator)
    logits[torch.arange(pictures), targets] += 1.0
    return logits, targets


def expected() -> dict[str, float]:
    logits, targets = answers()
    known = (targets >= 0).numpy()
    true, predicted = targets.numpy()[known], logits.argmax(1).numpy()[known]
    assert 5 in predicted
    present = np.arange(CLASSES - 1)
    return {
        "acc_micro": sk.accuracy_score(true, predicted),
        "acc_macro": sk.recall_score(true, predicted, labels=present, average="macro"),
        "f1_macro": sk.f1_score(true, predicted, labels=present, average="macro"),
    }


def as_floats(values: dict[str, torch.Tensor]) -> dict[str, float]:
    return {name: float(value) for name, value in values.items()}


def test_batches_add_up_to_sklearns_figures() -> None:
    collection = build_collection(CLASSES)
    for logits, targets in zip(*(tensor.split(16) for tensor in answers()), strict=True):
        collection.update(logits, targets)
    assert as_floats(collection.compute()) == pytest.approx(expected())
    collection.reset()
    logits, targets = answers()
    collection.update(logits[:9], targets[:9])
    known = targets[:9] >= 0
    share = (logits[:9].argmax(1) == targets[:9])[known].float().mean()
    assert as_floats(collection.compute())["acc_micro"] == pytest.approx(float(share))


def test_the_online_figures_are_those_of_metrics_json() -> None:
    logits, targets = answers()
    collection = build_collection(CLASSES)
    collection.update(logits, targets)
    stats = LabelStats.from_counts(tuple("abcdef"), torch.full((CLASSES,), 9))
    judged = evaluate(logits.numpy(), targets.numpy(), np.arange(len(targets)).astype(str), stats, None)
    assert as_floats(collection.compute()) == pytest.approx({name: judged[name] for name in expected()})


def test_a_batch_of_strangers_changes_nothing() -> None:
    collection = build_collection(CLASSES)
    collection.update(*answers())
    before = as_floats(collection.compute())
    collection.update(torch.randn(4, CLASSES), torch.full((4,), -1))
    assert as_floats(collection.compute()) == before


def test_the_figures_are_those_of_torchmetrics() -> None:
    """Batch by batch; its macro averages count a class without pictures, so that they are taken from its counts."""
    settings = {"ignore_index": -1, "validate_args": False}
    counts = MulticlassStatScores(CLASSES, average=None, **settings)
    micro = MulticlassAccuracy(CLASSES, average="micro", **settings)
    collection, recall = build_collection(CLASSES), ClassRecall(CLASSES)
    for logits, targets in zip(*(tensor.split(16) for tensor in answers()), strict=True):
        for metric in (counts, micro, collection, recall):
            metric.update(logits, targets)
    hits, more, _, _, support = counts.compute().double().T
    present = support > 0
    f1 = 2 * hits / (2 * hits + more + support - hits)
    found = collection.compute()
    torch.testing.assert_close(found["acc_micro"], micro.compute())
    torch.testing.assert_close(found["acc_macro"].double(), (hits / support)[present].mean(), rtol=1e-6, atol=0)
    torch.testing.assert_close(found["f1_macro"].double(), f1[present].mean(), rtol=1e-6, atol=0)
    torch.testing.assert_close(recall.compute().double(), hits / support, rtol=1e-6, atol=0, equal_nan=True)


def test_no_batch_makes_a_table_of_classes_by_classes() -> None:
    collection = build_collection(300)
    with LargestTensor() as seen:
        for _ in range(2):  # figures that agree are counted once from the second batch on
            collection.update(torch.randn(4, 300), torch.tensor([1, 299, -1, 0]))
    assert seen.numel <= 4 * 300


def _one_of_two(rank: int, store: str, results: str) -> None:
    torch.distributed.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=2)
    logits, targets = answers()
    collection = build_collection(CLASSES)
    share = slice(0, 40) if rank == 0 else slice(40, None)
    collection.update(logits[share], targets[share])
    torch.save(as_floats(collection.compute()), os.path.join(results, f"{rank}.pt"))  # noqa: PTH118
    torch.distributed.destroy_process_group()


@pytest.mark.slow
def test_two_processes_with_uneven_shares_agree_on_the_pooled_figures(tmp_path) -> None:
    mp.spawn(_one_of_two, args=(str(tmp_path / "store"), str(tmp_path)), nprocs=2)
    for rank in range(2):
        assert torch.load(tmp_path / f"{rank}.pt") == pytest.approx(expected())
