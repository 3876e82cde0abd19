"""The table of a comparison: a row a model, a column a figure, with the ends of its interval."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from animeid.deploy.compare.comparison import Comparison, Model
from animeid.system.files import atomic

ACCURACIES = ("acc_macro", "acc_micro", "top5", "many/acc_macro", "medium/acc_macro", "few/acc_macro")


def write_table(comparison: Comparison, threads: int, path: Path) -> None:
    stars, ranks, front = comparison.stars, comparison.ranks, comparison.on_front
    rows = []
    for place, model in enumerate(comparison.models):
        known = {"rank": ranks[place], "on_pareto_front": front[place]}
        given = {f"stars_{title}": each[place] for title, each in stars.items()}
        rows.append({**_facts(model, threads), **known, **_figures(model), **given})
    names = list(dict.fromkeys(name for row in rows for name in row))
    with atomic(path, "w") as stream:
        writer = csv.DictWriter(stream, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _facts(model: Model, threads: int) -> dict[str, Any]:
    facts = model.facts
    return {
        "model": model.name,
        "folder": model.folder,
        "kind": facts.kind,
        "network": facts.network,
        "engine": facts.engine,
        "device": facts.device,
        "threads": threads,
        "image_height": facts.image_size[0],
        "image_width": facts.image_size[1],
    }


def _figures(model: Model) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for figure, measured in model.row.items():
        low, high = (None, None) if measured is None else (measured.low, measured.high)
        found |= {figure.key: measured and measured.value, f"{figure.key}_low": low, f"{figure.key}_high": high}
    for name in ACCURACIES:
        low, high = model.judged.figures.get(f"{name}_ci") or (None, None)
        found |= {name: model.judged.figures.get(name), f"{name}_low": low, f"{name}_high": high}
    for kind, times in model.times.items():
        found |= {f"{kind}_p90": 1000 * times.p90, f"{kind}_spread": times.spread} if kind.endswith("_ms") else {}
    tested = model.against_best
    found |= {"f1_macro_against_best": tested and tested.difference, "p_against_best": tested and tested.p}
    return found
