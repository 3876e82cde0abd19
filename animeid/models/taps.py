"""Choice of tapped stages.

A stage is what timm's `forward_intermediates` counts: of a transformer, a block. Shape letters: S stages of a network.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from annotated_types import MinLen, doc

from animeid.errors import InputError

Stages = Annotated[tuple[int, ...], MinLen(1), doc("a list of one or more stages")]
"""What a card names to choose them."""


def evenly_spaced(taps: int, stages: int, key: str) -> tuple[int, ...]:
    """Ends of equal parts of a network's depth: of `taps + 1` parts all but the last, whose end is the network's.

    Args:
        taps: how many.
        stages: S.
        key: what asks for them, for the message.

    Raises:
        InputError: the network has not enough stages before its last.
    """
    if taps > stages - 1:
        raise InputError(
            f"{key} asks for {taps} feature maps, and the network has {stages - 1} before its last: "
            "ask for fewer, or choose another model"
        )
    return tuple(-(-part * stages // (taps + 1)) - 1 for part in range(1, taps + 1))


def absolute(indices: Sequence[int], stages: int, who: str) -> tuple[int, ...]:
    """Indices counted from 0; a negative one counts from the end, -1 being the last stage.

    Args:
        indices: of stages.
        stages: S.
        who: what is tapped, for the message.

    Raises:
        InputError: there is no such stage.
    """
    outside = [index for index in indices if not -stages <= index < stages]
    if outside:
        raise InputError(f"{who} cannot be tapped at {outside}: its stages are 0 to {stages - 1}, choose among those")
    return tuple(index % stages for index in indices)
