"""A client of the service, which tries again where that may help.

with Client("http://127.0.0.1:8000") as client:
    answer = client.predict("picture.png")
    answer.character, answer.confidence
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import httpx2

from animeid.service.schemas import Answer, Answers, Character, Characters, Health, Models, Unnamed

Picture = str | Path | bytes
"""A file, or its bytes."""
AGAIN = (429, 502, 503, 504)
"""Statuses after which the same request may well succeed."""
BATCH = 10
FIRST_SECONDS, LONGEST_SECONDS = 0.2, 30.0
FIRST_REFUSAL = 400


class ServiceError(Exception):
    """The service refused a request, and will again.

    status: of HTTP. detail: what is wrong, and what to do. request_id: by which its log knows it.
    """

    def __init__(self, status: int, detail: str, request_id: str) -> None:
        super().__init__(f"{detail} (status {status}, request {request_id})")
        self.status, self.detail, self.request_id = status, detail, request_id


class Client:
    """Asks a service over one connection that is kept.

    Args:
        address: such as `http://127.0.0.1:8000`.
        key: of the client, where the service wants one.
        retries: how often a request is sent again that was not answered, or refused for the moment only.
        seconds: for an answer.
        sleep: waits so many seconds.
    """

    def __init__(
        self,
        address: str,
        *,
        key: str | None = None,
        retries: int = 4,
        seconds: float = 30.0,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self.retries, self.sleep = retries, sleep
        headers = {} if key is None else {"X-API-Key": key}
        self._http = httpx2.Client(base_url=address, headers=headers, timeout=seconds)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def predict(self, picture: Picture, *, model: str = "default", top_k: int | None = None) -> Answer:
        """Names the character in a picture.

        Raises:
            ServiceError: it cannot be named.
            httpx2.HTTPError: the service does not answer.
        """
        files = {"file": ("picture", content_of(picture))}
        return Answer.model_validate(self._asked("POST", "/predict", params=_params(model, top_k), files=files))

    def predict_many(
        self, pictures: Sequence[Picture], *, model: str = "default", top_k: int | None = None
    ) -> Iterator[Answer | Unnamed]:
        """Names the characters in pictures, some at a time, in their order; what cannot be read has an `error`.

        Raises:
            ServiceError, httpx2.HTTPError: as `predict`.
        """
        for start in range(0, len(pictures), BATCH):
            files = [("files", ("picture", content_of(one))) for one in pictures[start : start + BATCH]]
            content = self._asked("POST", "/predict_batch", params=_params(model, top_k), files=files)
            yield from Answers.model_validate(content).answers

    def models(self) -> Models:
        return Models.model_validate(self._asked("GET", "/models"))

    def characters(self, *, model: str = "default") -> Characters:
        return Characters.model_validate(self._asked("GET", "/characters", params={"model": model, "limit": 10_000}))

    def character(self, name: str, *, model: str = "default") -> Character:
        path = f"/characters/{httpx2.URL('/').copy_with(path='/' + name).raw_path.decode()[1:]}"
        return Character.model_validate(self._asked("GET", path, params={"model": model}))

    def health(self) -> Health:
        return Health.model_validate(self._asked("GET", "/health"))

    def _asked(self, method: str, path: str, **given: Any) -> Any:
        for attempt in range(self.retries + 1):
            is_last = attempt == self.retries
            try:
                response = self._http.request(method, path, **given)
            except httpx2.TransportError:
                if is_last:
                    raise
                self.sleep(pause(attempt))
                continue
            if response.status_code not in AGAIN or is_last:
                return _content(response)
            self.sleep(max(pause(attempt), _told(response)))
        raise AssertionError("unreachable")


def pause(attempt: int) -> float:
    """Seconds before the next attempt: twice as long each time, and by chance, so that clients do not come together."""
    return random.uniform(0.5, 1.0) * min(LONGEST_SECONDS, FIRST_SECONDS * 2**attempt)


def content_of(picture: Picture) -> bytes:
    return picture if isinstance(picture, bytes) else Path(picture).read_bytes()


def _told(response: httpx2.Response) -> float:
    """Seconds that the service asks to wait."""
    text = response.headers.get("retry-after", "")
    return min(LONGEST_SECONDS, float(text)) if text.isdigit() else 0.0


def _params(model: str, top_k: int | None) -> dict[str, str | int]:
    return {"model": model, **({} if top_k is None else {"top_k": top_k})}


def _content(response: httpx2.Response) -> Any:
    if response.status_code < FIRST_REFUSAL:
        return response.json()
    request_id = response.headers.get("x-request-id", "")
    try:
        detail = str(response.json()["detail"])
    except (ValueError, KeyError, TypeError):  # something between us answers
        detail = response.reason_phrase
    raise ServiceError(response.status_code, detail, request_id)
