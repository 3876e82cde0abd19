"""How models are measured in turn; the clock of these tests is a counter."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from animeid.deploy.compare.timing import Times, measure
from animeid.system.turns import FEWEST


class Bench:
    """A clock that moves only when a model works, and who worked in which order."""

    def __init__(self) -> None:
        self.now = 0.0
        self.said: list[str] = []

    def clock(self) -> float:
        return self.now

    def work(self, name: str, *seconds: float) -> Callable[[], None]:
        """Takes the seconds one after the other, then the last of them for ever."""
        left = list(seconds)

        def work() -> None:
            self.said.append(name)
            self.now += left.pop(0) if len(left) > 1 else left[0]

        return work


def turns(said: list[str]) -> list[str]:
    """Who worked, without repetitions that follow one another."""
    return [name for place, name in enumerate(said) if place == 0 or said[place - 1] != name]


def test_models_take_turns_and_another_begins_each_round() -> None:
    bench = Bench()
    works = [{kind: bench.work(f"{name} {kind}", 1.0) for kind in ("one", "eight")} for name in "abc"]
    measure(works, rounds=2, seconds=2.0, clock=bench.clock)
    assert turns(bench.said) == [
        *("a one", "b one", "c one", "a eight", "b eight", "c eight"),
        *("b one", "c one", "a one", "b eight", "c eight", "a eight"),
        *("c one", "a one", "b one", "c eight", "a eight", "b eight"),
    ]


def test_the_first_round_warms_up_and_is_not_counted() -> None:
    bench = Bench()
    slow_at_first = [9.0] * FEWEST + [1.0] * FEWEST + [3.0]
    (found,) = measure([{"one": bench.work("a", *slow_at_first)}], rounds=2, seconds=0.1, clock=bench.clock)
    assert [times.tolist() for times in found["one"].rounds] == [[1.0] * FEWEST, [3.0] * FEWEST]


def test_a_model_may_lack_a_kind() -> None:
    bench = Bench()
    one, other = measure(
        [{"one": bench.work("a", 1.0)}, {"one": bench.work("b", 1.0), "file": bench.work("f", 1.0)}],
        rounds=1,
        seconds=1.0,
        clock=bench.clock,
    )
    assert (set(one), set(other)) == ({"one"}, {"one", "file"})


def test_a_round_lasts_as_long_as_is_asked() -> None:
    bench = Bench()
    (found,) = measure([{"one": bench.work("a", 0.25)}], rounds=1, seconds=5.0, clock=bench.clock)
    assert len(found["one"].rounds[0]) == 20


def test_figures_of_times_are_those_of_all_answers_and_the_range_that_of_rounds() -> None:
    random = np.random.default_rng(3)
    rounds = tuple(random.random(number) for number in (5, 9, 12))
    times, together = Times(rounds), np.sort(np.concatenate(rounds))
    assert times.median.value == pytest.approx((together[12] + together[13]) / 2)
    assert times.p90 == pytest.approx(np.interp(0.9 * 25, np.arange(26), together))
    middles = sorted(float(np.sort(one)[len(one) // 2]) for one in rounds[:2])
    assert times.median.low <= middles[0]
    assert times.median.high >= middles[1]
    assert times.spread == pytest.approx((max(times.medians) - min(times.medians)) / times.median.value)
