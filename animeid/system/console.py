"""Console output: results on standard output, what is said beside them on standard error."""

from __future__ import annotations

import os
import sys
import unicodedata
from collections.abc import Sequence
from io import TextIOWrapper
from pathlib import Path


def write_anything() -> None:
    """Has the output take any name: letters that its encoding lacks become `\\u30df`, as Python writes errors anyway.

    A terminal or a log may be latin-1 or ASCII, and a run must not end on the name that it prints last.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def say(sentence: str) -> None:
    print(sentence, flush=True)  # noqa: T201


def say_beside(sentence: str) -> None:
    """Says something that is no result, and must not stand among results that another program reads."""
    print(sentence, file=sys.stderr, flush=True)  # noqa: T201


def say_error(sentence: str) -> None:
    say_beside(f"animeid: error: {sentence}")


def how_to_install(extra: str) -> str:
    """What to type for the packages of an extra: from an index, and in a checkout, whose name no index need have."""
    return f"pip install 'animeid[{extra}]', or in a checkout pip install -e '.[{extra}]'"


def some_of(names: Sequence[str], count: int) -> str:
    """The first names, and how many more there are: `a, b and 3 more`."""
    more = f" and {len(names) - count} more" if len(names) > count else ""
    return ", ".join(names[:count]) + more


def as_text(path: Path) -> str:
    """A path as text that can be written: the odd bytes of a name that is no UTF-8 become `\\xff`."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def text_width(text: str) -> int:
    """Columns on a terminal: Chinese and Japanese characters take two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def align(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows of cells, the header first, as lines with aligned columns and a rule below the header."""
    widths = [max(map(text_width, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(cell + " " * (width - text_width(cell)) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return [lines[0], "-" * max(map(text_width, lines)), *lines[1:]]
