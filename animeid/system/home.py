"""The user's home, which a container need not have: where nothing can be kept, a temporary folder stands in."""

from __future__ import annotations

import os
import tempfile
from functools import cache
from pathlib import Path

from animeid.system.console import say_beside
from animeid.system.names import expanded

KEPT_BELOW_HOME = {
    "HF_HOME": ".cache/huggingface",
    "TORCH_HOME": ".cache/torch",
    "MPLCONFIGDIR": ".config/matplotlib",
    "WANDB_CACHE_DIR": ".cache/wandb",
    "WANDB_CONFIG_DIR": ".config/wandb",
    "WANDB_DATA_DIR": ".local/share/wandb",
}
"""Variables by which other packages are told where to keep what they keep below the home."""

NAMES = ("LOGNAME", "USER", "LNAME", "USERNAME")
"""Variables that packages take the user's name from, who need have none either."""


def home() -> Path:
    """The user's home, or the folder that stands in where none is known."""
    try:
        return Path.home()
    except RuntimeError:
        return stand_in()


def default_cache() -> Path:
    """`$ANIMEID_CACHE`, or `~/.cache/animeid`."""
    chosen = os.environ.get("ANIMEID_CACHE")
    return Path(expanded("ANIMEID_CACHE", chosen)) if chosen else home() / ".cache" / "animeid"


def is_known() -> bool:
    """Whether the user has a home at all."""
    try:
        return Path.home().is_absolute()
    except RuntimeError:
        return False


def can_keep(folder: Path) -> bool:
    """Whether a folder can be written to, or made."""
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    return there.is_dir() and os.access(there, os.W_OK | os.X_OK)


@cache
def stand_in() -> Path:
    """A folder of this user's among the temporary files; it stays, so that the next command finds it again."""
    folder = Path(tempfile.gettempdir()) / f"animeid-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    is_own = folder.is_dir() and not folder.is_symlink() and folder.stat().st_uid == os.getuid()
    return folder if is_own and can_keep(folder) else Path(tempfile.mkdtemp(prefix="animeid-"))


def settle_in() -> None:
    """Gives this process, those that it starts and the packages in them a home, and says so where it is none.

    Called before such packages are imported, which read these variables once.
    """
    if is_known():
        _keep_elsewhere(Path.home())
        return
    os.environ["HOME"] = str(stand_in())
    if not any(name in os.environ for name in NAMES):
        os.environ["USER"] = f"user{os.getuid()}"
    say_beside(
        f"no home folder is known here (HOME is not set, and user {os.getuid()} has no entry): {stand_in()} stands in; "
        "set HOME to a folder that keeps what is to be found again"
    )


def _keep_elsewhere(own: Path) -> None:
    """Other packages get a place for what they cannot keep in this home."""
    closed = {name: below for name, below in KEPT_BELOW_HOME.items() if name not in os.environ}
    for name, below in closed.items():
        if not (own / below).exists() and not can_keep(own / below):
            os.environ[name] = str(stand_in() / below)
