"""Artefacts on the Hugging Face hub, through huggingface_hub; it knows no torch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from animeid.artefacts.layout import OWN_FILES
from animeid.errors import InputError
from animeid.system.console import say_beside
from animeid.system.names import expanded

PREFIX = "hub:"
"""What an artefact's name begins with that lies on the hub: `hub:USER/NAME`, or `hub:USER/NAME@REVISION`."""
LOG_IN = "log in with `hf auth login`, or set HF_TOKEN"
HIDDEN = ".*"


def artefact_folder(given: str) -> Path:
    """The folder that `artefact=` means, which is downloaded first where it is on the hub.

    Where the hub cannot be reached, a copy in the cache is taken, which is said.

    Raises:
        InputError: there is none on the hub, or it cannot be reached and the cache has none.
    """
    if not given.startswith(PREFIX):
        return Path(expanded("artefact", given))
    repository, _, revision = given.removeprefix(PREFIX).partition("@")
    with _in_sentences(f"{given} cannot be fetched"):
        from huggingface_hub import snapshot_download

        from animeid.system.hub import why_unreachable

        reason = why_unreachable()
        if reason:
            folder = snapshot_download(repository, revision=revision or None, local_files_only=True)
            say_beside(f"{reason}: the copy of {repository} in the cache is used")
        else:
            folder = snapshot_download(repository, revision=revision or None)
        return Path(folder)


def check_push(repository: str) -> None:
    """Raises:
    InputError: the hub cannot be reached, or does not know who asks.
    """
    with _in_sentences(f"push={repository} cannot be done"):
        from huggingface_hub import HfApi

        from animeid.system.hub import why_unreachable

        if reason := why_unreachable():
            raise InputError(
                f"push={repository} cannot be done, for {reason}: leave out push, and later "
                f"`hf upload {repository} FOLDER` where there is a network"
            )
        HfApi().whoami()


def push(folder: Path, repository: str, version: str) -> str:
    """Uploads an artefact, and returns its address. A repository that is made for it is private.

    It takes the place of one that was pushed there before; earlier revisions keep what they had.

    Raises:
        InputError: the hub cannot be reached, or refuses.
    """
    with _in_sentences(f"{folder} is exported, but push={repository} cannot be done"):
        from huggingface_hub import HfApi

        hub = HfApi()
        address = hub.create_repo(repository, private=True, exist_ok=True)
        message = f"animeid artefact {version}"
        # What an artefact that was pushed before had, and this one has not, would contradict its card.
        hub.upload_folder(
            repo_id=repository,
            folder_path=folder,
            commit_message=message,
            ignore_patterns=HIDDEN,
            delete_patterns=list(OWN_FILES),
        )
        return str(address)


@contextmanager
def _in_sentences(start: str) -> Iterator[None]:
    """Turns what huggingface_hub raises into one sentence that begins so."""
    try:
        from huggingface_hub import errors

        from animeid.system.hub import first_line
    except ImportError as error:
        raise InputError(f"{start}, for huggingface_hub is not installed: pip install huggingface_hub") from error
    try:
        yield
    except InputError:
        raise
    except errors.LocalEntryNotFoundError as error:
        raise InputError(
            f"{start}, for the hub cannot be reached and the cache has no copy: try again with a network, or give the "
            "folder of an artefact"
        ) from error
    except (errors.RepositoryNotFoundError, errors.RevisionNotFoundError) as error:
        raise InputError(
            f"{start}, for the hub shows whoever asks no such repository or revision: check the name, or {LOG_IN}"
        ) from error
    except (errors.LocalTokenNotFoundError, errors.HfHubHTTPError) as error:
        raise InputError(
            f"{start}, for the hub refuses ({first_line(error)}): check the token ({LOG_IN}), or try again later"
        ) from error
    except Exception as error:  # whatever keeps the hub's client from its work, its reason is reported
        raise InputError(
            f"{start} ({first_line(error)}): check the name, which is USER/NAME, and the network"
        ) from error
