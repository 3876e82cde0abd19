"""`python -m animeid.examples`: writes the notebooks and a sweep file into a folder."""

from __future__ import annotations

from typing import Any

from animeid.config.command import command
from animeid.system.leave import run


def work(request: dict[str, Any]) -> None:
    from animeid.notebook.examples import write

    write(request)


main = command("examples", work)

if __name__ == "__main__":
    run(main)
