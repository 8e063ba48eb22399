"""The page at `/app/`, the API's own page at `/docs`, and the pictures of scenes that the page shows.

Files are shipped with the package and nothing is fetched from elsewhere. They hold no data, and are served
without the token, so that the page can say how to get in; pictures need it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator
from starlette.staticfiles import StaticFiles

from groundproof.errors import UsageError
from groundproof.run import RunDirectory
from groundproof.service import pictures
from groundproof.service.access.auth import PAGE_POLICY
from groundproof.service.jobs.asking import AskRequest, SceneReference
from groundproof.service.pictures import MAX_SIDE_PX, Subject
from groundproof.service.state import Service, service_of

router = APIRouter(tags=["web page"])

WEB = Path(__file__).resolve().parents[1] / "web"

VENDOR_AGE = "public, max-age=31536000, immutable"
"""Vendored files have their version in their path."""

_files = StaticFiles(directory=WEB)
_two_at_a_time = CapacityLimiter(2)
"""Pictures of large scenes are read from many blocks; more at once would only wait for each other."""


class Shown(BaseModel):
    """What to show: the scenes of a job, or one that could be asked about. Exactly one of the four."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    job: str | None = Field(default=None, description="A job of the process ask.")
    id: str | None = Field(default=None, description="A scene made with POST /scenes.")
    path: str | None = Field(
        default=None, description="A raster below one of the folders the operator allows."
    )
    url: str | None = Field(
        default=None, description="A raster below one of the addresses the operator allows."
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> Shown:
        given = [name for name in ("job", "id", "path", "url") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(
                f"give exactly one of job, id, path and url, got {' and '.join(given) or 'none'}"
            )
        return self


class ShownPicture(Shown):
    """The same, which of a job's scenes, and how large."""

    scene: int = Field(default=0, ge=0, description="Which of the job's scenes, counted from 0.")
    size: int = Field(default=MAX_SIDE_PX, ge=1, le=MAX_SIDE_PX, description="Longest side, px.")


@router.get("/app", include_in_schema=False)
async def to_page() -> Response:
    """The page's links are relative to /app/."""
    return RedirectResponse("/app/")


@router.get("/docs", include_in_schema=False)
async def docs(request: Request) -> Response:
    """The OpenAPI page."""
    return await _file("docs.html", request)


@router.get("/app/{name:path}", include_in_schema=False)
async def page(request: Request, name: str) -> Response:
    """One of the page's files."""
    return await _file(name or "index.html", request)


@router.get("/preview", summary="What a scene is")
async def preview(request: Request, shown: Annotated[Shown, Query()]) -> dict[str, Any]:
    """Name, size, CRS and places of the scenes of a job, or of one scene that could be asked about.

    With a job comes `asked`, its request.

    `places` is a grid of nodes: `columns` and `rows` (corners of pixels), and row by row their [x, y] in
    `crs` and [longitude, latitude]. Straight in between, it is exact for scenes with an affine.
    """
    service = service_of(request)

    def described() -> list[dict[str, Any]]:
        return [pictures.describe(subject) for subject in _subjects(service, shown)]

    scenes = await to_thread.run_sync(described, limiter=_two_at_a_time)
    return {"scenes": scenes, "asked": None if shown.job is None else service.jobs.get(shown.job).inputs}


@router.get(
    "/preview.webp",
    summary="A picture of a scene",
    response_class=Response,
    responses={200: {"content": {"image/webp": {}}, "description": "The whole scene."}},
)
async def preview_picture(request: Request, shown: Annotated[ShownPicture, Query()]) -> Response:
    """The whole scene as the model sees it (bands, brightness, no data in grey), made smaller where needed."""
    service = service_of(request)

    def drawn() -> bytes:
        return pictures.picture(pictures.nth(_subjects(service, shown), shown.scene), shown.size)

    image = await to_thread.run_sync(drawn, limiter=_two_at_a_time)
    return Response(image, media_type="image/webp", headers={"Cache-Control": "private, max-age=300"})


def _subjects(service: Service, shown: Shown) -> list[Subject]:
    """Raises NotFoundError, ForbiddenError, UsageError."""
    if shown.job is None:
        reference = SceneReference(id=shown.id, path=shown.path, url=shown.url)
        return [Subject(service.ask.path(reference))]
    job = service.jobs.get(shown.job)
    if job.process != "ask":
        raise UsageError(f"The job {job.job_id} is of the process {job.process}, which shows no scenes.")
    directory = service.jobs.run_directory(job.job_id)
    if (directory / "run.toml").exists():
        return pictures.of_run(RunDirectory.open(directory))
    asked = AskRequest.model_validate(job.inputs)
    return pictures.of_request(asked, service.ask.paths(asked))


async def _file(name: str, request: Request) -> Response:
    """Only names below `WEB` are found; folders are not listed (Starlette's StaticFiles)."""
    response = await _files.get_response(name, request.scope)
    # Here and not by content type: a 304 has none, and what it says goes for the page the browser kept.
    response.headers["Content-Security-Policy"] = PAGE_POLICY
    response.headers["Cache-Control"] = VENDOR_AGE if name.startswith("vendor/") else "no-cache"
    return response
