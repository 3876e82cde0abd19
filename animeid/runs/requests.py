"""Request classes of what is done with run folders; light: the command line reads them as text."""

from __future__ import annotations

from dataclasses import dataclass

from animeid.values import PathText


@dataclass(frozen=True, kw_only=True)
class CleanRequest:
    """The root of `conf/clean.yaml`.

    runs: a pattern of folders, several with colons between them; runs are looked for below them too.
    apply: whether what is listed is removed.
    """

    runs: PathText
    apply: bool
