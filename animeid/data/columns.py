"""Columns of a manifest by the names that other tools give them: what is lacking, and what is there and not read."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Sequence
from pathlib import Path

from animeid.errors import InputError
from animeid.imaging.decode import SUFFIXES

OTHER_NAMES = {
    "path": ("file", "filename", "file_name", "filepath", "file_path", "image", "image_path", "img", "picture", "uri"),
    "label": ("class", "class_name", "choice", "category", "character", "name", "target", "tag", "tags", "label_name"),
    "split": ("set", "subset", "partition", "part", "phase", "usage", "fold", "is_valid", "is_test", "data_set"),
}
"""What other tools call columns, in small letters."""

OPTIONAL = ("split", "group", "source", "style", "caption")
"""Columns that a manifest may have."""

SHOWN = 8
"""How many columns a sentence names at most."""


def require_columns(there: Sequence[str], path: Path, names: Sequence[str]) -> None:
    """Raises:
    InputError: one of `names` is not among the columns that are there, with what is probably meant.
    """
    for name in names:
        if name not in there:
            has = ", ".join(there[:SHOWN])
            raise InputError(f"the manifest {path} has no column '{name}': it has {has}; {_way_on(there, name)}")


def _way_on(there: Sequence[str], name: str) -> str:
    if any(Path(column).suffix.lower() in SUFFIXES for column in there):
        return "its first line is a picture already: put a line with the names path,label above it"
    if len(there) == 1 and set("| :") & set(there[0]):
        return "put commas, semicolons or tabs between the fields"
    close = [column for column in there if column.lower() in OTHER_NAMES.get(name, ())][:1]
    close = close or difflib.get_close_matches(name, there, n=1)
    # A name of ours stays as it is; one of the command line may be mistyped.
    if name not in OTHER_NAMES:
        return f"did you mean '{close[0]}'?" if close else f"name one of these, or add the column '{name}'"
    return f"rename the column '{close[0]}' to '{name}'" if close else f"call the one that is meant '{name}'"


def unread_notes(there: Sequence[str], path: Path, used: Collection[str]) -> list[str]:
    """Says which columns seem to be meant for something and are not read: in silence, given parts would be mixed.

    Args:
        there: all columns. used: those that are read by a name of the user's.
    """
    notes = []
    for name in OPTIONAL:
        if name in there:
            continue
        meant = [column for column in there if column not in used and _is_meant(column, name)]
        if meant:
            listed = ", ".join(f"'{column}'" for column in meant)
            notes.append(f"not read of the manifest {path}: {listed}; a column called '{name}' is used as such")
    return notes


def _is_meant(column: str, name: str) -> bool:
    words = column.strip().casefold().replace(" ", "_").replace("-", "_")
    return words == name or words in OTHER_NAMES.get(name, ())
