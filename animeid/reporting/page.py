"""The page of a run: all that it says, gathered from the run's files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from animeid.html.render import render, write_page
from animeid.html.thumbnails import Chart, Thumbnails
from animeid.metrics.table import ROWS, pruning_line, refit_line
from animeid.plots.long_tail import draw_shot_groups
from animeid.plots.reliability import draw_reliability
from animeid.reporting.advice import advice
from animeid.reporting.classes import class_rows, matrix_json, shot_group_rows, tiers, train_counts
from animeid.reporting.confusions import WHOLE_UP_TO, most_confused
from animeid.reporting.glossary import FIGURES, TERMS
from animeid.reporting.origin import card, data_facts
from animeid.reporting.parts import Parts
from animeid.reporting.pictures import pairs, worst
from animeid.reporting.wording import cost_rows, gap, plain, with_interval
from animeid.runs.finished import FinishedRun
from animeid.runs.folder import RunFolder
from animeid.runs.temperature import usable_temperature
from animeid.system.console import counted

TEMPLATE = Path(__file__).with_name("templates") / "run.html.j2"

SECTIONS = (
    ("next", "What to do next"),
    ("figures", "Figures"),
    ("learning", "Learning"),
    ("classes", "Classes"),
    ("confusions", "Confusions"),
    ("worst", "Worst predictions"),
    ("calibration", "Confidence"),
    ("data", "Pictures"),
    ("again", "Making it again"),
    ("words", "Words"),
)

SHARES = frozenset(ROWS) - {"ece", "nll", "loss"}
PAIRS_SHOWN = 10
BLENDED = (
    "When it was trained, the head was blended with class means (head_end=class_means): the curves are of the head "
    "in training, all other figures of the blended one."
)


def write_report(folder: RunFolder, path: Path | None = None) -> Path:
    """Writes a run's page from its saved files, beside them unless a path is given.

    Raises:
        InputError: the run has not finished, or judged nothing.
    """
    path = path or folder.report
    write_page(path, render(TEMPLATE, {**context(folder), "sections": SECTIONS}))
    return path


def context(folder: RunFolder) -> dict[str, Any]:
    """The values of the template.

    Raises:
        InputError: the run has not finished, or judged nothing.
    """
    run = FinishedRun.of(folder)
    thumbnails = Thumbnails(run.manifest.root, run.plan["data"]["max_pixels"])
    counts, rows = run.confusion(run.part), run.judged["per_class"]
    found = {
        "title": folder.path.resolve().name,
        "part": run.part,
        "refit": refit_line(run.refit) if run.refit else "",
        "pruning": pruning_line(run.metrics["pruning"]) if run.metrics.get("pruning") else "",
        "words": FIGURES,
        "terms": TERMS,
        "head": _head(run),
        "figures": _figures(run),
        "forgetting": _forgetting(run),
        "history": _history(run),
        "charts": _charts(run),
        "groups": shot_group_rows(run),
        "tiers": tiers(rows),
        "classes": class_rows(run.labels, rows, counts),
        "matrix": matrix_json(run.labels, counts),
        "confused_of": f"{len(run.labels):,}" if len(run.labels) > WHOLE_UP_TO else "",
        "pairs": pairs(run, thumbnails, most_confused(counts, PAIRS_SHOWN)),
        "worst": worst(run.answerer, thumbnails),
        "calibration": _calibration(run),
        "data": data_facts(run),
        "advice": advice(run, rows),
        "card": card(run),
        "cost": cost_rows(run.metrics["cost"]),
        "config": yaml.safe_dump(run.plan, allow_unicode=True, sort_keys=False),
    }
    return {**found, "missing": sorted(thumbnails.missing)}


def _head(run: FinishedRun) -> list[tuple[str, str]]:
    judged, table = run.judged, run.manifest.table
    return [
        ("f1_macro", with_interval(judged, "f1_macro")),
        ("acc_macro", with_interval(judged, "acc_macro")),
        ("acc_micro", with_interval(judged, "acc_micro")),
        ("classes", f"{len(run.labels):,}"),
        ("pictures judged", f"{judged['support']:,} in {counted(judged['groups'], 'group')}"),
        ("training pictures", f"{int((table['split'] == 'train').sum()):,}"),
    ]


def _figures(run: FinishedRun) -> dict[str, Any]:
    """A column for the judged part, one for each of its baselines, one for the other part."""
    columns: list[tuple[str, Mapping[str, Any]]] = [(_column(run, run.part), run.judged)]
    columns += [(name.replace("_", " "), of) for name, of in run.metrics["baselines"].get(run.part, {}).items()]
    columns += [(_column(run, part), run.metrics[part]) for part in run.parts if part != run.part]
    rows = [
        [name, *((with_interval if name in SHARES else plain)(figures, name) for _, figures in columns)]
        for name in ROWS
        if run.judged.get(name) is not None
    ]
    return {"columns": [name for name, _ in columns], "rows": rows}


def _forgetting(run: FinishedRun) -> dict[str, Any] | None:
    """Figures of the earlier run's classes before and after; None where the run added none to it."""
    found = run.metrics.get("forgetting", {}).get(run.part)
    if found is None:
        return None
    names = ("f1_macro", "acc_macro", "acc_micro")
    rows = [[name, *(with_interval(found[when], name) for when in ("before", "after"))] for name in names]
    return {"rows": rows, "pictures": f"{found['after']['support']:,}", "run": run.plan["from_run"]}


def _column(run: FinishedRun, part: str) -> str:
    return "val (of the twin)" if run.refit and part == "val" else part


def _history(run: FinishedRun) -> dict[str, str]:
    if run.twin is not None:
        return {name: f"Of the twin: {told}" for name, told in _history(run.twin).items() if told}
    if run.history is None:
        is_second = run.plan.get("from_run") is not None
        made = "the run changes the head of another one" if is_second else "the head was fitted to embeddings"
        return {"trained": "", "gap": f"Nothing was trained: {made}."}
    parts = Parts.of(run)
    trained = f"{counted(len(run.history), 'epoch', 'were')} trained."
    kept = f"Of the epochs, {run.best_epoch.told}." if run.best_epoch else trained
    return {
        "trained": f"{kept} {BLENDED}" if run.plan.get("head_end") else kept,
        "gap": gap(run.history, parts_differ=parts.is_shifted or parts.over_fits),
    }


def _charts(run: FinishedRun) -> dict[str, Chart | None]:
    """The run's charts, those that are drawn for the page among them."""
    folder, data = run.folder, run.plan["data"]
    long_tail = folder.figures / "long_tail.png"
    if not long_tail.is_file():
        draw_shot_groups(train_counts(run), run.labels, data["many_above"], data["few_below"], long_tail)
    names = {"f1_by_size": f"f1_by_size_{run.part}"} | {
        name: name for name in ("learning_curves", "learning_rate", "long_tail")
    }
    found = {name: _chart(folder.figures / f"{file}.png") for name, file in names.items()}
    if run.twin is not None:  # it alone has figures of validation
        found["learning_curves"] = _chart(run.twin.folder.figures / "learning_curves.png")
    return found


def _chart(path: Path) -> Chart | None:
    return Chart.of(path) if path.is_file() else None


def _calibration(run: FinishedRun) -> dict[str, Any] | None:
    found = run.calibration
    if found is None or run.part not in found["parts"]:
        return None
    part, temperature = found["parts"][run.part], found["temperature"]
    drawn = run.folder.figures / f"reliability_{run.part}.png"
    if not drawn.is_file():
        draw_reliability(part, temperature, drawn, f"Reliability, {run.part}")
    return {
        "picture": Chart.of(drawn),
        "temperature": None if temperature is None else f"{temperature:.2f}",
        "ece": f"{part['ece']:.3f}",
        "scaled": "" if temperature is None else f"{part['ece_scaled']:.3f}",
        "helps": temperature is not None and part["ece_scaled"] < part["ece"],
        "used": usable_temperature(run, "this run")[1],
    }
