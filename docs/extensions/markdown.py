"""Markdown from plain values."""

from __future__ import annotations

import re
from collections.abc import Sequence

CODE = re.compile(r"(`[^`]*`)")


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; vertical bars and line ends inside cells are taken care of."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(text: str) -> str:
    plain, *rest = CODE.split(" ".join(text.split()).replace("|", "\\|"))
    # A name in angle brackets is no tag; in code it is safe.
    return "".join([plain.replace("<", "&lt;"), *(_outside(index, part) for index, part in enumerate(rest))])


def _outside(index: int, part: str) -> str:
    return part.replace("<", "&lt;") if index % 2 else part


def between(text: str, mark: str, inner: str) -> str:
    """A page with another text between its comments `<!-- MARK -->` and `<!-- end of MARK -->`."""
    before, rest = text.split(f"<!-- {mark} -->\n")
    _, after = rest.split(f"<!-- end of {mark} -->")
    return f"{before}<!-- {mark} -->\n{inner}\n<!-- end of {mark} -->{after}"


def code(text: str, language: str = "") -> str:
    """A code block."""
    return f"```{language}\n{text.rstrip()}\n```"


def folded(title: str, text: str) -> str:
    """Text that shows when its title is clicked."""
    return f"<details>\n<summary>{title}</summary>\n\n{text}\n\n</details>"
