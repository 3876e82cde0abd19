"""Published weights: from the local cache, or from the Hugging Face hub when it answers."""

from __future__ import annotations

from pathlib import Path

from huggingface_hub import hf_hub_download, hf_hub_url, try_to_load_from_cache
from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

from animeid.system.hub import ANSWER_WITHIN_S, first_line, why_silent

FILENAMES = ("model.safetensors", "pytorch_model.bin")
"""timm's names for a weights file on the hub, the safer format first."""


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


def _download(repository: str) -> Path:
    for filename in FILENAMES:
        try:
            return Path(hf_hub_download(repository, filename))
        except Exception as error:  # whatever breaks the download, its reason is reported
            # the hub's client also calls a broken connection "entry not found"
            if isinstance(error, EntryNotFoundError) and not isinstance(error, LocalEntryNotFoundError):
                continue
            raise UnavailableError(f"the download failed: {first_line(error.__cause__ or error)}") from error
    raise UnavailableError(f"{repository} holds neither {' nor '.join(FILENAMES)}")


def _wait_for_answer(url: str) -> None:
    reason = why_silent(url, ANSWER_WITHIN_S)
    if reason:
        raise UnavailableError(reason)
