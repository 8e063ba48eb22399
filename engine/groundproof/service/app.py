"""The FastAPI application: routes, guards, start and stop.

Knows how the parts hang together. Decides nothing itself.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from groundproof.models.base import VisionLanguageModel
from groundproof.service import openapi, problems
from groundproof.service.access.auth import Guard
from groundproof.service.access.body_limit import BodyLimit
from groundproof.service.metrics import Measured
from groundproof.service.routes import (
    ask,
    downloads,
    estimate,
    features,
    health,
    images,
    jobs,
    landing,
    processes,
    scenes,
    web,
)
from groundproof.service.settings import ServiceSettings
from groundproof.service.state import Service
from groundproof.version import __version__

DESCRIPTION = """\
Ask satellite and aerial imagery a question; get an answer whose every claim is a box on the map.

Every request needs the token the service printed when it started, as `Authorization: Bearer TOKEN` (or as the
password of HTTP Basic, for GIS programs). Errors are `application/problem+json` (RFC 9457)."""

ROUTERS = (
    landing.router,
    health.router,
    scenes.router,
    ask.router,
    estimate.router,
    jobs.router,
    processes.router,
    features.router,
    downloads.router,
    images.router,
    web.router,
)


def create_app(settings: ServiceSettings, model: VisionLanguageModel | None = None) -> FastAPI:
    """The application. model: an opened one in place of `settings.model`; the caller closes it.

    Raises OutputError when `settings.data_dir` cannot be used.
    """
    service = Service(settings, model)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        service.start()
        yield
        await run_in_threadpool(service.stop)

    app = FastAPI(
        title="groundproof",
        version=__version__,
        description=DESCRIPTION,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.state.service = service
    problems.install(app)
    openapi.install(app)
    for router in ROUTERS:
        app.include_router(router)
    app.add_middleware(BodyLimit, settings=settings)
    app.add_middleware(Guard, settings=settings)
    app.add_middleware(Measured, service=service)
    return app
