"""Pages about cards: one a group, with its cards and what each can be given."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

from animeid.config.locate import conf_dir, groups
from extensions.arguments import Argument, arguments
from extensions.card_text import comments, purpose
from extensions.markdown import code, folded, table


def file_of(group: str, card: str) -> Path:
    return conf_dir() / group / f"{card}.yaml"


@cache
def read(group: str, card: str) -> dict[str, Any]:
    return yaml.safe_load(file_of(group, card).read_text(encoding="utf-8"))


def summary(group: str, card: str) -> str:
    """What a card is, without what it is expected to reach."""
    return purpose(file_of(group, card)).partition(" Expected: ")[0].partition(" Hardware: ")[0]


def page_name(group: str) -> str:
    return group.replace("/", "-")


def overview() -> str:
    """A row a group."""
    rows = [
        [f"[`{group}`](cards/{page_name(group)}.md)", ", ".join(f"`{card}`" for card in cards)]
        for group, cards in groups(conf_dir()).items()
    ]
    return table(["group", "cards"], rows)


def page(group: str) -> str:
    """The page of a group."""
    cards = groups(conf_dir())[group]
    listed = table(["card", "what it is"], [[f"`{group}={card}`", summary(group, card)] for card in cards])
    parts = [f"# {group}", listed]
    by_target: dict[str, list[str]] = {}
    for card in cards:
        by_target.setdefault(str((read(group, card) or {}).get("_target_", "")), []).append(card)
    parts += [_keys(group, target, named) for target, named in by_target.items() if arguments(target)]
    files = [folded(f"<code>conf/{group}/{card}.yaml</code>", _source(group, card)) for card in cards]
    return "\n\n".join([*parts, "## The cards themselves", *files]) + "\n"


def _source(group: str, card: str) -> str:
    return code(file_of(group, card).read_text(encoding="utf-8"), "yaml")


def _keys(group: str, target: str, cards: list[str]) -> str:
    """What the cards of one target can be given."""
    # What must be given and stands in no card is the run's to give.
    items = [item for item in arguments(target) if not item.required or item.name in read(group, cards[0])]
    if not items:
        return f"## Keys of {', '.join(cards)}\n\n`{target}` has none."
    rows = [_row(group, item, cards) for item in items]
    return f"## Keys of {', '.join(cards)}\n\n`{target}`\n\n{table(['key', 'default', 'value', 'what it is'], rows)}"


def _row(group: str, item: Argument, cards: list[str]) -> list[str]:
    values = {yaml.safe_dump(read(group, card).get(item.name, item.default), default_flow_style=True) for card in cards}
    own = read(group, cards[0]).get(item.name)
    shown = item.default
    if len(values) == 1 and item.name in read(group, cards[0]):
        shown = (
            own if isinstance(own, str) else yaml.safe_dump(own, default_flow_style=True).removesuffix("...\n").strip()
        )
    said = comments(file_of(group, cards[0]).read_text(encoding="utf-8")).get(item.name, "") if len(cards) == 1 else ""
    text = item.text or said
    return [f"`{group}.{item.name}`", f"`{shown}`" if shown else "", item.type, text]
