"""Published weights: from the local cache, or from the Hugging Face hub when it answers."""

from __future__ import annotations

from pathlib import Path
from threading import Thread

from huggingface_hub import constants, hf_hub_download, hf_hub_url, try_to_load_from_cache
from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError
from huggingface_hub.utils import get_session

FILENAMES = ("model.safetensors", "pytorch_model.bin")
"""timm's names for a weights file on the hub, the safer format first."""

ANSWER_WITHIN_S = 4.0
"""How long the hub may take to answer at all; its own client would try again for three quarters of a minute."""


class UnavailableError(Exception):
    """Published weights cannot be had; the message is the reason, without a full stop."""


def published_file(repository: str) -> Path:
    """The local copy of a repository's weights, downloaded first where need be.

    A copy in the hub's cache is taken as it is, without a question to the hub, so that a filled cache works offline.

    Raises:
        UnavailableError: there is no copy and none can be downloaded; known within seconds if the hub does not answer.
    """
    if cached := cached_file(repository):
        return cached
    _wait_for_answer(hf_hub_url(repository, FILENAMES[0]))
    return _download(repository)


def cached_file(repository: str) -> Path | None:
    """The copy of a repository's weights in the hub's cache."""
    found = (try_to_load_from_cache(repository, filename) for filename in FILENAMES)
    return next((Path(file) for file in found if isinstance(file, str)), None)


def why_unreachable() -> str | None:
    """Why nothing can be downloaded from the hub, known within seconds; None where it answers."""
    try:
        _wait_for_answer(constants.ENDPOINT)
    except UnavailableError as reason:
        return str(reason)
    return None


def _download(repository: str) -> Path:
    for filename in FILENAMES:
        try:
            return Path(hf_hub_download(repository, filename))
        except Exception as error:  # whatever breaks the download, its reason is reported
            # the hub's client also calls a broken connection "entry not found"
            if isinstance(error, EntryNotFoundError) and not isinstance(error, LocalEntryNotFoundError):
                continue
            raise UnavailableError(f"the download failed: {_first_line(error.__cause__ or error)}") from error
    raise UnavailableError(f"{repository} holds neither {' nor '.join(FILENAMES)}")


def _wait_for_answer(url: str) -> None:
    """Asks in a thread of its own, since looking up a host's name cannot be given a time limit."""
    failures: list[str] = []
    thread = Thread(target=_ask, args=(url, failures), daemon=True)
    thread.start()
    thread.join(ANSWER_WITHIN_S)
    if thread.is_alive():
        failures.append(f"no answer within {ANSWER_WITHIN_S:.0f} s")
    if failures:
        raise UnavailableError(f"{constants.ENDPOINT} cannot be reached: {failures[0]}")


def _ask(url: str, failures: list[str]) -> None:
    try:
        answer = get_session().head(url, timeout=ANSWER_WITHIN_S)
        if answer.is_server_error:
            failures.append(f"it answers with status {answer.status_code}")
    except Exception as error:  # whatever keeps the hub from answering, its reason is reported
        failures.append(_first_line(error))


def _first_line(error: BaseException) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0].rstrip(".")
