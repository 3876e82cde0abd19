"""Rules for published weights: rate, what stays as it was loaded, and how the head begins.

Measured by experiments/loaded, for styles that were not seen by experiments/styles.
"""

from __future__ import annotations

import math

from animeid.assembly.model import as_size
from animeid.assembly.plan import Plan, processes_of, whole
from animeid.config import gateway
from animeid.models.heads.linear import LinearHead
from animeid.models.heads.multi_stage import MultiStageHead
from animeid.optim.optimizers import REFERENCE_BATCH, AdamW
from animeid.recipe.choice import Choice
from animeid.recipe.facts import Facts

RATE = 1e-3
"""Of AdamW at a batch of 32, for published weights of convolutional networks with batch normalisation."""
FEW_STEPS, SMALL_SIDE = 110, 64
"""Up to which statistics that stay are taken for unseen styles: beside `augment=style` they gained in up to 110 steps
at 64 px, and nothing sure in 108 to 168 at 128 px nor in 660 at 96; at 224 px they were not ahead."""
FAMILY = ("efficientnet", "tf_efficientnet", "mobilenet")
"""Beginnings of the names of networks that are built like the one that was measured, EfficientNet-Lite0."""


def learning_rate(facts: Facts, plan: Plan) -> Choice:
    """A high one where published weights are trained on; else that of the optimiser's own rule."""
    name, key = plan["model"]["name"], "optimizer.lr"
    if not facts.is_published:
        return Choice(key, "auto", "by the optimiser's own rule for weights of this origin")
    if gateway.part_class(plan["optimizer"], "optimizer") is not AdamW or not name.startswith(FAMILY):
        return Choice(key, "auto", "by the optimiser's own rule: not measured for this optimiser and network")
    batch = whole(plan.data.batch_size) * plan.trainer.accumulate_grad_batches * processes_of(plan)
    rate = float(f"{RATE * math.sqrt(batch / REFERENCE_BATCH):.1e}")
    return Choice(key, rate, "at a lower one published weights do not get to characters in time")


def freezing(facts: Facts, plan: Plan, steps: int) -> Choice:
    """Statistics of batch norms that stay where a short training is judged by styles that it does not see.

    Args:
        steps: optimiser steps of the whole training; of a refit, those of its twin.
    """
    key, kept = "freezing", ("batch_norms", {"affine": True})
    if plan.trainer.strategy == "fsdp":
        return Choice(key, "none", "fsdp trains all weights")
    if facts.keeps_statistics:
        return Choice(key, kept[0], "so did the run that this one starts from", kept[1])
    if not facts.unseen_styles:
        return Choice(key, "none", "nothing says that what is judged is in styles that training does not see")
    if not (facts.is_published and plan["model"]["name"].startswith(FAMILY)):
        return Choice(key, "none", "what to keep for unseen styles was measured from published EfficientNet-Lite0 only")
    if steps > FEW_STEPS or max(as_size(plan.data.image_size)) > SMALL_SIDE:
        return Choice(key, "none", "statistics that stay gained in short trainings on small pictures only")
    why = f"{steps} steps are few, and statistics of the styles that training sees are no measure for others"
    return Choice(key, kept[0], why, kept[1])


def head_init(facts: Facts, plan: Plan) -> Choice:
    """A fitted head where loaded weights would begin under a random one."""
    key = "head_init"
    if not facts.has_new_head:
        why = "random weights say nothing yet" if facts.random_weights else "the head comes with the weights"
        return Choice(key, "none", why)
    if not can_fit(plan):
        return Choice(key, "none", "only a linear head is fitted, in one process, by a training of its own")
    return Choice(key, "fitted", "it takes a third of an epoch, and a random head knows nothing")


def can_fit(plan: Plan) -> bool:
    """Whether training by a plan can begin with a fitted head."""
    is_linear = gateway.part_class(plan["head"], "head") in (LinearHead, MultiStageHead)
    return is_linear and plan["stage"] is None and processes_of(plan) == 1
