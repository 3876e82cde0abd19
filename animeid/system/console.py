"""Console output: results on standard output, what is said beside them on standard error."""

from __future__ import annotations

import os
import sys
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import TextIO

from animeid import __version__
from animeid.system.streams import put

HEAVIEST = "torch"

ONE = {"are": "is", "were": "was", "have": "has", "make": "makes", "want": "wants", "lie": "lies", "hold": "holds"}
"""Verbs of several to those of one."""


_pages: list[TextIO] = []
"""Where sentences go in the place of standard output, the last of them first."""


def write_anything() -> None:
    """Has the output take any name: letters that its encoding lacks become `\\u30df`, as Python writes errors anyway.

    A terminal or a log may be latin-1 or ASCII, and a run must not end on the name that it prints last.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def say(sentence: str) -> None:
    """A result, or what is said on the way to it."""
    put(sentence, _pages[-1] if _pages else sys.stdout)


@contextmanager
def written_down(page: TextIO) -> Iterator[None]:
    """Has what is said in the block written to a page instead."""
    _pages.append(page)
    try:
        yield
    finally:
        _pages.pop()


def say_beside(sentence: str) -> None:
    """Says something that is no result, and must not stand among results that another program reads."""
    put(sentence, sys.stderr)


def say_error(sentence: str) -> None:
    say_beside(f"animeid: error: {sentence}")


def say_version() -> None:
    say(f"animeid {__version__}")


def has_told_of_itself(arguments: Sequence[str], helps: Callable[[], str]) -> bool:
    """Answers `--help` with what `helps` makes, and `--version`; whether one of them was asked."""
    if {"-h", "--help"} & set(arguments):
        say(helps())
    elif "--version" in arguments:
        say_version()
    else:
        return False
    return True


def say_loading(root: str) -> None:
    """Says why nothing is said for some seconds: the libraries of a command are imported, unless they are there."""
    if HEAVIEST not in sys.modules:
        say_beside(f"animeid {root}: loading its libraries")


def how_to_install(extra: str) -> str:
    """What to type for the packages of an extra: from an index, and in a checkout, whose name no index need have."""
    return f"pip install 'animeid[{extra}]', or in a checkout pip install -e '.[{extra}]'"


def counted(number: int, noun: str, verb: str = "") -> str:
    """`1 class`, `1,500 classes`; with the verb of several, `1 file was` and `2 files were`.

    Args:
        noun: one of them; words before it may stand there too.
    """
    if number == 1:
        return " ".join(["1", noun, *([ONE[verb]] if verb else [])])
    # The ch of an epoch is a k.
    ending = "es" if noun.endswith(("s", "x", "ch", "sh")) and not noun.endswith("epoch") else "s"
    many = f"{noun[:-1]}ies" if noun.endswith("y") and noun[-2] not in "aeiou" else noun + ending
    return " ".join([f"{number:,}", many, *([verb] if verb else [])])


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
