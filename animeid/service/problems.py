"""Problem details of RFC 9457: what a request is refused with."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

MEDIA_TYPE = "application/problem+json"
KIND = "urn:animeid:problem:"

TITLES: Mapping[int, tuple[str, str]] = {
    400: ("bad-request", "The request cannot be read"),
    401: ("no-key", "A key is needed"),
    403: ("not-allowed", "The key does not allow it"),
    404: ("not-found", "There is no such thing"),
    405: ("wrong-method", "The address does not take this method"),
    408: ("too-slow", "The request took too long to arrive"),
    409: ("conflict", "The service is in a state that does not allow it"),
    413: ("too-large", "The picture is too large"),
    415: ("wrong-type", "The content is of a type that is not read"),
    421: ("other-name", "The service does not answer to this name"),
    422: ("not-usable", "What was sent cannot be used"),
    429: ("too-many", "The key has used up its rate"),
    500: ("fault", "The service has a fault"),
    503: ("busy", "The service is busy"),
    504: ("no-answer-in-time", "The answer took too long"),
}
"""The end of `type`, and `title`, by status."""


@dataclass
class Problem(Exception):  # noqa: N818 - the name of what is sent
    """A refusal.

    status: of the answer.
    detail: what is wrong, and what to do.
    retry_after: seconds after which the same request may well succeed; None where it never will.
    """

    status: int
    detail: str
    retry_after: float | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def content(self, request_id: str) -> dict[str, Any]:
        return problem(self.status, self.detail, request_id)

    def all_headers(self) -> dict[str, str]:
        wait = {} if self.retry_after is None else {"Retry-After": str(max(1, math.ceil(self.retry_after)))}
        return {**self.headers, **wait}


def problem(status: int, detail: str, request_id: str) -> dict[str, Any]:
    """The body of a refusal."""
    end, title = TITLES.get(status) or (f"status-{status}", HTTPStatus(status).phrase)
    return {"type": KIND + end, "title": title, "status": status, "detail": detail, "request_id": request_id}


def encoded(content: Any) -> bytes:
    """Strict JSON, names in any script readable; half a letter, which only a stranger sends, becomes `?`."""
    return json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8", "replace")
