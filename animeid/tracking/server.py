"""Whether W&B's server can be used, found out in bounded time and without a question to the user."""

from __future__ import annotations

import os
from typing import Literal

from animeid.errors import InputError
from animeid.say import say

Mode = Literal["auto", "online", "offline", "disabled"]


def why_offline() -> str | None:
    """Why the server cannot be used, in a few words, or None where it can; some ten seconds at most."""
    import wandb

    try:
        if wandb.login(prompt=False, verify=True):
            return None
    except wandb.Error:
        return f"{wandb.setup().settings.base_url} does not answer, or refuses the key"
    return "there is no key (wandb login or WANDB_API_KEY would give one)"


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
