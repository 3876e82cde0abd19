"""Damaged files: read as if the damage were not there where it is in no pixel, and else as far as they go."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from threading import Lock
from typing import IO

from PIL import ImageFile

PNG = b"\x89PNG\r\n\x1a\n"
JPEG = b"\xff\xd8\xff"
JPEG_END = b"\xff\xd9"
STRANGE = b"\x5a\xa5\x3c" * 64
"""Means something else to a decoder that still waits for pixels than the nothing that it takes in their place, and
nothing to one that has them all."""

KEPT = (b"tRNS", b"eXIf")
"""Chunks beside the critical ones that say how a picture looks: transparency and orientation."""


def mended(stream: IO[bytes]) -> list[BytesIO]:
    """What a file may be read as in the place of what it is; the picture is sound if all of these decode, and equally.

    Of a PNG, that without texts, profiles and times, whatever they hold; of a JPEG whose end is missing, that with two
    different ends. Nothing for other files.
    """
    stream.seek(0)
    if not stream.read(len(PNG)).startswith((PNG, JPEG)):  # others may be films and archives of gigabytes
        return []
    stream.seek(0)
    content = stream.read()
    if content.startswith(PNG):
        return [BytesIO(PNG + b"".join(_chunks(content)))]
    cut = content.rstrip(JPEG_END[:1])  # half an end marker, or half of what data writes for such a byte
    return [BytesIO(cut + end + JPEG_END) for end in (b"", STRANGE)]


_switching = Lock()


@contextmanager
def missing_pixels_allowed() -> Iterator[None]:
    """Has decoders do without what is missing. Pillow has one switch for all threads, so that they take turns, and none
    may read at the same time what it would have to refuse.
    """
    with _switching:
        ImageFile.LOAD_TRUNCATED_IMAGES = True
        try:
            yield
        finally:
            ImageFile.LOAD_TRUNCATED_IMAGES = False


def _chunks(content: bytes) -> Iterator[bytes]:
    """The chunks of a PNG that its picture needs; what is cut off or damaged stays so."""
    place = len(PNG)
    while place + 8 <= len(content):
        length, kind = struct.unpack(">I4s", content[place : place + 8])
        end = place + 12 + length
        chunk = content[place:end]
        is_critical = not kind[0] & 0x20
        if is_critical or (kind in KEPT and (kind == b"tRNS" or _is_whole(chunk))):
            yield chunk
        place = end


def _is_whole(chunk: bytes) -> bool:
    return len(chunk) > 8 and struct.pack(">I", zlib.crc32(chunk[4:-4])) == chunk[-4:]
