"""`POST /feedback`: what users say of answers."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal, Self

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field, model_validator
from starlette.requests import Request
from starlette.responses import Response

from animeid.service import schemas
from animeid.service.examples import FEEDBACK, QUEUED
from animeid.service.problems import Problem
from animeid.service.replies import JSON, refusals, reply
from animeid.service.routes.means import Asking, Means, allowed, body_of, told

router = APIRouter(tags=["feedback"], dependencies=[Depends(allowed)])
REFUSALS = refusals(400, 401, 403, 404, 408, 413, 415, 422, 429, 503)


class Said(BaseModel):
    """What a user says of an answer."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [FEEDBACK]})

    request_id: Annotated[str, Field(max_length=64, pattern=r"^[A-Za-z0-9._-]+$", description="of the answer")]
    version: Annotated[str, Field(max_length=64, pattern=r"^[0-9a-f]+$", description="of the answer")]
    picture: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="of the answer: the picture's SHA-256")]
    answered: Annotated[str, Field(min_length=1, max_length=500, description="the character of the answer")]
    verdict: Literal["right", "wrong"]
    character: Annotated[
        str | None, Field(min_length=1, max_length=500, description="the right name, where the answer is wrong")
    ] = None

    @model_validator(mode="after")
    def _fit(self) -> Self:
        if self.character is not None and (self.verdict == "right") != (self.character == self.answered):
            raise ValueError("a right answer has no other character, and a wrong one not the same")
        return self


@router.post(
    "/feedback",
    status_code=202,
    response_model=schemas.Queued,
    responses={202: {"content": {JSON: {"example": QUEUED}}}, **REFUSALS},
    openapi_extra=body_of(Said),
    summary="Says whether an answer is right",
)
async def feedback(request: Request, service: Means, key: Asking) -> Response:
    """It goes into a queue that people look through; nothing is learnt from it by itself."""
    if service.feedback is None:
        raise Problem(404, "the service takes no feedback: start it with feedback=FILE")
    said = await told(request, service, Said)
    await asyncio.to_thread(service.feedback.add, {**said.model_dump(), "by": None if key is None else key.name})
    return reply({"queued": True}, 202)
