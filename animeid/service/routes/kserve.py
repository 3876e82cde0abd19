"""`/v2`: the addresses of the KServe V2 inference protocol, so that its clients work."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path
from starlette.requests import Request
from starlette.responses import Response

from animeid import __version__
from animeid.service.bodies import FORM_BYTES, in_time
from animeid.service.examples import INFER, INFERRED, METADATA
from animeid.service.model import Model
from animeid.service.problems import Problem
from animeid.service.replies import JSON, refusals, reply
from animeid.service.routes.health import readiness
from animeid.service.routes.means import Means, allowed
from animeid.service.routes.predict import BATCH
from animeid.service.service import Service
from animeid.service.tensors import IMAGE, LENGTH, asked_by, output

LABEL, PROBABILITY, CHARACTER = "label", "probability", "character"
OUTPUTS = {LABEL: "BYTES", PROBABILITY: "FP32", CHARACTER: "BYTES"}
BODY = {"required": True, "content": {JSON: {"schema": {"type": "object"}, "example": INFER}}}
REFUSALS = refusals(400, 401, 403, 404, 408, 413, 422, 429, 503, 504)
FEW_REFUSALS = refusals(401, 404, 422, 429)
METADATA_REPLY: dict[int | str, dict[str, Any]] = {200: {"content": {JSON: {"example": METADATA}}}}
INFERRED_REPLY: dict[int | str, dict[str, Any]] = {200: {"content": {JSON: {"example": INFERRED}}}}
Name = Annotated[str, Path(max_length=128, description="an alias or a version of `/models`")]

health = APIRouter(prefix="/v2", tags=["KServe V2"])
router = APIRouter(prefix="/v2", tags=["KServe V2"], dependencies=[Depends(allowed)])


@health.get("/health/live", responses={200: {"content": {JSON: {"example": {"live": True}}}}})
async def live() -> Response:
    return reply({"live": True})


@health.get("/health/ready", responses={200: {"content": {JSON: {"example": {"ready": True}}}}, 503: {}})
async def ready(service: Means) -> Response:
    is_ready, _ = readiness(service)
    return reply({"ready": is_ready}, 200 if is_ready else 503)


@router.get("", responses={200: {"content": {JSON: {"example": {"name": "animeid", "version": __version__}}}}})
async def server() -> Response:
    return reply({"name": "animeid", "version": __version__, "extensions": ["binary_tensor_data"]})


@router.get("/models/{name}", responses={**METADATA_REPLY, **FEW_REFUSALS})
async def metadata(service: Means, name: Name) -> Response:
    return described(name, service.models.find(name))


@router.get("/models/{name}/versions/{version}", responses={**METADATA_REPLY, **FEW_REFUSALS})
async def metadata_of_version(service: Means, name: Name, version: Name) -> Response:
    return described(name, found(service, name, version))


@router.get("/models/{name}/ready", responses=FEW_REFUSALS)
async def model_ready(service: Means, name: Name) -> Response:
    return is_ready(service, name, service.models.find(name))


@router.get("/models/{name}/versions/{version}/ready", responses=FEW_REFUSALS)
async def version_ready(service: Means, name: Name, version: Name) -> Response:
    return is_ready(service, name, found(service, name, version))


@router.post("/models/{name}/infer", responses={**INFERRED_REPLY, **REFUSALS}, openapi_extra={"requestBody": BODY})
async def infer(request: Request, service: Means, name: Name) -> Response:
    """Names pictures: the input `image` holds the files, in base64, or as bytes behind the JSON."""
    return await inferred(request, service, name, service.models.find(name))


@router.post(
    "/models/{name}/versions/{version}/infer",
    responses={**INFERRED_REPLY, **REFUSALS},
    openapi_extra={"requestBody": BODY},
)
async def infer_by_version(request: Request, service: Means, name: Name, version: Name) -> Response:
    """As without a version, by this one only."""
    return await inferred(request, service, name, found(service, name, version))


def described(name: str, model: Model) -> Response:
    """What a model takes and answers."""
    return reply(
        {
            "name": name,
            "versions": [model.version],
            "platform": f"{model.runtime.engine.name}_{model.runtime.engine.precision}",
            "inputs": [{"name": IMAGE, "datatype": "BYTES", "shape": [-1]}],
            "outputs": [{"name": one, "datatype": kind, "shape": [-1, -1]} for one, kind in OUTPUTS.items()],
        }
    )


def is_ready(service: Service, name: str, model: Model) -> Response:
    """Whether a model answers."""
    ready, _ = readiness(service)
    return reply({"name": name, "version": model.version, "ready": ready}, 200 if ready else 503)


async def inferred(request: Request, service: Service, name: str, model: Model) -> Response:
    """The answer to a request for inference.

    Raises:
        Problem: it cannot be answered.
    """
    service.admission.check()
    async with service.bodies.body(request, 2 * service.upload_bytes + FORM_BYTES) as body:
        asked = await in_time(body, lambda body: asked_by(body, request.headers.get(LENGTH), BATCH))
        if unknown := [one for one in asked.outputs if one not in OUTPUTS]:
            raise Problem(422, f"there is no output {unknown[0][:80]}: ask for {', '.join(OUTPUTS)}")
        if any(len(picture) > service.upload_bytes for picture in asked.pictures):
            raise Problem(413, f"a picture has more than {service.upload_bytes:,} bytes: make it smaller")
        outcomes = await service.outcomes(asked.pictures, model, service.request.top_k)
    for place, outcome in enumerate(outcomes):
        if outcome.named is None:
            raise Problem(422, f"picture {place} cannot be used: {outcome.reason}")
    all_named = [outcome.named for outcome in outcomes if outcome.named is not None]
    values: dict[str, list[list[Any]]] = {
        LABEL: [[one["label"] for one in named.names] for named in all_named],
        PROBABILITY: [[one["probability"] for one in named.names] for named in all_named],
        CHARACTER: [[service.character(named)] for named in all_named],
    }
    outputs = [output(one, OUTPUTS[one], values[one]) for one in asked.outputs or OUTPUTS]
    own_id = {"id": asked.id} if asked.id else {}
    return reply({"model_name": name, "model_version": model.version, **own_id, "outputs": outputs})


def found(service: Service, name: str, version: str) -> Model:
    """The model of a name, which must be of this version.

    Raises:
        Problem: there is none.
    """
    model = service.models.find(name)
    if model.version != version:
        raise Problem(404, f"{name} is version {model.version}: ask for that, or for no version")
    return model
