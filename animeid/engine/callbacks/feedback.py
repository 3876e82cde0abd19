"""Choice of a run's feedback callbacks."""

from __future__ import annotations

from animeid.data.augmentation import FollowsConfidence
from animeid.data.datamodule import CharacterDataModule
from animeid.data.samplers.contract import VariesByEpoch, learns
from animeid.engine.callbacks.class_recall import RecallFeedback
from animeid.engine.callbacks.confidence import ConfidenceFeedback
from animeid.engine.callbacks.contract import Feedback
from animeid.engine.callbacks.loss_progress import LossProgress
from animeid.engine.callbacks.sampler_losses import SamplerLosses
from animeid.engine.callbacks.shown_prior import EpochPrior
from animeid.losses.contract import FollowsRecall, parts_with
from animeid.types import Loss


def feedback_callbacks(loss: Loss, data: CharacterDataModule, num_classes: int) -> tuple[Feedback, ...]:
    """The callbacks for what loss, sampler and augmentation follow.

    They come before any that saves the middle of an epoch, so that a step that was made has been told.
    """
    sampler, augmentation = data.sampler, data.augmentation
    found: list[Feedback] = [RecallFeedback(num_classes)] if parts_with(loss, FollowsRecall) else []
    if isinstance(augmentation, FollowsConfidence):
        found.append(ConfidenceFeedback(augmentation, num_classes))
    found.append(LossProgress())
    if isinstance(sampler, VariesByEpoch):
        found.append(EpochPrior(sampler))
    if learns(sampler):
        found.append(SamplerLosses(sampler))
    return tuple(found)
