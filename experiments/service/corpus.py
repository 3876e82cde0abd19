"""What a hostile client sends: cut, damaged, disguised and exploding files, other formats, and damaged requests."""

from __future__ import annotations

import io
import random
import struct
import zlib
from collections.abc import Iterator

import numpy as np
from PIL import Image

from experiments.service.pictures import END, FORM, PART, form, post

READ = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "AVIF")
SIZE = (120, 90)
PNG = b"\x89PNG\r\n\x1a\n"
HEADERS = {
    "HEIC": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
    "JPEG XL": b"\xff\x0a\xfa\x7f\x01",
    "JPEG XL box": b"\0\0\0\x0cJXL \r\n\x87\n",
    "PSD": b"8BPS\0\1",
    "PDF": b"%PDF-1.7\n",
    "SVG": b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>",
    "SVG bomb": b"<!DOCTYPE svg [<!ENTITY a 'aaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'>]><svg>&b;</svg>",
    "MP4": b"\0\0\0\x18ftypmp42",
    "WebM": b"\x1aE\xdf\xa3",
    "ZIP": b"PK\x03\x04",
    "GZIP": b"\x1f\x8b\x08",
    "7z": b"7z\xbc\xaf\x27\x1c",
    "RAR": b"Rar!\x1a\x07\x01\0",
    "XZ": b"\xfd7zXZ\0",
    "ELF": b"\x7fELF\x02\x01\x01",
    "EXE": b"MZ\x90\0",
    "class": b"\xca\xfe\xba\xbe",
    "pickle": b"\x80\x04\x95\0\0\0\0\0\0\0\0cos\nsystem\n(S'true'\ntR.",
    "HTML": b"<html><script>alert(1)</script></html>",
    "script": b"#!/bin/sh\nexit 0\n",
    "SQLite": b"SQLite format 3\0",
    "WAV": b"RIFF\x24\0\0\0WAVEfmt ",
    "Ogg": b"OggS\0\x02",
    "FLAC": b"fLaC\0\0\0\x22",
    "font": b"\0\1\0\0\0\x0c\x80\0",
    "EXR": b"v/1\x01\x02\0\0\0",
    "RAW": b"FUJIFILMCCD-RAW ",
    "NumPy": b"\x93NUMPY\x01\0",
    "JSON": b'{"picture": "' + b"A" * 1000 + b'"}',
    "text": "初音ミク".encode(),
}


def hostile(seed: int) -> list[tuple[str, bytes]]:
    """Requests, and what they are called."""
    exploding = list(_exploding())
    kinds = [*_cut(), *_damaged(random.Random(seed)), *_disguised(), *_other_formats(), *exploding]
    requests = [(name, form(content)) for name, content in kinds]
    raw = [(f"{name}, raw", post("/predict", content)) for name, content in exploding]
    found = [*requests, *raw, *_no_forms()]
    random.Random(seed).shuffle(found)
    return found


def file_of(kind: str, size: tuple[int, int] = SIZE) -> bytes:
    """A picture of noise in one of Pillow's formats."""
    stream = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)).save(stream, kind)
    return stream.getvalue()


def _cut() -> Iterator[tuple[str, bytes]]:
    for kind in READ:
        content = file_of(kind)
        yield from ((f"{kind} cut at {share} %", content[: len(content) * share // 100]) for share in range(100))


def _damaged(chance: random.Random) -> Iterator[tuple[str, bytes]]:
    for kind in READ:
        for number in range(30):
            content = bytearray(file_of(kind))
            for _ in range(20):
                content[chance.randrange(len(content))] = chance.randrange(256)
            yield f"{kind} damaged {number}", bytes(content)


def _disguised() -> Iterator[tuple[str, bytes]]:
    for kind in READ:
        content = file_of(kind)
        for name, other in HEADERS.items():
            yield f"{kind} before {name}", content + other
            yield f"{name} before {kind}", other + content
    yield "PNG with a form in it", file_of("PNG") + END + PART + b"second"


def _other_formats() -> Iterator[tuple[str, bytes]]:
    yield from ((name, start + bytes(2000)) for name, start in HEADERS.items())
    Image.init()
    for kind in sorted(Image.SAVE):
        try:
            yield f"{kind}, by Pillow", file_of(kind)
        except Exception as error:  # what Pillow cannot write of this picture on this machine
            print(f"no {kind}: {error}")
    yield from (("empty", b""), ("a byte", b"\xff"), ("noise", random.Random(1).randbytes(50_000)))


def _exploding() -> Iterator[tuple[str, bytes]]:
    """Small files that ask for much memory or much time."""
    yield "PNG of 8,000 x 8,000", PNG + _header(8000, 8000) + _rows(8000, 8000) + _chunk(b"IEND", b"")
    yield "PNG of 50,000 x 50,000", PNG + _header(50_000, 50_000) + _rows(50_000, 2000) + _chunk(b"IEND", b"")
    yield "PNG of 2^31", PNG + _header(2**31 - 1, 2**31 - 1) + _rows(100, 1) + _chunk(b"IEND", b"")
    texts = 300 * _chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(900_000)))
    yield "PNG with texts", PNG + _header(1, 1) + texts + _rows(1, 1) + _chunk(b"IEND", b"")
    profile = _chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(50_000_000)))
    yield "PNG with a profile", PNG + _header(1, 1) + profile + _rows(1, 1) + _chunk(b"IEND", b"")
    gif = b"GIF89a" + struct.pack("<HH", 65535, 65535) + b"\xf0\0\0" + bytes(6)
    yield "GIF of 65,535 x 65,535", gif + b"," + struct.pack("<HHHH", 0, 0, 65535, 65535) + b"\0\x02\x02\x4c\x01\0;"
    yield (
        "JPEG of 65,500 x 65,500",
        file_of("JPEG").replace(struct.pack(">HH", *SIZE), struct.pack(">HH", 65500, 65500), 1),
    )
    yield "BMP of 2^31", file_of("BMP")[:18] + struct.pack("<ii", 2**31 - 1, -(2**31) + 1) + file_of("BMP")[26:]


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _header(width: int, height: int) -> bytes:
    return _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))


def _rows(width: int, height: int) -> bytes:
    """Black pixels of one bit."""
    packer = zlib.compressobj(9)
    row = bytes(1 + (width + 7) // 8)
    return _chunk(b"IDAT", b"".join(packer.compress(row) for _ in range(height)) + packer.flush())


def _no_forms() -> Iterator[tuple[str, bytes]]:
    good = file_of("PNG")
    for kind in (b"application/json", b"text/html", b"video/mp4", b"multipart/form-data", b"multipart/mixed", b"\xff"):
        yield f"type {kind!r}", post("/predict", good, kind)
    yield "a form that ends early", post("/predict", PART + good, FORM)
    yield "another field", post("/predict", (PART + good + END).replace(b'name="file"', b'name="other"'), FORM)
    yield "many parts", post("/predict", (PART + b"a\r\n") * 500 + END, FORM)
    yield "a name with a path", form(good).replace(b"p.jpg", b"../../../../etc/passwd")
    yield "no picture", post("/predict", END, FORM)
    yield "another model", form(good, "/predict?model=../../etc")
    yield "too many names", form(good, "/predict?top_k=1000000000000")
    yield "no number", form(good, "/predict?top_k=%00%ff")
    yield "too many pictures", post("/predict_batch", (PART.replace(b'"file"', b'"files"') + b"a\r\n") * 20 + END, FORM)
    yield "deep JSON", post("/v2/models/default/infer", b"[" * 100_000, b"application/json")
    yield "no JSON", post("/feedback", b"\xff\xfe{", b"application/json")
