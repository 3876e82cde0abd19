"""Pictures for a notebook."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image


def drawn(draw: Callable[..., None], /, **arguments: Any) -> Image.Image:
    """What `draw` writes to its `path`, as a picture that a notebook shows."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "picture.png"
        draw(**arguments, path=path)
        with Image.open(path) as found:
            found.load()
            return found
