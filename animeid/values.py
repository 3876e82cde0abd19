"""Kinds of values that several cards take. Light: the command line reads this as text, before anything is imported."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge, doc
from pydantic import StringConstraints

Whole = Annotated[int, Ge(1)]

PathText = Annotated[str, StringConstraints(pattern=r"\S"), doc("a path")]
"""Text that is not empty: an empty path would mean the working directory."""
