"""A refit: the model that is kept is trained on train and val, after a twin without val has been judged on it.

Both are trained alike, by the same plan and to the end of their schedule: no picture of val chooses an epoch, so that
the twin's figures speak for the way of training. The twin is a run in the folder of the run, and answers in the run's
files for the pictures of val; temperature and logit adjustment rest on these. Pictures of test are in no training.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lightning.pytorch import seed_everything

from animeid.assembly.planning import make_plan
from animeid.assembly.run import Components, build
from animeid.data.manifest import Manifest
from animeid.data.prepare import Prepared
from animeid.errors import InputError
from animeid.predictions import Predictions
from animeid.recipe.choose import Chosen, choose
from animeid.runs.finished import FinishedRun
from animeid.runs.folder import TWIN, RunFolder
from animeid.runs.predictions import write_answers
from animeid.system.launcher import refuse_launcher
from animeid.terms import ANSWERED
from animeid.training.fitting import by_last_epoch, followers
from animeid.training.saving import save_inputs

Request = dict[str, Any]


@dataclass(frozen=True)
class Twin:
    """What the twin of a refit is trained with, built and not trained; its request has nothing left to a recipe."""

    request: Request
    components: Components
    prepared: Prepared

    def save(self, folder: RunFolder) -> None:
        """Writes the beginning of the twin's run into the folder of the refit."""
        folder.twin.create()
        save_inputs(folder.twin, self.request, self.components, self.prepared)


@dataclass(frozen=True)
class Trainings:
    """The trainings of a run.

    chosen, prepared: of the one whose model is kept. twin: of the one before it; None without a refit.
    """

    chosen: Chosen
    prepared: Prepared
    twin: Twin | None = None

    @property
    def judged(self) -> Manifest:
        """The pictures in the parts in which they are judged."""
        return (self.twin or self).prepared.manifest


def trainings(request: Request, prepared: Prepared, accelerator: str) -> Trainings:
    """Chooses what a request leaves open, a refit among it.

    Raises:
        InputError: a refit is asked for, and there is no val part, a launcher has started several processes, or
            training follows validation.
    """
    chosen = choose(request, prepared, accelerator)
    if chosen.request["data"]["refit"] is not True:
        return Trainings(chosen, prepared)
    check_has_val(prepared)
    refuse_launcher("data.refit=true", "leave it out, or start the command alone with trainer.devices=N")
    twin = _built(twin_request(chosen.request), prepared, accelerator)
    needs = following(twin.components)
    if needs and request["data"]["refit"] == "auto":
        return Trainings(_without_refit(request, prepared, accelerator, needs[0]), prepared)
    refuse_following(twin.components)
    final = final_request(chosen.request, batch_size=twin.components.plan.data.batch_size)
    return Trainings(replace(chosen, request=final), prepared.learning_val(), twin)


def check_has_val(prepared: Prepared) -> None:
    """Raises:
    InputError: there is nothing to judge a twin on.
    """
    if not (prepared.manifest.table["split"] == "val").any():
        raise InputError(
            "data.refit=true has no val part to judge a twin on: all that is not test is learnt from already, so "
            "leave it out, or set data.val_ratio above 0"
        )


def _built(request: Request, prepared: Prepared, accelerator: str) -> Twin:
    seed_everything(request["seed"], workers=True, verbose=False)
    return Twin(request, build(make_plan(request, prepared, accelerator), prepared), prepared)


def following(components: Components) -> list[str]:
    """What of training follows the val part, each as the beginning of a sentence; a refit has none to follow."""
    stops = ["callbacks.patience stops by validation"] if components.plan.callbacks.patience is not None else []
    return [*stops, *followers(components)]


def refuse_following(components: Components) -> None:
    """Raises:
    InputError: training follows the val part, which a refit has learnt.
    """
    for need in following(components):
        raise InputError(
            f"{need}, and the training on train and val has none to follow: take another one, or leave out data.refit"
        )


def _without_refit(request: Request, prepared: Prepared, accelerator: str, why: str) -> Chosen:
    again = choose({**request, "data": {**request["data"], "refit": False}}, prepared, accelerator)
    choices = (replace(one, reason=why) if one.key == "data.refit" else one for one in again.choices)
    return replace(again, choices=tuple(choices))


def twin_request(request: Request) -> Request:
    """The twin's, of a request in which everything is chosen: without refit, and without the test part."""
    data = {**request["data"], "refit": False}
    mine = {"data": data, "test": False, "recipe": None, "budget": None, "run_id": TWIN, "resume": "auto"}
    return by_last_epoch({**request, **mine})


def final_request(request: Request, *, batch_size: int | str) -> Request:
    """The request of the training on train and val: as many pictures a step and as many epochs as its twin."""
    return by_last_epoch({**request, "data": {**request["data"], "batch_size": batch_size}})


def with_twin(folder: RunFolder, answers: Mapping[str, Predictions]) -> dict[str, Predictions]:
    """Writes the twin's answers for the pictures of val among the run's own; returns all."""
    parts = {**answers, "val": FinishedRun(folder.twin).predictions_of("val")}
    ordered: Sequence[str] = [part for part in ANSWERED if part in parts]
    return write_answers(folder.logits, folder.embeddings, {part: parts[part].blocks() for part in ordered})


def twin_figures(folder: RunFolder, pictures: int) -> dict[str, Any]:
    """What `metrics.json` of a refit has from its twin, and that it has it from there.

    Args:
        folder: of the refit.
        pictures: that its model has learnt from.
    """
    val = FinishedRun(folder.twin).metrics["val"]
    return {"val": val, "refit": {"val_figures_of": TWIN, "pictures": pictures, "from_val": val["support"]}}
