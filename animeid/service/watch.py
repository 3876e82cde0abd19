"""The outermost layer of the service: request ids, time, counts, and refusals that reach whoever is still sending."""

from __future__ import annotations

import asyncio
import re
import secrets
import time

from fastapi import FastAPI
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from animeid.service.metrics import Metrics
from animeid.service.problems import MEDIA_TYPE, Problem, encoded
from animeid.service.replies import refused
from animeid.service.service import Service

REQUEST_ID = "X-Request-ID"
GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
PICTURES = ("/predict", "/predict_batch", "/predict_url")
"""Where pictures are sent, which need a place."""
DOOR_BYTES = 64
HEALTH = (b"GET /health", b"GET /v2/health/")
"""How requests begin that are answered when every place is taken: whoever asks would else restart what is only busy."""
OTHER = "other"
"""The route of addresses that are none, in metrics."""
LINGER_SECONDS, LINGER_BYTES = 1.0, 2**23
"""How long, and how much of, a body is thrown away that was refused while it was being sent: whoever closes at once may
take the refusal from the client as well."""
FIRST_ERROR = 400


class Watch:
    """Wraps the whole application, its answers to its own faults included."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app

    def drain(self) -> None:
        """Has the service say that it is not ready, and clients not keep their connections."""
        if (service := getattr(self.app.state, "service", None)) is not None:
            service.draining = True

    def refuse(self, begins: bytes) -> bytes:
        """As `Door` has it."""
        service = getattr(self.app.state, "service", None)
        if service is None or service.admission.is_open or not begins.startswith(b"POST "):
            return b""
        path = begins[5:DOOR_BYTES].partition(b" ")[0].partition(b"?")[0].decode("ascii", "replace")
        if path not in PICTURES:
            return b""
        return self._refusal(service.metrics, path, service.admission.refusal())

    def full(self, begins: bytes) -> bytes:
        """As `Door` has it."""
        if begins.startswith(HEALTH):
            return b""
        service: Service = self.app.state.service
        problem = Problem(503, f"{service.crowd.most} connections are open already: try again later", retry_after=1)
        return self._refusal(service.metrics, OTHER, problem)

    def _refusal(self, metrics: Metrics, route: str, refusal: Problem) -> bytes:
        request_id = secrets.token_hex(8)
        metrics.requests.labels(route, str(refusal.status)).inc()
        body = encoded(refusal.content(request_id))
        headers = {
            "Content-Type": MEDIA_TYPE,
            "Content-Length": str(len(body)),
            "Connection": "close",
            REQUEST_ID: request_id,
            **refusal.all_headers(),
        }
        lines = [f"HTTP/1.1 {refusal.status} Service Unavailable", *map(": ".join, headers.items()), "", ""]
        return "\r\n".join(lines).encode() + body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        service: Service = self.app.state.service
        if scope["method"] == "HEAD":  # as GET; the server leaves the body out, by the scope that is its own
            scope = {**scope, "method": "GET"}
        exchange = Exchange(service, scope, receive, send)
        try:
            service.origins.check(scope["method"], Headers(scope=scope))
        except Problem as problem:
            refusal = refused(Request(scope), problem.status, problem.detail, problem.all_headers())
            await refusal(scope, exchange.receive, exchange.send)
        else:
            await self.app(scope, exchange.receive, exchange.send)


class Exchange:
    """One request and its answer."""

    def __init__(self, service: Service, scope: Scope, receive: Receive, send: Send) -> None:
        self._service, self._scope, self._receive, self._send = service, scope, receive, send
        self._began = time.perf_counter()
        headers = Headers(scope=scope)
        given = headers.get(REQUEST_ID, "")
        scope.setdefault("state", {})["request_id"] = given if GIVEN_ID.fullmatch(given) else secrets.token_hex(8)
        scope["state"]["began"] = self._began
        self._is_sending = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
        self._is_waiting = headers.get("expect", "").lower() == "100-continue"
        self._lingers = False

    async def receive(self) -> Message:
        message = await self._receive()
        self._is_waiting = False
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            self._is_sending = False
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._count(message["status"])
            headers = MutableHeaders(raw=message.setdefault("headers", []))
            headers[REQUEST_ID] = self._scope["state"]["request_id"]
            headers["X-Content-Type-Options"] = "nosniff"
            if self._is_sending or self._service.draining:
                headers["Connection"] = "close"
            self._lingers = self._is_sending and not self._is_waiting and message["status"] >= FIRST_ERROR
        elif message["type"] == "http.response.body" and self._lingers and not message.get("more_body", False):
            await self._send({**message, "more_body": True})
            await self._throw_away()
            message = {"type": "http.response.body", "body": b""}
        await self._send(message)

    async def _throw_away(self) -> None:
        left = LINGER_BYTES
        try:
            async with asyncio.timeout(LINGER_SECONDS):
                while self._is_sending and left > 0:
                    left -= len((await self.receive()).get("body", b""))
        except TimeoutError:
            pass

    def _count(self, status: int) -> None:
        route = getattr(self._scope.get("route"), "path_format", OTHER)
        self._service.metrics.requests.labels(route, str(status)).inc()
        self._service.metrics.seconds.labels(route).observe(time.perf_counter() - self._began)
