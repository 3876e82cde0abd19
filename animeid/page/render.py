"""The page of a run: one file that needs no other."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from animeid.page.context import context
from animeid.page.font import UNICODE_RANGE, font_uri
from animeid.runs.folder import RunFolder
from animeid.system.files import atomic

TEMPLATES = Path(__file__).with_name("templates")
SECTIONS = (
    ("next", "What to do next"),
    ("figures", "Figures"),
    ("learning", "Learning"),
    ("classes", "Classes"),
    ("confusions", "Confusions"),
    ("worst", "Worst predictions"),
    ("calibration", "Confidence"),
    ("data", "Pictures"),
    ("again", "Making it again"),
)


def render(template: str, values: Mapping[str, Any]) -> str:
    """A page with its style, its script and the glyphs that it needs."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    style, script = ((TEMPLATES / name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    page = environment.get_template(template)
    values = {**values, "style": style, "script": script, "unicode_range": UNICODE_RANGE}
    return page.render(**values, font=font_uri(page.render(**values, font=None)))


def write_page(path: Path, text: str) -> None:
    with atomic(path, "w") as stream:
        stream.write(text)


def write_report(folder: RunFolder, path: Path | None = None) -> Path:
    """Writes a run's page from its saved files, beside them unless a path is given.

    Raises:
        InputError: the run has not finished.
    """
    path = path or folder.report
    write_page(path, render("run.html.j2", {**context(folder), "sections": SECTIONS}))
    return path
