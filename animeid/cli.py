"""The console script: `animeid train ...` is `python -m animeid.train ...`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

from animeid.config.roots import roots, summary
from animeid.config.suggest import suggestion
from animeid.errors import InputError
from animeid.system import leave
from animeid.system.console import say, say_error, say_version


def usage(commands: Sequence[str]) -> str:
    width = max(map(len, commands))
    return "\n".join(
        [
            "animeid names the character in a picture.",
            "",
            *(f"  animeid {name:<{width}}  {summary(name)}" for name in commands),
            "",
            "`animeid COMMAND --help` lists a command's keys; `animeid --version` prints the version.",
        ]
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command that the first argument names and returns its exit status."""
    name, *rest = (sys.argv[1:] if arguments is None else arguments) or ["--help"]
    if name == "--version":
        say_version()
        return 0
    try:
        commands = roots()
    except InputError as error:
        say_error(str(error))
        return 2
    if name in ("-h", "--help"):
        say(usage(commands))
        return 0
    if name not in commands:
        say_error(f"no command is called '{name}'{suggestion(name, commands)}")
        return 2
    return import_module(f"animeid.{name}").main(rest)


def run() -> None:
    """The console script."""
    leave.run(main)
