"""What training will choose where it is left to choose, told by the functions that choose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from animeid.assembly.model import build_model, without_weights
from animeid.assembly.plan import BATCH_SIZE, plan_for
from animeid.engine.devices import choose_precision

FEW_CLASSES = 2
"""A model needs some number of classes to be built; its backbone, which decides, does not depend on it."""


def plan_without_data(request: Mapping[str, Any], accelerator: str) -> dict[str, Any]:
    """The plan for a folder that is large enough for whole batches."""
    plan = plan_for(request, 10 * BATCH_SIZE, accelerator)
    model = build_model(without_weights(plan), FEW_CLASSES)
    if plan["trainer"]["precision"] == "auto":
        plan["trainer"]["precision"] = choose_precision(accelerator, bool(model.backbone.has_depthwise))
    return plan
