"""Progress in plain lines: when one comes, and what it says is left."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from animeid.system import progress as module
from animeid.system.progress import Steps, progress


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[float], None]]:
    """Time that passes when it is told to."""
    now = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])

    def pass_(seconds: float) -> None:
        now[0] += seconds

    yield pass_


def test_work_of_more_than_two_seconds_says_when_it_ends(clock, capsys) -> None:
    for _ in progress(range(6), 6, "counting"):
        clock(1.5)
    assert capsys.readouterr().err == "counting: 2 of 6, 0:06 left\n"


def test_short_work_says_nothing(clock, capsys) -> None:
    for _ in progress(range(10), 10, "counting"):
        clock(0.15)
    assert capsys.readouterr().err == ""


def test_long_work_says_it_now_and_then(clock, capsys) -> None:
    for _ in progress(range(30), 30, "counting"):
        clock(1)
    assert [line.split()[1] for line in capsys.readouterr().err.splitlines()] == ["2", "12", "22"]


def test_the_time_left_of_steps_is_told_by_those_before(clock) -> None:
    steps = Steps("ending", {"first": 1, "second": 3, "third": 2})
    assert steps.left("first", 5) == "", "nothing is known yet"
    with steps.step("first"):
        clock(4)
    assert steps.left("second", 5) == ", about 0:15 left"  # 7 of its own 12, and 8
    assert steps.left("second", 50) == ", about 0:27 left", "the last one is as much slower"
    assert steps.left("third", 0) == ", about 0:08 left", "a step may be left out"


def test_a_step_that_takes_long_is_named(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setattr(module, "FIRST_AFTER_S", 0.0)
    from threading import Event

    told = Event()
    said: list[str] = []
    monkeypatch.setattr(module, "say_beside", lambda sentence: (said.append(sentence), told.set()))
    steps = Steps("ending the run", {"figures": 1, "page": 1})
    with steps.step("figures"):
        assert told.wait(60)
    assert said[0] == "ending the run: figures, step 1 of 2"
