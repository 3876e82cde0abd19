"""`python -m animeid.export`: a finished run becomes one folder that answers without training code."""

from __future__ import annotations

from typing import Any

from animeid.config.command import command
from animeid.deploy.at_once import check_export
from animeid.system.leave import run


def work(request: dict[str, Any]) -> None:
    from animeid.deploy.exporting import export

    export(request)


main = command("export", work, check_export)

if __name__ == "__main__":
    run(main)
