"""Packages of which only this study makes use, in a folder of their own: what animeid needs stays as it is locked."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from animeid.errors import InputError

PACKAGES = ("litserve==0.2.19", "schemathesis==4.32.5")
LOCK = Path(__file__).parents[2] / "requirements.lock"


def outside(folder: Path) -> dict[str, str]:
    """The environment of a process that finds them, which are installed at the first call.

    Raises:
        InputError: they cannot be installed.
    """
    if not (folder / "litserve").is_dir():
        installed = (sys.executable, "-m", "uv", "pip", "install", "--quiet", "--target", str(folder))
        done = subprocess.run([*installed, "--constraint", str(LOCK), *PACKAGES], stderr=subprocess.PIPE, text=True)
        if done.returncode:
            raise InputError(f"{' and '.join(PACKAGES)} cannot be installed into {folder}: {done.stderr.strip()}")
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path.cwd()), str(folder)])}
