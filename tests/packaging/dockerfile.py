"""A `Dockerfile` read as stages and their lines."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "packaging" / "docker" / "Dockerfile"


@dataclass(frozen=True)
class Stage:
    """base: the image that it begins with. lines: instructions, and what stands behind each."""

    base: str
    lines: list[tuple[str, str]]

    def only(self, name: str) -> str:
        [found] = [text for instruction, text in self.lines if instruction == name]
        return found

    @property
    def copies(self) -> list[tuple[str, str]]:
        """Sources of the checkout, and where they go."""
        pairs = [tuple(text.split()) for name, text in self.lines if name == "COPY" and "--from" not in text]
        return [(source, target) for source, target in pairs]


@cache
def stages() -> tuple[Stage, ...]:
    text = re.sub(r"^#.*\n", "", FILE.read_text(encoding="utf-8"), flags=re.M).replace("\\\n", " ")
    lines = [(line.split(None, 1)[0], line.split(None, 1)[1]) for line in text.splitlines() if line.strip()]
    starts = [place for place, (name, _) in enumerate(lines) if name == "FROM"]
    ends = [*starts[1:], len(lines)]
    return tuple(
        Stage(lines[start][1].split()[0], lines[start + 1 : end]) for start, end in zip(starts, ends, strict=True)
    )
