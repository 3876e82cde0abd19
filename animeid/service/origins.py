"""Names that the service answers to, and pages of other places that it does not serve.

A page can give its own name the address of this machine for a while (DNS rebinding), and is then of one origin with the
service; and it can send forms to any address without asking. Neither can forge the headers `Host`, `Origin` and
`Sec-Fetch-Site`.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from animeid.service.problems import Problem

LOCAL = "localhost"
HARMLESS = ("GET", "HEAD", "OPTIONS")
OWN = ("same-origin", "none")
"""What `Sec-Fetch-Site` says of the service's own page, and of what a person has typed."""


@dataclass(frozen=True)
class Origins:
    """Where requests may come from.

    hosts: names besides those of this machine.
    any_host: whether the service answers to every name, as it must to those whom others have given to it.
    """

    hosts: frozenset[str]
    any_host: bool

    @classmethod
    def of(cls, host: str, hosts: str | None) -> Self:
        """Those of a service that listens on an address: on one that others reach, every name, unless some are given.

        Args:
            hosts: names with commas.
        """
        names = frozenset(name.strip().lower() for name in (hosts or "").split(",") if name.strip())
        return cls(names, not names and not is_of_this_machine(host))

    def check(self, method: str, headers: Mapping[str, str]) -> None:
        """Raises:
        Problem: the request was sent to another name, or by a page of another place.
        """
        host = headers.get("host", "")
        if host and not self.any_host and not self._knows(name := name_in(f"//{host}")):
            raise Problem(421, f"this is not {name[:80] or 'a name'}: ask localhost, or start it with hosts=NAME")
        if method not in HARMLESS and self._is_elsewhere(headers):
            raise Problem(403, "pages of other places may not ask: start the service with hosts=NAME, the page's host")

    def _knows(self, name: str) -> bool:
        """Whether it is one of ours; an address of digits is, since nobody can give it to another machine."""
        return name in self.hosts or is_of_this_machine(name) or is_address(name)

    def _is_elsewhere(self, headers: Mapping[str, str]) -> bool:
        """As Go's CrossOriginProtection has it: what a browser says of itself, else whether origin and host agree."""
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        if origin is not None and name_in(origin) in self.hosts:
            return False
        if site is not None:
            return site not in OWN
        host = headers.get("host", "").lower()
        return origin is not None and place_in(origin) != host and not self._may_be_upstream(name_in(f"//{host}"))

    def _may_be_upstream(self, name: str) -> bool:
        """Whether a proxy may have called the service so, which was asked by another name; no browser asks this one.

        An address of digits, or this machine's, is what a browser was told itself. Without TLS it says nothing else of
        where a page comes from, so that the origin is all that there is to look at.
        """
        return self.any_host and not is_of_this_machine(name) and not is_address(name)


def is_of_this_machine(name: str) -> bool:
    """Whether a name or an address means the machine that asks."""
    if name == LOCAL or name.endswith(f".{LOCAL}"):
        return True
    return is_address(name) and ipaddress.ip_address(name).is_loopback


def is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def name_in(url: str) -> str:
    """The host of an address, in small letters and without the dot that may end it; "" where there is none."""
    try:
        return (urlsplit(url).hostname or "").removesuffix(".")
    except ValueError:
        return ""


def place_in(origin: str) -> str:
    """Host and port of an origin, as `Host` says them; "" of `null` and of what is none."""
    return origin.lower().partition("://")[2]
