"""What reports are asked for. Light: the command line reads this as text, before anything is imported."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ReportRequest:
    """The root of `conf/report.yaml`.

    run: a finished run's folder.
    runs: a pattern of several, or several with colons between them.
    output: the page's file.
    """

    run: str | None
    runs: str | None
    output: str | None
