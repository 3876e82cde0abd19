"""From plan to objects: for a run that begins, and by the same steps for one that goes on."""

from __future__ import annotations

from dataclasses import dataclass, replace

from animeid.assembly.checks import check_batch_size, check_first_size
from animeid.assembly.completion import complete
from animeid.assembly.effective_prior import effective_prior
from animeid.assembly.model import add_auxiliary
from animeid.assembly.module import build_feature_mixing, build_head_end, build_head_init, build_module, build_stage
from animeid.assembly.plan import FinalPlan, Plan, final, label_stats, processes_of
from animeid.assembly.pruning import pruning_notes, with_pruning
from animeid.assembly.soup import mix_soup
from animeid.assembly.start import Started, start
from animeid.assembly.styles import give_styles
from animeid.assembly.teacher import build_distillation, build_teacher, teacher_facts
from animeid.assembly.transfer import Transfer, earlier_run
from animeid.data.cache.home import cache_home
from animeid.data.datamodule import CharacterDataModule
from animeid.data.prepare import Prepared
from animeid.engine.callbacks.contract import Feedback
from animeid.engine.callbacks.feedback import feedback_callbacks
from animeid.engine.callbacks.shown_prior import ShownPrior
from animeid.engine.devices import DTYPES, check_precision
from animeid.engine.embedding import Embedder
from animeid.engine.module import CharacterModule, record
from animeid.errors import InputError
from animeid.models.class_means import ClassMeans
from animeid.models.freezing import Freezing
from animeid.models.probe import FittedHead
from animeid.models.stage_contract import Stage
from animeid.runs.leaks import check_leaks
from animeid.types import LabelStats


@dataclass(frozen=True)
class Components:
    """Everything that a run needs, and the plan as it became final while building.

    stage: what is done to a finished run; nothing for a run of its own. feedback: callbacks that tell the parts how
    training goes. notes: sentences for the user about what the model starts from. transfer: what came from an earlier
    run. embedder: keeps what the backbone says, where it is never trained or a head is fitted before it is.
    head_init: fits that head; None where training begins with the head as it is. head_end: changes the head once it is
    trained; None where it stays.
    """

    plan: FinalPlan
    stats: LabelStats
    module: CharacterModule
    data: CharacterDataModule
    stage: Stage
    feedback: tuple[Feedback, ...]
    notes: tuple[str, ...] = ()
    freezing: Freezing | None = None
    transfer: Transfer | None = None
    embedder: Embedder | None = None
    head_init: FittedHead | None = None
    head_end: ClassMeans | None = None


def build(plan: Plan, prepared: Prepared) -> Components:
    """The objects of a plan, which is completed on the way by what becomes known.

    Raises:
        InputError: the parts do not fit, or a run that they start from was trained on this one's test pictures.
    """
    check_precision(plan.trainer.accelerator, plan.trainer.precision)
    leaks = check_leaks(plan, prepared.manifest)
    teacher, teacher_notes = teacher_facts(plan, prepared)
    started = start(plan, prepared, from_scratch=True)
    check_batch_size(plan, started.model)
    check_first_size(plan, started.model)
    final_plan = with_pruning(complete(plan, started, prepared, leaks, teacher), started.unpruned, started.model)
    components = assemble(final_plan, prepared, started, from_scratch=True)
    weights_notes = (*started.weights_notes, *(leaks.notes if leaks else ()))
    return replace(
        components,
        notes=(
            *started.data_notes,
            *weights_notes,
            *pruning_notes(final_plan),
            *teacher_notes,
            *started.freezing_notes,
            *components.notes,
        ),
    )


def rebuild(plan: FinalPlan, prepared: Prepared, *, from_scratch: bool) -> Components:
    """The objects of a final plan, for a run that goes on.

    Args:
        from_scratch: whether the weights that the plan starts from are needed, since no checkpoint will replace them.
    """
    started = start(plan, prepared, from_scratch=from_scratch)
    return assemble(plan, prepared, started, from_scratch=from_scratch)


def assemble(plan: FinalPlan, prepared: Prepared, started: Started, *, from_scratch: bool) -> Components:
    """Builds the module around data and model, which gets what is trained beside the weights that are kept."""
    model, data, freezing = started.model, started.data, started.freezing
    add_auxiliary(plan, model, len(prepared.labels))
    stage = build_stage(plan)
    stage.attach(model)
    stats = label_stats(plan, prepared.labels)
    module = build_module(plan, stats, model, freezing, stage)
    teacher = build_teacher(plan, stats, len(prepared.manifest.table))
    module.taught_by(teacher, build_distillation(plan, model, teacher))
    feedback = (*feedback_callbacks(module.loss, data, stats.num_classes), *build_feature_mixing(plan, model))
    give_styles([*module.modules(), *feedback], data)
    head_init = build_head_init(plan, model)
    embedder = build_embedder(plan, module, data, prepared) if stage.fits_head or head_init else None
    components = Components(
        plan,
        stats,
        module,
        data,
        stage,
        feedback,
        freezing=freezing,
        transfer=started.transfer,
        embedder=embedder,
        head_init=head_init,
        head_end=build_head_end(plan, model),
    )
    return take_weights(components) if from_scratch else components


def build_embedder(plan: FinalPlan, module: CharacterModule, data: CharacterDataModule, prepared: Prepared) -> Embedder:
    """Raises:
    InputError: the run has several processes, and one keeps the embeddings.
    """
    if processes_of(plan) > 1:
        fits = "head_init=fitted" if plan.get("head_init") else "stage=probe"
        raise InputError(f"{fits} fits a head in one process: take trainer.devices=1")
    home = cache_home(plan.data.cache)
    contents = prepared.manifest.table["sha256"].tolist()
    precision = DTYPES[plan.trainer.precision]
    return Embedder(module, data, contents, precision, home and home / "embeddings", plan["head"])


def take_weights(components: Components) -> Components:
    """Where the stage trains nothing, has the run's checkpoint say what those who did were shown.

    Fills the module with the mean of several runs where the stage is a soup; what that took stands in the facts of the
    plan that is returned, unless it has been told before.
    """
    plan, module = components.plan, components.module
    earlier = earlier_run(plan)
    if earlier is None or components.stage.trains or components.stage.fits_head:
        return components
    if components.stage.mixture is None:
        shown = effective_prior(earlier.folder, FinalPlan.read(earlier.folder.config))
        return replace(components, feedback=(ShownPrior(shown),))
    mixed = mix_soup(components.stage.mixture, earlier, module, components.data, plan.trainer)
    took = plan.facts.soup or {"seconds": mixed.seconds, "earlier_s": mixed.earlier_s}
    plan = final(plan, replace(plan.facts, soup=took))
    module.record = record(components.stats.names, plan.as_dict())
    return replace(components, plan=plan, feedback=(ShownPrior(mixed.shown),), notes=(mixed.note,))
