"""Availability of W&B's server, found out in bounded time."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Literal

from animeid.errors import InputError
from animeid.system.console import say

Mode = Literal["auto", "online", "offline", "disabled"]


CHECK = """
import os, wandb
try:
    code = 0 if wandb.login(prompt=False, verify=True) else {no_key}
except wandb.Error:
    code = {no_answer}
os._exit(code)
"""
NO_KEY, NO_ANSWER = 3, 4
CHECK_S = 40.0


def why_offline(patience_s: float = CHECK_S) -> str | None:
    """Why the server cannot be used, in a few words, or None where it can.

    Args:
        patience_s: how long the answer may take.

    Asked in a process of its own: after a server that did not answer, wandb can wait for it for minutes when its
    process ends.
    """
    command = [sys.executable, "-c", CHECK.format(no_key=NO_KEY, no_answer=NO_ANSWER)]
    silent = subprocess.DEVNULL
    try:
        checked = subprocess.run(command, timeout=patience_s, check=False, stdin=silent, stdout=silent, stderr=silent)
        code = checked.returncode
    except subprocess.TimeoutExpired:
        code = NO_ANSWER
    if code == NO_KEY:
        return "there is no key (wandb login or WANDB_API_KEY would give one)"
    if code:
        return f"{os.environ.get('WANDB_BASE_URL', 'its server')} does not answer, or refuses the key"
    return None


def choose_mode(asked: Mode) -> str:
    """The mode of a run; `auto` follows WANDB_MODE, then goes online if the server can be used, and says if not.

    Raises:
        InputError: online was asked for, and the server cannot be used.
    """
    if asked == "auto" and (told := os.environ.get("WANDB_MODE")):
        return told
    if asked in ("offline", "disabled"):
        return asked
    reason = why_offline()
    if reason is None:
        return "online"
    if asked == "online":
        raise InputError(f"logger.mode=online cannot be had, since {reason}: take logger.mode=offline")
    say(f"W&B: {reason}; this run is logged offline, for wandb sync to send it later")
    return "offline"
