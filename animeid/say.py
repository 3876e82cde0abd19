"""What a command tells its user on standard output."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence


def say(sentence: str) -> None:
    print(sentence, flush=True)  # noqa: T201


def _width(text: str) -> int:
    """Columns on a terminal: Chinese and Japanese characters take two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def align(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows of cells, the header first, as lines with aligned columns and a rule below the header."""
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return [lines[0], "-" * max(map(_width, lines)), *lines[1:]]
