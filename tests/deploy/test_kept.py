"""An artefact of November 2026, as users have it, is read and answers as it did then.

    python -m animeid.export run=tests/fixtures/runs_2026_11/outputs/finished output=tests/fixtures/artefact_2026_11

made the folder, and `answers.npz` beside it holds two pictures and what the run's predictor answered. It is never made
anew: a later format gets a folder of its own.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import timm
import torch

from animeid.artefacts.artefact import Artefact
from animeid.predictions import softmax

KEPT = Path(__file__).resolve().parents[1] / "fixtures" / "artefact_2026_11"
ANSWERS = KEPT.with_name("artefact_2026_11_answers.npz")
TOLERANCE = 1e-4


@pytest.fixture(scope="module")
def answers() -> dict[str, np.ndarray]:
    """`pictures` `[2, 32, 32, 3]` uint8, `logits` `[2, 6]`, `embedding` `[2, D]`."""
    with np.load(ANSWERS) as stored:
        return dict(stored)


def test_it_is_read() -> None:
    artefact = Artefact.load(KEPT)
    assert artefact.version == "1e2ab7865782629d"
    assert (artefact.run_id, len(artefact.classes), artefact.architectures) == ("finished", 6, ("test_efficientnet",))
    assert artefact.class_counts[artefact.classes.index("江天佑")] == 4
    assert artefact.metrics is not None and artefact.metrics["test"]["f1_macro"] == pytest.approx(0.0947712)
    assert artefact.input.size == (32, 32) and artefact.input.resize == "pillow-bilinear"
    assert artefact.references is None and artefact.parity is None
    assert artefact.trained_on is None and artefact.prior_in_logits is None


def test_the_name_that_its_card_has_for_its_reader_is_there() -> None:
    from animeid.deploy.artefact import Artefact as named
    from animeid.deploy.hub import artefact_folder

    assert "`animeid.deploy.artefact.Artefact.load` refuses it" in (KEPT / "README.md").read_text(encoding="utf-8")
    assert named is Artefact and artefact_folder(str(KEPT)) == KEPT


def test_onnx_answers_as_then(answers: dict[str, np.ndarray]) -> None:
    session = onnxruntime.InferenceSession(str(KEPT / "model.onnx"), providers=["CPUExecutionProvider"])
    embedding, logits, probabilities = session.run(None, {"pictures": answers["pictures"]})
    np.testing.assert_allclose(logits, answers["logits"], atol=TOLERANCE)
    np.testing.assert_allclose(embedding, answers["embedding"], atol=TOLERANCE)
    np.testing.assert_allclose(probabilities, softmax(answers["logits"]), atol=TOLERANCE)


def test_timm_answers_as_then(answers: dict[str, np.ndarray]) -> None:
    model = timm.create_model(f"local-dir:{KEPT}", pretrained=True).eval()
    given = Artefact.load(KEPT).input
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (given.mean, given.std))
    with torch.inference_mode():
        found = model((torch.from_numpy(answers["pictures"]).permute(0, 3, 1, 2) / 255 - mean) / std)
    np.testing.assert_allclose(found.numpy(), answers["logits"], atol=TOLERANCE)
