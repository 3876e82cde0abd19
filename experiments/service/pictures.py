"""Pictures that the load sends, and the requests that hold them."""

from __future__ import annotations

import io
import random

import numpy as np
from PIL import Image

FILES = 40
SIDE, COARSE = 400, 16
"""Pixels of the pictures, and of the noise that is enlarged to them: so they are as hard to decode as drawings."""
LINE = b"7d9f1c"
PART = (
    b'--%b\r\nContent-Disposition: form-data; name="file"; filename="p.jpg"\r\nContent-Type: image/jpeg\r\n\r\n' % LINE
)
END = b"\r\n--%b--\r\n" % LINE
FORM = b"multipart/form-data; boundary=%b" % LINE
HEAD = b"POST %b HTTP/1.1\r\nHost: localhost\r\nContent-Type: %b\r\n%bContent-Length: %d\r\n\r\n"


def drawing(seed: object, side: int = SIDE) -> bytes:
    """A file of its own for each seed."""
    generator = np.random.default_rng(seed)  # type: ignore[arg-type]
    noise = Image.fromarray(generator.integers(0, 256, (COARSE, COARSE, 3), np.uint8))
    stream = io.BytesIO()
    noise.resize((side, side), Image.Resampling.BICUBIC).save(stream, "JPEG", quality=85)
    return stream.getvalue()


def post(path: str, content: bytes, kind: bytes = b"image/jpeg", more: bytes = b"") -> bytes:
    """A request; `more` are lines of its head, each with its end."""
    return HEAD % (path.encode(), kind, more, len(content)) + content


def get(path: str) -> bytes:
    return b"GET %b HTTP/1.1\r\nHost: localhost\r\n\r\n" % path.encode()


def form(content: bytes, path: str = "/predict", more: bytes = b"") -> bytes:
    """A request with a picture as the field `file`."""
    return post(path, PART + content + END, FORM, more)


class Pictures:
    """Requests whose files all differ: few pictures, and behind each a number that no decoder reads.

    Args:
        seed: of pictures and numbers.
        more: lines of each request's head.
    """

    def __init__(self, seed: int, more: bytes = b"") -> None:
        self._random, self._more = random.Random(seed), more
        self.files = [drawing([seed, place]) for place in range(FILES)]

    def __call__(self) -> tuple[bytes, int]:
        """A request, and the place of its picture among the files."""
        place = self._random.randrange(FILES)
        return form(self.files[place] + self._random.randbytes(12), more=self._more), place
