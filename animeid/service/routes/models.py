"""`/models` and `/characters`: what answers, and whom it knows."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response

from animeid.service import schemas
from animeid.service.arguments import DEFAULT
from animeid.service.drift import unwatched
from animeid.service.examples import CHARACTER, CHARACTERS, MODELS
from animeid.service.model import Model
from animeid.service.problems import Problem
from animeid.service.replies import JSON, refusals, reply
from animeid.service.routes.means import Means, ModelName, allowed

FIGURES = ("acc_macro", "acc_macro_ci", "f1_macro", "f1_macro_ci")

router = APIRouter(tags=["models"], dependencies=[Depends(allowed)])


@router.get(
    "/models",
    response_model=schemas.Models,
    responses={200: {"content": {JSON: {"example": MODELS}}}, **refusals(401, 429)},
    summary="The models that answer",
)
async def models(service: Means) -> Response:
    versions = [facts(model, service.models.names_of(version)) for version, model in service.models.versions.items()]
    aliases = dict(service.models.aliases)
    shadow = service.models.shadow
    told = {"aliases": aliases, "shadow": shadow and shadow.version, "unknown_below": service.request.unknown_below}
    return reply({**told, "versions": versions})


@router.get(
    "/models/{model}/references/{place}",
    response_class=Response,
    responses={200: {"content": {"image/jpeg": {}}}, **refusals(401, 404, 422, 429)},
    summary="A reference picture",
)
async def reference(
    service: Means, model: Annotated[str, Path(max_length=128)], place: Annotated[int, Path(ge=0, lt=2**31)]
) -> Response:
    found = service.models.find(model)
    bank = found.artefact.references
    if bank is None or place >= len(bank["files"]):
        raise Problem(404, "the artefact carries no such reference picture")
    content = await asyncio.to_thread((found.folder / str(bank["files"][place])).read_bytes)
    return Response(content, media_type="image/jpeg", headers={"Cache-Control": "private, max-age=3600"})


@router.get(
    "/characters",
    response_model=schemas.Characters,
    responses={200: {"content": {JSON: {"example": CHARACTERS}}}, **refusals(401, 404, 422, 429)},
    summary="The characters that a model knows",
)
async def characters(
    service: Means,
    model: ModelName = DEFAULT,
    start: Annotated[int, Query(ge=0, lt=2**31, description="how many are left out")] = 0,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
) -> Response:
    found = service.models.find(model)
    labels = found.artefact.labels
    lines = [line(label) for label in labels[start : start + limit]]
    return reply({"version": found.version, "total": len(labels), "characters": lines})


@router.get(
    "/characters/{name:path}",
    response_model=schemas.Character,
    responses={200: {"content": {JSON: {"example": CHARACTER}}}, **refusals(401, 404, 422, 429)},
    summary="A character",
)
async def character(
    service: Means,
    name: Annotated[str, Path(max_length=500, description="as the model calls it")],
    model: ModelName = DEFAULT,
) -> Response:
    found = service.models.find(model)
    if name not in found.artefact.classes:
        raise Problem(404, f"the model {model} knows no character of this name: see /characters")
    target = found.artefact.classes.index(name)
    bank = found.artefact.references
    places = [] if bank is None else [place for place, other in enumerate(bank["targets"].tolist()) if other == target]
    judged, figures = figures_of(found)
    return reply(
        {
            **line(found.artefact.labels[target]),
            "version": found.version,
            "judged": judged,
            "figures": figures["per_class"][target] if figures else None,
            "references": [f"/models/{found.version}/references/{place}" for place in places],
        }
    )


def line(label: Mapping[str, Any]) -> dict[str, Any]:
    """A character in the list."""
    return {
        "name": label["name"],
        "names": label.get("names", {}),
        "series": label.get("series"),
        "pictures": label["pictures"],
    }


def figures_of(model: Model) -> tuple[str | None, Mapping[str, Any] | None]:
    """The part that the artefact was judged by, and its figures there; None where it was not."""
    metrics = model.artefact.metrics
    judged = metrics and metrics.get("judged")
    return (judged, metrics[judged]) if metrics and judged else (None, None)


def facts(model: Model, aliases: list[str]) -> dict[str, Any]:
    """What `/models` says of a version."""
    artefact, engine = model.artefact, model.runtime.engine
    judged, figures = figures_of(model)
    references = artefact.references
    return {
        "version": model.version,
        "aliases": aliases,
        "run_id": artefact.run_id,
        "architectures": artefact.architectures,
        "classes": len(artefact.classes),
        "training_pictures": sum(artefact.class_counts),
        "size": artefact.input.size,
        "engine": engine.name,
        "precision": engine.precision,
        "references": 0 if references is None else len(references["targets"]),
        "judged": judged,
        "watched": list(model.drift.expected.watched) if model.drift else [],
        "unwatched": unwatched(artefact.metrics) or None,
        **{name: (figures or {}).get(name) for name in FIGURES},
    }
