"""What the addresses have in common: the service, and parameters that several take."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer
from starlette.requests import Request

from animeid.service.arguments import DEFAULT
from animeid.service.keys import Key
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
Consent = Annotated[bool, Query(description="whether the answer may be kept, where the service has a log")]
TopK = Annotated[int | None, Query(ge=1, le=100, description="names of the answer, at most")]
