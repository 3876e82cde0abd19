"""Kinds of values that several cards take. Light: the command line reads this as text, before anything is imported."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Ge, doc
from pydantic import StringConstraints

Whole = Annotated[int, Ge(1)]

A_PATH = "a path"
PATHS = "a pattern of paths, or several with colons between them"
A_NAME = "a name of letters, digits, '_', '-' and '.' that begins with a letter or digit"

PathText = Annotated[str, StringConstraints(pattern=r"\S"), doc(A_PATH)]
"""Text that is not empty: an empty path would mean the working directory."""

PathsText = Annotated[str, StringConstraints(pattern=r"\S"), doc(PATHS)]

Name = Annotated[
    str,
    StringConstraints(pattern=r"^\w[\w.-]*$", max_length=100),
    doc(A_NAME),
]

Budget = Annotated[
    str,
    StringConstraints(pattern=r"^[1-9][0-9]{0,5}(s|min|h)$"),
    doc("a time such as 90s, 10min or 2h"),
]

Tau = Annotated[float, Ge(0)] | Literal["auto"]
"""How strongly logits are adjusted by the prior."""
