"""Whether the Hugging Face hub answers, known within seconds."""

from __future__ import annotations

from threading import Thread

from huggingface_hub import constants
from huggingface_hub.utils import get_session

ANSWER_WITHIN_S = 4.0
"""How long the hub may take to answer at all; its own client would try again for three quarters of a minute."""


def why_unreachable() -> str | None:
    """Why nothing can be exchanged with the hub; None where it answers."""
    return why_silent(constants.ENDPOINT, ANSWER_WITHIN_S)


def why_silent(url: str, within_s: float) -> str | None:
    """Why an address of the hub does not answer within so many seconds; None where it does.

    It is asked in a thread of its own, since looking up a host's name cannot be given a time limit.
    """
    failures: list[str] = []
    thread = Thread(target=_ask, args=(url, within_s, failures), daemon=True)
    thread.start()
    thread.join(within_s)
    if thread.is_alive():
        failures.append(f"no answer within {within_s:.0f} s")
    return f"{constants.ENDPOINT} cannot be reached: {failures[0]}" if failures else None


def _ask(url: str, within_s: float, failures: list[str]) -> None:
    try:
        answer = get_session().head(url, timeout=within_s)
        if answer.is_server_error:
            failures.append(f"it answers with status {answer.status_code}")
    except Exception as error:  # whatever keeps the hub from answering, its reason is reported
        failures.append(first_line(error))


def first_line(error: BaseException) -> str:
    """The first line of what an error says, without a full stop."""
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0].rstrip(".")
