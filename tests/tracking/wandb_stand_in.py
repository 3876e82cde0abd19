"""A stand-in for W&B's server: just the calls that a run and its artifacts make, kept in memory to be looked at."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from time import sleep
from typing import Any

ENTITY = "me"
SILENCE_S = 3


@dataclass
class Received:
    """What the server was sent.

    runs: by id, the fields of the run as they were last set. streams: by run id and file name, the lines that were
    streamed. exit_codes: by run id. uploads: files by name, those of artifacts below `artifacts/<id>`.
    artifacts: by the server's id, the description. committed: ids of the artifacts that are whole. views: workspaces.
    unknown: calls that the server does not know. silent_on: calls that it is to leave without an answer. is_gone:
    closes every connection at once.
    """

    runs: dict[str, dict[str, Any]] = field(default_factory=dict)
    streams: dict[tuple[str, str], dict[int, str]] = field(default_factory=dict)
    exit_codes: dict[str, int] = field(default_factory=dict)
    uploads: dict[str, bytes] = field(default_factory=dict)
    artifacts: dict[str, dict[str, Any]] = field(default_factory=dict)
    committed: set[str] = field(default_factory=set)
    views: list[dict[str, Any]] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    silent_on: set[str] = field(default_factory=set)
    is_gone: bool = False
    lock: Lock = field(default_factory=Lock)

    def history(self, run_id: str) -> list[dict[str, Any]]:
        lines = self.streams.get((run_id, "wandb-history.jsonl"), {})
        return [json.loads(lines[place]) for place in sorted(lines)]

    def summary(self, run_id: str) -> dict[str, Any]:
        """The last summary line that was streamed."""
        lines = self.streams[run_id, "wandb-summary.json"]
        return json.loads(lines[max(lines)])

    def files_of(self, collection: str) -> set[str]:
        """The names of a whole artifact's files."""
        (number,) = [
            key
            for key, artifact in self.artifacts.items()
            if artifact["artifactCollectionName"] == collection and key in self.committed
        ]
        before = f"artifacts/{number}/"
        return {name.removeprefix(before) for name in self.uploads if name.startswith(before)}


class Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    protocol_version = "HTTP/1.1"
    received: Received
    url: str

    def log_message(self, *_: Any) -> None:
        """Says nothing."""

    def _body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            body = b""
            while size := int(self.rfile.readline().strip(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        return gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body

    def _answer(self, value: Any) -> None:
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _work(self) -> None:
        body = self._body()
        if self.received.is_gone:
            self.close_connection = True
            return
        with self.received.lock:
            if self.path == "/graphql":
                asked = json.loads(body)
                name = re.search(r"(?:query|mutation)\s+(\w+)", asked["query"])[1]
                if name in self.received.silent_on:
                    sleep(SILENCE_S)
                    return
                if not hasattr(self, f"_{name}"):
                    self.received.unknown.append(name)
                answer = getattr(self, f"_{name}", lambda variables: {})
                self._answer({"data": answer(asked.get("variables") or {})})
            elif self.path.endswith("/file_stream"):
                self._stream(self.path.split("/")[-2], json.loads(body))
                self._answer({})
            else:
                self.received.uploads[self.path.removeprefix("/storage/")] = body
                self._answer({})

    do_GET = do_POST = do_PUT = _work

    def _stream(self, run_id: str, sent: dict[str, Any]) -> None:
        for name, part in (sent.get("files") or {}).items():
            lines = self.received.streams.setdefault((run_id, name), {})
            lines |= {part["offset"] + place: line for place, line in enumerate(part["content"])}
        if sent.get("complete"):
            self.received.exit_codes[run_id] = sent["exitcode"]

    def _Viewer(self, variables: dict[str, Any]) -> dict[str, Any]:
        viewer = {"id": "u", "entity": ENTITY, "username": ENTITY, "email": "", "flags": "{}", "admin": False}
        return {"viewer": {**viewer, "teams": {"edges": []}}}

    def _ServerFeaturesQuery(self, variables: dict[str, Any]) -> dict[str, Any]:
        return {"serverInfo": {"features": []}}

    def _RunResumeStatus(self, variables: dict[str, Any]) -> dict[str, Any]:
        """An unknown run: a new one."""
        return {"model": {"id": "p", "name": "animeid", "entity": {"id": "e", "name": ENTITY}, "bucket": None}}

    def _OrganizationCoreWeaveOrganizationID(self, variables: dict[str, Any]) -> dict[str, Any]:
        return {"entity": {"organization": {"coreWeaveOrganizationId": None}}}

    def _ArtifactType(self, variables: dict[str, Any]) -> dict[str, Any]:
        """No artifact has that name yet, so that it has no type."""
        return {"project": None}

    def _UpsertBucket(self, variables: dict[str, Any]) -> dict[str, Any]:
        name = variables["name"]
        run = self.received.runs.setdefault(name, {})
        inserted = not run
        run |= {key: value for key, value in variables.items() if value is not None}
        project = {"id": "p", "name": "animeid", "entity": {"id": "e", "name": ENTITY}}
        bucket = {"id": name, "name": name, "displayName": run.get("displayName"), "config": run.get("config", "{}")}
        bucket |= {"description": None, "sweepName": None, "historyLineCount": 0, "project": project}
        return {"upsertBucket": {"bucket": bucket, "inserted": inserted}}

    def _CreateArtifact(self, variables: dict[str, Any]) -> dict[str, Any]:
        number = f"a{len(self.received.artifacts)}"
        self.received.artifacts[number] = variables["input"]
        return {
            "createArtifact": {
                "artifact": {"id": number, "state": "PENDING", "artifactSequence": {"latestArtifact": None}}
            }
        }

    def _manifest(self, name: str, number: str) -> dict[str, Any]:
        file = {"id": "f", "uploadUrl": f"{self.url}/storage/manifests/{number}", "uploadHeaders": []}
        return {name: {"artifactManifest": {"id": number, "file": file}}}

    def _CreateArtifactManifest(self, variables: dict[str, Any]) -> dict[str, Any]:
        return self._manifest("createArtifactManifest", variables["artifactID"])

    def _UpdateArtifactManifest(self, variables: dict[str, Any]) -> dict[str, Any]:
        return self._manifest("updateArtifactManifest", variables["artifactManifestID"])

    def _CreateArtifactFiles(self, variables: dict[str, Any]) -> dict[str, Any]:
        nodes = [
            {
                "storagePath": None,
                "uploadUrl": f"{self.url}/storage/artifacts/{file['artifactID']}/{file['name']}",
                "uploadHeaders": [],
                "uploadMultipartUrls": None,
                "artifact": {"id": file["artifactID"]},
            }
            for file in variables["input"]["artifactFiles"]
        ]
        return {"createArtifactFiles": {"files": {"edges": [{"node": node} for node in nodes]}}}

    def _CommitArtifact(self, variables: dict[str, Any]) -> dict[str, Any]:
        self.received.committed.add(variables["artifactID"])
        return {"commitArtifact": {"artifact": {"id": variables["artifactID"], "digest": ""}}}

    def _UpsertView2(self, variables: dict[str, Any]) -> dict[str, Any]:
        self.received.views.append(variables)
        return {"upsertView": {"view": {"id": "v", "name": variables["name"]}, "inserted": True}}

    def _CreateRunFiles(self, variables: dict[str, Any]) -> dict[str, Any]:
        files = [{"name": name, "uploadUrl": f"{self.url}/storage/files/{name}"} for name in variables["files"]]
        return {"createRunFiles": {"runID": variables["run"], "uploadHeaders": [], "files": files}}


class Server(ThreadingHTTPServer):
    """Says nothing when the client closes a connection."""

    def handle_error(self, *_: Any) -> None:
        pass


@contextmanager
def wandb_stand_in() -> Iterator[tuple[str, Received]]:
    """Serves on a free port of this machine; yields the address and what arrives there."""
    received = Received()
    handler = type("Bound", (Handler,), {"received": received})
    server = Server(("127.0.0.1", 0), handler)
    handler.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield handler.url, received
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
