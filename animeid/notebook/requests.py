"""Request classes of notebooks; light: the command line reads them as text."""

from __future__ import annotations

from dataclasses import dataclass

from animeid.values import PathText


@dataclass(frozen=True, kw_only=True)
class ExamplesRequest:
    """The root of `conf/examples.yaml`.

    output: a folder for the files.
    """

    output: PathText
