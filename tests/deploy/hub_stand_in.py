"""A stand-in for the Hugging Face hub: just the calls by which a folder is pushed and pulled, files kept in memory."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha1
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import unquote

TOKEN = "hf_of_the_test"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Received:
    """What the hub was sent.

    address: of the hub. files: of each repository, by name. private: of each repository. messages: of its commits.
    unknown: calls that the hub does not know. status: what every call is answered with, where it is set.
    """

    address: str = ""
    files: dict[str, dict[str, bytes]] = field(default_factory=dict)
    private: dict[str, bool] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    status: int | None = None


@contextmanager
def hub() -> Iterator[Received]:
    """A hub that answers on this machine for as long as the block runs."""
    received = Received()

    class Handler(_Handler):
        state = received

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    received.address = f"http://127.0.0.1:{server.server_port}"
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield received
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    state: Received
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None: ...

    def do_HEAD(self) -> None:
        self._serve()

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = unquote(self.path.partition("?")[0])
        if self.state.status is not None:
            self._json({"error": "no"}, self.state.status)
        elif path in ("/", "/api/agent-harnesses"):
            self._json({})
        elif path == "/api/whoami-v2":
            is_known = self.headers.get("Authorization") == f"Bearer {TOKEN}"
            self._json({"name": "user", "type": "user"} if is_known else {"error": "no"}, 200 if is_known else 401)
        elif path == "/api/repos/create":
            self._create(json.loads(body))
        elif path == "/api/validate-yaml":
            self._json({"errors": [], "warnings": []})
        elif found := re.fullmatch(r"/api/models/([^/]+/[^/]+)/(\w+)(?:/(.*))?", path):
            self._repository(found[1], found[2], body)
        elif found := re.fullmatch(r"/([^/]+/[^/]+)/resolve/[^/]+/(.+)", path):
            self._file(found[1], found[2])
        else:
            self._unknown()

    def _create(self, asked: dict[str, Any]) -> None:
        name = f"{asked.get('organization') or 'user'}/{asked['name']}"
        self.state.files.setdefault(name, {})
        self.state.private[name] = asked["visibility"] == "private"
        self._json({"url": f"{self.state.address}/{name}", "name": name})

    def _repository(self, name: str, what: str, body: bytes) -> None:
        files = self.state.files.get(name)
        if files is None:
            self._json({"error": "Repository not found"}, 404, {"X-Error-Code": "RepoNotFound"})
        elif what == "preupload":
            asked = json.loads(body)["files"]
            self._json(
                {"files": [{"path": one["path"], "uploadMode": "regular", "shouldIgnore": False} for one in asked]}
            )
        elif what == "commit":
            for line in body.splitlines():
                entry = json.loads(line)
                if entry["key"] == "file":
                    files[entry["value"]["path"]] = base64.b64decode(entry["value"]["content"])
                elif entry["key"] == "deletedFile":
                    del files[entry["value"]["path"]]
                elif entry["key"] == "header":
                    self.state.messages.append(entry["value"]["summary"])
            self._json(
                {
                    "success": True,
                    "commitOid": COMMIT,
                    "commitUrl": f"{self.state.address}/{name}/commit/{COMMIT}",
                    "hookOutput": "",
                }
            )
        elif what == "tree":
            self._json(
                [
                    {"type": "file", "path": path, "size": len(content), "oid": sha1(content).hexdigest()}
                    for path, content in files.items()
                ]
            )
        elif what == "revision":
            self._json({"id": name, "sha": COMMIT, "siblings": [{"rfilename": path} for path in files]})
        else:
            self._unknown()

    def _file(self, name: str, path: str) -> None:
        content = self.state.files.get(name, {}).get(path)
        if content is None:
            self._json({"error": "Entry not found"}, 404, {"X-Error-Code": "EntryNotFound"})
            return
        self._send(200, content, {"ETag": f'"{sha1(content).hexdigest()}"', "X-Repo-Commit": COMMIT})

    def _unknown(self) -> None:
        self.state.unknown.append(f"{self.command} {self.path}")
        self._json({"error": "not known"}, 500)

    def _json(self, value: Any, status: int = 200, headers: dict[str, str] | None = None) -> None:
        self._send(status, json.dumps(value).encode(), {"Content-Type": "application/json", **(headers or {})})

    def _send(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
