"""Keys of clients: a file with their digests, never with the keys themselves."""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from animeid.errors import InputError

PREFIX = "animeid_"
USER, ADMIN = "user", "admin"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


@dataclass(frozen=True)
class Key:
    """Who asks.

    name: of the client.
    sha256: of the key, which has 256 random bits, so that no slower digest is needed.
    role: `user`, or `admin`, who may change what answers.
    rate: requests a second; None is the service's.
    """

    name: str
    sha256: str
    role: str = USER
    rate: float | None = None


def digest_of(key: str) -> str:
    return sha256(key.encode("utf-8", "surrogateescape")).hexdigest()


def new_key(file: Path, name: str, role: str) -> str:
    """Makes a key and writes its digest into a file, which this user alone can read.

    Returns:
        The key, which stands nowhere.

    Raises:
        InputError: the name is none or is taken, or the file cannot be written.
    """
    if not NAME.fullmatch(name):
        raise InputError(
            f"'{name}' is no name of a key: give up to 64 letters, digits, '_', '-' and '.', a letter or digit first"
        )
    if file.is_file() and name in {key.name for key in read_keys(file).values()}:
        raise InputError(f"{file} has a key of {name}: take another name, or delete its line first")
    key = PREFIX + secrets.token_urlsafe(32)
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    except OSError as error:
        raise InputError(
            f"keys={file} cannot be written ({error.strerror}): name a file that you may write to, in a folder that is "
            "there"
        ) from error
    begun = file.stat().st_size and not file.read_bytes().endswith(b"\n")
    line = json.dumps(asdict(Key(name, digest_of(key), role)), ensure_ascii=False) + "\n"
    with os.fdopen(descriptor, "a", encoding="utf-8") as stream:
        stream.write(f"\n{line}" if begun else line)
    return key


def read_keys(file: Path) -> dict[str, Key]:
    """Keys by their digest.

    Raises:
        InputError: there is no such file, it cannot be read, or a line of it is none.
    """
    if not file.is_file():
        raise InputError(f"keys={file} is no file: make the first key with new_key=NAME")
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise InputError(f"keys={file} cannot be read ({error.strerror}): allow reading it") from error
    except UnicodeDecodeError as error:
        raise InputError(f"keys={file} is no text: name a file that was made with new_key=NAME") from error
    found: dict[str, Key] = {}
    for number, line in enumerate(lines, start=1):
        if line.strip():
            key = _key(line, f"line {number} of {file}")
            found[key.sha256] = key
    return found


def _key(line: str, where: str) -> Key:
    try:
        plain = json.loads(line)
        key = Key(**plain)
    except (ValueError, TypeError) as error:
        raise InputError(f"{where} is no key: delete it, or make a key with new_key=NAME") from error
    is_sound = (
        isinstance(key.name, str)
        and bool(re.fullmatch(r"[0-9a-f]{64}", str(key.sha256)))
        and key.role in (USER, ADMIN)
        and (key.rate is None or (isinstance(key.rate, int | float) and key.rate > 0))
    )
    if not is_sound:
        raise InputError(f"{where} is no key: it needs name, sha256, role (user or admin) and perhaps a rate above 0")
    return key


class Keys:
    """The keys of a file, which is read again when it changes.

    Args:
        file: of `new_key`.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self._stamp: Any = None
        self._found: Mapping[str, Key] = {}
        self.refresh()

    def find(self, key: str) -> Key | None:
        """Whose key it is; digests are compared, so that time tells nothing of the keys."""
        return self._found.get(digest_of(key))

    def refresh(self) -> None:
        """Raises:
        InputError: the file is damaged; the keys stay as they were.
        """
        stat = self.file.stat() if self.file.is_file() else None
        stamp = stat and (stat.st_mtime_ns, stat.st_ino, stat.st_size)
        if stamp is None or stamp != self._stamp:
            self._found = read_keys(self.file)  # of a file that is gone or damaged, this says so each time
            self._stamp = stamp
