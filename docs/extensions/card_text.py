"""Comments of YAML cards: of the file, and of each key."""

from __future__ import annotations

import re
from pathlib import Path

KEY = re.compile(r"^(?P<indent> *)(?P<key>[\w-]+):(?P<rest>.*)$")
TRAILING = re.compile(r"\s#\s(?P<comment>.*)$")


def purpose(file: Path) -> str:
    """The comment that a file begins with, on one line; without `@package`."""
    lines: list[str] = []
    for line in file.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            break
        if not line.startswith("# @package"):
            lines.append(line.removeprefix("#").strip())
    return " ".join(lines)


def comments(text: str) -> dict[str, str]:
    """The comment of each key, `data.root` for one inside another: lines above it and what follows on its line."""
    found: dict[str, str] = {}
    above: list[str] = []
    path: list[tuple[int, str]] = []
    for line in text.splitlines():
        if line.lstrip().startswith("#"):
            above.append(line.strip().removeprefix("#").strip())
            continue
        match = KEY.match(line)
        if match is None:
            above = []
            continue
        indent = len(match["indent"])
        path = [*((depth, key) for depth, key in path if depth < indent), (indent, match["key"])]
        trailing = TRAILING.search(match["rest"])
        words = [*above, trailing["comment"]] if trailing else above
        if words:
            found[".".join(key for _, key in path)] = " ".join(words)
        above = []
    return found
