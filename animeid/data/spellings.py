"""Names of characters that are probably spellings of one name."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable

from animeid.system.console import some_of

NAMED = 5
"""How many groups a sentence names at most."""


def spelling_key(name: str) -> str:
    """What is left of a name without case, width, blanks and what stands for blanks in file names."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return "".join(character for character in folded if not _is_blank(character))


def _is_blank(character: str) -> bool:
    """Whether nothing is seen of it: a space of any kind, a mark of zero width, or what stands for a space."""
    return character.isspace() or character in "_-" or unicodedata.category(character) == "Cf"


def _visible(name: str) -> str:
    """With marks of zero width written out, which else made two names look the same."""
    marks = {ord(mark): f"\\u{ord(mark):04x}" for mark in name if unicodedata.category(mark) == "Cf"}
    return name.translate(marks)


def is_spelling(name: str, other: str) -> bool:
    """Whether two names are probably spellings of one."""
    return spelling_key(name) == spelling_key(other)


def spellings(names: Iterable[str]) -> list[list[str]]:
    """Groups of several names that one key stands for, each sorted."""
    found: dict[str, set[str]] = defaultdict(set)
    for name in names:
        found[spelling_key(name)].add(name)
    return sorted(sorted(group) for key, group in found.items() if len(group) > 1 and key)


def spelling_notes(names: Iterable[str], told: Iterable[str] = ()) -> list[str]:
    """A warning that names what is probably one character under several names; none where there is nothing.

    Args:
        told: names of which it was given before, and is not given again.
    """
    before = spellings(told)
    groups = [
        " and ".join(f"'{_visible(name)}'" for name in group) for group in spellings(names) if group not in before
    ]
    if not groups:
        return []
    sentence = (
        "WARNING: names that differ only in case, width or blanks are taken for different characters: "
        f"{some_of(groups, NAMED)}; if they are one, put their pictures into one folder, or give them one label"
    )
    return [sentence]
