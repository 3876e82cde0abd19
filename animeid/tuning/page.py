"""The page of a search: one file that needs no other."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from optuna.trial import TrialState

from animeid.html.render import render, write_page
from animeid.html.thumbnails import Chart
from animeid.tuning.charts import draw_history, draw_importance, draw_parallel, importances
from animeid.tuning.search import FOLDER, Search

TEMPLATE = Path(__file__).with_name("templates") / "search.html.j2"

LISTED = 50
"""So many trials stand in the table."""


def write_page_of(search: Search, command: str) -> Path:
    """Writes `search.html` from the trials alone; at least one has finished."""
    trials, finished = search.shown(), search.finished()
    space = search.space
    shares = importances(search.study)
    with TemporaryDirectory() as folder:
        charts = Path(folder)
        draw_history(trials, charts / "history.png")
        draw_parallel(trials, space, charts / "parallel.png")
        if shares:
            draw_importance(shares, charts / "importance.png")
        pictures = {path.stem: Chart.of(path) for path in charts.glob("*.png")}
    states = [(state.name.lower(), sum(t.state == state for t in trials)) for state in TrialState]
    values = {
        "title": f"Search {search.path.name}",
        "command": command,
        "method": search.method,
        "best": f"{finished[0].value:.3f}",
        "states": [(name, number) for name, number in states if number],
        "charts": {"importance": None, **pictures},
        "columns": ["val f1_macro", "folder", *(one.key for one in space)],
        "rows": [
            [
                f"trial {t.number}",
                f"{t.value:.3f}",
                str(t.user_attrs[FOLDER]),
                *(one.written(t.params[one.key]) for one in space),
            ]
            for t in finished[:LISTED]
        ],
        "left": max(len(finished) - LISTED, 0),
    }
    path = search.path / "search.html"
    write_page(path, render(TEMPLATE, values))
    return path
