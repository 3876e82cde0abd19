"""Pieces of requests.

A request class has the keys of a command's root card, with their types and ranges. It lies in `requests.py` of the room
that owns the command, and is read as source text, as every other target is: nothing is imported to refuse a value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from animeid.values import PathText


class Card:
    """A key that is a group: a node with a `_target_` of its own, checked against that target."""


@dataclass(frozen=True, kw_only=True)
class LabelledPictures:
    """Pictures to judge a run on; without a root, those of the run's own split.

    root: class folders or a manifest, as in training; classes are matched by name.
    parts: as in training, where the folders' names do not tell which are parts.
    incomplete: as in training; None is as the run was trained.
    leaks: what becomes of pictures that the run was trained on: a refusal, left out and listed, or kept.
    """

    root: PathText | None = None
    parts: dict[Literal["train", "val", "test", "unknown"], tuple[str, ...]] | Literal["off"] | None = None
    incomplete: Literal["leave_out", "keep"] | None = None
    leaks: Literal["fail", "drop", "report"] = "drop"
