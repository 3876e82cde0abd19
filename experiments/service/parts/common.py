"""What the parts have in common: what they are given, and the rows of the page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

CLIENTS = 16
WARM_SECONDS = 2.0
Results = dict[str, Any]
"""What a part measured, as JSON keeps it."""


@dataclass(frozen=True)
class Given:
    """What parts are given.

    artefact: that is served. folder: for what they write. seconds: of a round of load. minutes: of the mixed load.
    pictures: that are all different. stops: of the service.
    """

    artefact: Path
    folder: Path
    seconds: float
    minutes: float
    pictures: int
    stops: int


@dataclass(frozen=True)
class Row:
    """A target.

    met: None where it is no target, but what others rest on.
    """

    target: str
    goal: str
    measured: str
    met: bool | None

    def cells(self) -> list[str]:
        return [self.target, self.goal, self.measured, {True: "yes", False: "no", None: ""}[self.met]]
