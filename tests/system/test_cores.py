"""Work on all cores answers in order, and ends with an error or when nobody asks for more."""

from __future__ import annotations

import threading

import pytest

from animeid.system import cores
from animeid.system.cores import on_all_cores


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
