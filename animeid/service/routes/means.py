"""What the addresses have in common: the service, and parameters that several take."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from fastapi import Depends, Query
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from animeid.service.arguments import DEFAULT
from animeid.service.keys import Key
from animeid.service.problems import Problem
from animeid.service.replies import JSON
from animeid.service.service import Service


async def service_of(request: Request) -> Service:
    return request.app.state.service


Means = Annotated[Service, Depends(service_of)]
Given = Annotated[str | None, Depends(APIKeyHeader(name="X-API-Key", auto_error=False))]
Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))]


async def allowed(service: Means, given: Given, bearer: Bearer) -> Key | None:
    """Lets whoever may ask pass; says who it is."""
    return service.guard.check(given or (bearer.credentials if bearer else None))


Asking = Annotated[Key | None, Depends(allowed)]


async def admin(service: Means, given: Given, bearer: Bearer) -> None:
    """Lets whoever may change what answers pass."""
    service.guard.check_admin(given or (bearer.credentials if bearer else None))


ModelName = Annotated[
    str,
    Query(alias="model", max_length=128, description="an alias or a version of `/models`", examples=[DEFAULT]),
]
JSON_BYTES = 65_536
"""The largest body of JSON that says something of the service itself."""
Told = TypeVar("Told", bound=BaseModel)


async def told(request: Request, service: Service, kind: type[Told]) -> Told:
    """What a body of JSON says, which is read only now that it is known who asks.

    Raises:
        Problem: it is too large, no JSON, or says something else.
    """
    sent = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if sent != JSON:
        raise Problem(415, f"the content is {sent[:80] or 'of no type'}: send JSON, as {JSON}")
    async with service.bodies.body(request, JSON_BYTES) as body:
        try:
            return kind.model_validate_json(body)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "the body"
            raise Problem(400 if first["type"] == "json_invalid" else 422, f"{where}: {first['msg']}") from error


def body_of(kind: type[BaseModel]) -> dict[str, Any]:
    """What OpenAPI is told of such a body."""
    return {"requestBody": {"required": True, "content": {JSON: {"schema": kind.model_json_schema()}}}}


Consent = Annotated[bool, Query(description="whether the answer may be kept, where the service has a log")]
TopK = Annotated[int | None, Query(ge=1, le=100, description="names of the answer, at most")]
