"""`python -m animeid.shard`: writes pictures, prepared as for training, as WebDataset shards."""

from __future__ import annotations

from typing import Any

from animeid.config.command import command
from animeid.data.root import check_root
from animeid.system.leave import run


def work(request: dict[str, Any]) -> None:
    from animeid.curate.shards import write

    write(request)


main = command("shard", work, check_root)

if __name__ == "__main__":
    run(main)
