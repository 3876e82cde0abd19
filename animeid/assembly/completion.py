"""From plan to final plan: every `auto` that the model decides is filled in, and the facts are told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from animeid.assembly.facts import Facts
from animeid.assembly.plan import FinalPlan, Plan, final, processes_of, whole
from animeid.assembly.planning import filled
from animeid.assembly.start import Started
from animeid.assembly.transfer import earlier_run
from animeid.config import gateway
from animeid.config.second_stage import learns
from animeid.data.datamodule import CharacterDataModule
from animeid.data.prepare import Prepared
from animeid.engine.operations import count_parameters
from animeid.engine.precision import settle_precision
from animeid.engine.settings import TrainerSettings
from animeid.engine.sharding import sharded_precision
from animeid.models.classifier import Classifier
from animeid.optim.optimizers import default_learning_rate
from animeid.optim.steps import optimizer_steps_per_epoch
from animeid.runs.leaks import Leaks

SWA_SHARE = 0.1
"""The rate of stochastic weight averaging as a share of the highest rate."""


def complete(
    plan: Plan, started: Started, prepared: Prepared, leaks: Leaks | None, teacher: dict[str, Any] | None
) -> FinalPlan:
    """The plan as it becomes final.

    Args:
        plan: of a request.
        started: its data and model.
        prepared: its pictures.
        leaks: what the runs that weights come from have seen of these; None where there is no such run.
        teacher: what is recorded of it; None where there is none.
    """
    plan = plan.having(data={"cache": started.cache})
    plan = with_rates(with_precision(plan, started.model), started.model)
    return final(plan, replace(facts_of(plan, started, len(prepared.labels), leaks), teacher=teacher))


def facts_of(plan: Plan, started: Started, num_classes: int, leaks: Leaks | None) -> Facts:
    """What can be told of a plan once its data and model are there."""
    data, model = started.data, started.model
    steps = optimizer_steps_per_epoch(data.batches_per_epoch, plan.trainer.accumulate_grad_batches)
    targets = data.table.targets[data.rows("train")]
    return Facts(
        classes=num_classes,
        counts=tuple(np.bincount(targets, minlength=num_classes).tolist()),
        prior=_prior(plan, data),
        steps_per_epoch=steps,
        total_steps=steps * whole(plan.trainer.max_epochs),
        weights=_origin(started, leaks),
        parameters=count_parameters(model),
        trainable=sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad),
    )


def _origin(started: Started, leaks: Leaks | None) -> dict[str, Any]:
    """Where the model's weights come from."""
    backbone, transfer = started.model.backbone, started.transfer
    origin = {"source": backbone.weights_source, "note": backbone.weights_note, **backbone.weights_origin}
    return origin | (transfer.facts if transfer else {}) | ({"seen": leaks.counts} if leaks else {})


def with_precision(plan: Plan, model: Classifier) -> Plan:
    """The plan with the precision that suits device and network."""
    if plan.trainer.precision != "auto":
        return plan
    return plan.having(trainer=filled(plan["trainer"], precision=_precision(plan.trainer, model)))


def _precision(trainer: TrainerSettings, model: Classifier) -> str:
    precision = settle_precision(trainer.accelerator, model.backbone.has_depthwise).precision
    return sharded_precision(precision) if trainer.strategy == "fsdp" else precision


def with_rates(plan: Plan, model: Classifier) -> Plan:
    """The plan with learning rates: that of the optimiser, and that of averaging where it has one."""
    optimizer = plan["optimizer"]
    pictures = whole(plan.data.batch_size) * plan.trainer.accumulate_grad_batches * processes_of(plan)
    loaded = model.backbone.weights_source != "random"
    if optimizer["lr"] == "auto":
        settings = gateway.part_class(optimizer, "optimizer")
        plan = plan.having(optimizer={"lr": default_learning_rate(settings, loaded, pictures)})
    if not plan["averaging"]:
        return plan
    return plan.having(averaging=filled(plan["averaging"], lr=SWA_SHARE * plan["optimizer"]["lr"]))


def _prior(plan: Plan, data: CharacterDataModule) -> tuple[float, ...]:
    """`[C]`: what the sampler shows, or has shown to the run whose weights are taken where nothing is trained."""
    earlier = earlier_run(plan)
    if earlier is None or learns(plan.get("stage")):
        return tuple(data.sampler.prior().tolist())
    return FinalPlan.read(earlier.folder.config).facts.prior
