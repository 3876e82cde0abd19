"""The page of a comparison."""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from animeid.deploy.compare.comparison import MANY, Comparison, Model
from animeid.deploy.compare.figures import (
    EIGHT,
    EIGHT_FILES,
    F1,
    FIGURES,
    FIRST,
    MEMORY,
    MULTIPLY_ADDS,
    ONE,
    ONE_FILE,
    PARAMETERS,
    SIZE,
    THROUGHPUT,
    Figure,
    Reading,
)
from animeid.deploy.compare.guide import BEHIND, IN_WORDS, Advice, advise
from animeid.deploy.compare.stars import MOST, rule
from animeid.html.render import render, write_page
from animeid.html.thumbnails import Chart
from animeid.plots.models import Bars, Point, draw_accuracy_against_time, draw_bars, draw_radars
from animeid.reporting.comparison import in_words
from animeid.reporting.glossary import FIGURES as WORDS
from animeid.reporting.wording import with_interval
from animeid.system.load import Room

TEMPLATE = Path(__file__).with_name("templates") / "models.html.j2"
CHARTS = "charts"
ACCURACIES = ("acc_macro", "acc_micro", "many/acc_macro", "medium/acc_macro", "few/acc_macro", "top5")
TIMES = (ONE, ONE_FILE, EIGHT, EIGHT_FILES)
SIZES = (SIZE, PARAMETERS, MULTIPLY_ADDS, MEMORY, FIRST)
CHARTED = (F1, ONE, ONE_FILE, THROUGHPUT, SIZE, MEMORY)
LOOSE = 0.2
"""A spread between rounds above which the page warns."""


@dataclass(frozen=True)
class Setting:
    """How the models were measured.

    part: that they are judged on; None where no run tells. threads: of each model. rounds, seconds: see `measure`.
    files: that were read. room: what other programs left of the machine. torch: its version.
    """

    part: str | None
    threads: int
    rounds: int
    seconds: float
    files: int
    room: Room
    torch: str


def write_models_page(comparison: Comparison, setting: Setting, path: Path) -> None:
    """Writes the page, and its charts as files of their own into a folder beside it."""
    charts = path.parent / CHARTS
    charts.mkdir(exist_ok=True)
    write_page(path, render(TEMPLATE, values(comparison, setting, charts)))


def values(comparison: Comparison, setting: Setting, charts: Path) -> dict[str, Any]:
    """Those of the template.

    Args:
        charts: the folder that charts are drawn into.
    """
    models = comparison.models
    names = [model.name for model in models]
    judged = models[0].judged.figures
    return {
        "title": "1 model" if len(models) == 1 else f"{len(models)} models",
        "names": names,
        "models": models,
        "setting": setting,
        "machine": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}, "
        f"torch {setting.torch}",
        "support": judged["support"],
        "groups": judged["groups"],
        "advice": [_advice(one, comparison) for one in advise([model.row for model in models])],
        "behind": f"{100 * BEHIND:g}",
        "stars": [
            [
                name,
                *("★" * (each[place] or 0) + "☆" * (MOST - (each[place] or 0)) for each in comparison.stars.values()),
            ]
            for place, name in enumerate(names)
        ],
        "star_titles": list(comparison.stars),
        "rule": rule(),
        "ranks": comparison.ranks,
        "accuracies": [_accuracies(place, comparison) for place in range(len(models))],
        "accuracy_titles": ("rank", "f1_macro", "against the best", *_known(comparison)),
        "words": WORDS,
        "times": [[model.name, *(_time(model.row[figure]) for figure in (*TIMES, THROUGHPUT))] for model in models],
        "time_titles": [f"{figure.title}, {figure.unit}" for figure in (*TIMES, THROUGHPUT)],
        "slow": [[model.name, *(_slow(model, figure) for figure in TIMES), _spread(model)] for model in models],
        "slow_titles": [*(f"{figure.title}, p90, ms" for figure in TIMES), "spread"],
        "sizes": [[model.name, *(told(model.row[figure], figure) for figure in SIZES)] for model in models],
        "size_titles": [figure.title for figure in SIZES],
        "meanings": [(figure.title, figure.words) for figure in FIGURES],
        "what": [[model.name, *_what(model)] for model in models],
        "loose": [model.name for model in models if any(times.spread > LOOSE for times in model.times.values())],
        "loosest": f"{100 * max(times.spread for model in models for times in model.times.values()):.0f}",
        "many": MANY,
        "front": [name for name, on_front in zip(names, comparison.on_front, strict=True) if on_front],
        "bars": _chart(charts / "bars.png", lambda file: draw_bars(names, _panels(comparison), file)),
        "radars": _chart(charts / "stars.png", lambda file: draw_radars(names, comparison.stars, file)),
        "against_time": _chart(
            charts / "accuracy_against_time.png",
            lambda file: draw_accuracy_against_time(_points(comparison), file),
        ),
    }


def told(measured: Reading | None, figure: Figure) -> str:
    """A value with its unit."""
    if measured is None:
        return "–"
    if figure is F1:
        return f"{100 * measured.value:.1f} %"
    return f"{_digits(measured.value)} {figure.unit}"


def _digits(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _advice(one: Advice, comparison: Comparison) -> dict[str, Any]:
    names = [model.name for model in comparison.models]
    highest = max(measured.value for measured in comparison.values(F1) if measured)
    behind = highest - comparison.models[one.model].judged.figures["f1_macro"]
    return {
        "need": one.need.title,
        "model": names[one.model],
        "numbers": [f"{figure.title} {told(measured, figure)}" for figure, measured in one.numbers.items()],
        "equals": [f"{names[place]} ({_equal(comparison, one.figure, place)})" for place in one.equals],
        "decides": IN_WORDS[one.figure],
        "among": one.admitted,
        "behind": f"{100 * behind:.1f}",
    }


def _equal(comparison: Comparison, figure: Figure, place: int) -> str:
    """The figure of a model that is called equal, and what the test in pairs says all the same."""
    said, tested = told(comparison.values(figure)[place], figure), comparison.models[place].against_best
    return f"{said}; in pairs {in_words(tested)}" if figure is F1 and tested is not None else said


def _accuracies(place: int, comparison: Comparison) -> list[str]:
    model = comparison.models[place]
    return [
        model.name,
        str(comparison.ranks[place]),
        with_interval(model.judged.figures, "f1_macro"),
        _tested(model, is_best=place == 0),
        *(with_interval(model.judged.figures, name) for name in _known(comparison)),
    ]


def _known(comparison: Comparison) -> list[str]:
    """The figures of accuracy that any of the models has."""
    return [name for name in ACCURACIES if any(model.judged.figures.get(name) for model in comparison.models)]


def _tested(model: Model, *, is_best: bool) -> str:
    found = model.against_best
    if is_best:
        return "the best"
    return "–" if found is None else in_words(found)


def _time(measured: Reading | None) -> str:
    return "–" if measured is None else f"{_digits(measured.value)} ({' to '.join(map(_digits, measured.ends))})"


def _slow(model: Model, figure: Figure) -> str:
    times = model.times.get(figure.key)
    return "–" if times is None else _digits(1000 * times.p90)


def _spread(model: Model) -> str:
    return f"{100 * max(times.spread for times in model.times.values()):.0f} %"


def _what(model: Model) -> list[str]:
    facts = model.facts
    size = f"{facts.image_size[0]} × {facts.image_size[1]} px"
    return [facts.kind, facts.network, facts.engine, facts.device, size, model.folder]


def _panels(comparison: Comparison) -> list[Bars]:
    found = []
    for figure in CHARTED:
        measured = comparison.values(figure)
        if any(measured):
            values, low, high = (_numbers(measured, end, 100 if figure is F1 else 1) for end in range(3))
            found.append(Bars(f"{figure.title}, {figure.unit}", values, low, high, comparison.bests(figure)))
    return found


def _numbers(measured: Sequence[Reading | None], part: int, scale: float) -> np.ndarray:
    """`[M]`: the values (0), or the low (1) or high (2) ends; NaN where there is none."""
    given = [None if one is None else one[part] for one in measured]
    return np.array([np.nan if one is None else scale * one for one in given])


def _points(comparison: Comparison) -> list[Point]:
    found = []
    for model, on_front in zip(comparison.models, comparison.on_front, strict=True):
        accuracy, time = model.judged.measured("f1_macro"), model.row[ONE]
        assert time is not None
        low, high = (np.nan if end is None else end for end in (accuracy.low, accuracy.high))
        found.append(Point(model.name, time.value, accuracy.value, low, high, model.facts.size_mb, on_front))
    return found


def _chart(path: Path, draw: Callable[[Path], None]) -> Chart:
    draw(path)
    return Chart.of(path)
