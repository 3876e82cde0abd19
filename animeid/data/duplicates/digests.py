"""Digests of pictures: enough to see whether a file was among some pictures, and nothing of what it shows."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

BYTES = 8
"""Of a SHA-256: that any of 20,000 files has the digest of any of 20,000 others is a chance of 1 in 46 billion."""
KIND = "<u8"


def digests_of(sha256: Iterable[str]) -> np.ndarray:
    """`[N]` uint64, ascending and each once: the first bytes of hexadecimal SHA-256s; empty texts are left out."""
    return np.unique(_values([text for text in sha256 if text]))


def is_among(sha256: Iterable[str], digests: np.ndarray) -> np.ndarray:
    """`[N]` bool: whose digest is among those, of N hexadecimal SHA-256s; an empty text has none."""
    texts = list(sha256)
    known = np.array([bool(text) for text in texts], dtype=bool)
    found = np.zeros(len(texts), dtype=bool)
    found[known] = np.isin(_values([text for text in texts if text]), digests)
    return found


def _values(sha256: list[str]) -> np.ndarray:
    return np.frombuffer(b"".join(bytes.fromhex(text[: 2 * BYTES]) for text in sha256), dtype=KIND)
