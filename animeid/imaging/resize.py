"""Resizing: bilinear and antialiased."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Resize = Callable[[np.ndarray, tuple[int, int]], np.ndarray]
"""`[h, w, 3]` uint8 and a size (H, W) to `[H, W, 3]` uint8."""
