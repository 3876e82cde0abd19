"""Identity of a request's result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

NO_RESULT = (
    *("resume", "run_id", "code", "compare", "logger", "keep", "embeddings"),
    *("data.num_workers", "data.cache", "trainer.log_every_n_steps"),
)
"""Keys, with all below them, that change no result."""

ADDED: Mapping[str, Any] = {
    "data.parts": None,
    "data.incomplete": "leave_out",
    "data.refit": "auto",
    "data.replay": False,
    "data.hold_out_style": None,
    "data.test_style": None,
    "data.style_column": "auto",
    "feature_mixing": None,
    "head_init": None,
    "head_end": None,
    "freezing.affine": False,
    "restyling": None,
    "optimizer.head_lr_scale": None,
    "effort": None,
    "teacher": None,
    "distill": None,
    "prune": None,
}
"""Keys that earlier versions did not have: with these values they change nothing, so that what those began is known
again."""


def leaves(node: Any, key: str = "", separator: str = ".") -> Iterator[tuple[str, Any]]:
    """`(name, value)` of every leaf of nested mappings, the names on the way to it joined."""
    if isinstance(node, Mapping) and node:
        for name, item in node.items():
            yield from leaves(item, f"{key}{separator}{name}" if key else str(name), separator)
    else:
        yield key, node


def changes_result(key: str) -> bool:
    return not any(key == free or key.startswith(f"{free}.") for free in NO_RESULT)


def result_keys(request: Mapping[str, Any]) -> dict[str, Any]:
    """The dotted keys of a request that change its result, with their values."""
    found = {key: value for key, value in leaves(request) if changes_result(key)}
    return {key: value for key, value in found.items() if key not in ADDED or value != ADDED[key]}


def differing(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """The keys in which a request differs from that of a run that it would go on with, by `result_keys` of both.

    What is off now, and had no key when the run was begun, was off then as well.
    """
    keys = [key for key in sorted(before.keys() | now.keys()) if before.get(key) != now.get(key)]
    return [key for key in keys if not (key in ADDED and key not in before and now[key] is False)]
