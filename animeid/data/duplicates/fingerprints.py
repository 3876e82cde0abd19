"""Fingerprints of pictures: size, sha256, perceptual hashes, thumbnail."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import cv2
import numpy as np

from animeid.data.duplicates.hashing import perceptual_hashes
from animeid.data.duplicates.store import FACTS, FingerprintStore
from animeid.data.duplicates.thumbnails import NOWHERE, THUMBNAIL, Thumbnails
from animeid.data.picture_files import open_picture
from animeid.imaging.decode import UnreadableImage, decode_stream
from animeid.system.cores import of_many
from animeid.system.progress import progress


@dataclass(frozen=True)
class Fingerprints:
    """Of N pictures.

    sizes: `[N, 2]` int64, width and height. sha256: N hexadecimal strings, of the file's bytes.
    hashes, mirrored: `[N, HASH_BYTES]` uint8, perceptual hashes of the picture and of its mirror.
    thumbnails: stretched to squares.
    """

    sizes: np.ndarray
    sha256: list[str]
    hashes: np.ndarray
    mirrored: np.ndarray
    thumbnails: Thumbnails

    def followed_by(self, others: Fingerprints) -> Fingerprints:
        """These and then the others."""
        return Fingerprints(
            np.concatenate([self.sizes, others.sizes]),
            [*self.sha256, *others.sha256],
            np.concatenate([self.hashes, others.hashes]),
            np.concatenate([self.mirrored, others.mirrored]),
            self.thumbnails.followed_by(others.thumbnails),
        )

    def take(self, rows: np.ndarray) -> Fingerprints:
        """Those of the given rows, in their order."""
        return Fingerprints(
            self.sizes[rows],
            [self.sha256[row] for row in rows],
            self.hashes[rows],
            self.mirrored[rows],
            self.thumbnails.take(rows),
        )


def fingerprint_all(
    paths: Sequence[Path],
    max_pixels: int,
    home: Path | None = None,
    expected: Sequence[str] | None = None,
    *,
    incomplete: bool = False,
) -> tuple[Fingerprints, dict[int, str]]:
    """Reads every picture once, with a thread a core but where they are small, and decodes those not seen before.

    Args:
        home: the cache's folder, where fingerprints are kept; None decodes everything.
        expected: the sha256 of each file as it was, where a picture is known: what is kept of it is taken without
            reading the file, and a file with other content is not used.
        incomplete: pictures that lack pixels are read as far as they go; what is stored of such a reading is found by
            those alone who ask so.

    Returns:
        The fingerprints, and the reason for each index whose file is no usable picture (its fingerprint is zeros).
    """
    store = FingerprintStore(home)
    facts, sha256 = np.zeros(len(paths), dtype=FACTS), [""] * len(paths)
    where = np.full((len(paths), 2), NOWHERE, dtype=np.int64)

    def recall(key: str) -> tuple[np.void, tuple[int, int]] | None:
        return store.get(key) or (store.get(_of_part(key)) if incomplete else None)

    def look(index: int) -> str:
        was = expected[index] if expected else ""
        known = recall(was)
        if known is not None:
            facts[index], where[index] = known
            sha256[index] = was
            return ""
        try:
            with open_picture(paths[index]) as stream:
                sha256[index] = _sha256(stream)
                if was not in ("", sha256[index]):
                    raise UnreadableImage("changed: not the picture that was seen before")
                known = recall(sha256[index])
                if known is not None and int(np.prod(known[0]["size"])) <= max_pixels:
                    facts[index], where[index] = known
                    return ""
                stream.seek(0)
                if not incomplete:
                    picture, key = decode_stream(stream, max_pixels), sha256[index]
                else:
                    picture, key = decode_stream(stream, max_pixels, incomplete=True), _of_part(sha256[index])
        except UnreadableImage as error:
            sha256[index] = ""
            return str(error)
        new = _facts(picture, key)
        facts[index], where[index] = new[0], store.add(new, shrink(picture, THUMBNAIL))
        return ""

    reasons = list(progress(of_many(look, range(len(paths))), len(paths), "reading pictures"))
    store.flush()
    thumbnails = Thumbnails(store.files, where[:, 0], where[:, 1])
    found = Fingerprints(facts["size"], sha256, facts["hash"].copy(), facts["mirrored"].copy(), thumbnails)
    return found, {index: reason for index, reason in enumerate(reasons) if reason}


def _of_part(sha256: str) -> str:
    """What the fingerprint of a picture that may lack pixels is kept under: who leaves those out must not find it."""
    return hashlib.sha256(f"{sha256} in part".encode()).hexdigest() if sha256 else ""


def content_of(path: Path) -> str:
    """The hexadecimal SHA-256 of a picture's file; empty where it cannot be read."""
    try:
        with open_picture(path) as stream:
            return _sha256(stream)
    except (UnreadableImage, OSError):
        return ""


def _sha256(stream: IO[bytes]) -> str:
    return hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]


def _facts(picture: np.ndarray, sha256: str) -> np.ndarray:
    facts = np.zeros(1, dtype=FACTS)
    facts["sha256"] = np.frombuffer(bytes.fromhex(sha256), dtype="V32")
    facts["size"] = picture.shape[1], picture.shape[0]
    facts["hash"], facts["mirrored"] = perceptual_hashes(picture)
    return facts


def shrink(picture: np.ndarray, side: int) -> np.ndarray:
    """Stretches `[H, W, 3]` uint8 to `[side, side, 3]`, averaging over areas where it gets smaller."""
    return cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)
