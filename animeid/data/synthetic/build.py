"""Draws the built-in cast into a cache folder, once."""

from __future__ import annotations

import csv
import hashlib
import json
import math
import os
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

import PIL

from animeid.data.synthetic.attributes import ATTRIBUTES, attributes_of
from animeid.data.synthetic.captions import caption_of
from animeid.data.synthetic.identity import Character, make_cast
from animeid.data.synthetic.parallel import draw_all
from animeid.data.synthetic.plan import Picture, make_plan, shot_of
from animeid.data.synthetic.settings import CastSettings
from animeid.data.synthetic.worker import Bbox, path_of
from animeid.errors import InputError
from animeid.system.console import say_beside
from animeid.system.home import can_keep, default_cache, stand_in
from animeid.system.machine import usable_cores
from animeid.system.names import refuse_unreadable

MANIFEST = "manifest.csv"
COLUMNS = ("path", "label", "split", "style", "caption", *ATTRIBUTES, "bbox")


def build_cast(settings: CastSettings, cache: Path | None = None, *, processes: int | None = None) -> Path:
    """The folder of a cast: pictures as `<split>/<name>/<number>.png`, and `manifest.csv`.

    The folder is drawn beside its place and moved there whole, so that a folder that exists is complete. The bytes
    depend on the settings and on the version of the drawing alone.

    Args:
        settings: the cast.
        cache: folder of casts; `default_cache()` when None.
        processes: how many draw at a time; as many as there are cores when None.

    Raises:
        InputError: when the cache folder cannot be written, or the cast has more characters than can be told apart.
    """
    place = _place() if cache is None else cache
    folder = place / f"cast-{cache_key(settings)}"
    if folder.is_dir():
        return folder
    characters = make_cast(settings)
    for character in characters:
        refuse_unreadable(character.name)
    try:
        place.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=place))
    except OSError as error:
        raise InputError(
            f"The built-in cast cannot be kept in {place} ({error.strerror}); name another folder in ANIMEID_CACHE."
        ) from error
    try:
        _draw_into(partial, settings, characters, processes or usable_cores())
        _publish(partial, folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return folder


def _place() -> Path:
    """The cache, or where none can be kept a folder of temporary files, which is said."""
    place = default_cache()
    if os.environ.get("ANIMEID_CACHE") or place.exists() or can_keep(place):
        return place
    say_beside(f"{place} cannot be written: the built-in cast is drawn in {stand_in()}")
    return stand_in()


def cache_key(settings: CastSettings) -> str:
    """Short hash of the settings, of the code that draws and of the Pillow that it draws with."""
    digest = hashlib.sha256(json.dumps(asdict(settings), sort_keys=True).encode())
    digest.update(PIL.__version__.encode())
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


def _draw_into(folder: Path, settings: CastSettings, characters: list[Character], processes: int) -> None:
    plan = make_plan(settings)
    for parent in sorted({path_of(picture, characters).parent for picture in plan}):
        (folder / parent).mkdir(parents=True)
    bboxes = draw_all(folder, settings, len(plan), processes)
    rows = (_row(picture, characters, settings, bbox) for picture, bbox in zip(plan, bboxes, strict=True))
    _write_manifest(folder / MANIFEST, rows)


def _row(picture: Picture, characters: list[Character], settings: CastSettings, bbox: Bbox) -> list[str]:
    character = characters[picture.character]
    shot = shot_of(picture, character, settings)
    attributes = attributes_of(character.traits, shot)
    return [
        path_of(picture, characters).as_posix(),
        character.name,
        picture.split,
        shot.style,
        caption_of(character.traits, shot),
        *("" if math.isnan(value) else str(int(value)) for value in attributes.values()),
        " ".join(str(edge) for edge in bbox),
    ]


def _write_manifest(path: Path, rows: Iterable[list[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows)


def _publish(partial: Path, folder: Path) -> None:
    """Moves a finished folder to its place; one that another process put there meanwhile is as good."""
    partial.chmod(0o755)
    try:
        partial.replace(folder)
    except OSError:
        if not folder.is_dir():
            raise
