"""The commands: one for each root card, with its summary and its request class."""

from __future__ import annotations

import re
from functools import cache

from animeid.config.locate import PACKAGE, conf_dir
from animeid.config.source import OWN, module_names

REQUESTS = "requests"
"""The module of a room that holds the request classes of its commands."""

PLACE = re.compile(r"^# place in `animeid --help`: (\d+)$", re.MULTILINE)
LAST = 1_000_000


def roots() -> list[str]:
    """The names of all commands, in the places that their cards name; those that name none come last.

    Raises:
        InputError: the package was installed without its cards.
    """
    return sorted((card.stem for card in conf_dir().glob("*.yaml")), key=lambda root: (_place(root), root))


def summary(root: str) -> str:
    """What a command does, in a few words: the first line of its root card, which is a comment."""
    return _text(root).partition("\n")[0].removeprefix("#").strip()


@cache
def request_target(root: str) -> str:
    """The request class of a command: `animeid.tuning.requests.TuneRequest` for `tune`.

    It is looked for by its name, in the source text of each room's requests.

    Raises:
        LookupError: no room has one.
    """
    name = f"{root.title().replace('_', '')}Request"
    for file in sorted(PACKAGE.glob(f"*/{REQUESTS}.py")):
        module = f"{OWN}{file.parent.name}.{REQUESTS}"
        if name in module_names(module).definitions:
            return f"{module}.{name}"
    raise LookupError(f"the command {root} needs a class {name} in {REQUESTS}.py of the room that owns it")


def _place(root: str) -> int:
    found = PLACE.search(_text(root))
    return int(found[1]) if found else LAST


def _text(root: str) -> str:
    return (conf_dir() / f"{root}.yaml").read_text(encoding="utf-8")
