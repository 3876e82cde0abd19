"""Names of pictures as CSV, or as a line of JSON each."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from typing import IO, Any

ENDINGS = (".csv", ".jsonl")

Answer = dict[str, Any]
"""A picture's `path`, its `names` with `label` and `probability` each, and in their place the `error`, if any."""


def as_row(answer: Answer, k: int) -> list[str]:
    """A CSV row: path, error, then label and probability k times."""
    row = [answer["path"], answer["error"]]
    for name in answer["names"]:
        row += [name["label"], f"{name['probability']:.6f}"]
    return row + [""] * (2 + 2 * k - len(row))


def header(k: int) -> list[str]:
    columns = ["path", "error"]
    for place in range(1, k + 1):
        columns += [f"label_{place}", f"probability_{place}"]
    return columns


def write(found: Iterator[Answer], stream: IO[str], as_csv: bool, k: int) -> tuple[int, list[Answer]]:
    """Writes answers as they come; returns how many there were and those without names."""
    writer = csv.writer(stream)
    if as_csv:
        writer.writerow(header(k))
    total, broken = 0, []
    for answer in found:
        total += 1
        if answer["error"]:
            broken.append(answer)
        if as_csv:
            writer.writerow(as_row(answer, k))
        else:
            stream.write(json.dumps(answer, ensure_ascii=False) + "\n")
    return total, broken
