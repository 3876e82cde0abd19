"""Settings of the group `effort`; light: the command line reads them as text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How much work a command is.

    told: what is done, what it takes and what it gains, in a sentence without its end; said at the start.
    runs: how many trainings there are, whose weights are mixed where validation gains by it; 1 trains once.
    """

    told: str
    runs: Annotated[int, Ge(1)] = 1
