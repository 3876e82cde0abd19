"""Pages about commands: one a root configuration, with its examples, groups and keys."""

from __future__ import annotations

import re
from typing import Any

import yaml

from animeid.config.describe import describe_type
from animeid.config.locate import conf_dir
from animeid.config.roots import request_target, roots, summary
from animeid.config.signatures import signature
from extensions.arguments import arguments
from extensions.card_text import comments
from extensions.markdown import code, table

NOT_KEYS = ("defaults", "hydra")
APART = re.compile(r"\s{2,}")


def read(root: str) -> dict[str, Any]:
    return yaml.safe_load((conf_dir() / f"{root}.yaml").read_text(encoding="utf-8"))


def overview() -> str:
    """A row a command."""
    return table(["command", "what it does"], [[f"[`{root}`](commands/{root}.md)", summary(root)] for root in roots()])


def page(root: str) -> str:
    """The page of a command."""
    parts = [f"# animeid {root}", *_help(root)]
    chosen = [item for item in read(root)["defaults"] if isinstance(item, dict)]
    taken = [item for item in read(root)["defaults"] if isinstance(item, str) and item != "_self_"]
    parts += [f"It takes all groups and keys of [{name}]({name}.md)." for name in taken]
    if rows := [_group(*pair) for item in chosen for pair in item.items() if (conf_dir() / pair[0]).is_dir()]:
        parts.append(f"## Groups\n\n{table(['group', 'card taken without a word'], rows)}")
    if rows := _keys(root):
        parts.append(f"## Keys\n\n{table(['key', 'default', 'value', 'what it is'], rows)}")
    return "\n\n".join(parts) + "\n"


def _help(root: str) -> list[str]:
    """The header of `--help`: sentences as text, commands as a code block with what each does above it."""
    parts = []
    for block in str(read(root)["hydra"]["help"]["header"]).split("\n\n"):
        lines = [line.strip() for line in block.splitlines()]
        parts.append(code("\n".join(map(_example, lines)), "bash") if block.startswith("  ") else " ".join(lines))
    return parts


def _example(line: str) -> str:
    """`COMMAND   what it does` as two lines, the first a comment: on a phone nothing stands further right."""
    command, *words = APART.split(line, maxsplit=1)
    return "\n".join([*(f"# {text}" for text in words), command])


def _group(group: str, card: str | None) -> list[str]:
    return [f"[`{group}`](../cards/{group}.md)", f"`{card}`" if card else "none"]


def _keys(root: str) -> list[list[str]]:
    said = comments((conf_dir() / f"{root}.yaml").read_text(encoding="utf-8"))
    types = signature(request_target(root)).parameters
    rows = []
    for key, value in read(root).items():
        if key in NOT_KEYS:
            continue
        if isinstance(value, dict) and "_target_" in value:
            rows += [
                [f"`{key}.{item.name}`", f"`{item.default}`", item.type, said.get(f"{key}.{item.name}", item.text)]
                for item in arguments(value["_target_"])
            ]
            continue
        kind = describe_type(types[key].annotation) if key in types else ""
        rows.append([f"`{key}`", _default(value), kind, said.get(key, "")])
    return rows


def _default(value: Any) -> str:
    if value == "???":
        return "must be given"
    return f"`{'null' if value is None else str(value).lower() if isinstance(value, bool) else value}`"
