"""Settings of the group `effort`; light: the command line reads them as text."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How much work a command is.

    told: what is done, what it takes and what it gains, in a sentence without its end; said at the start.
    """

    told: str
