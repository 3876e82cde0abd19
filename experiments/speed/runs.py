"""A run's objects without the run."""

from __future__ import annotations

from pathlib import Path

from animeid.assembly.planning import make_plan
from animeid.assembly.run import Components, build
from animeid.config import gateway
from animeid.config.compose import compose
from animeid.data.prepare import prepare


def make(root: Path, *overrides: str) -> Components:
    request = compose("train", ["recipe=none", f"data.root={root}", "model.pretrained=false", *overrides])
    prepared = prepare(gateway.build(request["data"]))
    return build(make_plan(request, prepared, "cpu"), prepared)
