"""`/health` and `/metrics`: whether the service works, and how."""

from __future__ import annotations

from fastapi import APIRouter, Depends
from starlette.responses import Response

from animeid.service import schemas
from animeid.service.examples import HEALTH, LIVE, READY
from animeid.service.metrics import CONTENT_TYPE
from animeid.service.replies import JSON, reply
from animeid.service.routes.means import Means, allowed
from animeid.service.service import Service

DRAINING = "the service is stopping"
NO_DECODER = "nothing that decodes pictures is alive; it is being started again"

router = APIRouter(tags=["health"])
counted = APIRouter(tags=["health"], dependencies=[Depends(allowed)])


def readiness(service: Service) -> tuple[bool, str]:
    """Whether requests should be sent here, and why not."""
    reason = DRAINING if service.draining else "" if service.decoders.pids else NO_DECODER
    return not reason, reason


@router.get(
    "/health/live",
    response_model=schemas.Live,
    responses={200: {"content": {JSON: {"example": LIVE}}}},
    summary="Whether the process works",
)
async def live() -> Response:
    return reply({"live": True})


@router.get(
    "/health/ready",
    response_model=schemas.Ready,
    responses={200: {"content": {JSON: {"example": READY}}}, 503: {"model": schemas.Ready}},
    summary="Whether requests should be sent here",
)
async def ready(service: Means) -> Response:
    is_ready, reason = readiness(service)
    return reply({"ready": is_ready, "reason": reason}, 200 if is_ready else 503)


@router.get(
    "/health",
    response_model=schemas.Health,
    responses={200: {"content": {JSON: {"example": HEALTH}}}, 503: {"model": schemas.Health}},
    summary="Both, and what is watched",
)
async def health(service: Means) -> Response:
    is_ready, reason = readiness(service)
    content = {
        "live": True,
        "ready": is_ready,
        "reason": reason,
        "models": dict(service.models.aliases),
        "queue": service.admission.taken,
        "places": service.admission.places,
        "alarms": service.alarms(),
    }
    return reply(content, 200 if is_ready else 503)


@counted.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    summary="Metrics in Prometheus' text format",
)
async def metrics(service: Means) -> Response:
    return Response(await (service.gather or service.counted)(), headers={"Content-Type": CONTENT_TYPE})
