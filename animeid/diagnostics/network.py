"""Reachability of the hub of published weights and of W&B."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from animeid.system.hub import why_unreachable
from animeid.tracking.server import why_offline

PATIENCE_S = 15.0
"""How long W&B may take; its client alone needs some seconds to start."""


@dataclass(frozen=True)
class Network:
    """Why the hub, and why W&B, cannot be used; None where it can."""

    hub: str | None
    wandb: str | None


def ask_servers() -> Network:
    """Asks both at once."""
    with ThreadPoolExecutor(2) as pool:
        hub, wandb = pool.submit(why_unreachable), pool.submit(why_offline, PATIENCE_S)
        return Network(hub.result(), wandb.result())
