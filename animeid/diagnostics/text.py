"""Layout of facts as text."""

from __future__ import annotations

from collections.abc import Sequence

from animeid.system.console import align, say


def section(title: str, rows: Sequence[tuple[str, str]]) -> list[str]:
    """A title, and a line for each name and fact."""
    head, _, *lines = align([[title, ""], *([f"  {name}", fact] for name, fact in rows)])
    return ["", head, *lines]


def tell(lines: Sequence[str]) -> None:
    say("\n".join(lines))
