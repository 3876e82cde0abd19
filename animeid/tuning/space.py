"""The settings that a search tries."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from animeid.errors import InputError

RANGE = ("low", "high", "log", "step")
"""What a range says."""
DIGITS = 4
"""Of a number from a range without steps: more say nothing, and nobody reads them."""
SPREAD = 32
"""So many whole numbers stand for a logarithmic range where a sweep cannot draw them."""


class Suggests(Protocol):
    """A trial of Optuna."""

    def suggest_categorical(self, name: str, choices: Sequence[str]) -> Any: ...

    def suggest_float(self, name: str, low: float, high: float, *, step: float | None, log: bool) -> float: ...

    def suggest_int(self, name: str, low: int, high: int, *, step: int, log: bool) -> int: ...


@dataclass(frozen=True)
class Choice:
    """One of several values, each as it is written on the command line; a group's are its cards."""

    key: str
    options: tuple[str, ...]

    def suggest(self, trial: Suggests) -> str:
        return self.written(trial.suggest_categorical(self.key, self.options))

    def written(self, value: Any) -> str:
        """A value of a trial as the command line has it."""
        return str(value)

    def ends(self) -> tuple[str, ...]:
        """Values that show whether the key takes what is tried."""
        return self.options

    def values(self) -> Sequence[Any]:
        """All that can be tried; None where they cannot be counted."""
        return self.options

    def grid(self) -> Sequence[Any]:
        return self.options

    def for_wandb(self) -> dict[str, Any]:
        return {"values": list(self.options)}


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
            return self.written(trial.suggest_int(self.key, int(self.low), int(self.high), step=step, log=self.log))
        return self.written(trial.suggest_float(self.key, self.low, self.high, step=self.step, log=self.log))

    def written(self, value: Any) -> str:
        """A value of a trial as the command line has it: 0.15, where steps of 0.05 add up to 0.15000000000000002.

        Without steps it has `DIGITS` digits, with which it is trained as well.
        """
        values = self.values()
        if self.is_whole:
            return repr(value)
        if values is None:
            return repr(float(f"{value:.{DIGITS}g}"))
        return repr(min(values, key=lambda other: abs(other - float(value))))

    def ends(self) -> tuple[str, ...]:
        return (str(self.low), str(self.high))

    def values(self) -> Sequence[Any] | None:
        """All that can be tried; None where they cannot be counted."""
        if self.is_whole:
            return range(int(self.low), int(self.high) + 1, int(self.step or 1))
        if self.step is None:
            return None
        low, high, step = (Decimal(repr(number)) for number in (self.low, self.high, self.step))
        return tuple(float(low + number * step) for number in range(int((high - low) // step) + 1))

    def grid(self) -> Sequence[Any]:
        """Raises:
        InputError: there is no step.
        """
        if self.step is None:
            raise InputError(f"method=grid needs to know which values of {self.key} to try: give its range a step")
        values = self.values()
        assert values is not None
        return values

    def for_wandb(self) -> dict[str, Any]:
        """W&B's steps are multiples of the step, and its logarithmic draws are no whole numbers: values are listed."""
        if self.step is not None:
            return {"values": list(self.grid())}
        if self.log and self.is_whole:
            growth = (self.high / self.low) ** (1 / (SPREAD - 1))
            return {"values": sorted({round(self.low * growth**place) for place in range(SPREAD)})}
        distribution = "log_uniform_values" if self.log else "int_uniform" if self.is_whole else "uniform"
        return {"distribution": distribution, "min": self.low, "max": self.high}


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
    if not all(map(_is_number, numbers)):
        raise InputError(f"space.{key} must go from a number to a number: give low and high")
    assert low is not None and high is not None
    log = value.get("log", False)
    if not isinstance(log, bool):
        raise InputError(f"space.{key} has log: {as_argument(log)}: log is true or false")
    if low >= high or (log and low <= 0) or (step is not None and (step <= 0 or log)):
        raise InputError(
            f"space.{key} cannot go from {low} to {high}: low must be less than high, above 0 with log, and a step "
            "above 0 and without log (log: false takes away that of a card)"
        )
    return Range(key, low, high, log, step)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def combinations(space: Sequence[Dimension]) -> int | None:
    """How many there are; None where they cannot be counted."""
    values = [dimension.values() for dimension in space]
    return None if any(one is None for one in values) else math.prod(len(one) for one in values if one is not None)


def grid_of(space: Sequence[Dimension]) -> list[dict[str, Any]]:
    """Every combination of the values of a space.

    Raises:
        InputError: a range has no step.
    """
    keys = [dimension.key for dimension in space]
    return [dict(zip(keys, values, strict=True)) for values in itertools.product(*(one.grid() for one in space))]
