"""`python -m animeid.shard`: writes pictures, prepared as for training, as WebDataset shards."""

from __future__ import annotations

import sys
from typing import Any

from animeid.config.command import command


def work(request: dict[str, Any]) -> None:
    from animeid.curate.shards import write

    write(request)


main = command("shard", work)

if __name__ == "__main__":
    sys.exit(main())
