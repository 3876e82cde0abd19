"""Who may ask: keys and their rates."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from animeid.errors import InputError
from animeid.service.keys import ADMIN, Key, Keys
from animeid.service.problems import Problem
from animeid.service.rates import Rates
from animeid.system.console import say_error

TICK = 1.0
HOW = "send it as the header X-API-Key, or as Authorization: Bearer"
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="animeid"'}


@dataclass(frozen=True)
class Guard:
    """Checks who asks.

    keys: None lets everybody ask, and nobody change what answers.
    rates: of the keys.
    rate: requests a second of a key that has no rate of its own; None sets no limit.
    """

    keys: Keys | None
    rates: Rates
    rate: float | None

    def check(self, given: str | None) -> Key | None:
        """Lets a request pass.

        Args:
            given: the key that came with it.

        Raises:
            Problem: it needs a key, has another, or its key has used up its rate.
        """
        if self.keys is None:
            return None
        if not given:
            raise Problem(401, f"the service answers to keys only: {HOW}", headers=CHALLENGE)
        key = self.keys.find(given)
        if key is None:
            raise Problem(401, f"the service does not know this key: {HOW}", headers=CHALLENGE)
        rate = key.rate or self.rate
        if rate is not None and (seconds := self.rates.take(key.sha256[:32], rate)) > 0:
            raise Problem(429, f"{key.name} may ask {rate:g} times a second: wait", retry_after=seconds)
        return key

    async def follow(self) -> None:
        """Reads the file of keys again when it changes, until cancelled; a damaged one leaves them as they were."""
        while self.keys is not None:
            await asyncio.sleep(TICK)
            try:
                self.keys.refresh()
            # A file that cannot be read for a moment must not end what would notice that a key was deleted.
            except (InputError, OSError, ValueError) as error:
                say_error(f"the keys stay as they were: {error}")

    def check_admin(self, given: str | None) -> Key:
        """As `check`, for what changes the service.

        Raises:
            Problem: as `check`; or the service has no keys at all, or this is none of an admin.
        """
        key = self.check(given)
        if key is None:
            raise Problem(403, "the service was started without keys, so that nobody may change what answers")
        if key.role != ADMIN:
            raise Problem(403, f"{key.name} may not change what answers: it takes a key of the role admin")
        return key
