"""The network of a plan: backbone, head, auxiliary classifiers, views."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from animeid.assembly.plan import Plan
from animeid.config import gateway
from animeid.config.check import target_of
from animeid.config.signatures import signature
from animeid.engine.views import Views
from animeid.models.backbone import TimmBackbone
from animeid.models.classifier import Classifier


def as_size(image_size: Any) -> tuple[int, int]:
    """`96` and `[60, 80]` both become `(H, W)`."""
    return (image_size, image_size) if isinstance(image_size, int) else (int(image_size[0]), int(image_size[1]))


def build_model(plan: Plan, num_classes: int) -> Classifier:
    backbone = gateway.build(plan["model"], "model", image_size=as_size(plan.data.image_size))
    return Classifier(backbone, build_head(plan["head"], backbone, num_classes))


def build_head(card: Mapping[str, Any], backbone: TimmBackbone, num_classes: int) -> nn.Module:
    """The head of a card; one whose constructor takes `tap_channels` gets feature maps."""
    facts: dict[str, Any] = {"in_features": backbone.num_features, "num_classes": num_classes}
    found = signature(target_of(card, "head"))
    if found is not None and "tap_channels" in found.parameters:
        facts["tap_channels"] = backbone.tap_channels
    return gateway.build(card, "head", **facts)


def add_auxiliary(plan: Plan, model: Classifier, num_classes: int) -> None:
    """Gives a model that is to be trained the auxiliary classifiers of the plan; one that only answers needs none."""
    if plan["deep_supervision"]:
        channels = model.backbone.tap_channels
        card = plan["deep_supervision"]
        model.auxiliary = gateway.build(card, "deep_supervision", tap_channels=channels, num_classes=num_classes)


@torch.no_grad()
def embedding_size(plan: Plan, model: Classifier) -> int:
    """D of the embeddings as the model gives them, which a head may have made longer than the backbone's."""
    was_training = model.training
    size = model.eval()(torch.zeros((1, 3, *as_size(plan.data.image_size)))).embedding.shape[1]
    model.train(was_training)
    return int(size)


def build_views(asked: Any, plan: Plan) -> Views | None:
    """The views of a card; `own` are those of a finished run's plan."""
    return gateway.build(plan.get("tta") if asked == "own" else asked, "tta")


def without_weights(plan: Plan) -> Plan:
    """A plan whose model starts from random weights, for a checkpoint to be loaded into."""
    return plan.having(model={"pretrained": False, "weights": None})
