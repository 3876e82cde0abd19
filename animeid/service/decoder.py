"""`python -m animeid.service.decoder`: a process that decodes pictures of strangers, and can be killed.

It speaks over the socket that is its standard input, and says `GREETING` once it is ready: a request is two lengths, a
line of JSON and the picture's bytes; an answer is a letter, a length, and pixels or the reason why there are none. It
ends when the other side is gone, and does not listen to signals that a terminal or a system sends to whole groups.
"""

from __future__ import annotations

import io
import json
import math
import resource
import signal
import socket
import struct
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import AvifImagePlugin, Image, WebPImagePlugin

from animeid.imaging.decode import UnreadableImage
from animeid.imaging.evaluation import EvalTransform
from animeid.imaging.geometry import working_side
from animeid.imaging.working import working_from_stream

ASKED, ANSWERED = struct.Struct("!II"), struct.Struct("!cI")
GREETING, PIXELS, REASON = b"!", b"P", b"R"
BYTES_A_PIXEL = 24
"""Memory for each pixel of the largest picture that is decoded: Pillow holds some copies of it for a moment."""
BASE_BYTES = 2**28
STATM = Path("/proc/self/statm")
"""Where Linux tells a process how much it has of memory; elsewhere there is no limit."""
LATE = (AvifImagePlugin, WebPImagePlugin)
"""What Pillow imports at the first picture of the kind, which is too late once files are not written any more."""


def main() -> None:
    """Answers until the other side is gone."""
    for meant_for_the_service in (signal.SIGINT, signal.SIGTERM):
        signal.signal(meant_for_the_service, signal.SIG_IGN)
    Image.preinit()
    sys.dont_write_bytecode = True
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    own = _virtual_bytes()
    with socket.socket(fileno=0) as other, other.makefile("rb") as asked:
        other.sendall(GREETING)
        while lengths := asked.read(ASKED.size):
            spec_length, length = ASKED.unpack(lengths)
            spec = json.loads(asked.read(spec_length))
            _limit(own, spec)
            letter, answer = decoded(asked.read(length), spec)
            other.sendall(ANSWERED.pack(letter, len(answer)))
            other.sendall(answer)


def decoded(content: bytes, spec: Mapping[str, Any]) -> tuple[bytes, bytes]:
    """A picture as the network of an artefact sees it, as `animeid.deploy.reading.Reader` makes it of a file.

    Args:
        content: of the file.
        spec: `size` (H, W), `crop`, `max_pixels` and `incomplete` of the artefact's input.

    Returns:
        `PIXELS` and `[H, W, 3]` uint8, or `REASON` and a reason.
    """
    transform = EvalTransform((spec["size"][0], spec["size"][1]), spec["crop"])
    try:
        if not content:
            raise UnreadableImage("empty")
        working = working_from_stream(
            io.BytesIO(content), spec["max_pixels"], working_side(transform.image_size), incomplete=spec["incomplete"]
        )
        return PIXELS, transform(working).tobytes()
    except (UnreadableImage, OSError, MemoryError) as error:
        return REASON, (str(error) or "it needs too much memory").encode("utf-8", "replace")


def _limit(own: int, spec: Mapping[str, Any]) -> None:
    """Seconds of the processor and bytes of memory beyond which the system ends this process, or refuses it more."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = math.ceil(used.ru_utime + used.ru_stime + spec["seconds"])
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, resource.RLIM_INFINITY))
    if own:
        memory = own + BASE_BYTES + BYTES_A_PIXEL * spec["max_pixels"]
        resource.setrlimit(resource.RLIMIT_AS, (memory, resource.RLIM_INFINITY))


def _virtual_bytes() -> int:
    """Address space that this process has before it decodes anything; 0 where it cannot be known."""
    return int(STATM.read_text(encoding="ascii").split()[0]) * resource.getpagesize() if STATM.is_file() else 0


if __name__ == "__main__":
    main()
