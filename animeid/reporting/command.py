"""The report command."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from animeid.errors import InputError
from animeid.reporting.at_once import ENDINGS
from animeid.reporting.page import write_report
from animeid.runs.folder import RunFolder
from animeid.system.console import say
from animeid.system.output import check_output


def report(request: Mapping[str, Any]) -> None:
    """Writes the page that is asked for and says where it is.

    Raises:
        InputError: neither or both of `run` and `runs` are given, the output is not free, or a run has not finished.
    """
    run, runs = request["run"], request["runs"]
    output = check_output(request["output"], ENDINGS)
    if (run is None) == (runs is None):
        raise InputError("give run=FOLDER for the page of one run, or runs='outputs/*' to lay several side by side")
    if run is not None:
        path = write_report(RunFolder.open(run), output)
    else:
        from animeid.reporting.comparison import write_comparison

        path = write_comparison(runs, output)
    say(f"report: {path}")
