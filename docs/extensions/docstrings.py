"""Docstrings as the site shows them: `name: text` entries of settings become a list, code stays code."""

from __future__ import annotations

import re

from extensions.arguments import NAMES


def as_list(lines: list[str]) -> list[str]:
    """Lines with each unindented `name: text`, and what is indented below it, as an item of a list."""
    shown: list[str] = []
    is_inside = False
    for line in lines:
        match = NAMES.match(line)
        if match and not match["indent"]:
            names = ", ".join(f"``{name}``" for name in match["names"].split(", "))
            shown += [*([] if is_inside else [""]), f"* {names}: {match['text']}"]
            is_inside = True
        elif is_inside and line.startswith(" "):
            shown.append(f"  {line.strip()}")
        else:
            shown += ["", line] if is_inside and line.strip() else [line]
            is_inside = False
    return shown


CODE = re.compile(r"(?<![`:])`([^`]+)`(?!`)(\w?)")


def as_code(text: str) -> str:
    """Markdown's `code` as reStructuredText's, also before a letter: `Literal`s."""
    return CODE.sub(lambda match: f"``{match[1]}``" + (f"\\ {match[2]}" if match[2] else ""), text)
