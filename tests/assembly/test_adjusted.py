"""What of the prior is left in a run's logits, and that a teacher's are moved to what the student's hold."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from animeid.assembly.adjusted import leftover_prior
from animeid.config.compose import compose
from animeid.types import LabelStats

STATS = LabelStats.from_counts(("a", "b", "c"), torch.tensor([60, 30, 10]))
LOG_PRIOR = torch.tensor([0.6, 0.3, 0.1]).log()


def plan(*asked: str) -> dict[str, Any]:
    return compose("train", ["recipe=none", *asked])


@pytest.mark.parametrize(
    ("loss", "share"),
    [
        (("loss=cross_entropy",), 1.0),
        (("loss=focal",), 1.0),
        (("loss=balanced_softmax",), 0.0),
        (("loss=logit_adjustment", "loss.tau=0.25"), 0.75),
        (("loss=logit_adjustment", "loss.tau=0"), 1.0),
    ],
)
def test_a_loss_leaves_what_it_does_not_add_itself(loss: tuple[str, ...], share: float) -> None:
    found = leftover_prior(plan(*loss), STATS)
    assert found is not None
    torch.testing.assert_close(found, share * LOG_PRIOR)


@pytest.mark.parametrize("loss", ["class_balanced", "ldam", "seesaw"])
def test_what_lifts_rare_classes_by_other_means_cannot_be_told(loss: str) -> None:
    assert leftover_prior(plan(f"loss={loss}"), STATS) is None


def posterior(logits: Tensor) -> Tensor:
    return logits.softmax(1)


@pytest.mark.parametrize("teacher", ["cross_entropy", "balanced_softmax"])
@pytest.mark.parametrize("student", ["cross_entropy", "balanced_softmax"])
def test_a_perfect_teacher_moves_a_perfect_student_nowhere(teacher: str, student: str) -> None:
    """Both have learnt the same likelihoods, each by its own loss and from pictures of its own prior."""
    likelihood = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    others = LabelStats.from_counts(("a", "b", "c"), torch.tensor([10, 10, 80]))
    theirs = leftover_prior(plan(f"loss={teacher}"), others)
    ours = leftover_prior(plan(f"loss={student}"), STATS)
    assert theirs is not None
    assert ours is not None
    # What cross entropy learns is log likelihood + log prior; balanced softmax the log likelihood alone.
    learnt = likelihood + (others.log_prior if teacher == "cross_entropy" else 0)
    right = likelihood + (STATS.log_prior if student == "cross_entropy" else 0)
    torch.testing.assert_close(posterior(learnt - theirs + ours), posterior(right))
