"""Draws some of a cast's pictures; run as a process of its own (`python -m animeid.data.synthetic.worker`).

A worker is a fresh interpreter that imports this module alone. Forking a process that runs torch's threads can hang,
and spawning through `multiprocessing` runs the caller's script again, which a plain script does not survive.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from animeid.data.synthetic.figure import draw_figure
from animeid.data.synthetic.identity import Character, make_cast
from animeid.data.synthetic.plan import Picture, make_plan, shot_of
from animeid.data.synthetic.settings import CastSettings

Bbox = tuple[int, int, int, int]
_COMPRESSION = 3  # of zlib; more takes longer than the drawing


def path_of(picture: Picture, characters: list[Character]) -> Path:
    """The picture's place below the cast's folder."""
    return Path(picture.split, characters[picture.character].name, f"{picture.number:04d}.png")


def draw_share(folder: Path, settings: CastSettings, first: int, step: int) -> Iterator[tuple[int, Bbox]]:
    """Draws every `step`-th picture of the plan from `first` on; yields its position and its bounding box."""
    characters = make_cast(settings)
    plan = make_plan(settings)
    for index in range(first, len(plan), step):
        picture = plan[index]
        character = characters[picture.character]
        drawing = draw_figure(character.traits, shot_of(picture, character, settings), settings.size)
        drawing.image.save(folder / path_of(picture, characters), compress_level=_COMPRESSION)
        yield index, drawing.bbox


def main() -> None:
    """Reads the order as JSON from standard input and writes a line for every picture drawn."""
    order = json.load(sys.stdin)
    settings = CastSettings(**order["settings"])
    for index, bbox in draw_share(Path(order["folder"]), settings, order["first"], order["step"]):
        sys.stdout.write(f"{index} {' '.join(map(str, bbox))}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
