"""The end of a run: what the best weights answered becomes figures, evidence, charts and a page."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from typing import Any

from animeid.assembly.model import as_size, build_views
from animeid.assembly.plan import FinalPlan
from animeid.assembly.run import rebuild
from animeid.engine.devices import DTYPES
from animeid.metrics.evaluate import evaluate_split
from animeid.predictions import Predictions
from animeid.reporting.figures import draw_figures
from animeid.reporting.page import write_report
from animeid.runs.cleaning import keep_weights_only
from animeid.runs.finished import FinishedRun
from animeid.runs.folder import RunFolder
from animeid.runs.predictions import save_table
from animeid.system.files import write_json
from animeid.system.progress import Steps
from animeid.terms import ANSWERED, EVALUATED_SPLITS
from animeid.training.answering import answer_more
from animeid.training.baselines import compare_with_baselines
from animeid.training.cost import cost, latency_ms, seconds_of
from animeid.training.evidence import save_evidence
from animeid.training.fitting import Fitted, RunState, load_best
from animeid.training.forgetting import forgetting
from animeid.training.gate import gate
from animeid.training.refit import twin_figures, with_twin
from animeid.training.resume import read_prepared
from animeid.training.saving import learning_rates, save_best_epoch

SHARES = {"figures": 2.0, "answers": 1.0, "baselines": 3.0, "evidence": 1.0, "charts": 6.0, "page": 6.0}
"""How the steps of the end compare in time, roughly, for what is said about the time left."""

FIRST = ("figures", "answers")
"""The steps of a run that has no report."""


def finish(state: RunState, fitted: Fitted, answers: dict[str, Predictions], *, report: bool = True) -> dict[str, Any]:
    """Judges the best model and writes what it answered, its figures and the report; returns the figures.

    Args:
        report: whether there are baselines, evidence, charts and a page; `complete` makes them later.
    """
    folder, prepared = state.folder, state.prepared
    steps = ending(SHARES if report else FIRST)
    with steps.step("figures"):
        metrics = judge(state, fitted, answers)
    with steps.step("answers"):
        if is_refit(state):
            answers = with_twin(folder, answers)
        save_table(folder, answers, prepared.manifest, prepared.labels)
    save_best_epoch(folder, fitted.best_epoch, state.components)
    if report:
        metrics["baselines"] = explain(state, answers, steps)
    write_json(folder.metrics, metrics)
    if report and judged(answers):
        with steps.step("page"):
            write_report(folder)
    keep_weights_only(folder)
    return metrics


def ending(steps: Iterable[str]) -> Steps:
    """Progress over these of the steps."""
    return Steps("ending the run", {name: SHARES[name] for name in steps})


def judge(state: RunState, fitted: Fitted, answers: Mapping[str, Predictions]) -> dict[str, Any]:
    """The figures of the parts, and what the run cost; no baselines yet."""
    components, table = state.components, state.prepared.manifest.table
    metrics: dict[str, Any] = {
        part: evaluate_split(answers[part], table, components.stats) if part in answers else None
        for part in EVALUATED_SPLITS
    }
    size, views = as_size(components.plan.data.image_size), build_views("own", components.plan)
    model, precision = components.module.inference_model, DTYPES[components.plan.trainer.precision]
    latency = latency_ms(model, size, precision, views)
    seconds = seconds_of(components.plan, fitted.train_s)
    found = cost(model, state.folder.best, *seconds, fitted.rates, latency)
    if is_refit(state):
        metrics |= twin_figures(state.folder, len(components.data.rows("train")))
        found = {"train_s": found.pop("train_s"), "twin_s": FinishedRun(state.folder.twin).training_s, **found}
    lost = forgetting(components, state.prepared, judged(answers))
    passed = gate(components.plan, state.prepared, answers["val"]) if "val" in answers else {}
    return {**metrics, "baselines": {}, "cost": found, **({"forgetting": lost} if lost else {}), **passed}


def is_refit(state: RunState) -> bool:
    return state.components.plan.data.refit is True


def judged(answers: Mapping[str, Predictions]) -> dict[str, Predictions]:
    """Those of the parts that there are figures of."""
    return {part: answers[part] for part in EVALUATED_SPLITS if part in answers}


def explain(state: RunState, answers: Mapping[str, Predictions], steps: Steps) -> dict[str, Any]:
    """Writes calibration, heat maps and charts, and returns the figures of the baselines."""
    folder, components, manifest = state.folder, state.components, state.prepared.manifest
    data, parts = components.data, judged(answers)
    twin = FinishedRun(folder.twin) if is_refit(state) else None
    rows = {part: answer.rows for part, answer in parts.items() if twin is None or part != "val"}
    baselines = compare_with_baselines(data, manifest, rows, components.stats, steps) if rows else {}
    if twin is not None:
        baselines = twin.metrics["baselines"] | baselines
    with steps.step("evidence"):
        save_evidence(
            folder, parts, manifest, data, components.module.inference_model, twins=answers.keys() - rows.keys()
        )
        if twin is not None and not rows and twin.folder.cams.is_file():
            shutil.copy2(twin.folder.cams, folder.cams)  # the worst answers are the twin's
    with steps.step("charts"):
        draw_figures(folder, learning_rates(folder, components), components.module.optimisation.steps_per_epoch)
    return baselines


def is_complete(metrics: Mapping[str, Any]) -> bool:
    """Whether a run that came to its end has what its page shows, or judged nothing that could be shown."""
    return bool(metrics.get("baselines")) or not any(metrics.get(part) for part in EVALUATED_SPLITS)


def complete(folder: RunFolder, *, embeddings: bool) -> None:
    """Does for a run that was finished without a report what was left out, but for the page.

    Args:
        embeddings: whether training pictures are answered, where they are not yet.

    Raises:
        InputError: pictures of the run are missing.
    """
    run, plan, prepared = FinishedRun(folder), FinalPlan.read(folder.config), read_prepared(folder)
    if run.is_refit and not is_complete(FinishedRun(folder.twin).metrics):
        complete(folder.twin, embeddings=embeddings)
        write_report(folder.twin)
    components = rebuild(plan, prepared, from_scratch=False)
    load_best(components, folder)
    state, steps = RunState(folder, components, prepared), ending(("answers", "baselines", "evidence", "charts"))
    answers = {part: found for part in ANSWERED if len((found := run.predictions_of(part)).rows)}
    with steps.step("answers"):
        left = ("train",) if embeddings and "train" not in answers else ()
        answers = answer_more(folder, components, answers, left)
        save_table(folder, answers, prepared.manifest, prepared.labels)
    write_json(folder.metrics, {**run.metrics, "baselines": explain(state, answers, steps)})
