"""Facts of a final plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Facts:
    """The facts of a plan, in the order in which `config.yaml` has them.

    classes: how many there are, C.
    counts: `[C]`, training pictures of each class.
    prior: `[C]`, the class distribution that training shows.
    steps_per_epoch, total_steps: optimiser steps.
    weights: where those that the model starts from come from.
    parameters: of the model that is kept.
    trainable: those of them that are trained; None in runs of versions that did not count them.
    soup: what mixing runs took, `seconds` itself and `earlier_s` training them; None where none are mixed.
    teacher: the `runs` and artefacts that taught, the version of each of the `artefacts`, whether they were `asked` for
        each draw or once a picture, and how many pictures of val and test they have `seen` in training, None where an
        artefact does not tell; None without a teacher.
    pruning: `parameters`, `multiply_adds`, `latency_ms` and, of each round, `rounds_ms`, each `before` and `after`;
        None where nothing is pruned.
    """

    classes: int
    counts: tuple[int, ...]
    prior: tuple[float, ...]
    steps_per_epoch: int
    total_steps: int
    weights: Mapping[str, Any]
    parameters: int
    trainable: int | None = None
    soup: Mapping[str, float] | None = None
    teacher: Mapping[str, Any] | None = None
    pruning: Mapping[str, Any] | None = None

    def as_dict(self) -> dict[str, Any]:
        """Those that are known, by name."""
        values = ((field.name, getattr(self, field.name)) for field in fields(self))
        return {name: value for name, value in values if value is not None}
