"""`POST /predict` and `POST /predict_batch`: the characters of pictures."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from animeid.service import schemas
from animeid.service.arguments import DEFAULT
from animeid.service.bodies import FORM_BYTES, in_time
from animeid.service.examples import ANSWER, ANSWERS, form
from animeid.service.fetching import LONGEST
from animeid.service.logbook import COLUMNS
from animeid.service.problems import Problem
from animeid.service.replies import JSON, refusals, reply
from animeid.service.routes.means import Consent, Means, ModelName, TopK, allowed, body_of, told
from animeid.service.service import Outcome, Service
from animeid.service.uploads import pictures_in

BATCH = 10
"""Pictures of `/predict_batch`, at most."""
REFUSALS = refusals(400, 401, 403, 404, 408, 413, 415, 422, 429, 503, 504)

LOGGED = [name for name, _ in COLUMNS if name != "time"]


class There(BaseModel):
    """Where a picture is."""

    url: Annotated[str, Field(max_length=LONGEST, examples=["https://example.org/picture.png"])]


router = APIRouter(tags=["predict"], dependencies=[Depends(allowed)])


@router.post(
    "/predict",
    response_model=schemas.Answer,
    responses={200: {"content": {JSON: {"example": ANSWER}}}, **REFUSALS},
    openapi_extra={"requestBody": form("file", several=False)},
    summary="Names the character in a picture",
)
async def predict(
    request: Request, service: Means, model: ModelName = DEFAULT, top_k: TopK = None, consent: Consent = False
) -> Response:
    """The picture is the field `file` of a form, or the body itself."""
    asked = service.models.find(model)
    service.admission.check()
    kind = request.headers.get("content-type")
    async with service.bodies.body(request, service.upload_bytes + FORM_BYTES) as body:
        pictures = await in_time(body, lambda body: pictures_in(body, kind, "file", 1, service.upload_bytes))
        [outcome] = await service.outcomes(pictures, asked, top_k or service.request.top_k)
    return await one_answer(request, service, model, asked.version, outcome, consent)


@router.post(
    "/predict_batch",
    response_model=schemas.Answers,
    responses={200: {"content": {JSON: {"example": ANSWERS}}}, **REFUSALS},
    openapi_extra={"requestBody": form("files", several=True)},
    summary="Names the characters in up to ten pictures",
)
async def predict_batch(
    request: Request, service: Means, model: ModelName = DEFAULT, top_k: TopK = None, consent: Consent = False
) -> Response:
    """The pictures are the fields `files` of a form. One that cannot be read has an `error` in the place of names."""
    asked = service.models.find(model)
    service.admission.check()
    kind = request.headers.get("content-type")
    async with service.bodies.body(request, BATCH * service.upload_bytes + FORM_BYTES) as body:
        pictures = await in_time(body, lambda body: pictures_in(body, kind, "files", BATCH, service.upload_bytes))
        outcomes = await service.outcomes(pictures, asked, top_k or service.request.top_k)
    found = [
        {"picture": outcome.digest, "error": outcome.reason}
        if outcome.named is None
        else answer_of(request, service, model, asked.version, outcome)
        for outcome in outcomes
    ]
    for answer in found:
        if "error" not in answer:
            await keep(service, answer, consent)
    return reply(
        {
            "request_id": request.state.request_id,
            "model": model,
            "version": asked.version,
            "answers": found,
            "milliseconds": milliseconds(request),
        }
    )


@router.post(
    "/predict_url",
    response_model=schemas.Answer,
    responses={200: {"content": {JSON: {"example": ANSWER}}}, **REFUSALS},
    openapi_extra=body_of(There),
    summary="Names the character in a picture of the web",
)
async def predict_url(
    request: Request,
    service: Means,
    model: ModelName = DEFAULT,
    top_k: TopK = None,
    consent: Consent = False,
) -> Response:
    """The service fetches it, where it was started so."""
    asked = service.models.find(model)
    if service.fetcher is None:
        raise Problem(403, "the service fetches nothing: start it with urls=true, or send the picture")
    service.admission.check()
    there = await told(request, service, There)
    content = await service.fetcher.fetch(there.url)
    [outcome] = await service.outcomes([content], asked, top_k or service.request.top_k)
    return await one_answer(request, service, model, asked.version, outcome, consent)


async def one_answer(
    request: Request, service: Service, model: str, version: str, outcome: Outcome, consent: bool
) -> Response:
    """What is sent of the one picture of a request.

    Raises:
        Problem: it could not be read.
    """
    if outcome.named is None:
        raise Problem(422, f"the picture cannot be used: {outcome.reason}")
    answer = answer_of(request, service, model, version, outcome)
    await keep(service, answer, consent)
    return reply(answer)


async def keep(service: Service, answer: Mapping[str, Any], consent: bool) -> None:
    """Writes an answer down, of whoever agrees."""
    if consent and service.logbook is not None:
        await service.logbook.add({name: answer[name] for name in LOGGED})


def answer_of(request: Request, service: Service, model: str, version: str, outcome: Outcome) -> dict[str, Any]:
    """What is sent of a picture that was named."""
    named = outcome.named
    assert named is not None
    return {
        "request_id": request.state.request_id,
        "model": model,
        "version": version,
        "character": service.character(named),
        "confidence": named.confidence,
        "margin": named.margin,
        "names": named.names,
        "references": [
            {**one, "picture": f"/models/{version}/references/{one['picture']}"} for one in named.references
        ],
        "picture": outcome.digest,
        "source": outcome.source,
        "milliseconds": milliseconds(request),
    }


def milliseconds(request: Request) -> float:
    """Since the request began."""
    return round((time.perf_counter() - request.state.began) * 1000, 3)
