"""The rooms as a list and as a tree, and the import rule as a picture."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from animeid.config.roots import roots
from extensions.packages import PACKAGE, ROOT, Module, loose_files, rooms

BETWEEN = re.compile(r"\s*[|:]\s*")
"""What stands between the rooms of one layer in a contract."""


def room_list() -> str:
    """A line a room, as Markdown."""
    top = f"- `*.py`: {', '.join(f'`{module.short}`' for module in loose_files())}"
    return "\n".join([*(f"- `{room.short}/`: {room.title}" for room in rooms()), top])


def tree() -> str:
    """A line a room, which opens to a line a file, as HTML."""
    top = Module("animeid", "The files beside the rooms: commands, and words that all use", inner=tuple(loose_files()))
    return f'<div class="tree">{"".join(_room(room) for room in (*rooms(), top))}</div>'


def _room(room: Module) -> str:
    line = f"<summary><code>{room.short}/</code> <span>{_words(room.title)}</span></summary>"
    inner = "".join(f"<li>{_room(module)}</li>" if module.is_room else _file(module) for module in room.inner)
    return f"<details>{line}<ul>{inner}</ul></details>"


def _file(module: Module) -> str:
    return f"<li><code>{module.short}.py</code> <span>{_words(module.title)}</span></li>"


def _words(text: str) -> str:
    """Text with its `code`."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text, quote=False))


def contracts() -> list[Mapping[str, Any]]:
    """Import contracts, as they are checked."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return list(settings["tool"]["importlinter"]["contracts"])


def layers() -> list[list[str]]:
    """Rooms and files of each layer of the package, the highest layer first."""
    found = next(item for item in contracts() if item["type"] == "layers" and "animeid" in item.get("containers", ()))
    named = [[name.strip("() ") for name in BETWEEN.split(layer)] for layer in found["layers"]]
    # `commands` stands for the entry points (see tests/import_contracts.py).
    return [[one for name in layer for one in (roots() if name == "commands" else [name])] for layer in named]


def other_contracts() -> str:
    """The names of what is checked besides, as Markdown."""
    return "\n".join(f"- {item['name']}" for item in contracts() if item["type"] != "layers")


WIDTH, ROW, GAP, LETTER, MARGIN = 440, 26, 6, 8.1, 8
"""Pixels: the picture, which is to be read on a phone; a line of boxes; between boxes; a letter; within a layer."""


def import_rule() -> str:
    """The layers as floors of a house, as SVG: rooms are filled, files are outlined."""
    parts: list[str] = []
    top = 24
    for number, layer in enumerate(layers()):
        lines = list(_lines(sorted(layer)))
        height = len(lines) * ROW + (len(lines) - 1) * GAP + 2 * MARGIN
        shade = "#f3f5f9" if number % 2 == 0 else "#ffffff"
        parts.append(f'<rect x="1" y="{top}" width="{WIDTH - 2}" height="{height}" fill="{shade}" stroke="#d5d9e2"/>')
        for index, line in enumerate(lines):
            parts += _boxes(line, top + MARGIN + index * (ROW + GAP))
        top += height
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top + 1}" width="{WIDTH}" '
        f'font-family="ui-monospace, Menlo, Consolas, monospace" font-size="13.5">'
        f'<rect width="{WIDTH}" height="{top + 1}" fill="#ffffff"/>'
        f'<text x="{WIDTH / 2:g}" y="16" text-anchor="middle" fill="#555b66">imports point down ↓</text>'
    )
    return "\n".join([head, *parts, "</svg>", ""])


def _lines(names: Sequence[str]) -> Iterator[list[str]]:
    """Names in as many lines as the picture's width asks for."""
    line: list[str] = []
    for name in names:
        if line and _span([*line, name]) > WIDTH - 2 * MARGIN:
            yield line
            line = []
        line.append(name)
    yield line


def _width(name: str) -> float:
    return len(name) * LETTER + 14


def _span(names: Sequence[str]) -> float:
    return sum(map(_width, names)) + GAP * (len(names) - 1)


def _boxes(names: Sequence[str], top: float) -> Iterator[str]:
    left = (WIDTH - _span(names)) / 2
    for name in names:
        fill, stroke = ("#dbe6ff", "#2f62d9") if (PACKAGE / name).is_dir() else ("#ffffff", "#9aa1ad")
        yield (
            f'<rect x="{left:.1f}" y="{top}" width="{_width(name):.1f}" height="{ROW}" rx="5" fill="{fill}" '
            f'stroke="{stroke}"/><text x="{left + _width(name) / 2:.1f}" y="{top + 18}" text-anchor="middle" '
            f'fill="#1a2233">{name}</text>'
        )
        left += _width(name) + GAP
