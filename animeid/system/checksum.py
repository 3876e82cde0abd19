"""A checksum inside a checkpoint: a kill cannot part the two, and every reader of torch's files still reads it.

torch's files are zip archives, and a zip archive may end with a comment. The comment holds the SHA-256 of all bytes
before the comment's length.
"""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path
from typing import IO, Any

MARK = b"animeid sha256 "
LENGTH_BYTES = 2
"""Size of the field before the comment: its length, a little-endian number."""
COMMENT = len(MARK) + 2 * hashlib.sha256().digest_size
TAIL = LENGTH_BYTES + COMMENT
END_RECORD = 22
"""Size of the record that ends an archive without a comment."""
END_SIGNATURE = b"PK\x05\x06"
BLOCK = 1 << 20


class SummedStream:
    """A stream for `torch.save` that sums up what passes.

    Args:
        stream: where the bytes go.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream = stream
        self.sum = hashlib.sha256()
        self.held = b""
        self.error: OSError | None = None

    def write(self, data: Any) -> int:
        """Writes all but the last bytes, which `close_archive` replaces.

        torch answers an error of its stream with one of its own that does not tell the reason, so that it is kept.
        """
        view = memoryview(data).cast("B")
        # Large tensors come in one piece, which is not copied.
        if len(view) < LENGTH_BYTES:
            view = memoryview(self.held + bytes(view))
        else:
            self._pass_on(self.held)
        self._pass_on(view[:-LENGTH_BYTES])
        self.held = bytes(view[-LENGTH_BYTES:])
        return len(data)

    def _pass_on(self, data: bytes | memoryview) -> None:
        self.sum.update(data)
        try:
            self.stream.write(data)
        except OSError as error:
            self.error = self.error or error
            raise

    def flush(self) -> None:
        self.stream.flush()

    def close_archive(self) -> None:
        """Ends the archive with the comment that holds the sum."""
        comment = MARK + self.sum.hexdigest().encode()
        self.stream.write(len(comment).to_bytes(LENGTH_BYTES, "little") + comment)


def is_whole(path: Path) -> bool:
    """Whether a checkpoint holds what was written.

    One without a sum, of an earlier version or another program, is judged by the sums that zip keeps of its parts.
    """
    size = path.stat().st_size
    with path.open("rb") as stream:
        if size > TAIL:
            stream.seek(size - TAIL)
            tail = stream.read(TAIL)
            if tail.startswith(COMMENT.to_bytes(LENGTH_BYTES, "little") + MARK):
                stream.seek(0)
                return tail.endswith(b" " + _sum(stream, size - TAIL))
        stream.seek(max(size - END_RECORD, 0))
        if not stream.read(END_RECORD).startswith(END_SIGNATURE):
            return False
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.testzip() is None
    # A damaged archive can make zipfile raise almost anything.
    except Exception:
        return False


def _sum(stream: IO[bytes], size: int) -> bytes:
    found = hashlib.sha256()
    left = size
    while left and (block := stream.read(min(BLOCK, left))):
        found.update(block)
        left -= len(block)
    return found.hexdigest().encode()
