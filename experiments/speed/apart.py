"""Functions in a process of their own, so that no candidate runs under settings that another one made."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

CALL = """
import importlib, json, sys
module, name, arguments = json.loads(sys.argv[1])
answer = getattr(importlib.import_module(module), name)(*arguments)
print("\\nanswer " + json.dumps(answer))
"""


def apart(function: Callable[..., Any], *arguments: Any) -> Any:
    """What a module's function answers; arguments and answer are plain values."""
    order = json.dumps([function.__module__, function.__qualname__, arguments])
    done = subprocess.run([sys.executable, "-c", CALL, order], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    return json.loads(done.stdout.rsplit("answer ", 1)[-1])
