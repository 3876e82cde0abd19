"""The four render styles, as answers to how an area, a shadow and a line are put on paper."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from animeid.data.synthetic.colours import grey, line_of, mix
from animeid.data.synthetic.settings import Style
from animeid.data.synthetic.traits import RGB

PAPER: RGB = (250, 246, 238)
GRAPHITE: RGB = (74, 68, 78)

Layer = Literal["shade", "shine", "detail"]


@dataclass(frozen=True)
class Ink:
    """paint: colour of an area to the colour put down. line: colour of an area to that of the line round it.

    outline: times the usual width, 0 for none. layers: what is drawn on top of areas. hatch: shadows are hatched
    instead of filled. passes: how often a line is drawn; more than once it trembles. cell: pixels to a block.
    """

    paint: Callable[[RGB], RGB]
    line: Callable[[RGB], RGB]
    outline: float = 1.0
    layers: tuple[Layer, ...] = ("shade", "shine", "detail")
    hatch: bool = False
    passes: int = 1
    cell: int = 1


def _as_is(colour: RGB) -> RGB:
    return colour


def _washed(colour: RGB) -> RGB:
    return mix(mix(PAPER, colour, 0.62), grey(colour), 0.3)


def _graphite(colour: RGB) -> RGB:
    return mix(GRAPHITE, line_of(colour), 0.25)


INKS: dict[Style, Ink] = {
    "cel": Ink(_as_is, line_of),
    "flat": Ink(_as_is, line_of, outline=0.0, layers=("detail",)),
    "sketch": Ink(_washed, _graphite, outline=0.75, layers=("shade", "detail"), hatch=True, passes=2),
    "pixel": Ink(_as_is, line_of, outline=1.5, cell=3),
}
