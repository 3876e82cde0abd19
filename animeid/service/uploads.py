"""Pictures in the body of a request: a form's fields, or the body itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from animeid.service.problems import Problem

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

FORM = b"multipart/form-data"
RAW = ("image/", "application/octet-stream")
PARTS = 64
"""A form with more parts is refused."""


def pictures_in(body: bytes, content_type: str | None, name: str, most: int, each: int) -> list[bytes]:
    """The pictures of a request.

    Args:
        body: all of it.
        content_type: of the request.
        name: of the form's field; a body that is no form is one picture.
        most: how many there may be.
        each: bytes that one may have.

    Returns:
        One at least. What the client called them is not looked at.

    Raises:
        Problem: the type is another one, the form is damaged, has no such field or too many.
    """
    kind, options = parse_options_header(content_type)
    if kind == FORM:
        found = [content for field, content in form_parts(body, options.get(b"boundary", b"")) if field == name]
    elif not kind or kind.decode("latin-1").startswith(RAW):
        found = [body]
    else:
        raise Problem(
            415,
            f"the content is {kind.decode('latin-1')[:80]}: send a form (multipart/form-data) with the field {name}, "
            "or the picture itself as image/* or application/octet-stream",
        )
    if not found:
        raise Problem(422, f"the form has no field {name}: send the picture in it")
    if len(found) > most:
        raise Problem(422, f"the form has {len(found)} pictures in {name}: send at most {most}")
    if any(len(content) > each for content in found):
        raise Problem(413, f"a picture has more than {each:,} bytes: make it smaller")
    return found


def form_parts(body: bytes, boundary: bytes) -> list[tuple[str, bytes]]:
    """Names and contents of the parts of a form.

    Raises:
        Problem: the form is damaged.
    """
    if not boundary:
        raise Problem(400, "the form names no boundary")
    reading = _Reading()
    try:
        parser = MultipartParser(boundary, reading.callbacks())
        parser.write(body)
        parser.finalize()
    except (FormParserError, ValueError) as error:
        raise Problem(400, "the form is damaged: it ends early, or is none") from error
    if not reading.is_whole:
        raise Problem(400, "the form is damaged: it ends early, or is none")
    return [(name, bytes(content)) for name, content in reading.parts]


class _Reading:
    """What a parser has found so far."""

    def __init__(self) -> None:
        self.parts: list[tuple[str, bytearray]] = []
        self.is_whole = False
        self._headers: dict[bytes, bytes] = {}
        self._key, self._value = bytearray(), bytearray()

    def callbacks(self) -> MultipartCallbacks:
        return {
            "on_part_begin": self._begin,
            "on_header_field": lambda data, start, end: self._key.extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
            "on_header_end": self._header,
            "on_headers_finished": self._named,
            "on_part_data": lambda data, start, end: self.parts[-1][1].extend(data[start:end]),
            "on_end": self._end,
        }

    def _begin(self) -> None:
        if len(self.parts) == PARTS:
            raise Problem(422, f"the form has more than {PARTS} parts")
        self.parts.append(("", bytearray()))
        self._headers = {}

    def _header(self) -> None:
        self._headers[bytes(self._key).lower()] = bytes(self._value)
        self._key.clear()
        self._value.clear()

    def _named(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition"))
        self.parts[-1] = (options.get(b"name", b"").decode("utf-8", "replace"), self.parts[-1][1])

    def _end(self) -> None:
        self.is_whole = True
