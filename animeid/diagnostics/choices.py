"""Choices that training will make."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from animeid.assembly.completion import with_precision
from animeid.assembly.model import build_model, without_weights
from animeid.assembly.plan import Plan
from animeid.assembly.planning import BATCH_SIZE, plan_for
from animeid.engine.precision import settle_precision

FEW_CLASSES = 2
"""A model needs some number of classes to be built; its backbone, which decides, does not depend on it."""


def plan_without_data(request: Mapping[str, Any], accelerator: str) -> Plan:
    """The plan for a folder that is large enough for whole batches."""
    plan = plan_for(request, 10 * BATCH_SIZE, accelerator)
    return with_precision(plan, build_model(without_weights(plan), FEW_CLASSES))


def why_precision(plan: Plan) -> str:
    """Why `auto` takes the precision that it takes for a plan's network."""
    backbone = build_model(without_weights(plan), FEW_CLASSES).backbone
    return settle_precision(plan.trainer.accelerator, backbone.has_depthwise).reason
