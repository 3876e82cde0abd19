"""Changes of what answers, for keys of the role admin."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from animeid.service import schemas
from animeid.service.arguments import ALIAS
from animeid.service.changes import roll_back, shade, switch
from animeid.service.examples import CHANGED, RESCANNED
from animeid.service.problems import Problem
from animeid.service.replies import JSON, refusals, reply
from animeid.service.routes.means import Means, admin, body_of, told
from animeid.service.state import State

REFUSALS = refusals(400, 401, 403, 404, 408, 409, 413, 415, 422, 429)
Alias = Annotated[str, Path(pattern=f"^(?:{ALIAS.pattern})$", description="of a model; a new one is made")]

router = APIRouter(tags=["change what answers"], dependencies=[Depends(admin)])


class Wanted(BaseModel):
    """The artefact that is to answer."""

    version: Annotated[
        str,
        Field(min_length=1, max_length=200, description="one of `/models`, or a version or folder in the registry"),
    ]


def changed(state: State) -> Response:
    return reply({"aliases": state.current, "shadow": state.shadow, "generation": state.generation})


@router.post(
    "/models/rescan",
    response_model=schemas.Rescanned,
    responses={200: {"content": {JSON: {"example": RESCANNED}}}, **REFUSALS},
    summary="The artefacts in the registry",
)
async def rescan(service: Means) -> Response:
    if service.registry is None:
        raise Problem(404, "the service has no registry: start it with registry=FOLDER")
    found = await asyncio.to_thread(service.registry.scan)
    return reply({"found": {version: path.name for version, path in found.items()}})


@router.put(
    "/models/{alias}",
    response_model=schemas.Changed,
    responses={200: {"content": {JSON: {"example": CHANGED}}}, **REFUSALS},
    openapi_extra=body_of(Wanted),
    summary="Puts a version behind a name",
)
async def put_model(request: Request, service: Means, alias: Alias) -> Response:
    """The version is loaded while the others answer. Once this is answered, all requests are answered by it."""
    wanted = await told(request, service, Wanted)
    return changed(await switch(service.models, service.registry, alias, wanted.version))


@router.post(
    "/models/{alias}/rollback",
    response_model=schemas.Changed,
    responses={200: {"content": {JSON: {"example": CHANGED}}}, **REFUSALS},
    summary="Puts the version before behind a name",
)
async def post_rollback(service: Means, alias: Alias) -> Response:
    return changed(await roll_back(service.models, alias))


@router.put(
    "/shadow",
    response_model=schemas.Changed,
    responses={200: {"content": {JSON: {"example": CHANGED}}}, **REFUSALS},
    openapi_extra=body_of(Wanted),
    summary="Has a version asked what default is asked, for comparison only",
)
async def put_shadow(request: Request, service: Means) -> Response:
    wanted = await told(request, service, Wanted)
    return changed(await shade(service.models, service.registry, wanted.version))


@router.delete(
    "/shadow",
    response_model=schemas.Changed,
    responses={200: {"content": {JSON: {"example": CHANGED}}}, **REFUSALS},
    summary="Ends the shadow",
)
async def delete_shadow(service: Means) -> Response:
    return changed(await shade(service.models, service.registry, None))
