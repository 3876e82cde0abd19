"""One training run: seed, fit, judge, save, close."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Callback, seed_everything

from animeid.assembly.module import build_loggers
from animeid.assembly.plan import processes_of
from animeid.assembly.planning import make_plan
from animeid.assembly.run import Components, build
from animeid.assembly.transfer import earlier_run
from animeid.config import gateway
from animeid.data.prepare import prepare
from animeid.data.replay import with_replayed
from animeid.engine.devices import choose_accelerator
from animeid.engine.launch import Launch, launched
from animeid.engine.precision import settle_precision
from animeid.engine.processes import meet, processes
from animeid.engine.sharding import check_sharded
from animeid.engine.threads import own_threads, take_free_threads
from animeid.metrics.table import summary_table
from animeid.predictions import Predictions
from animeid.recipe.choice import table
from animeid.reporting.page import write_report
from animeid.runs.cleaning import keep_weights_only
from animeid.runs.finished import FinishedRun
from animeid.runs.folder import OUTPUTS, RunFolder
from animeid.runs.saved import SavedRun
from animeid.system.console import counted, say
from animeid.system.files import remove_strays
from animeid.system.load import Moment
from animeid.terms import EVALUATED_SPLITS
from animeid.tracking.session import tracked
from animeid.training import resume
from animeid.training.answering import answer_share, collect
from animeid.training.ending import complete, finish, is_complete
from animeid.training.fitting import Fitted, RunState, fit
from animeid.training.kept import saying_what_is_kept
from animeid.training.refit import trainings
from animeid.training.saving import save_inputs
from animeid.training.workers import announce, follow, nothing_left


@own_threads()
def train(
    request: dict[str, Any], outputs: Path = OUTPUTS, *, callbacks: Sequence[Callback] = (), report: bool = True
) -> float | None:
    """Trains, judges and saves one run, or goes on with it.

    Where a launcher started several processes, the first one does so, and the others train and answer beside it.

    Args:
        request: what to train.
        outputs: where runs lie.
        callbacks: what else watches over training, in the first process.
        report: whether the run gets baselines, evidence, charts and a page; `add_report` makes them later.

    Returns:
        The `f1_macro` of validation, which sweeps rank by; None without a validation part, and in another process.
    """
    with launched() as launch:
        if launch.place.rank > 0:
            follow(launch)
            return None
        return lead(request, outputs, launch, callbacks, report=report)


def lead(
    request: dict[str, Any], outputs: Path, launch: Launch, callbacks: Sequence[Callback] = (), *, report: bool = True
) -> float | None:
    """What the first process does: everything that is written, and its share of the rest."""
    with RunFolder.claimed(request["run_id"], outputs) as folder:
        if resume.find(request, outputs) is None:
            metrics = train_in(folder, request, begin, launch, callbacks, report=report)
        elif not folder.is_finished:
            metrics = train_in(folder, request, go_on, launch, callbacks, report=report)
        else:
            resume.check_same(folder, request)
            nothing_left(launch)
            metrics = FinishedRun(folder).metrics
            tidy_up(folder)
            if report:
                add_report(folder, request)
    say(summary_table(metrics))
    if folder.report.is_file():
        say(f"report: {folder.report}")
    say(f"run folder: {folder.path}")
    return metrics["val"]["f1_macro"] if metrics["val"] else None


def train_twin(folder: RunFolder, *, report: bool) -> None:
    """Trains and judges the twin of a refit, whose run has begun, or goes on with it."""
    if folder.is_finished:
        say(f"the twin {folder.path} is finished")
        return
    request = SavedRun(folder).request
    seed_everything(request["seed"], workers=True, verbose=False)
    state = resume.go_on(folder, request)
    held_out = counted(int((state.prepared.manifest.table["split"] == "val").sum()), "picture")
    say(f"refit, first of two trainings: the twin, without the {held_out} of val that it is judged on")
    tell_position(state)
    with tracked(state.loggers, folder):
        finish(state, *fit_and_predict(state), report=report)


def train_in(
    folder: RunFolder,
    request: dict[str, Any],
    ready: Callable[[RunFolder, dict[str, Any]], RunState],
    launch: Launch,
    callbacks: Sequence[Callback],
    *,
    report: bool,
) -> dict[str, Any]:
    """Trains, judges and saves a run that `begin` or `go_on` makes ready; returns its figures."""
    state = replace(ready(folder, request), watchers=tuple(callbacks))
    announce(launch, state)
    with saying_what_is_kept(folder, request), tracked(state.loggers, folder):
        if state.components.plan.data.refit is True:
            train_twin(folder.twin, report=report)
            say("refit, second of two trainings: the model that is kept, on the pictures of train and val")
        fitted, answers = fit_and_predict(state)
        launch.part()
        return finish(state, fitted, answers, report=report)


def tidy_up(folder: RunFolder) -> None:
    """What a kill may have left undone after the figures were written: half files, and checkpoints of no more use."""
    remove_strays(folder.path)
    keep_weights_only(folder)


def add_report(folder: RunFolder, request: Mapping[str, Any]) -> None:
    """Writes the page of a finished run that has none, with what it shows, and logs it; a kill may have left it out.

    Raises:
        InputError: what the page shows was left out on purpose, and pictures for it are missing.
    """
    metrics = FinishedRun(folder).metrics
    if folder.report.is_file() or not any(metrics[part] for part in EVALUATED_SPLITS):
        say(f"the run {folder.path} is finished; nothing is left to do")
        return
    say(f"the run {folder.path} is finished but for its report")
    with tracked(build_loggers(request, folder), folder):
        if not is_complete(metrics):
            complete(folder, embeddings=request["embeddings"] == "on")
        write_report(folder)


def begin(folder: RunFolder, request: dict[str, Any]) -> RunState:
    """Reads the pictures, makes the plan and writes all that is known before training."""
    began = Moment.now()
    folder.refuse_existing()
    loggers = build_loggers(request, folder)
    settings = gateway.build(request["data"], "data")
    accelerator = choose_accelerator(request["trainer"]["accelerator"])
    check_sharded(request, accelerator)
    earlier = earlier_run(request)  # what does not fit is told before data is touched
    for note in earlier.told_of_pictures(request) if earlier else ():
        say(note)
    seed_everything(request["seed"], workers=True, verbose=False)
    prepared = prepare(settings)
    if earlier is not None and settings.replay:
        prepared = with_replayed(prepared, SavedRun(earlier.folder).manifest, settings)
    threads = take_free_threads(began)
    asked = trainings(request, prepared, accelerator)
    chosen, prepared = asked.chosen, asked.prepared
    seed_everything(request["seed"], workers=True, verbose=False)  # a measured budget has drawn random numbers
    components = build(make_plan(chosen.request, prepared, accelerator), prepared)
    if chosen.choices:
        plan = components.plan.with_choices(choice.as_record() for choice in chosen.choices)
        components = replace(components, plan=plan)
        say(table(chosen.choices))
    device = f"computing on {accelerator} in {told_precision(request, components)}, {threads.told}"
    for note in (*prepared.notes, *components.notes, device):
        say(note)
    folder.create()
    with saying_what_is_kept(folder, request):
        if asked.twin is not None:
            asked.twin.save(folder)
        save_inputs(folder, request, components, prepared, asked.judged)
    return RunState(folder, components, prepared, loggers)


def told_precision(request: Mapping[str, Any], components: Components) -> str:
    """The precision, why `auto` took it, and which pictures are trained on in another."""
    trainer = components.plan.trainer
    but = components.module.tiny_maps.told(trainer.accelerator, trainer.precision, smallest_size(components))
    if request["trainer"]["precision"] != "auto" or trainer.strategy == "fsdp":
        return trainer.precision + but
    backbone: Any = components.module.model.backbone
    why = settle_precision(trainer.accelerator, backbone.has_depthwise).reason
    return f"{trainer.precision} ({why}){but}"


def smallest_size(components: Components) -> tuple[int, int]:
    """Height and width in pixels of the pictures of the first epoch, the smallest that are trained on."""
    image = torch.zeros(1, 3, *components.data.image_size)
    resize = components.module.transforms.resize
    height, width = (image if resize is None else resize(image, 0)).shape[-2:]
    return height, width


def go_on(folder: RunFolder, request: dict[str, Any]) -> RunState:
    """The run in `folder`, ready to go on from its last checkpoint."""
    began = Moment.now()
    seed_everything(request["seed"], workers=True, verbose=False)
    state = resume.go_on(folder, request)
    threads = take_free_threads(began)
    if state.checkpoint is None and not folder.can_go_on:
        say(f"the run {folder.path} has no checkpoint to go on from and starts again")
    tell_position(state)
    say(f"computing on {state.components.plan.trainer.accelerator}, {threads.told}")
    return state


def tell_position(state: RunState) -> None:
    """Says where a run goes on that has a checkpoint."""
    if state.checkpoint is not None:
        epoch, batches = resume.position(state.checkpoint)
        say(f"going on with {state.folder.path} in epoch {epoch + 1} after {counted(batches, 'batch')}")


def fit_and_predict(state: RunState) -> tuple[Fitted, dict[str, Predictions]]:
    """Trains on the devices of the plan and has the best model answer every picture."""
    number, folder = processes_of(state.components.plan), state.folder
    checkpoint = [str(state.checkpoint)] if state.checkpoint else []
    with processes(number, ["-m", "animeid.ranks", str(folder.path), *checkpoint]):
        fitted = fit(state)
        own = answer_share(folder, state.components, number)
        meet()  # the others have handed theirs over
        answers = collect(folder, own, number)
    state.components.data.trainer = None  # what follows sees every picture, and not a process's share
    return fitted, answers
