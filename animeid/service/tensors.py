"""Inputs and outputs of the KServe V2 protocol: JSON, and the bytes that may stand behind it."""

from __future__ import annotations

import base64
import binascii
import json
import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from animeid.service.problems import Problem

IMAGE = "image"
LENGTH = "Inference-Header-Content-Length"
"""The header that says how long the JSON is, where bytes stand behind it."""
SIZE = struct.Struct("<I")
WHOLE = re.compile(r"[0-9]{1,15}")
MOST_PARTS = 1000
"""Of the JSON: each part takes twenty times its bytes in memory, and pictures are in none of their own."""


@dataclass(frozen=True)
class Asked:
    """A request for inference.

    id: of the client's choosing; "" is none.
    pictures: the files.
    outputs: names of the wanted outputs; none means all.
    """

    id: str
    pictures: Sequence[bytes]
    outputs: Sequence[str]


def asked_by(body: bytes, length: str | None, most: int) -> Asked:
    """The request in a body.

    Args:
        length: what the header `LENGTH` says.
        most: pictures at most.

    Raises:
        Problem: it is none, or has another input than `image`.
    """
    end = len(body) if length is None else int(length) if WHOLE.fullmatch(length) else -1
    if not 0 <= end <= len(body):
        raise Problem(400, f"{LENGTH} is not the length of what begins the body")
    if sum(body.count(mark, 0, end) for mark in (b"[", b"{", b",")) > MOST_PARTS:
        raise Problem(422, f"the JSON of the body has too many parts: send at most {most} pictures")
    try:
        plain = json.loads(body[:end])
        [given] = [one for one in plain["inputs"] if one["name"] == IMAGE]
        outputs = list(dict.fromkeys(str(one["name"]) for one in plain.get("outputs", ())))
        kind, shape = given["datatype"], given["shape"]
        size = (given.get("parameters") or {}).get("binary_data_size")
        name = str(plain.get("id") or "")
        values = given.get("data") if size is None else _behind(body[end:], int(size), most)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError) as error:
        raise Problem(400, f"the body is no request with one input {IMAGE}: see GET /v2/models/default") from error
    if kind != "BYTES" or not isinstance(values, list) or shape not in ([len(values)], [len(values), 1]):
        raise Problem(422, f"{IMAGE} must be of the datatype BYTES, with the shape [N] and N pictures")
    if not 1 <= len(values) <= most:
        raise Problem(422, f"{IMAGE} has {len(values)} pictures: send 1 to {most}")
    return Asked(name, [_bytes(value) for value in values], outputs)


def _behind(content: bytes, size: int, most: int) -> list[bytes]:
    """Elements of bytes, each behind its length; one more than the most there may be is enough to know."""
    found: list[bytes] = []
    place = 0
    if size != len(content):
        raise ValueError("another size than what is there")
    while place < size and len(found) <= most:
        (length,) = SIZE.unpack_from(content.ljust(place + SIZE.size, b"\0"), place)
        place += SIZE.size
        if place + length > size:
            raise ValueError("an element ends behind the end")
        found.append(content[place : place + length])
        place += length
    return found


def _bytes(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError, TypeError) as error:
        raise Problem(422, f"{IMAGE} holds something that is no base64: in JSON, files are written so") from error


def output(name: str, kind: str, rows: Sequence[Sequence[Any]]) -> Mapping[str, Any]:
    """`[N, k]` values as an output."""
    return {
        "name": name,
        "datatype": kind,
        "shape": [len(rows), len(rows[0])],
        "data": [value for row in rows for value in row],
    }
