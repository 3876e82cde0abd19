"""Files that could not be named, told beside the results."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from animeid.data.pictures import Picture, name_of
from animeid.errors import InputError
from animeid.predictions import Predictions, concatenate
from animeid.system.console import counted, say_beside

NAMED = 5
"""How many pictures that cannot be read are named at most."""


def say_unreadable(broken: list[str], total: int, keeps: bool) -> None:
    """Says beside the results which of so many files could not be read: `name: reason` each; `keeps` as `incomplete`.

    Raises:
        InputError: none could.
    """
    for sentence in broken[:NAMED]:
        say_beside(f"not named: {sentence}")
    if any(": broken: " in sentence for sentence in broken) and not keeps:
        say_beside("incomplete=keep names broken files as far as JPEG, PNG, GIF and BMP can be read")
    if len(broken) == total:
        raise InputError(f"none of {counted(total, 'file')} could be read as a picture: see why above, and give others")
    if broken:
        say_beside(f"{len(broken)} of {counted(total, 'file')} could not be read")


def only_readable(
    given: Sequence[Picture], answered: Iterable[tuple[Predictions, Sequence[str]]], keeps: bool
) -> Predictions:
    """The answers to pictures that could be read; the others are said.

    Args:
        given: all pictures, which `rows` count.
        answered: answers as they come, and why each picture could not be read, or "".
        keeps: as in `say_unreadable`.

    Raises:
        InputError: none could.
    """
    found, broken = [], []
    for answers, errors in answered:
        pairs = list(zip(answers.rows.tolist(), errors, strict=True))
        broken += [f"{name_of(given[row], row)}: {error}" for row, error in pairs if error]
        found.append(answers.at([place for place, (_, error) in enumerate(pairs) if not error]))
    say_unreadable(broken, len(given), keeps)
    return concatenate(found)
