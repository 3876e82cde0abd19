"""From plan to objects: for a run that begins, and by the same steps for one that goes on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from animeid.assembly.checks import check_batch_size, check_first_size, check_precision
from animeid.assembly.completion import complete
from animeid.assembly.data import build_data, build_pixels
from animeid.assembly.effective_prior import effective_prior
from animeid.assembly.model import add_auxiliary, build_model, without_weights
from animeid.assembly.module import attach_stage, build_module, freeze
from animeid.assembly.plan import FinalPlan, Plan, final, label_stats
from animeid.assembly.second_stage import start_stage
from animeid.assembly.soup import cook
from animeid.assembly.transfer import Transfer, earlier_run, take_over
from animeid.config import gateway
from animeid.config.second_stage import trains
from animeid.data.datamodule import CharacterDataModule
from animeid.data.prepare import Prepared
from animeid.engine.module import CharacterModule, record
from animeid.models.classifier import Classifier
from animeid.models.freezing import Freezing
from animeid.models.soup import GreedySoup
from animeid.runs.leaks import check_leaks
from animeid.types import LabelStats

LOSS = "loss."
"""Where a state dict has what the loss has learnt."""


@dataclass(frozen=True)
class Parts:
    """What a plan's facts are told from, built once and handed on.

    data: the plan's. cache: where its pictures are kept. data_notes: sentences for the user about that.
    model: with the weights that it starts from, and frozen as it is trained. transfer: what came from an earlier run.
    freezing: None where all is trained. freezing_notes: sentences for the user about it.
    """

    data: CharacterDataModule
    cache: str
    data_notes: tuple[str, ...]
    model: Classifier
    transfer: Transfer | None
    freezing: Freezing | None
    freezing_notes: tuple[str, ...]


@dataclass(frozen=True)
class Components:
    """Everything that a run needs, and the plan as it became final while building.

    notes: sentences for the user about what the model starts from. transfer: what came from an earlier run. stage: what
    is done to its head.
    """

    plan: FinalPlan
    stats: LabelStats
    module: CharacterModule
    data: CharacterDataModule
    notes: tuple[str, ...] = ()
    freezing: Freezing | None = None
    transfer: Transfer | None = None
    stage: Any = None


def build(plan: Plan, prepared: Prepared) -> Components:
    """The objects of a plan, which is completed on the way by what becomes known.

    Raises:
        InputError: the parts do not fit, or a run that they start from was trained on this one's test pictures.
    """
    check_precision(plan.trainer.accelerator, plan.trainer.precision)
    leaks = check_leaks(plan, prepared.manifest)
    parts = start(plan, prepared, from_scratch=True)
    check_batch_size(plan, parts.model)
    check_first_size(plan, parts.model)
    kept = plan.having(data={"cache": parts.cache})
    final_plan = complete(kept, parts.data, parts.model, len(prepared.labels), parts.transfer, leaks)
    built = assemble(final_plan, prepared, parts, from_scratch=True)
    taken = (*(parts.transfer.notes if parts.transfer else ()), *(leaks.notes if leaks else ()))
    origin = (parts.model.backbone.weights_note, *taken)
    return replace(built, notes=(*parts.data_notes, *origin, *parts.freezing_notes, *built.notes))


def rebuild(plan: FinalPlan, prepared: Prepared, *, from_scratch: bool) -> Components:
    """The objects of a final plan, for a run that goes on.

    Args:
        from_scratch: whether the weights that the plan starts from are needed, since no checkpoint will replace them.
    """
    parts = start(plan, prepared, from_scratch=from_scratch)
    return assemble(plan, prepared, parts, from_scratch=from_scratch)


def start(plan: Plan, prepared: Prepared, *, from_scratch: bool) -> Parts:
    """Data and model of a plan; without `from_scratch` the model has weights of no meaning."""
    opened = build_pixels(plan.data, prepared.manifest)
    sampler = gateway.build(plan["sampler"], "sampler")
    data = build_data(plan, prepared.manifest, prepared.labels, sampler, opened.pixels)
    if from_scratch:
        model, transfer = start_model(plan, prepared)
    else:
        model, transfer = build_model(without_weights(plan), len(prepared.labels)), None
    freezing, freezing_notes = freeze(plan, model)
    return Parts(data, opened.cache, opened.notes, model, transfer, freezing, freezing_notes)


def start_model(plan: Plan, prepared: Prepared) -> tuple[Classifier, Transfer | None]:
    """The model with the weights that it starts from: those of an earlier run where `from_run` names one, as its second
    stage changes them.

    Raises:
        InputError: the earlier run does not fit.
    """
    earlier = earlier_run(plan)
    if earlier is None:
        return build_model(plan, len(prepared.labels)), None
    model = build_model(earlier.without_own_weights(plan), len(prepared.labels))
    transfer = take_over(earlier, model, prepared.labels)
    notes = start_stage(plan, earlier, model, prepared.labels)
    return model, replace(transfer, notes=(*transfer.notes, *notes))


def assemble(plan: FinalPlan, prepared: Prepared, parts: Parts, *, from_scratch: bool) -> Components:
    """The module around a plan's data and model, which gets what is trained beside the weights that are kept."""
    add_auxiliary(plan, parts.model, len(prepared.labels))
    stage = attach_stage(plan, parts.model)
    stats = label_stats(plan, prepared.labels)
    module = build_module(plan, stats, parts.model, parts.freezing, stage, data=parts.data)
    built = Components(plan, stats, module, parts.data, freezing=parts.freezing, transfer=parts.transfer, stage=stage)
    return take_weights(built) if from_scratch else built


def take_weights(built: Components) -> Components:
    """Where the stage trains nothing, has the module's checkpoint say what those who did were shown.

    Fills the module with the mean of several runs where the stage is a soup; what that took stands in the facts of the
    plan that is returned, unless it has been told before.
    """
    plan, module = built.plan, built.module
    earlier = earlier_run(plan)
    if earlier is None or trains(plan.get("stage")):
        return built
    if not isinstance(built.stage, GreedySoup):
        module.shown = effective_prior(earlier.folder, FinalPlan.read(earlier.folder.config))
        return built
    cooked = cook(built.stage, earlier, module, built.data, plan.trainer)
    module.shown = cooked.shown
    took = plan.facts.soup or {"seconds": cooked.seconds, "earlier_s": cooked.earlier_s}
    plan = final(plan, replace(plan.facts, soup=took))
    module.record = record(built.stats.names, plan.as_dict())
    return replace(built, plan=plan, notes=(cooked.note,))
