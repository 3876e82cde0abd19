"""All that the page says, gathered from a run's files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from animeid.html.render import render, write_page
from animeid.html.thumbnails import Thumbnails, file_as_uri
from animeid.metrics.table import ROWS
from animeid.plots.reliability import draw_reliability
from animeid.plots.shot_groups import draw_shot_groups
from animeid.reporting.advice import advice
from animeid.reporting.confusions import matrix, most_confused, similar_order
from animeid.reporting.pictures import pairs, worst
from animeid.reporting.wording import cost_rows, gap, percent, plain, with_interval
from animeid.runs.finished import Saved
from animeid.runs.folder import RunFolder
from animeid.terms import EVALUATED_SPLITS

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
)

SHARES = frozenset(ROWS) - {"ece", "nll", "loss"}
PAIRS_SHOWN = 10
LISTED = 25
TIERS = ((0.9, "above 90 %"), (0.6, "60 to 90 %"), (1e-9, "below 60 %"), (-1.0, "0 %"))


def context(folder: RunFolder) -> dict[str, Any]:
    """The values of the template.

    Raises:
        InputError: the run has not finished.
    """
    saved = Saved.of(folder)
    thumbnails = Thumbnails(saved.manifest.root, saved.plan["data"]["max_pixels"])
    chosen = saved.predictions.iloc[saved.positions]
    counts = matrix(chosen["target"].to_numpy(), chosen["answer"].to_numpy(), len(saved.labels))
    rows = saved.judged["per_class"]
    found = {
        "title": folder.path.resolve().name,
        "part": saved.part,
        "head": _head(saved),
        "figures": _figures(saved),
        "history": _history(folder),
        "charts": _charts(saved),
        "groups": _groups(saved),
        "tiers": _tiers(rows),
        "classes": _classes(saved, rows, counts),
        "matrix": _matrix(saved, counts),
        "pairs": pairs(saved, thumbnails, most_confused(counts, PAIRS_SHOWN)),
        "worst": worst(saved, thumbnails),
        "calibration": _calibration(saved),
        "data": _data(saved),
        "advice": advice(saved, rows),
        "card": _card(saved),
        "cost": cost_rows(saved.metrics["cost"]),
        "config": yaml.safe_dump(saved.plan, allow_unicode=True, sort_keys=False),
    }
    return {**found, "missing": sorted(thumbnails.missing)}


def _head(saved: Saved) -> list[tuple[str, str]]:
    judged, table = saved.judged, saved.manifest.table
    return [
        ("f1_macro", with_interval(judged, "f1_macro")),
        ("acc_macro", with_interval(judged, "acc_macro")),
        ("acc_micro", with_interval(judged, "acc_micro")),
        ("classes", f"{len(saved.labels)}"),
        ("pictures judged", f"{judged['support']:,} in {judged['groups']:,} groups"),
        ("training pictures", f"{int((table['split'] == 'train').sum()):,}"),
    ]


def _figures(saved: Saved) -> dict[str, Any]:
    """A column for the judged part, one for each of its baselines, one for the other part."""
    columns: list[tuple[str, Mapping[str, Any]]] = [(saved.part, saved.judged)]
    columns += [(name.replace("_", " "), of) for name, of in saved.metrics["baselines"].get(saved.part, {}).items()]
    columns += [
        (part, saved.metrics[part])
        for part in reversed(EVALUATED_SPLITS)
        if part != saved.part and saved.metrics.get(part)
    ]
    rows = [
        [name, *((with_interval if name in SHARES else plain)(figures, name) for _, figures in columns)]
        for name in ROWS
        if saved.judged.get(name) is not None
    ]
    return {"columns": [name for name, _ in columns], "rows": rows}


def _history(folder: RunFolder) -> dict[str, str]:
    if not folder.was_trained:
        return {"epochs": "0", "gap": "Nothing was trained: the run changes the head of another one."}
    history = pd.read_csv(folder.history)
    return {"epochs": f"{len(history)}", "gap": gap(history)}


def _charts(saved: Saved) -> dict[str, str | None]:
    """The run's pictures, those that are drawn for the page among them."""
    folder, data = saved.folder, saved.plan["data"]
    long_tail = folder.figures / "long_tail.png"
    if not long_tail.is_file():
        draw_shot_groups(_train_counts(saved), data["many_above"], data["few_below"], long_tail)
    names = ("learning_curves", "learning_rate", f"f1_by_size_{saved.part}", "long_tail")
    charts = {name: _picture(folder.figures / f"{name}.png") for name in names}
    return {**charts, "f1_by_size": charts.pop(f"f1_by_size_{saved.part}")}


def _picture(path: Path) -> str | None:
    return file_as_uri(path) if path.is_file() else None


def _train_counts(saved: Saved) -> np.ndarray:
    table = saved.manifest.table
    targets = table["target"][(table["split"] == "train") & (table["target"] >= 0)]
    return np.bincount(targets, minlength=len(saved.labels))


def _groups(saved: Saved) -> list[list[str]]:
    """The rows of many, medium and few."""
    judged, data = saved.judged, saved.plan["data"]
    bounds = {
        "many": f"above {data['many_above']}",
        "medium": f"{data['few_below']} to {data['many_above']}",
        "few": f"under {data['few_below']}",
    }
    return [
        [
            f"{name} ({bounds[name]} training pictures)",
            f"{judged[f'{name}/classes']}",
            f"{judged[f'{name}/support']}",
            with_interval(judged, f"{name}/acc_macro"),
            with_interval(judged, f"{name}/f1_macro"),
        ]
        for name in bounds
    ]


def _tiers(rows: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The classes by F1; a class without pictures in the part is in none."""
    left = sorted((row for row in rows if row["support"]), key=lambda row: -row["f1"])
    tiers = []
    for bound, name in TIERS:
        inside = [row for row in left if row["f1"] > bound or (bound == 0.6 and row["f1"] == bound)]
        left = [row for row in left if row not in inside]
        shown = [{"label": row["label"], "f1": percent(row["f1"])} for row in inside]
        tiers.append({"name": name, "classes": shown})
    return tiers


def _classes(saved: Saved, rows: list[Mapping[str, Any]], counts: np.ndarray) -> list[dict[str, Any]]:
    wrong = counts.copy()
    np.fill_diagonal(wrong, 0)
    table = []
    for row in rows:
        target = saved.labels.index(row["label"])
        other = int(wrong[target].argmax())
        taken_for = f"{saved.labels[other]} ({wrong[target, other]})" if wrong[target, other] else ""
        cells = {name: row[name] for name in ("label", "train_count", "support", "groups")}
        figures = {name: row[name] if row["support"] else None for name in ("precision", "recall", "f1")}
        shown = {f"{name}_text": with_interval(row, name) if row["support"] else "–" for name in figures}
        table.append({**cells, **figures, **shown, "taken_for": taken_for})
    return table


def _matrix(saved: Saved, counts: np.ndarray) -> str:
    """JSON: labels in the order in which they are drawn, and the cells that are not empty as [row, column, count]."""
    order = similar_order(counts)
    ordered = counts[np.ix_(order, order)]
    cells = [
        [int(row), int(column), int(ordered[row, column])] for row, column in zip(*np.nonzero(ordered), strict=True)
    ]
    content = {"labels": [saved.labels[place] for place in order], "cells": cells}
    # Inside a script element: a name may hold its end.
    return json.dumps(content, ensure_ascii=False).replace("<", "\\u003c")


def _calibration(saved: Saved) -> dict[str, Any] | None:
    path = saved.folder.calibration
    if not path.is_file():
        return None
    found = json.loads(path.read_text(encoding="utf-8"))
    part, temperature = found["parts"].get(saved.part), found["temperature"]
    if part is None:
        return None
    drawn = saved.folder.figures / f"reliability_{saved.part}.png"
    if not drawn.is_file():
        draw_reliability(part, temperature, drawn, f"Reliability, {saved.part}")
    scaled = "" if temperature is None else f"{part['ece_scaled']:.3f}"
    helps = temperature is not None and part["ece_scaled"] < part["ece"]
    return {
        "picture": file_as_uri(drawn),
        "temperature": None if temperature is None else f"{temperature:.2f}",
        "ece": f"{part['ece']:.3f}",
        "scaled": scaled,
        "helps": helps,
    }


def _data(saved: Saved) -> dict[str, Any]:
    table, folder = saved.manifest.table, saved.folder
    parts = [
        [part, f"{len(rows):,}", f"{rows['label'].nunique():,}", f"{rows['group'].nunique():,}"]
        for part, rows in table.groupby("split", sort=False)
    ]
    sizes = table.groupby("group").size()
    skipped, conflicts = (pd.read_csv(path, dtype=str) for path in (folder.skipped, folder.conflicts))
    return {
        "root": str(saved.manifest.root),
        "parts": parts,
        "groups": f"{len(sizes):,}",
        "doubled": f"{int((sizes > 1).sum()):,}",
        "largest": f"{int(sizes.max()):,}",
        "exact": f"{int(table['sha256'].duplicated().sum()):,}",
        "skipped": skipped.to_dict("records")[:LISTED],
        "skipped_count": len(skipped),
        "conflicts": conflicts.to_dict("records")[:LISTED],
        "conflicts_count": len(conflicts),
    }


def _card(saved: Saved) -> list[tuple[str, str]]:
    """How the run can be made again."""
    found = json.loads(saved.folder.environment.read_text(encoding="utf-8"))
    code, hardware, seeds = found["code"], found["hardware"], found["seeds"]
    commit = "no commit" if code["commit"] is None else code["commit"] + (" with changes" if code["dirty"] else "")
    versions = ", ".join(f"{name} {version}" for name, version in found["packages"].items())
    return [
        ("command", found["command"]),
        ("code", commit),
        ("data", found["data_fingerprint"]),
        ("seeds", ", ".join(f"{name} {value}" for name, value in seeds.items())),
        ("hardware", ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in hardware.items())),
        ("precision", saved.plan["trainer"]["precision"]),
        ("versions", f"Python {found['python']}, {versions}"),
    ]


def write_report(folder: RunFolder, path: Path | None = None) -> Path:
    """Writes a run's page from its saved files, beside them unless a path is given.

    Raises:
        InputError: the run has not finished.
    """
    path = path or folder.report
    write_page(path, render(TEMPLATE, {**context(folder), "sections": SECTIONS}))
    return path
