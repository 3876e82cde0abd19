"""Patterns of paths, several with colons between them."""

from __future__ import annotations

import glob
from pathlib import Path


def paths_of(pattern: str) -> list[Path]:
    """What a pattern, or several with colons between them, means, in their order; none where nothing is there.

    What is there as it is written means itself: `outputs/a[1]` is that folder, and not `outputs/a1`.
    """
    pieces = [Path(piece) for piece in pattern.split(":") if piece]
    found = [[piece] if piece.exists() else map(Path, sorted(glob.glob(str(piece)))) for piece in pieces]  # noqa: PTH207
    return [path for paths in found for path in paths]
