"""Pages that need no other file: a template with the shared style, the scripts of its sections, and glyphs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from animeid.html.font import UNICODE_RANGE, font_uri
from animeid.system.console import counted
from animeid.system.files import atomic

TEMPLATES = Path(__file__).with_name("templates")

FONT_HERE = "/* the font of names */"
"""Stands in a page until its text, which says what glyphs it needs, is written; that of many classes takes seconds."""


def render(template: Path, values: Mapping[str, Any]) -> str:
    """A page with its style, its scripts and the glyphs that it needs.

    Args:
        template: of the room whose page it is; it extends `base.html.j2` of this room.
        values: of the template.
    """
    environment = Environment(
        loader=FileSystemLoader([template.parent, TEMPLATES]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    environment.globals["counted"] = counted
    page = environment.get_template(template.name)
    style = (TEMPLATES / "page.css").read_text(encoding="utf-8")
    text = page.render(**values, style=style, font_here=FONT_HERE)
    return text.replace(FONT_HERE, _font_face(text), 1)


def _font_face(text: str) -> str:
    """CSS of the glyphs that a page of this text needs; empty where it needs none."""
    uri = font_uri(text)
    if uri is None:
        return ""
    return f'@font-face {{ font-family: "Names"; src: url("{uri}") format("woff"); unicode-range: {UNICODE_RANGE}; }}'


def write_page(path: Path, text: str) -> None:
    """Writes a page; the odd bytes of a path that is no text here are what they are in UTF-8, or become `\\xff`."""
    text = text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    with atomic(path, "w") as stream:
        stream.write(text)
