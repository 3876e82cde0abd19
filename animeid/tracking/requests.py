"""Request classes of trackers; light: the command line reads them as text."""

from __future__ import annotations

from dataclasses import dataclass

from animeid.values import PathText


@dataclass(frozen=True, kw_only=True)
class DashboardRequest:
    """The root of `conf/dashboard.yaml`.

    entity, project: where runs are logged to.
    name: what the workspace is called.
    output: a JSON file for the specification; without it, the workspace is sent.
    """

    entity: str
    project: str
    name: str
    output: PathText | None
