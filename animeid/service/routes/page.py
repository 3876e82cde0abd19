"""`/` and `/watch`: pages for people, made of files of the package."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from animeid.fonts import FONT_FILE
from animeid.service.problems import Problem

FOLDER = Path(__file__).parents[1] / "page"
PAGES = ("index.html", "watch.html")
SHARED = "shared.html"
"""What all pages begin with."""
BEGINNING = "<!-- shared.html -->"
"""Stands in a page for it."""
HERE = "HERE/"
"""Stands in a page for the folder of its files."""
FONT = "names.ttf"
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}
SAFE = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}
KEPT = {"Cache-Control": "public, max-age=31536000, immutable"}
"""Files lie in a folder that is named by their contents, so that they may be kept for ever."""
ASKED_AGAIN = {"Cache-Control": "no-cache"}

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class File:
    """A file as it is sent.

    packed: with gzip.
    """

    kind: str
    content: bytes
    packed: bytes
    etag: str

    @classmethod
    def of(cls, name: str, content: bytes) -> File:
        packed = gzip.compress(content, mtime=0)
        return cls(TYPES[Path(name).suffix], content, packed, f'"{sha256(content).hexdigest()[:16]}"')


@dataclass(frozen=True)
class Files:
    """All files of the pages.

    digest: of their contents.
    by_name: with the folder, if they lie in one.
    """

    digest: str
    by_name: dict[str, File]

    @classmethod
    def read(cls, folder: Path) -> Files:
        found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.suffix in TYPES}
        contents = {name: path.read_bytes() for name, path in sorted(found.items())}
        digest = sha256(FONT_FILE.read_bytes())
        for name, content in contents.items():
            digest.update(f"{name} {len(content)} ".encode() + content)
        here = f"page/{digest.hexdigest()[:16]}/"
        for page in PAGES:
            whole = contents[page].replace(BEGINNING.encode(), contents[SHARED])
            contents[page] = whole.replace(HERE.encode(), here.encode())
        return cls(digest.hexdigest()[:16], {name: File.of(name, content) for name, content in contents.items()})


@cache
def files() -> Files:
    return Files.read(FOLDER)


def sent(request: Request, file: File, headers: dict[str, str]) -> Response:
    """A file, packed for who can unpack it; nothing but its tag for who has it."""
    told = {**headers, "ETag": file.etag, "Vary": "Accept-Encoding"}
    if file.etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=told)
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(file.packed, headers={**told, "Content-Encoding": "gzip"}, media_type=file.kind)
    return Response(file.content, headers=told, media_type=file.kind)


@router.get("/")
async def index(request: Request) -> Response:
    return sent(request, files().by_name["index.html"], {**ASKED_AGAIN, **SAFE})


@router.get("/watch")
async def watch(request: Request) -> Response:
    return sent(request, files().by_name["watch.html"], {**ASKED_AGAIN, **SAFE})


@router.get("/page/{digest}/{name:path}")
async def file(request: Request, digest: str, name: str) -> Response:
    found = files()
    if digest == found.digest and name == FONT:
        return FileResponse(FONT_FILE, media_type="font/ttf", headers=KEPT)
    if digest != found.digest or name.endswith(".html") or name not in found.by_name:
        raise Problem(404, "the page has no such file: load it again")
    return sent(request, found.by_name[name], KEPT)
