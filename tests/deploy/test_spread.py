"""What an artefact says of its answers to judged pictures is what those pictures give."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics.pairwise import cosine_distances

from animeid import export
from animeid.artefacts.artefact import Artefact
from animeid.deploy.spread import BY_TWIN, DISTANCE_BINS, TOO_FEW, Spread
from animeid.predictions import Predictions
from animeid.retrieval.class_means import FEWEST
from animeid.runs.finished import FinishedRun
from tests.deploy.test_export import held_out, loaded, pixels, run_onnx


def answers(embeddings: np.ndarray) -> Predictions:
    count = len(embeddings)
    return Predictions(np.arange(count), np.eye(count, 3, dtype=np.float32), embeddings, np.zeros(count))


def expected_counts(edges: np.ndarray, embeddings: np.ndarray, targets: np.ndarray) -> list[int]:
    """By distances to the means of the other pictures, one picture after the other."""
    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    found = []
    for place in range(len(targets)):
        rest = np.arange(len(targets)) != place
        kept = [target for target in np.unique(targets[targets >= 0]) if (targets == target).sum() >= FEWEST]
        means = [unit[rest & (targets == target)].mean(0) for target in kept]
        found.append(cosine_distances(unit[place : place + 1], means).min())
    return np.histogram(found, [-1, *edges, 3])[0].tolist()


def test_an_artefact_carries_the_means_of_its_own_embeddings(at_home: Path) -> None:
    artefact, run = Artefact.load("artefact"), FinishedRun.open("outputs/run")
    embeddings = run_onnx(artefact.folder / "model.onnx", pixels(loaded(at_home), held_out(at_home)))[0]
    targets = run.targets[run.positions_in("test")]
    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    kept = [target for target in range(3) if (targets == target).sum() >= FEWEST]
    assert artefact.means is not None and artefact.metrics is not None
    means = np.array([unit[targets == target].mean(0) for target in kept])
    np.testing.assert_allclose(artefact.means, means / np.linalg.norm(means, axis=1, keepdims=True), atol=1e-3)
    told = artefact.metrics["answers"]["distance"]
    assert len(told["edges"]) == DISTANCE_BINS - 1 and sum(told["counts"]) == len(targets)
    assert max(told["counts"]) - min(told["counts"]) <= 2
    # Edges lie at pictures: by embeddings of another library one may lie on their other side.
    assert np.abs(np.subtract(told["counts"], expected_counts(told["edges"], embeddings, targets))).max() <= 1


def test_means_of_several_runs_are_in_the_space_of_all(at_home: Path, tmp_path: Path) -> None:
    assert export.main(["run=outputs/run:outputs/partner", f"output={tmp_path}/both"]) == 0
    artefact = Artefact.load(tmp_path / "both")
    embeddings = run_onnx(artefact.folder / "model.onnx", pixels(loaded(at_home), held_out(at_home))[:1])[0]
    assert artefact.means is not None and artefact.means.shape[1] == embeddings.shape[1]


@pytest.mark.parametrize(
    ("targets", "by_twin", "reason"), [([0, 0, 1, 1], True, BY_TWIN), ([0, 1, 2, -1], False, TOO_FEW)]
)
def test_why_there_are_no_means_is_said(targets: list[int], by_twin: bool, reason: str) -> None:
    found = Spread.of(answers(np.random.default_rng(0).normal(size=(4, 5))), np.array(targets), by_twin=by_twin)
    assert found.means is None and found.counts["no_distance"] == reason and "distance" not in found.counts
