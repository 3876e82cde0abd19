"""From a folder of shards to labelled pictures: read, grouped and split before they were written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from animeid.data.manifest import Manifest, read_manifest
from animeid.data.settings import DataSettings
from animeid.data.shards.layout import CONFLICTS, DUPLICATES, MANIFEST, SKIPPED, read_index
from animeid.data.styles import column_to_read
from animeid.data.tables import read_texts
from animeid.errors import InputError
from animeid.system.console import counted
from animeid.system.names import expanded


@dataclass(frozen=True)
class Stored:
    """What a folder of shards says of its pictures."""

    manifest: Manifest
    skipped: pd.DataFrame
    conflicts: pd.DataFrame
    duplicates: pd.DataFrame
    notes: tuple[str, ...]


def read_shards(settings: DataSettings) -> Stored:
    """The pictures of `settings.root`; no picture is opened.

    Raises:
        InputError: a shard is missing or has another size than when it was written.
    """
    root = Path(expanded("data.root", str(settings.root)))
    index = read_index(root)
    if settings.parts is not None:
        raise InputError(f"data.parts names folders of pictures, and {root} holds shards: leave data.parts out")
    for shard in index.shards:
        path = root / shard.name
        size = path.stat().st_size if path.is_file() else None
        if size != shard.size or not path.with_suffix(".json").is_file():
            told = "is missing" if size is None else f"has {size} bytes of {shard.size}, or its .json is missing"
            raise InputError(f"the shard {path} {told}: copy it again, or write the shards again")
    style = column_to_read(settings.style_column)
    manifest = read_manifest(root / MANIFEST, settings.attributes or None, style=style)
    manifest = Manifest(manifest.table, root, manifest.attributes)
    skipped, conflicts, duplicates = (read_texts(root / name) for name in (SKIPPED, CONFLICTS, DUPLICATES))
    how = "a class in each of training" if index.by_class else "all classes in each"
    notes = (f"{counted(len(index.shards), 'shard')} with {counted(len(manifest.table), 'picture')}, {how}",)
    return Stored(manifest, skipped, conflicts, duplicates, notes)
