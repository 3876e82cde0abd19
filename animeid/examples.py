"""`python -m animeid.examples`: writes the notebooks and a sweep file into a folder."""

from __future__ import annotations

import sys
from typing import Any

from animeid.config.command import command


def work(request: dict[str, Any]) -> None:
    from animeid.notebook.examples import write

    write(request)


main = command("examples", work)

if __name__ == "__main__":
    sys.exit(main())
