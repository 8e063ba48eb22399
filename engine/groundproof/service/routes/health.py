"""Is it there, can it answer, how is it doing."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST

from groundproof.service.settings import API_VERSION
from groundproof.service.state import service_of
from groundproof.version import __version__

router = APIRouter(tags=["health"])


@router.get("/health", summary="Is the service there")
async def health() -> dict[str, str]:
    """Needs no token and says no more than the versions, so that a client knows whom it talks to."""
    return {"status": "ok", "service": "groundproof", "version": __version__, "api": API_VERSION}


@router.get(
    "/ready",
    summary="Can the model answer",
    responses={503: {"description": "Not yet, or no more; the sentence says why."}},
)
async def ready(request: Request) -> Response:
    """What answers, what it was trained for, and how long the queue is."""
    service = service_of(request)
    engine = service.engine
    document: dict[str, Any] = {
        "ready": engine.ready,
        "sentence": engine.state,
        "waiting": service.runner.waiting,
        "running": service.runner.running,
    }
    if engine.ready:
        profile = engine.model.profile
        document["model"] = {
            "name": profile.name,
            "title": profile.title,
            "identity": engine.model.identity,
            "labels": profile.labels,
            "tasks": profile.tasks,
            "tile_px": profile.tile_px,
            "gsd_m": profile.gsd_m,
            "caution": profile.caution,
            "licence": profile.licence,
        }
    return JSONResponse(document, 200 if engine.ready else 503)


@router.get("/metrics", summary="Prometheus metrics", response_class=Response)
def metrics(request: Request) -> Response:
    """Requests, jobs, tiles by status, boxes; without questions and names."""
    return Response(service_of(request).metrics.text(), media_type=CONTENT_TYPE_LATEST)
