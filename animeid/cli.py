"""The console script: `animeid train ...` is `python -m animeid.train ...`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

from animeid import __version__
from animeid.config.suggest import suggestion

COMMANDS = {
    "train": "train a model and judge it",
    "tune": "search for good settings of training",
    "evaluate": "judge a finished run again, or on new labelled pictures",
    "predict": "name pictures with the model of a finished run",
    "ensemble": "let finished runs answer together",
    "report": "write the page of a finished run, or lay several side by side",
    "doctor": "say what the machine has, what training will choose, and how a folder looks",
    "shard": "write pictures as WebDataset shards to train from",
    "dashboard": "make the W&B workspace that shows and compares runs",
}


def usage() -> str:
    width = max(map(len, COMMANDS))
    return "\n".join(
        [
            "animeid names the character in a picture.",
            "",
            *(f"  animeid {name:<{width}}  {what}" for name, what in COMMANDS.items()),
            "",
            "`animeid COMMAND --help` lists a command's keys; `animeid --version` prints the version.",
        ]
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command that the first argument names and returns its exit status."""
    name, *rest = (sys.argv[1:] if arguments is None else arguments) or ["--help"]
    if name in ("-h", "--help"):
        print(usage())  # noqa: T201
        return 0
    if name == "--version":
        print(f"animeid {__version__}")  # noqa: T201
        return 0
    if name not in COMMANDS:
        sentence = f"no command is called '{name}'{suggestion(name, COMMANDS)}"
        print(f"animeid: error: {sentence}", file=sys.stderr)  # noqa: T201
        return 2
    return import_module(f"animeid.{name}").main(rest)
