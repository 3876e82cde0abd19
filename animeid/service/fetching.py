"""Pictures by address, fetched so that nobody reaches by it what he could not reach himself."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import SplitResult, urlsplit

import httpx2

from animeid.service.bodies import too_large
from animeid.service.problems import Problem

PORTS = {"http": 80, "https": 443}
LONGEST = 2000
AGENT = "animeid"
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
"""How networks without IPv4 reach it."""
PUBLIC_IPV6 = ipaddress.IPv6Network("2000::/3")
AT_ONCE = 8
"""Pictures that are being fetched; each may hold its whole size for as long as it may trickle."""


@dataclass(frozen=True)
class Fetcher:
    """Fetches pictures.

    The name is looked up once, all of its addresses must be public, and the connection goes to one of those: a name
    that means another machine a moment later leads nowhere. Redirects are not followed, and no proxy of the environment
    is asked.

    limit: bytes of a picture.
    seconds: for all of it, however fast it trickles.
    places: one for each picture that is being fetched.
    resolver: looks names up; a slow name server must not keep the threads that do all else.
    """

    limit: int
    seconds: float
    places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))
    resolver: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(AT_ONCE, "names"))

    async def fetch(self, url: str) -> bytes:
        """The bytes at an address.

        Raises:
            Problem: it is none of the web's, leads elsewhere, or what is there is too large or too slow; or too many
                are being fetched.
        """
        parts = checked(url)
        if self.places.locked():
            raise Problem(503, f"{AT_ONCE} pictures are being fetched already: try again later", retry_after=1)
        try:
            async with self.places, asyncio.timeout(self.seconds):
                address = await public_address(parts, self.resolver)
                return await self._body(parts, address)
        except TimeoutError as error:
            raise Problem(422, f"the address has not sent the picture within {self.seconds:g} seconds") from error
        except httpx2.HTTPError as error:
            raise Problem(422, "the address does not answer as the web does") from error

    async def _body(self, parts: SplitResult, address: str) -> bytes:
        host = parts.hostname or ""
        netloc = f"[{address}]" if ":" in address else address
        target = parts._replace(netloc=f"{netloc}:{PORTS[parts.scheme]}", fragment="")
        headers = {"Host": host, "Accept": "image/*", "Accept-Encoding": "identity", "User-Agent": AGENT}
        async with (
            httpx2.AsyncClient(trust_env=False, follow_redirects=False, timeout=self.seconds) as client,
            client.stream("GET", target.geturl(), headers=headers, extensions={"sni_hostname": host}) as response,
        ):
            if response.status_code != 200:
                raise Problem(422, f"the address answers with status {response.status_code}, and not with a picture")
            content = bytearray()
            async for chunk in response.aiter_raw():
                content += chunk
                if len(content) > self.limit:
                    raise too_large(self.limit)
            return bytes(content)


def checked(url: str) -> SplitResult:
    """The parts of an address of the web.

    Raises:
        Problem: it is none.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise Problem(422, "the address cannot be read") from error
    if len(url) > LONGEST or not url.isascii() or not url.isprintable():
        raise Problem(422, f"the address is no plain text of at most {LONGEST} letters")
    if parts.scheme not in PORTS or not parts.hostname or port not in (None, PORTS[parts.scheme]):
        raise Problem(422, "the address must be of http or https, with a host and the usual port")
    if parts.username is not None or parts.password is not None:
        raise Problem(422, "the address must have no user and no password")
    return parts


async def public_address(parts: SplitResult, resolver: ThreadPoolExecutor) -> str:
    """The IP address of a host, all of whose addresses are public.

    Raises:
        Problem: it has none, or one that is not.
    """
    look_up = partial(socket.getaddrinfo, parts.hostname, PORTS[parts.scheme], type=socket.SOCK_STREAM)
    try:
        found = await asyncio.get_running_loop().run_in_executor(resolver, look_up)
    except (OSError, UnicodeError) as error:
        raise Problem(422, "the address names a host that is not known") from error
    addresses = [str(entry[4][0]) for entry in found]
    if not addresses or not all(map(is_public, addresses)):
        raise Problem(422, "the address leads to a machine that is not public")
    return addresses[0]


def is_public(address: str) -> bool:
    """Whether anybody on the internet reaches it."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip in NAT64:
            ip = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        elif ip not in PUBLIC_IPV6 or ip.ipv4_mapped or ip.sixtofour or ip.teredo:
            return False  # local ones, and ways to another address, which nobody needs
    return ip.is_global and not ip.is_multicast
