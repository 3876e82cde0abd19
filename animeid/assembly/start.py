"""Data and model of a plan, as a run starts from them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from animeid.assembly.data import build_data, build_pixels
from animeid.assembly.model import build_model, without_weights
from animeid.assembly.module import freeze
from animeid.assembly.plan import Plan
from animeid.assembly.pruning import prune
from animeid.assembly.second_stage import start_stage
from animeid.assembly.transfer import Transfer, earlier_run, take_over
from animeid.config import gateway
from animeid.data.datamodule import CharacterDataModule
from animeid.data.prepare import Prepared
from animeid.models.classifier import Classifier
from animeid.models.freezing import Freezing


@dataclass(frozen=True)
class Started:
    """What the facts of a plan are told from, and its module is built around.

    data: the plan's. cache: where its pictures are kept. data_notes: sentences for the user about that.
    model: with the weights that it starts from, and frozen as it is trained. transfer: what came from an earlier run.
    unpruned: the model before it was pruned; None where it is whole.
    freezing: None where all is trained. freezing_notes: sentences for the user about it.
    """

    data: CharacterDataModule
    cache: str
    data_notes: tuple[str, ...]
    model: Classifier
    transfer: Transfer | None
    unpruned: Classifier | None
    freezing: Freezing | None
    freezing_notes: tuple[str, ...]

    @property
    def weights_notes(self) -> tuple[str, ...]:
        """Sentences for the user about where the model's weights come from."""
        return (self.model.backbone.weights_note, *(self.transfer.notes if self.transfer else ()))


def start(plan: Plan, prepared: Prepared, *, from_scratch: bool) -> Started:
    """Builds data and model of a plan.

    Args:
        from_scratch: whether the model gets the weights that the plan starts from; else a checkpoint will replace them.

    Raises:
        InputError: the parts do not fit.
    """
    opened = build_pixels(plan.data, prepared.manifest)
    sampler = gateway.build(plan["sampler"], "sampler")
    data = build_data(plan, prepared.manifest, prepared.labels, sampler, opened.pixels)
    transfer, unpruned = None, None
    if from_scratch:
        model, transfer, unpruned = start_model(plan, prepared)
    else:
        model = build_model(without_weights(plan), len(prepared.labels))
    freezing, freezing_notes = freeze(plan, model)
    return Started(data, opened.cache, opened.notes, model, transfer, unpruned, freezing, freezing_notes)


def start_model(plan: Plan, prepared: Prepared) -> tuple[Classifier, Transfer | None, Classifier | None]:
    """The model with the weights that it starts from: those of an earlier run where `from_run` names one, as its second
    stage changes them, or pruned; the last is that of the run as it was, where it was pruned.

    Raises:
        InputError: the earlier run does not fit.
    """
    earlier = earlier_run(plan)
    if earlier is None:
        return build_model(plan, len(prepared.labels)), None, None
    model = build_model(earlier.without_own_weights(plan), len(prepared.labels))
    transfer = take_over(earlier, model, prepared.labels)
    notes = start_stage(plan, earlier, model, prepared.labels)
    unpruned = prune(plan, earlier, model, prepared)
    return model, replace(transfer, notes=(*transfer.notes, *notes)), unpruned
