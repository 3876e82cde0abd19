"""One training run: seed, fit, judge, save, close."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from lightning.pytorch import Callback, seed_everything

from animeid.assembly.model import as_size, build_views
from animeid.assembly.module import build_loggers
from animeid.assembly.plan import processes_of
from animeid.assembly.planning import make_plan
from animeid.assembly.run import Components, build
from animeid.assembly.transfer import earlier_run
from animeid.config import gateway
from animeid.data.prepare import prepare
from animeid.engine.devices import DTYPES, choose_accelerator
from animeid.engine.launch import Launch, launched
from animeid.engine.precision import settle_precision
from animeid.engine.processes import meet, processes
from animeid.engine.sharding import check_sharded
from animeid.engine.threads import own_threads, take_free_threads
from animeid.errors import InputError, MachineError
from animeid.metrics.evaluate import evaluate_split
from animeid.metrics.table import summary_table
from animeid.predictions import Predictions
from animeid.recipe.choice import table
from animeid.recipe.choose import choose
from animeid.reporting.figures import draw_figures
from animeid.reporting.page import write_report
from animeid.runs.finished import FinishedRun
from animeid.runs.folder import OUTPUTS, RunFolder
from animeid.runs.predictions import save_predictions
from animeid.system.checksum import is_whole
from animeid.system.console import say
from animeid.system.faults import in_sentences
from animeid.system.files import remove_strays, write_json
from animeid.system.load import Moment
from animeid.terms import EVALUATED_SPLITS
from animeid.tracking.session import tracked
from animeid.training import resume
from animeid.training.baselines import compare_with_baselines
from animeid.training.cost import cost, latency_ms, seconds_of
from animeid.training.evidence import save_evidence
from animeid.training.fitting import Fitted, RunState, collect, fit, predict_splits
from animeid.training.saving import learning_rates, save_inputs
from animeid.training.workers import announce, follow, nothing_left


@own_threads()
def train(request: dict[str, Any], outputs: Path = OUTPUTS, *, callbacks: Sequence[Callback] = ()) -> float | None:
    """Trains, judges and saves one run, or goes on with it.

    Where a launcher started several processes, the first one does so, and the others train and answer beside it.

    Args:
        request: what to train.
        outputs: where runs lie.
        callbacks: what else watches over training, in the first process.

    Returns:
        The `f1_macro` of validation, which sweeps rank by; None without a validation part, and in another process.
    """
    with launched() as launch:
        if launch.place.rank > 0:
            follow(launch)
            return None
        return lead(request, outputs, launch, callbacks)


def lead(request: dict[str, Any], outputs: Path, launch: Launch, callbacks: Sequence[Callback] = ()) -> float | None:
    """What the first process does: everything that is written, and its share of the rest."""
    folder = resume.find(request, outputs)
    if folder is not None and folder.is_finished:
        resume.check_same(folder, request)
        nothing_left(launch)
        metrics = FinishedRun(folder).metrics
        tidy_up(folder, request, metrics)
    else:
        state = begin(request, outputs) if folder is None else go_on(folder, request)
        state = replace(state, watchers=tuple(callbacks))
        announce(launch, state)
        with saying_what_is_kept(state.folder, request), tracked(state.loggers, state.folder):
            fitted, answers = fit_and_predict(state)
            launch.part()
            metrics = finish(state, fitted, answers)
        folder = state.folder
    say(summary_table(metrics))
    if folder.report.is_file():
        say(f"report: {folder.report}")
    say(f"run folder: {folder.path}")
    return metrics["val"]["f1_macro"] if metrics["val"] else None


def tidy_up(folder: RunFolder, request: dict[str, Any], metrics: Mapping[str, Any]) -> None:
    """What a kill may have left undone after the figures were written: the page, the tracker's tables, half files."""
    remove_strays(folder.path)
    if folder.report.is_file() or not any(metrics[part] for part in EVALUATED_SPLITS):
        say(f"the run {folder.path} is finished; nothing is left to do")
        return
    say(f"the run {folder.path} is finished but for its report")
    with tracked(build_loggers(request, folder), folder):
        write_report(folder)


@contextmanager
def saying_what_is_kept(folder: RunFolder, request: Mapping[str, Any]) -> Iterator[None]:
    """Adds to the sentence of whatever ends a run what is left of it."""
    try:
        with in_sentences():
            yield
    except (InputError, MachineError) as error:
        raise type(error)("; ".join([str(error), *kept(folder, request["run_id"])])) from error


def kept(folder: RunFolder, run_id: str | None) -> list[str]:
    """What a run that ended early leaves, in a few words; nothing where it has no checkpoint yet."""
    if not (folder.last.is_file() and is_whole(folder.last)):
        return []
    epochs, batches = resume.position(folder.last)
    more = f" and {batches} batches of the next" if batches else ""
    found = [f"{folder.path} keeps {epochs} whole epochs{more}"]
    if run_id is not None:
        return [f"{found[0]}, and the same command with resume=auto goes on from there"]
    return [*found, f"from_run={folder.path} starts from its best epoch"] if folder.best.is_file() else found


def begin(request: dict[str, Any], outputs: Path) -> RunState:
    """Reads the pictures, makes the plan and writes all that is known before training."""
    began = Moment.now()
    folder = RunFolder.reserve(request["run_id"], outputs)
    loggers = build_loggers(request, folder)
    settings = gateway.build(request["data"], "data")
    accelerator = choose_accelerator(request["trainer"]["accelerator"])
    check_sharded(request, accelerator)
    earlier_run(request)  # what does not fit is told before data is touched
    seed_everything(request["seed"], workers=True, verbose=False)
    prepared = prepare(settings)
    threads = take_free_threads(began)
    chosen = choose(request, prepared, accelerator)
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
    save_inputs(folder, request, components, prepared)
    return RunState(folder, components, prepared, loggers)


def told_precision(request: Mapping[str, Any], components: Components) -> str:
    """The precision, and why `auto` took it."""
    trainer = components.plan.trainer
    if request["trainer"]["precision"] != "auto" or trainer.strategy == "fsdp":
        return trainer.precision
    backbone: Any = components.module.model.backbone
    why = settle_precision(trainer.accelerator, backbone.has_depthwise).reason
    return f"{trainer.precision} ({why})"


def go_on(folder: RunFolder, request: dict[str, Any]) -> RunState:
    """The run in `folder`, ready to go on from its last checkpoint."""
    began = Moment.now()
    seed_everything(request["seed"], workers=True, verbose=False)
    state = resume.go_on(folder, request)
    threads = take_free_threads(began)
    if state.checkpoint is None:
        say(f"the run {folder.path} was cut off before its first checkpoint and starts again")
    else:
        epoch, batches = resume.position(state.checkpoint)
        say(f"going on with {folder.path} in epoch {epoch + 1} after {batches} batches")
    say(f"computing on {state.components.plan.trainer.accelerator}, {threads.told}")
    return state


def fit_and_predict(state: RunState) -> tuple[Fitted, dict[str, Predictions]]:
    """Trains on the devices of the plan and has the best model answer every picture."""
    number, folder = processes_of(state.components.plan), state.folder
    checkpoint = [str(state.checkpoint)] if state.checkpoint else []
    with processes(number, ["-m", "animeid.ranks", str(folder.path), *checkpoint]):
        fitted = fit(state)
        own = predict_splits(state.components)
        meet()  # the others have handed theirs over
        answers = collect(folder, own, number)
    state.components.data.trainer = None  # what follows sees every picture, and not a process's share
    return fitted, answers


def finish(state: RunState, fitted: Fitted, answers: dict[str, Predictions]) -> dict[str, Any]:
    """Judges the best model, writes predictions, evidence, figures and pictures."""
    folder, components, prepared = state.folder, state.components, state.prepared
    manifest, stats = prepared.manifest, components.stats
    metrics: dict[str, Any] = {
        part: evaluate_split(answers[part], manifest.table, stats) if part in answers else None
        for part in EVALUATED_SPLITS
    }
    judged = {part: answers[part].rows for part in EVALUATED_SPLITS if part in answers}
    metrics["baselines"] = compare_with_baselines(components.data, manifest, answers["train"].rows, judged, stats)
    size = as_size(components.plan.data.image_size)
    views = build_views("own", components.plan)
    model, precision = components.module.inference_model, DTYPES[components.plan.trainer.precision]
    latency = latency_ms(model, size, precision, views)
    metrics["cost"] = cost(model, folder.best, *seconds_of(components.plan, fitted.train_s), fitted.rates, latency)
    save_predictions(folder, answers, manifest, prepared.labels)
    save_evidence(folder, {part: answers[part] for part in judged}, manifest, components.data, model)
    draw_figures(folder, learning_rates(folder, components), components.module.optimisation.steps_per_epoch)
    write_json(folder.metrics, metrics)
    if judged:
        write_report(folder)
    return metrics
