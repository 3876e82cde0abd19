"""A connection of uvicorn's that can refuse: heads that do not end, and what there is no place for."""

from __future__ import annotations

import asyncio
from typing import Protocol

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from animeid.service.crowd import REFUSED_AT_ONCE, Crowd

LINGER_SECONDS = 1.0
"""How long what is still sent after a refusal is thrown away: whoever closes at once may take the refusal along."""


class Door(Protocol):
    """What is said before a request is even parsed."""

    def refuse(self, begins: bytes) -> bytes:
        """From how a request begins to the whole answer that refuses it; nothing lets it pass."""

    def full(self, begins: bytes) -> bytes:
        """The whole answer to who has no place; nothing lets who asks how the service is pass."""


class Connection(H11Protocol):
    """Is closed where it has been waiting for the end of the same head for some time; uvicorn would wait for ever.

    One that is idle between requests is closed by uvicorn sooner. A request that is refused at the door is not even
    parsed: under overload most requests are, and what they take is taken from those that are answered. One whose client
    does not read the answer is given up after the same time. Of too many connections (see `Crowd`) one that keeps the
    service waiting is closed, or a new one refused.
    """

    head_seconds: float
    door: Door
    crowd: Crowd
    turned_away: set[Connection]
    _timer: asyncio.TimerHandle | None = None
    _reader: asyncio.TimerHandle | None = None
    _is_refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if self.crowd.enter(self):
            self._look_again()
        elif len(self.turned_away) < REFUSED_AT_ONCE:
            self.turned_away.add(self)
            self._timer = self.loop.call_later(LINGER_SECONDS, transport.close)
        else:
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._timer, self._reader):
            if timer is not None:
                timer.cancel()
        self.crowd.leave(self)
        self.turned_away.discard(self)
        super().connection_lost(exc)

    def make_room(self) -> None:
        self.transport.close()

    def pause_writing(self) -> None:
        super().pause_writing()
        # Who does not read what he asked for keeps all of it in memory, and a stop waiting.
        self._reader = self.loop.call_later(self.head_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        if self._reader is not None:
            self._reader.cancel()
        super().resume_writing()

    def data_received(self, data: bytes) -> None:
        if self._is_refused:
            return
        refusal = self.door.full(data) if self in self.turned_away else b""
        if not refusal and self._begins_request():
            refusal = self.door.refuse(data)
        if refusal:
            self._refuse(refusal)
        else:
            super().data_received(data)

    def handle_events(self) -> None:
        super().handle_events()
        awaits_body = self.conn.their_state is h11.SEND_BODY
        self.crowd.awaits(self, "head" if self._head() is not None else "body" if awaits_body else None)

    def eof_received(self) -> None:
        if self._is_refused:
            self.transport.close()

    def _refuse(self, refusal: bytes) -> None:
        self._is_refused = True
        self._unset_keepalive_if_required()
        self.transport.write(refusal)
        self.transport.write_eof()
        self.loop.call_later(LINGER_SECONDS, self.transport.close)

    def _begins_request(self) -> bool:
        """Whether the next byte is the first of a request."""
        return self.conn.their_state is h11.IDLE and not self.conn.trailing_data[0]

    def _look_again(self) -> None:
        self._timer = self.loop.call_later(self.head_seconds, self._close_if_silent, self._head())

    def _close_if_silent(self, before: object) -> None:
        if before is not None and self._head() is before:
            self.transport.close()
        else:
            self._look_again()

    def _head(self) -> object:
        """What stands for the head that is awaited: another one for each; None where none is."""
        return (self.cycle or self) if self.conn.their_state is h11.IDLE else None


def connection_class(head_seconds: float, door: Door, crowd: Crowd) -> type[Connection]:
    """A class with these settings; uvicorn makes connections of a class, and gives them none of ours."""
    given = {"head_seconds": head_seconds, "door": door, "crowd": crowd, "turned_away": set()}
    return type("Connection", (Connection,), given)
