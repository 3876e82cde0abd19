"""The settings that a search tries."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from animeid.errors import InputError

RANGE = ("low", "high", "log", "step")
"""What a range says."""


class Suggests(Protocol):
    """A trial of Optuna."""

    def suggest_categorical(self, name: str, choices: Sequence[str]) -> Any: ...

    def suggest_float(self, name: str, low: float, high: float, *, step: float | None, log: bool) -> float: ...

    def suggest_int(self, name: str, low: int, high: int, *, step: int, log: bool) -> int: ...


@dataclass(frozen=True)
class Choice:
    """One of several values, each as it is written on the command line; a group's are its cards."""

    key: str
    values: tuple[str, ...]

    def suggest(self, trial: Suggests) -> str:
        return str(trial.suggest_categorical(self.key, self.values))

    def ends(self) -> tuple[str, ...]:
        """Values that show whether the key takes what is tried."""
        return self.values

    def grid(self) -> tuple[Any, ...]:
        return self.values

    def for_wandb(self) -> dict[str, Any]:
        return {"values": list(self.values)}


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, both among them: whole ones where both are."""

    key: str
    low: float
    high: float
    log: bool = False
    step: float | None = None

    @property
    def is_whole(self) -> bool:
        return all(isinstance(value, int) for value in (self.low, self.high, self.step or 1))

    def suggest(self, trial: Suggests) -> str:
        if self.is_whole:
            step = int(self.step or 1)
            return str(trial.suggest_int(self.key, int(self.low), int(self.high), step=step, log=self.log))
        return repr(trial.suggest_float(self.key, self.low, self.high, step=self.step, log=self.log))

    def ends(self) -> tuple[str, ...]:
        return (str(self.low), str(self.high))

    def grid(self) -> tuple[Any, ...]:
        """Raises:
        InputError: there is no step.
        """
        if self.step is None:
            raise InputError(f"method=grid needs to know which values of {self.key} to try: give its range a step")
        steps = int((self.high - self.low) / self.step + 1e-9)
        return tuple(self.low + number * self.step for number in range(steps + 1))

    def for_wandb(self) -> dict[str, Any]:
        ends = {"min": self.low, "max": self.high}
        if self.step is not None and not self.is_whole:
            return {"distribution": "q_uniform", "q": self.step, **ends}
        if self.log:
            return {"distribution": "log_uniform_values", **ends}
        return {"distribution": "int_uniform" if self.is_whole else "uniform", **ends}


Dimension = Choice | Range


def as_argument(value: Any) -> str:
    """A value as Hydra's grammar writes it."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, list):
        return f"[{','.join(map(as_argument, value))}]"
    return str(value)


def read_space(card: Mapping[str, Any]) -> list[Dimension]:
    """The dimensions of a card: `loss: [a, b]`, `optimizer: {lr: {low: 1, high: 2}}`, `optimizer.lr: {...}`.

    Raises:
        InputError: a dimension is neither a list nor a range, or has nothing to choose from.
    """
    found = list(_dimensions(card, ""))
    if not found:
        raise InputError("the search space is empty: name values to try, such as space.loss=[focal,cross_entropy]")
    return found


def _dimensions(node: Mapping[str, Any], above: str) -> Iterator[Dimension]:
    for name, value in node.items():
        key = f"{above}{name}"
        if isinstance(value, list):
            if not value:
                raise InputError(f"space.{key} names no value to try: give it some, or leave it out")
            yield Choice(key, tuple(dict.fromkeys(map(as_argument, value))))
        elif isinstance(value, Mapping) and ({"low", "high"} & value.keys()):
            yield _range(key, value)
        elif isinstance(value, Mapping) and value:
            yield from _dimensions(value, f"{key}.")
        else:
            raise InputError(
                f"space.{key} is {as_argument(value)}: give a list of values, or a range such as {{low: 1, high: 9}}"
            )


def _range(key: str, value: Mapping[str, Any]) -> Range:
    wrong = sorted(value.keys() - set(RANGE))
    if wrong:
        raise InputError(f"space.{key} has the key {wrong[0]}: a range has {', '.join(RANGE)}")
    low, high, step = (value.get(name) for name in ("low", "high", "step"))
    numbers = [low, high] if step is None else [low, high, step]
    if any(isinstance(number, bool) or not isinstance(number, int | float) for number in numbers):
        raise InputError(f"space.{key} must go from a number to a number: give low and high")
    assert low is not None and high is not None
    log = bool(value.get("log", False))
    if low >= high or (log and low <= 0) or (step is not None and (step <= 0 or log)):
        raise InputError(
            f"space.{key} cannot go from {low} to {high}: low must be less than high, above 0 with log, and a step "
            "above 0 and without log"
        )
    return Range(key, low, high, log, step)


def grid_of(space: Sequence[Dimension]) -> list[dict[str, Any]]:
    """Every combination of the values of a space.

    Raises:
        InputError: a range has no step.
    """
    keys = [dimension.key for dimension in space]
    return [dict(zip(keys, values, strict=True)) for values in itertools.product(*(one.grid() for one in space))]
