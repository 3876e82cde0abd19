"""What a command tells its user on standard output."""

from __future__ import annotations


def say(sentence: str) -> None:
    print(sentence, flush=True)  # noqa: T201
