"""Arguments `key=value`, read without Hydra, which need not be installed."""

from __future__ import annotations

from animeid.errors import InputError
from animeid.system.names import refuse_unreadable


def key_and_text(argument: str, told: str) -> tuple[str, str]:
    """The key of an argument and the text of its value, without quotes of its own, which other commands may need.

    Args:
        told: what is said of one that is none, after its name.

    Raises:
        InputError: it is none, or no text.
    """
    refuse_unreadable(argument)
    key, sign, text = argument.partition("=")
    if key.startswith("-") or not sign:
        raise InputError(f"'{argument}' {told}")
    return key, text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" else text
