"""Answers that are kept for later, of those who agreed: Parquet files, bounded in number and size."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from animeid.system.console import counted, say_error
from animeid.system.files import atomic

ROWS = 1000
"""Rows of a file, at most."""
SECONDS = 60.0
"""After which rows are written, however few they are."""
COLUMNS = (
    ("time", "timestamp"),
    ("request_id", "string"),
    ("model", "string"),
    ("version", "string"),
    ("picture", "string"),
    ("character", "string"),
    ("confidence", "float64"),
    ("margin", "float64"),
    ("source", "string"),
    ("milliseconds", "float64"),
)


class Logbook:
    """Writes rows to files of their own; the oldest files make room.

    Args:
        folder: of the files.
        limit: bytes of all files together.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self.folder, self.limit = folder, limit
        self._rows: list[dict[str, Any]] = []
        self._writing = asyncio.Lock()

    async def add(self, row: Mapping[str, Any]) -> None:
        """A row of `COLUMNS`, but for the time."""
        self._rows.append({"time": datetime.now(UTC), **row})
        if len(self._rows) >= ROWS:
            await self.write()

    async def follow(self) -> None:
        """Writes what there is from time to time, until it is cancelled."""
        while True:
            await asyncio.sleep(SECONDS)
            await self.write()

    async def write(self) -> None:
        """Writes the rows that have come since."""
        async with self._writing:
            rows, self._rows = self._rows, []
            if not rows:
                return
            # A full disk must not turn good answers into errors, nor end what writes the later ones.
            try:
                await asyncio.to_thread(self._write, rows)
            except OSError as error:
                say_error(f"{counted(len(rows), 'answer', 'are')} not in the log {self.folder}: {error}")

    def _write(self, rows: list[dict[str, Any]]) -> None:
        import pyarrow as pa
        from pyarrow import parquet

        kinds = {"timestamp": pa.timestamp("us", "UTC"), "string": pa.string(), "float64": pa.float64()}
        schema = pa.schema([(name, kinds[kind]) for name, kind in COLUMNS])
        name = f"answers-{time.time_ns():020d}-{os.getpid()}.parquet"
        with atomic(self.folder / name) as stream:
            parquet.write_table(pa.Table.from_pylist(rows, schema), stream)
        self._make_room()

    def _make_room(self) -> None:
        files = sorted(self.folder.glob("answers-*.parquet"), reverse=True)
        total = 0
        for place, file in enumerate(files):
            with suppress(FileNotFoundError):  # another worker makes room too
                total += file.stat().st_size
                if place > 0 and total > self.limit:
                    file.unlink()
