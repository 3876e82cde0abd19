"""Request classes of reports; light: the command line reads them as text."""

from __future__ import annotations

from dataclasses import dataclass

from animeid.values import PathsText, PathText


@dataclass(frozen=True, kw_only=True)
class ReportRequest:
    """The root of `conf/report.yaml`.

    run: a finished run's folder.
    runs: a pattern of several, or several with colons between them.
    output: the page's file.
    """

    run: PathText | None
    runs: PathsText | None
    output: PathText | None
