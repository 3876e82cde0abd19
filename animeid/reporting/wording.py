"""Numbers and findings in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from animeid.system.progress import clock


def percent(value: float | None, unit: str = " %") -> str:
    return "–" if value is None else f"{100 * value:.1f}{unit}"


def with_interval(figures: Mapping[str, Any], name: str, unit: str = " %") -> str:
    """`71.6 % (68.5 to 74.7)`, without the interval where there is none."""
    interval = figures.get(f"{name}_ci")
    text = percent(figures.get(name), unit)
    return text if interval is None else f"{text} ({100 * interval[0]:.1f} to {100 * interval[1]:.1f})"


def plain(figures: Mapping[str, Any], name: str) -> str:
    """As `with_interval`, for figures that are no shares."""
    value, interval = figures.get(name), figures.get(f"{name}_ci")
    if value is None:
        return "–"
    return f"{value:.3f}" + (f" ({interval[0]:.3f} to {interval[1]:.3f})" if interval else "")


def gap(history: pd.DataFrame, *, parts_differ: bool = False) -> str:
    """How the losses of training and validation differ in the best and in the last epoch, with the numbers.

    Args:
        parts_differ: whether the figures of the parts tell of over-fitting, or of parts of several kinds.
    """
    if "val/loss" not in history or history["val/loss"].isna().all():
        return "There was no validation part, so that over-fitting cannot be seen here."
    lowest = history.iloc[int(np.nanargmin(history["val/loss"].to_numpy()))]
    last = history.iloc[-1]
    rise = last["val/loss"] - lowest["val/loss"]
    said = (
        f"In the last epoch the training loss is {last['train/loss']:.3f} and the validation loss "
        f"{last['val/loss']:.3f}; the latter was lowest in epoch {int(lowest['epochs_done'])} "
        f"({lowest['val/loss']:.3f})."
    )
    if rise > 0.1 * abs(lowest["val/loss"]):
        return f"{said} Since then it rose by {rise:.3f} while training went on: the model over-fits."
    if last["train/loss"] > 0.95 * last["val/loss"]:
        return f"{said} Training is no better than validation: longer training or a larger model may help."
    if parts_differ:
        return f"{said} The losses alone show no over-fitting, but the parts are answered very differently: see above."
    return f"{said} The two end close to where validation was best: no sign of over-fitting that costs anything."


def cost_rows(cost: Mapping[str, Any]) -> list[tuple[str, str]]:
    rate, earlier = cost.get("images_per_s"), cost.get("earlier_s")
    before = "" if earlier is None else f" after {clock(earlier)} of the runs that it starts from"
    twin = "" if "twin_s" not in cost else f" after {clock(cost['twin_s'])} of its twin"
    return [
        ("training", f"{clock(cost['train_s'])}{before}{twin}"),
        ("training speed", "–" if rate is None else f"{rate:.0f} pictures/s"),
        ("peak memory", f"{cost['peak_mem']:.0f} MiB"),
        ("parameters", f"{cost['params'] / 1e6:.2f} million"),
        ("checkpoint", f"{cost['size_mb']:.1f} MB"),
        ("one answer", f"{cost['latency_ms']:.1f} ms"),
    ]
