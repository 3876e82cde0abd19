"""Where the time of a cached picture goes, on one core: shares by a profile of the loader."""

from __future__ import annotations

import cProfile
import pstats
from pathlib import Path

from experiments.speed.apart import apart
from experiments.speed.pipeline import KINDS, one_core, our_batches, ours

PARTS = {
    "hue": (("data/colour.py", "adjust_hue"),),
    "brightness, contrast, saturation": tuple(
        ("data/colour.py", f"adjust_{name}") for name in ("brightness", "contrast", "saturation")
    ),
    "rotation": (("~", "<warpAffine>"),),
    "crop and resize": (("data/torch_resize.py", "resize"),),
    "reading the cache": (("data/cache/segments.py", "read"),),
}
"""Functions whose times, with those of what they call, make a part; none calls one of another part."""

HEADER = ["operations", *PARTS, "the rest: random numbers, albumentations' calls, stacking"]


def shares(stats: pstats.Stats) -> list[float]:
    """The share of each part, and of the rest, in the whole time."""
    times = [
        sum(
            entry[3]
            for (file, _, name), entry in stats.stats.items()  # type: ignore[attr-defined]
            if any(name == part and file.endswith(end) for end, part in functions)
        )
        for functions in PARTS.values()
    ]
    whole = stats.total_tt  # type: ignore[attr-defined]
    return [time / whole for time in (*times, whole - sum(times))]


def measure(root: str, scratch: str, kind: str) -> list[float]:
    """Shares of the second epoch."""
    one_core()
    built = ours(Path(root), Path(scratch) / "pixels", KINDS[kind][0])
    for _ in our_batches(built, normalised=False):
        pass
    profile = cProfile.Profile()
    profile.enable()
    for _ in our_batches(built, normalised=False):
        pass
    profile.disable()
    return shares(pstats.Stats(profile))


def rows(root: Path, scratch: Path) -> list[list[str]]:
    """A row for each set of operations: `HEADER`."""
    return [[kind, *(f"{share:.0%}" for share in apart(measure, str(root), str(scratch), kind))] for kind in KINDS]
