"""A plan that prunes the network of an earlier run: what it may start from, and whether it is faster for it."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import nn

from animeid.assembly.model import as_size, build_views
from animeid.assembly.plan import FinalPlan, Plan, final
from animeid.assembly.transfer import Earlier
from animeid.config import gateway
from animeid.data.prepare import Prepared
from animeid.engine.devices import DTYPES, own_device
from animeid.engine.inference import output_of
from animeid.engine.operations import count_parameters, multiply_adds
from animeid.engine.views import Views
from animeid.errors import InputError
from animeid.models.classifier import Classifier
from animeid.models.heads.contract import MapHead
from animeid.models.inference import InferenceModel
from animeid.system.turns import in_turn

ROUNDS = 5
SECONDS = 0.4
"""That each network answers one picture in a round."""


def prune(plan: Plan, earlier: Earlier, model: Classifier, prepared: Prepared) -> Classifier | None:
    """Prunes a model that has the earlier run's weights; returns it as it was before, None where the plan prunes none.

    Raises:
        InputError: what was lost could not be judged, or the network or its head is none that can be pruned.
    """
    if not plan.get("prune"):
        return None
    check_prunable(earlier, model, prepared)
    before = deepcopy(model)
    gateway.build(plan["prune"], "prune").apply(model.backbone)
    return before


def check_prunable(earlier: Earlier, model: Classifier, prepared: Prepared) -> None:
    """Raises:
    InputError: what is lost could not be told, or the head hangs on what pruning takes out.
    """
    path = earlier.folder.path
    if not (prepared.manifest.table["split"] == "val").any():
        raise InputError("what pruning loses is judged on val, which the data has not: set data.val_ratio above 0")
    if tuple(prepared.labels) != earlier.labels:
        raise InputError(
            f"{path} has other classes than this data, so that what pruning loses could not be told: prune on the "
            "classes of that run, and add others with from_run alone"
        )
    if isinstance(model.head, MapHead):
        raise InputError(
            f"a {type(model.head).__name__} reads feature maps, whose channels pruning takes out: take a run whose "
            "head reads the embedding alone (head=linear, cosine, arcface, cosface)"
        )


@dataclass(frozen=True)
class Pace:
    """Seconds of single answers to one picture, an array a round, of the network before and after."""

    before: Sequence[np.ndarray]
    after: Sequence[np.ndarray]

    @property
    def medians(self) -> tuple[np.ndarray, np.ndarray]:
        """`[R]` milliseconds each, one a round."""
        before, after = (np.array([1000 * np.median(times) for times in one]) for one in (self.before, self.after))
        return before, after

    @property
    def rounds_won(self) -> int:
        """In how many rounds the pruned network was faster."""
        before, after = self.medians
        return int((after < before).sum())

    def as_facts(self) -> dict[str, Any]:
        """Milliseconds of a picture; of all rounds the median, and each."""
        before, after = self.medians
        whole = {"before": float(np.median(before)), "after": float(np.median(after))}
        return {"latency_ms": whole, "rounds_ms": {"before": before.tolist(), "after": after.tolist()}}


def with_pruning(plan: FinalPlan, before: Classifier | None, model: Classifier) -> FinalPlan:
    """The plan with the shapes of the pruned network, and with what pruning saves; as it is without a `before`.

    Raises:
        InputError: the pruned network is not faster on the device of the plan.
    """
    if before is None:
        return plan
    pace = measure(plan, before, model)
    if pace.rounds_won < len(pace.before):
        raise InputError(not_faster(plan, model, pace))
    facts = {
        "parameters": {"before": count_parameters(before), "after": count_parameters(model)},
        "multiply_adds": {"before": operations(plan, before), "after": operations(plan, model)},
    }
    plan = plan.having(model={"shapes": model.backbone.shapes})
    return final(plan, replace(plan.facts, pruning={**facts, **pace.as_facts()}))


def pruning_notes(plan: FinalPlan) -> tuple[str, ...]:
    """What pruning saves, in one sentence; nothing where nothing was pruned."""
    found = plan.facts.pruning
    if found is None:
        return ()
    parameters, products, times = (found[name] for name in ("parameters", "multiply_adds", "latency_ms"))
    said = (
        f"pruned: {parameters['before'] / 1e6:.2f} to {parameters['after'] / 1e6:.2f} million parameters, "
        f"{products['before'] / 1e6:,.0f} to {products['after'] / 1e6:,.0f} million multiply-adds, "
        f"{times['before']:.3g} to {times['after']:.3g} ms a picture on {plan.trainer.accelerator}"
    )
    return (said,)


def not_faster(plan: FinalPlan, model: Classifier, pace: Pace) -> str:
    found = pace.as_facts()["latency_ms"]
    return (
        f"pruned, {model.backbone.name} answers a picture in {found['after']:.3g} ms on {plan.trainer.accelerator}, "
        f"and whole in {found['before']:.3g} ms (faster in {pace.rounds_won} of {len(pace.before)} rounds), and a "
        "pruned network that is not faster is not trained: take a larger prune.ratio, larger pictures or another "
        "network, or measure again on a quiet machine"
    )


def measure(plan: FinalPlan, before: Classifier, after: Classifier) -> Pace:
    """Times both networks in turn, as the run will answer: its device, precision and views, one picture at a time."""
    views = build_views("own", plan)
    works = [{"picture": answering(plan, model, views)} for model in (before, after)]
    with torch.inference_mode():
        found = in_turn(works, ROUNDS, SECONDS)
    return Pace(found[0]["picture"], found[1]["picture"])


def answering(plan: FinalPlan, model: nn.Module, views: Views | None) -> Any:
    """What answers one picture, of a copy of the model on the device of the plan."""
    device = own_device(plan.trainer.accelerator)
    answerer = InferenceModel.of(deepcopy(model)).to(device).eval()  # type: ignore[arg-type]
    picture = torch.zeros((1, 3, *as_size(plan.data.image_size)), dtype=torch.uint8, device=device)
    precision = DTYPES[plan.trainer.precision]
    return lambda: output_of(answerer, picture, precision, views).logits.cpu()  # which waits for the device


def operations(plan: FinalPlan, model: nn.Module) -> int:
    """Multiply-adds of one picture, in every view."""
    with torch.no_grad():
        return multiply_adds(answering(plan, model, build_views("own", plan)))
