"""Candidates measured in turn."""

from __future__ import annotations

from collections.abc import Callable, Mapping

ROUNDS = 3


def in_turn(measures: Mapping[str, Callable[[], float]], rounds: int = ROUNDS) -> dict[str, float]:
    """The best rate of each measure over rounds that take turns: what else the machine does only slows them down."""
    return {name: max(values) for name, values in rates_in_turn(measures, rounds).items()}


def rates_in_turn(measures: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """The rate of each measure in each of so many rounds."""
    rates: dict[str, list[float]] = {name: [] for name in measures}
    for _ in range(rounds):
        for name, measure in measures.items():
            rates[name].append(measure())
            print(f"{name}: {rates[name][-1]:.0f} images/s", flush=True)
    return rates
