"""Tables of manifests as their files hold them: Parquet of any tool, and CSV."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from animeid.data.csv_tables import layout, read_csv, refuse_twice
from animeid.errors import InputError

SUFFIXES = frozenset({".csv", ".tsv", ".parquet"})
EXACT = 2.0**53
"""From here on a fraction need not be the whole number that it was made from."""
METADATA = b"animeid"
"""Where a Parquet file of ours keeps facts about the table."""

BYTES = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view, pa.types.is_fixed_size_binary)


def read_table(path: Path, texts: Collection[str]) -> tuple[pd.DataFrame, dict[str, Any]]:
    """A file's columns, those named in `texts` as text with "" for what is missing, and the facts of one of ours.

    A whole number stays one, though a gap has made its column one of fractions: `1`, not `1.0`.

    Raises:
        InputError: the file is missing or cannot be parsed, or a column that should be text holds lists or the like.
    """
    if not path.is_file():
        raise InputError(f"there is no manifest {path}: give a CSV or Parquet file with the columns path and label")
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(f"the manifest {path} ends in none of .csv, .tsv and .parquet: save it as one of them")
    try:
        if path.suffix.lower() != ".parquet":
            return read_csv(path, texts), {}
        refuse_twice(pq.read_schema(path).names, path, texts)
        frame = pq.read_table(path)
    except (ValueError, OSError, pa.ArrowException) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(
            f"the manifest {path} cannot be read ({reason}): save it as UTF-8 CSV or as Parquet"
        ) from error
    facts = json.loads((frame.schema.metadata or {}).get(METADATA, b"{}"))
    # What pandas would make of its own notes in the file, an index or a type of its own, is not wanted.
    table = frame.to_pandas(ignore_metadata=True)
    for name in texts:
        if name in table:
            table[name] = _as_text(frame.column(name), name, path)
    return table, facts


def column_names(path: Path) -> list[str]:
    """The names of the columns of a file that `read_table` reads."""
    if path.suffix.lower() != ".parquet":
        return list(layout(path).names)
    return [str(name) for name in pq.read_schema(path).names]


def read_texts(path: Path) -> pd.DataFrame:
    """A CSV file of ours with every column as text: a character may be called NA or None."""
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def _as_text(column: pa.ChunkedArray, name: str, path: Path) -> list[str]:
    """The values of any column that can be read as text, "" for what is missing."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    kind = column.type
    if pa.types.is_nested(kind) or any(is_kind(kind) for is_kind in BYTES):
        raise InputError(
            f"the column '{name}' of the manifest {path} holds {kind}, where text is wanted: give a text for each row"
        )
    if pa.types.is_boolean(kind):
        return ["" if value is None else str(value) for value in column.to_pylist()]
    if pa.types.is_floating(kind):
        column = pc.if_else(pc.is_nan(column), None, column)
        given = column.drop_null()
        is_whole = pc.and_(pc.less(pc.abs(given), EXACT), pc.equal(pc.floor(given), given))
        if pc.all(is_whole, min_count=0).as_py():
            column = column.cast(pa.int64())
    if pa.types.is_timestamp(kind):
        texts = column.cast(pa.large_string())
        days = pc.replace_substring_regex(texts, r"^(\d+-\d+-\d+) 00:00:00(\.0+)?$", r"\1")
        column = days if pc.all(pc.equal(pc.utf8_length(days), 10), min_count=0).as_py() else texts
    return column.cast(pa.large_string()).fill_null("").to_pylist()
