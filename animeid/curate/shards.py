"""`python -m animeid.shard`: reads, groups, splits and audits pictures, and writes them as shards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from animeid.config import gateway
from animeid.data.prepare import prepare
from animeid.data.shards.write import MEGABYTE, check_output, write_shards
from animeid.system.console import counted, say


def write(request: dict[str, Any]) -> None:
    """Writes the pictures of `request["data"]` into `request["output"]`.

    Raises:
        InputError: the pictures cannot be prepared, or the folder is not free.
    """
    output = Path(request["output"])
    check_output(output, request)  # before pictures are read, which takes long
    settings = gateway.build(request["data"], "data")
    prepared = prepare(settings)
    for note in prepared.notes:
        say(note)
    index = write_shards(
        prepared,
        output,
        request,
        by_class=request["by_class"],
        shard_mb=request["shard_mb"],
        seed=settings.split_seed,
    )
    parts = ", ".join(f"{sum(counts.values())} {part}" for part, counts in index.counts.items())
    size = sum(shard.size for shard in index.shards) / MEGABYTE
    say(f"{counted(len(index.shards), 'shard')}, {size:.0f} MB: {parts}")
    say(f"train with: python -m animeid.train data=shards data.root={output}")
