"""The plan of a run: what it does in every detail, read-only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import torch

from animeid.assembly.facts import Facts
from animeid.assembly.frozen import frozen, plain
from animeid.config import gateway
from animeid.config.freeze import read_plan
from animeid.data.settings import DataSettings
from animeid.engine.settings import CallbackSettings, TrainerSettings
from animeid.errors import InputError
from animeid.system.console import counted
from animeid.types import LabelStats

BEFORE: Mapping[str, Mapping[str, Any]] = {"data": {"cache": "off", "refit": False}, "trainer": {"num_nodes": 1}}
"""What runs did of versions that had no such key."""


@dataclass(frozen=True)
class Plan(Mapping[str, Any]):
    """A request with what data and device decide filled in; a read-only mapping of the keys of `config.yaml`.

    cards: each key's card or value, at any depth read-only, lists as tuples.
    """

    cards: Mapping[str, Any]

    @classmethod
    def from_dict(cls, config: Mapping[str, Any]) -> Self:
        """The plan of plain values, which are copied."""
        return cls(frozen(config))

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as `config.yaml` has them."""
        return plain(self.cards)

    def __getitem__(self, key: str) -> Any:
        return self.cards[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.cards)

    def __len__(self) -> int:
        return len(self.cards)

    def having(self, **changed: Mapping[str, Any]) -> Self:
        """Another plan, in which these cards have other values at these names."""
        cards = {name: {**self.cards[name], **values} for name, values in changed.items()}
        return replace(self, cards=frozen({**self.cards, **cards}))

    @cached_property
    def trainer(self) -> TrainerSettings:
        return self._settings("trainer")

    @cached_property
    def data(self) -> DataSettings:
        return self._settings("data")

    @cached_property
    def callbacks(self) -> CallbackSettings:
        return self._settings("callbacks")

    def _settings(self, key: str) -> Any:
        return gateway.build({**BEFORE.get(key, {}), **self.cards[key]}, key)


@dataclass(frozen=True)
class FinalPlan(Plan):
    """A plan that has no `auto` left, and the facts of its data and model."""

    @classmethod
    def read(cls, path: Path) -> Self:
        """The plan in a run's `config.yaml`.

        Raises:
            InputError: the file is damaged, or names a target that no card can name.
        """
        plan = read_plan(path)
        if "facts" not in plan:
            raise InputError(f"{path} is no configuration of a run that has trained: put back a copy of it")
        return cls.from_dict(plan)

    @cached_property
    def facts(self) -> Facts:
        return Facts(**self.cards["facts"])

    def with_choices(self, choices: Iterable[Mapping[str, Any]]) -> Self:
        """The plan with what a recipe chose, and why."""
        return self.from_dict({**self.cards, "choices": list(choices)})


def final(plan: Plan, facts: Facts) -> FinalPlan:
    """The plan with these facts."""
    return FinalPlan.from_dict({**plan, "facts": facts.as_dict()})


def whole(value: int | str) -> int:
    """A number of a plan, which `auto` has been replaced by."""
    if isinstance(value, str):
        raise TypeError(f"{value} has not been filled in")
    return value


def views_of(plan: Mapping[str, Any]) -> int:
    """How often each drawn picture stands in a training batch."""
    return int((plan.get("contrastive") or {}).get("views", 1))


def processes_of(plan: Plan) -> int:
    """How many processes a plan has, on all nodes."""
    return whole(plan.trainer.devices) * whole(plan.trainer.num_nodes)


def label_stats(plan: FinalPlan, labels: tuple[str, ...]) -> LabelStats:
    """The statistics that a plan recorded.

    Raises:
        InputError: they are of another number of classes.
    """
    if len(labels) != len(plan.facts.counts):
        raise InputError(
            f"the run's labels.json has {counted(len(labels), 'class')} and its config.yaml counts "
            f"{len(plan.facts.counts):,}: put back a copy of the one that was changed"
        )
    return LabelStats(
        labels,
        torch.tensor(plan.facts.counts),
        torch.tensor(plan.facts.prior, dtype=torch.float64),
        many_above=plan.data.many_above,
        few_below=plan.data.few_below,
    )
