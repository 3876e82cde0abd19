"""Where the pictures are: `data.root`, looked at before anything is imported that reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from animeid.errors import InputError
from animeid.system.names import expanded, refuse_address


def find_root(root: str) -> Path:
    """The folder or file that `data.root` names.

    Raises:
        InputError: it is not there.
    """
    refuse_address("data.root", root)
    path = Path(expanded("data.root", root))
    if not path.exists():
        raise InputError(f"data.root={root} is not there: give an existing folder or manifest file")
    return path


def check_root(request: dict[str, Any]) -> None:
    """Refuses a command's request at once, before anything heavy is imported; the built-in cast is always there.

    Raises:
        InputError: `data.root` is not there.
    """
    root = request["data"].get("root")
    if root is not None:
        find_root(root)
