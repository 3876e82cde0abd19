"""The end of a listening socket, before which the connections that clients believe to have are taken.

The system resets connections that wait in a socket's queue when its last holder closes it, and one can always come
between the last look into the queue and the close. So requests for new connections are first thrown away by a filter
of the socket: a client asks again after a second, as for any packet that was lost, and finds nobody or the next
service. Linux only; elsewhere that moment remains.
"""

from __future__ import annotations

import ctypes
import signal
import socket
import struct
import sys

CLOSE_NOW = signal.SIGUSR1
"""The supervisor sends it to workers once no further connections come. Nobody else does: a terminal and systemd send to
all processes of a group what they send to the supervisor."""
HANDSHAKE_SECONDS = 0.3
"""How long connections that were being made when the filter came are given to be made: the way to a far client and
back."""
SO_ATTACH_FILTER = SO_GET_FILTER = 26
"""Of <asm-generic/socket.h>, which Python does not name."""
FLAGS_OFFSET, SYN = 13, 0x02
"""Of a TCP header (RFC 9293, 3.1). What reaches a listening socket with SYN asks for a new connection."""
LOAD_BYTE, JUMP_IF_SET, RETURN = 0x30, 0x45, 0x06
"""Instructions of the classic BPF, of <linux/bpf_common.h>: `BPF_LD | BPF_B | BPF_ABS`, `BPF_JMP | BPF_JSET | BPF_K`
and `BPF_RET | BPF_K`."""
ALL = 0xFFFFFFFF
PROGRAM = (
    (LOAD_BYTE, 0, 0, FLAGS_OFFSET),
    (JUMP_IF_SET, 0, 1, SYN),
    (RETURN, 0, 0, 0),
    (RETURN, 0, 0, ALL),
)
"""Of each packet keeps all or, where it asks for a connection, nothing: code, jumps if true and if false, value."""


def refuse_new(listening: socket.socket) -> bool:
    """Has the system throw away requests for new connections, for all that hold the socket; whether it does.

    Not every system that looks like Linux knows filters: some take one and let all pass, so that it is read back.
    """
    if sys.platform != "linux":
        return False
    instructions = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *one) for one in PROGRAM))
    program = struct.pack("HP", len(PROGRAM), ctypes.addressof(instructions))
    try:
        listening.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)
        # What comes back is as many bytes as the kernel answers with: the number of the filter's instructions.
        return len(listening.getsockopt(socket.SOL_SOCKET, SO_GET_FILTER, len(instructions))) == len(PROGRAM)
    except OSError:
        return False


def take_last(listening: socket.socket) -> list[socket.socket]:
    """Closes the socket; the connections that the system has accepted and nobody has taken."""
    found: list[socket.socket] = []
    listening.setblocking(False)
    while True:
        try:
            connection, _ = listening.accept()
        except OSError:
            listening.close()
            break
        found.append(connection)
    for connection in found:
        connection.setblocking(False)
    return found
