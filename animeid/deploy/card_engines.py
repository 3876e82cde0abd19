"""Engines on the model card: how closely and how fast each answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from animeid.system.console import counted

NOTHING = "–"
HEAD = (
    "| engine | library | taken | ms a picture | relative error | named alike | f1_macro | difference, 95 % interval "
    "| nearest neighbours alike |"
)


def engines_text(parity: Mapping[str, Any] | None) -> str:
    """Of `parity.json`; None where nothing was compared."""
    if parity is None:
        return "How closely it answers as PyTorch does was not measured: no picture was there to measure it on."
    tried = parity["engines"]
    judged = [_row(one) for one in tried if "top1_agreement" in one]
    others = [f"- {_named(one)}: {one['reason']}" for one in tried if "top1_agreement" not in one]
    learnt = parity["pictures"] - parity["held_out"]
    of = f", {learnt:,} of which it has learnt" if learnt else ", none of which it has learnt"
    beside = (
        f"Beside {parity['reference']}, on {counted(parity['pictures'], 'picture')}{of}. The first that is installed "
        "answers."
    )
    parts = [beside, "", HEAD, "| --- " * HEAD.count(" | ") + "| --- |", *judged]
    if others:
        parts += ["", "Tried and not taken:", "", *others]
    return "\n".join(parts)


def _row(one: Mapping[str, Any]) -> str:
    interval = one["f1_macro_difference_ci"]
    ends = f" ({100 * interval[0]:+.1f} to {100 * interval[1]:+.1f})" if interval else ""
    alike = one["nearest_neighbour_agreement"]
    cells = [
        one["way"],
        one["library"],
        "yes" if one["taken"] else f"no: {one['reason']}",
        _time(one),
        f"{one['relative_error']:.0e}",
        f"{100 * one['top1_agreement']:.1f} %",
        f"{100 * one['f1_macro']:.1f} %",
        f"{100 * one['f1_macro_difference']:+.1f}{ends}",
        NOTHING if alike is None else f"{100 * alike:.1f} %",
    ]
    return f"| {' | '.join(cells)} |"


def _named(one: Mapping[str, Any]) -> str:
    library = f" in {one['library']}" if one["library"] else ""
    time = "" if one["milliseconds"] is None else f", {_time(one)} ms a picture"
    return f"{one['way']}{library}{time}"


def _time(one: Mapping[str, Any]) -> str:
    return NOTHING if one["milliseconds"] is None else f"{one['milliseconds']:.1f}"
