"""The scale benchmark: its lines, and the end of a run of more classes than a matrix can hold."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from animeid.reporting.confusions import CONFUSED_SHOWN, WHOLE_UP_TO
from animeid.runs.finished import FinishedRun
from animeid.runs.folder import RunFolder
from experiments.scale.drawn_run import draw
from experiments.scale.lines import Goal, Line, Watch
from experiments.scale.run_end import end
from tests.old_runs import RUNS

CLASSES, JUDGED = WHOLE_UP_TO + 60, 1500


def test_a_line_says_how_its_seconds_grow_and_whether_the_goal_is_met() -> None:
    squares = Line("pairs", "1,000", [10, 100, 1000], [(1e-4, 5), (1e-2, 50), (1.0, 500)], Goal("2 s, 1 GiB", 2, 1024))
    assert squares.exponent == pytest.approx(2)
    assert squares.cells() == ["pairs", "1,000", "1", "500", "2.00", "2 s, 1 GiB", "met"]
    for goal in (Goal("1 s", seconds=1), Goal("400 MiB", mib=400)):
        assert Line("pairs", "1,000", [10, 1000], [(0.1, 5), (1.0, 500)], goal).cells()[-1] == "not met"
    assert Line("one", "1", [1], [(1.0, 5)]).cells()[4:] == ["–", "–", "–"]


def test_memory_is_watched() -> None:
    with Watch() as watch:
        held = np.ones(2**24)
    seconds, mib = watch.found
    assert seconds > 0
    assert mib > held.nbytes / 2**20


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> tuple[FinishedRun, str]:
    """A run of many classes, and its page."""
    scratch = tmp_path_factory.mktemp("scratch")
    shutil.copytree(RUNS / "outputs" / "finished", scratch / "outputs" / "template")
    draw(str(scratch), "many", CLASSES, JUDGED)
    steps = end(str(scratch / "many"))
    assert steps["all"][0] == pytest.approx(sum(seconds for name, (seconds, _) in steps.items() if name != "all"))
    folder = RunFolder(Path(scratch) / "many")
    return FinishedRun(folder), folder.report.read_text(encoding="utf-8")


def test_the_matrix_of_many_classes_holds_those_that_are_confused(page: tuple[FinishedRun, str]) -> None:
    run, text = page
    found = re.search(r'<script type="application/json" id="matrix-data">(.*?)</script>', text)
    assert found is not None
    content = json.loads(found[1])
    assert len(content["labels"]) == len(content["support"]) == CONFUSED_SHOWN
    assert f"Of the {CLASSES} classes those that are confused most" in text
    table = run.predictions.query("split == 'test'")
    wrong = table[table["label"] != table["predicted"]]
    often = wrong.groupby(["label", "predicted"]).size().idxmax()
    assert set(often) <= set(content["labels"])


def test_the_page_of_many_classes_has_them_all_in_its_table(page: tuple[FinishedRun, str]) -> None:
    run, text = page
    assert all(f"<tr><th>{label}</th>" in text for label in run.labels)
    assert len(re.findall(r'<span class="chip"', text)) < CLASSES


def test_the_advice_of_many_classes_names_a_few(page: tuple[FinishedRun, str]) -> None:
    advice = re.search(r'<ol class="advice">(.*?)</ol>', page[1])
    assert advice is not None
    assert "under 20 training pictures" in advice[1]
    assert "角色" in advice[1]
    assert len(advice[1]) < 3000
