"""The tree of rooms, and the import rule as a picture, as HTML."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from html import escape
from typing import Any

from extensions.packages import PACKAGE, ROOT, Module, loose_files, rooms

BETWEEN = re.compile(r"\s*[|:]\s*")
"""What stands between the rooms of one layer in a contract."""


def tree() -> str:
    """A line a room, which opens to a line a file."""
    top = "".join(_file(module) for module in loose_files())
    line = f"<summary><code>*.py</code> <span>{len(loose_files())} files: commands, and words that all use</span></summary>"
    return (
        '<div class="tree"><p><code>animeid/</code></p>'
        + "".join(_room(room) for room in rooms())
        + f"<details>{line}<ul>{top}</ul></details></div>"
    )


def _room(room: Module) -> str:
    line = f"<summary><code>{room.short}/</code> <span>{_words(room.title)}</span></summary>"
    inner = "".join(f"<li>{_room(module)}</li>" if module.is_room else _file(module) for module in room.inner)
    return f'<details id="room-{room.name.replace(".", "-")}">{line}<ul>{inner}</ul></details>'


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
    return [[name.strip("() ") for name in BETWEEN.split(layer)] for layer in found["layers"]]


def import_rule() -> str:
    """The layers as floors of a house, with what else is forbidden below."""
    floors = "".join(f"<li>{''.join(_box(name) for name in sorted(layer))}</li>" for layer in layers())
    others = "".join(f"<li>{escape(item['name'])}</li>" for item in contracts() if item["type"] != "layers")
    return (
        '<div class="house" role="img" aria-label="layers of the package, the highest first">'
        f'<p class="arrow">imports point down ↓</p><ol>{floors}</ol></div>'
        f"<p>Checked as well:</p><ul>{others}</ul>"
    )


def _box(name: str) -> str:
    if (PACKAGE / name).is_dir():
        return f'<a class="room" href="#room-animeid-{name}">{name}</a>'
    return f'<span class="file">{name}</span>'
