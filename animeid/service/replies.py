"""Answers and refusals as they are sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from animeid.service import schemas
from animeid.service.problems import MEDIA_TYPE, Problem, encoded, problem

JSON = "application/json"


def reply(content: Any, status: int = 200) -> Response:
    """A body of JSON."""
    return Response(encoded(content), status, media_type=JSON)


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What OpenAPI is told of the refusals of an address, each of which wants to be asked by a name of its own."""
    all_of_them = sorted({*statuses, 421})
    return {status: {"model": schemas.ProblemDetails, "content": {MEDIA_TYPE: {}}} for status in all_of_them}


def refused(request: Request, status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    content = problem(status, detail, request.state.request_id)
    return Response(encoded(content), status, dict(headers or {}), MEDIA_TYPE)


def handle_problems(app: FastAPI) -> None:
    """Has everything that is raised answered as a problem."""

    @app.exception_handler(Problem)
    async def _(request: Request, error: Problem) -> Response:
        return refused(request, error.status, error.detail, error.all_headers())

    @app.exception_handler(RequestValidationError)
    async def _(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        where = ".".join(str(step) for step in first["loc"][1:]) or "the body"
        return refused(request, 422, f"{where}: {first['msg']}")

    @app.exception_handler(HTTPException)
    async def _(request: Request, error: HTTPException) -> Response:
        return refused(request, error.status_code, str(error.detail), error.headers)

    @app.exception_handler(Exception)
    async def _(request: Request, error: Exception) -> Response:  # noqa: ARG001 - it is logged where it is raised
        return refused(request, 500, "something that was not foreseen; it stands in the service's log")
