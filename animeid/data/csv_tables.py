"""CSV of any tool: how a file is written, and its columns as text."""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd

from animeid.errors import InputError
from animeid.imaging.decode import SUFFIXES

UTF_16 = (b"\xff\xfe", b"\xfe\xff")
SEPARATORS = ",;\t"
"""What stands between fields, the usual one first: Excel takes `;` where the comma is the decimal point."""

OTHER_FILES = {
    b"PK\x03\x04": "an Excel workbook or another packed file",
    b"\xd0\xcf\x11\xe0": "an Excel workbook",
    b"\x1f\x8b": "packed by gzip",
    b"PAR1": "Parquet, whose name must end in .parquet",
}
"""What is often called .csv and is none, by its beginning."""

BLOCK = 2**20
"""Bytes that are read at a time."""

NEEDED = frozenset({"path", "label"})
"""Names by which a header is known to be taken apart rightly."""


@dataclass(frozen=True)
class Layout:
    """How a file is written.

    separator: stands between fields. start: lines that are no part of the table. names: of the columns, as the header
    has them.
    """

    encoding: str
    separator: str
    start: int
    names: tuple[str, ...]


def layout(path: Path) -> Layout:
    """Looks at the first lines of a file.

    Raises:
        InputError: it is no CSV, or in an encoding that is not read.
        UnicodeDecodeError: it is not in the encoding that it seems to be in.
    """
    with path.open("rb") as stream:
        encoding = _encoding(stream.read(64), path)
    with path.open(encoding=encoding) as stream:
        start, header = _first(stream)
        told = re.fullmatch(r"sep=(.)\s*", header)
        header = _first(stream)[1] if told else header
    separator = told[1] if told else _separator(header, is_tsv=path.suffix.lower() == ".tsv")
    return Layout(encoding, separator, start if told else 0, _names(header, separator))


def _first(lines: Iterator[str]) -> tuple[int, str]:
    """The next line that is not blank, and how many lines were read with it."""
    return next(((number, line) for number, line in enumerate(lines, 1) if line.strip()), (0, ""))


def _names(header: str, separator: str) -> tuple[str, ...]:
    fields = next(csv.reader([header.strip("\r\n")], delimiter=separator, skipinitialspace=True), [])
    return tuple(name.strip() for name in fields)


def _separator(header: str, *, is_tsv: bool) -> str:
    """The one by which a header has the names that it must have, or else the most names."""

    def fits(separator: str) -> tuple[int, bool, int]:
        names = _names(header, separator)
        return len(NEEDED.intersection(names)), is_tsv and separator == "\t" and len(names) > 1, len(names)

    return max(SEPARATORS, key=fits)


def read_csv(path: Path, texts: Collection[str]) -> pd.DataFrame:
    """A file's columns as text, with "" for what is missing in those named in `texts`.

    Raises:
        InputError: it is no CSV; a column is there twice; a quote is left open; rows have more fields than the header.
        ValueError: it cannot be parsed for another reason.
    """
    written = layout(path)
    refuse_twice(written.names, path, texts)
    has_quotes = _has_quotes(path)
    try:
        # Without the default missing values, a character may be called NA or None.
        table = pd.read_csv(
            path,
            dtype=str,
            keep_default_na=False,
            encoding=written.encoding,
            sep=written.separator,
            skiprows=written.start,
            skipinitialspace=has_quotes and _has_spaced_quotes(path, written),
        )
    except pd.errors.ParserError as error:
        told = _explained(error, path, written.separator)
        if told is None:
            raise
        raise told from error
    table = _without_empty_ends(table, path, written).rename(columns=str.strip)
    for name in texts:
        if name in table:
            table[name] = _whole(table[name].fillna(""))
    if has_quotes:
        _refuse_open_quotes(table, path, written)
    return table


def _has_quotes(path: Path) -> bool:
    """Whether a quote may stand in a file; most lists have none, and a million rows are not looked through then."""
    with path.open("rb") as stream:
        return any(b'"' in block for block in iter(partial(stream.read, BLOCK), b""))


def _has_spaced_quotes(path: Path, written: Layout) -> bool:
    """Whether quotes stand behind spaces, as in `path, "label"`; elsewhere a space may begin a file's name."""
    return re.search(rf'[\n{re.escape(written.separator)}] +"', path.read_text(written.encoding)) is not None


def refuse_twice(names: Sequence[str], path: Path, wanted: Collection[str]) -> None:
    """Raises:
    InputError: a column that is wanted is among the names of a file more than once.
    """
    if twice := [name for name in wanted if names.count(name) > 1]:
        raise InputError(f"the manifest {path} has the column '{twice[0]}' twice: leave one out")


def _encoding(start: bytes, path: Path) -> str:
    """That of a file that begins so.

    Raises:
        InputError: it is none that is read.
    """
    if kind := next((kind for begins, kind in OTHER_FILES.items() if start.startswith(begins)), ""):
        raise InputError(f"the manifest {path} is no CSV but {kind}: save it as UTF-8 CSV or as Parquet")
    if start.startswith((b"\xff\xfe\0\0", b"\0\0\xfe\xff")):
        raise InputError(f"the manifest {path} is UTF-32: save it as UTF-8")
    if start.startswith(UTF_16):
        return "utf-16"
    if b"\0" in start:
        wide = "UTF-32" if b"\0\0" in start else "UTF-16"
        raise InputError(f"the manifest {path} looks like {wide} without the mark at its beginning: save it as UTF-8")
    return "utf-8-sig"


def _explained(error: pd.errors.ParserError, path: Path, separator: str) -> InputError | None:
    """What a parser's error means for whoever wrote the file; None where that is not known."""
    if found := re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", str(error)):
        header, line, fields = found.groups()
        return _too_many_fields(path, f"line {line}", int(fields), int(header), separator)
    if "EOF inside string" in str(error):
        return InputError(f'the manifest {path} has a " that is never closed: close it, or write "" for a quote')
    return None


def _too_many_fields(path: Path, where: str, fields: int, header: int, separator: str) -> InputError:
    name = "tab" if separator == "\t" else f"'{separator}'"
    return InputError(
        f"rows of the manifest {path} have more fields than its header, such as {where} with {fields} where the "
        f"header has {header}: put double quotes round a text with a {name} in it, or name every column in the header"
    )


def _without_empty_ends(table: pd.DataFrame, path: Path, written: Layout) -> pd.DataFrame:
    """Undoes what pandas makes of rows that end in a comma: it takes their first fields for an index."""
    if isinstance(table.index, pd.RangeIndex):
        return table
    names, fields = table.columns, table.reset_index()
    further = fields.iloc[:, len(names) :].fillna("")
    full = (further != "").to_numpy().any(axis=1)
    if full.any():
        row = f"row {int(full.argmax()) + 1}"
        raise _too_many_fields(path, row, fields.shape[1], len(names), written.separator)
    return fields.iloc[:, : len(names)].set_axis(names, axis=1)


def _whole(texts: pd.Series) -> pd.Series:
    """Without the `.0` that a tool has written after every number of a column of fractions."""
    given = texts[texts != ""]
    return texts.str.removesuffix(".0") if given.str.fullmatch(r"-?[0-9]+\.0").all() else texts


def _refuse_open_quotes(table: pd.DataFrame, path: Path, written: Layout) -> None:
    """A quote that is closed some rows later swallows them, whichever column it stands in.

    Raises:
        InputError: a text holds what looks like further rows.
    """
    for place, name in enumerate(table.columns):
        texts = table.iloc[:, place]
        several = texts.str.contains(r"[\r\n]", regex=True, na=False).to_numpy().nonzero()[0]
        for row in several.tolist():
            if swallowed := _swallowed(table.iloc[row].fillna(""), written):
                lines = len(texts.iloc[row].splitlines())
                raise InputError(
                    f"row {row + 1} of the manifest {path} has a {name} of {lines} lines: close the double quote that "
                    f'it begins with, write "" for a quote, or, where the text is meant so, write it on one line '
                    f"({swallowed} looks like a row of its own)"
                )


def _swallowed(row: pd.Series, written: Layout) -> str:
    """The line of a row that looks like a further row, where the first one looks like a row already; else ""."""
    first, *others = written.separator.join(row).splitlines()
    if "path" not in row or not _is_picture(row["path"]):
        looks = [line for line in (first, *others) if line.count(written.separator) == len(row) - 1 > 0]
    else:
        place = list(row.index).index("path")
        looks = [line for line in (first, *others) if _has_picture(line.split(written.separator), place)]
    return looks[1] if len(looks) > 1 and looks[0] is first else ""


def _has_picture(fields: Sequence[str], place: int) -> bool:
    return len(fields) > max(place, 1) and _is_picture(fields[place])


def _is_picture(name: str) -> bool:
    return Path(name.strip(' "')).suffix.lower() in SUFFIXES
