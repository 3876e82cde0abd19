"""Home of the cache of pixels and fingerprints."""

from __future__ import annotations

import time
from pathlib import Path

from animeid.data.synthetic.build import default_cache

KEPT_DAYS = 60
"""What no run has opened for so long is removed by the next one that writes."""


def cache_home(chosen: str) -> Path | None:
    """The folder that `data.cache` means; None for `off`."""
    if chosen == "off":
        return None
    return default_cache() if chosen == "auto" else Path(chosen)


def is_forgotten(path: Path) -> bool:
    """Whether no run has opened this file for long; those that do, touch it."""
    return time.time() - path.stat().st_mtime > KEPT_DAYS * 86400
