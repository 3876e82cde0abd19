"""Did you mean: the nearest known word for a misspelt one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

# Below this share of equal letters a suggestion is a guess.
SIMILARITY = 0.6


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that looks most like `word`, letter case aside; None where none comes near."""
    by_lower_case = {name.lower(): name for name in known}
    found = get_close_matches(word.lower(), by_lower_case, n=1, cutoff=SIMILARITY)
    return by_lower_case[found[0]] if found else None


def suggestion(word: str, known: Iterable[str], meant: Sequence[str] = ()) -> str:
    """The end of a sentence about an unknown word: `; did you mean 'focal'? There are: ...`, or what there is.

    Args:
        known: what there is, of which the word that looks most like it is named.
        meant: is named in its place.
    """
    known = sorted(known)
    if not known:
        return "; there are none"
    near = nearest(word, known)
    named = " or ".join(f"'{one}'" for one in meant or ([near] if near else []))
    question = f"; did you mean {named}? There are: " if named else "; there are: "
    return question + ", ".join(known)
