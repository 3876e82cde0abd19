"""Styles of pictures: who, or what, drew each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from animeid.errors import InputError
from animeid.terms import UNKNOWN_STYLE

STYLE = "style"
SOURCE = "source"
AUTO = "auto"


def is_named(column: str | None) -> bool:
    """Whether `data.style_column` names a column."""
    return column not in (None, AUTO)


def column_to_read(column: str | None) -> str:
    """The column of a file that becomes `style`."""
    return STYLE if column is None or column == AUTO else column


def with_styles(table: pd.DataFrame, column: str | None) -> pd.DataFrame:
    """The table with what `data.style_column` asks for in its column `style`.

    A named column has been taken for it when the file was read. A source stands in for a style where two of them or
    more have pictures of several classes: one that is each picture's own, such as an address, tells nothing of how it
    was drawn.
    """
    if column is None:
        return table.assign(style="")
    if column != AUTO or (table[STYLE] != "").any():
        return table
    classes = table[(table[SOURCE] != "") & (table["label"] != "")].groupby(SOURCE)["label"].nunique()
    return table.assign(style=table[SOURCE]) if (classes > 1).sum() > 1 else table


@dataclass(frozen=True)
class Styles:
    """The styles of a run's pictures.

    names: those of training, sorted; their places are their numbers.
    numbers: `[N]` int64, of each row of the manifest; -1 where it is not known or none of training's.
    """

    names: tuple[str, ...]
    numbers: np.ndarray

    @classmethod
    def of(cls, styles: pd.Series, rows: np.ndarray) -> Styles:
        """The styles of a manifest's column, of which `rows` are training's."""
        names = tuple(sorted(set(styles.iloc[rows]) - {""}))
        places = {name: place for place, name in enumerate(names)}
        return cls(names, styles.map(places).fillna(UNKNOWN_STYLE).to_numpy(np.int64))

    def require(self, who: str) -> None:
        """Raises:
        InputError: training has not two styles, without which `who` has nothing to follow.
        """
        if len(self.names) > 1:
            return
        there = f"the training part has one alone, '{self.names[0]}'" if self.names else "no picture's is known"
        raise InputError(
            f"{who} follows the styles of pictures, and {there}: give a manifest with a column style or source, name "
            "another by data.style_column=NAME, or choose another part"
        )
