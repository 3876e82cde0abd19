"""Work on all cores answers in order, and ends with an error or when nobody asks for more."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from types import SimpleNamespace

import pytest

from animeid.system import cores
from animeid.system.cores import of_many, on_all_cores


@pytest.fixture(autouse=True)
def two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cores, "usable_cores", lambda: 2)


def test_answers_come_in_the_order_of_the_items() -> None:
    both = threading.Barrier(2, timeout=30)

    def work(number: int) -> int:
        both.wait()  # passes only where two are at work
        return number**2

    assert list(on_all_cores(work, iter(range(20)))) == [number**2 for number in range(20)]


def test_one_thing_alone_is_done_where_it_is_asked_for() -> None:
    assert list(on_all_cores(lambda _: threading.current_thread(), [1])) == [threading.current_thread()]
    assert list(on_all_cores(lambda _: 1 / 0, [])) == []


def test_an_error_ends_the_rest() -> None:
    done = []

    def work(number: int) -> None:
        done.append(number)
        if number == 0:
            raise ValueError("the first")
        threading.Event().wait(0.01)

    with pytest.raises(ValueError, match="the first"):
        list(on_all_cores(work, range(1000)))
    assert len(done) < 500


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Callable[[Sequence[float]], list[tuple[int, bool]]]:
    """The answers of `of_many` to things that take so many seconds, and whether they were done where it was asked.

    By a clock that other programs cannot delay.
    """
    now = [0.0]
    monkeypatch.setattr(cores, "time", SimpleNamespace(perf_counter=lambda: now[0]))

    def seen(seconds: Sequence[float]) -> list[tuple[int, bool]]:
        def work(number: int) -> tuple[int, bool]:
            now[0] += seconds[number]
            return number, threading.current_thread() is threading.main_thread()

        return list(of_many(work, range(len(seconds))))

    return seen


Seen = Callable[[Sequence[float]], list[tuple[int, bool]]]


def test_small_things_are_done_where_it_is_asked_for(seen: Seen) -> None:
    assert seen([0.0] * 40) == [(number, True) for number in range(40)]


def test_larger_ones_are_spread_soon(seen: Seen) -> None:
    found = seen([0.015] * 40)
    assert [number for number, _ in found] == list(range(40))
    # The first pays for what is loaded once, and two more are longer than the trial.
    assert [here for _, here in found] == [True] * 3 + [False] * 37


def test_what_is_loaded_at_the_first_does_not_make_the_others_large(seen: Seen) -> None:
    assert all(here for _, here in seen([0.05] + [0.0] * 39))


def test_large_ones_that_follow_small_ones_are_spread(seen: Seen) -> None:
    """New pictures among those whose fingerprints are kept are read by a thread a core."""
    found = seen([0.0] * 100 + [0.005] * 50)
    # Half of the latest sixteen are large then.
    assert [here for _, here in found] == [True] * 108 + [False] * 42


def test_few_or_no_things_are_enough_for_a_trial() -> None:
    assert list(of_many(lambda number: number, [])) == []
    assert list(of_many(lambda number: number + 1, [1])) == [2]
