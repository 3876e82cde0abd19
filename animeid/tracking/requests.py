"""What trackers are asked for. Light: the command line reads this as text, before anything is imported."""

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
