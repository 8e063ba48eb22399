"""`/scenes`: imagery sent in pieces, kept for a while, asked about by id."""

from __future__ import annotations

from typing import Annotated, Any

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response

from groundproof.errors import RunError, UsageError
from groundproof.run_files import writing
from groundproof.service.addresses import base_url
from groundproof.service.problems import MEDIA_TYPE
from groundproof.service.state import service_of
from groundproof.service.uploads.scene_record import RawPixels
from groundproof.service.uploads.scene_spec import AffineNumbers, SceneSpec, SceneStatus

router = APIRouter(tags=["scenes"])

_uploads = CapacityLimiter(4)
"""Uploads taken in at a time, so that they never use up the threads that all other requests need."""

SceneId = Annotated[
    str, Path(description="As POST /scenes gave it.", examples=["0123456789abcdef0123456789abcdef"])
]
Start = Annotated[int, Path(ge=0, description="Of the window's first pixel in the scene, from 0.")]

_IMAGES = ("image/tiff", "image/png", "image/jpeg", "image/webp", "application/octet-stream")


def _problems(**sentences: str) -> dict[int | str, dict[str, Any]]:
    """OpenAPI of error answers. Keys: "status_404" and so on."""
    schema = {
        "type": "object",
        "properties": {name: {"type": "string"} for name in ("type", "title", "detail")},
    }
    schema["properties"]["status"] = {"type": "integer"}  # type: ignore[index]
    return {
        int(name.removeprefix("status_")): {
            "description": sentence,
            "content": {MEDIA_TYPE: {"schema": schema}},
        }
        for name, sentence in sentences.items()
    }


_NO_SCENE = "No such scene; it may have expired."


@router.post(
    "/scenes",
    summary="Declare a scene",
    status_code=201,
    responses=_problems(
        status_413="More pixels than the operator allows, or no room for more scenes.",
        status_422="The declaration cannot be carried out; the sentences say why.",
    ),
)
async def create(request: Request, response: Response, spec: SceneSpec) -> SceneStatus:
    """Say how large a scene is, where it lies and what its pixels are; `Location` names it.

    Then send its pixels with PUT, in windows of any size and any order. The scene is kept for a stated time after its
    last use (`expires`).
    """
    stored = await to_thread.run_sync(service_of(request).scenes.create, spec)
    response.headers["Location"] = f"{base_url(request)}/scenes/{stored.scene_id}"
    return SceneStatus.of(stored)


@router.get("/scenes", summary="List the scenes")
async def scenes(request: Request) -> dict[str, list[SceneStatus]]:
    """All scenes that are kept, newest first."""
    stored = await to_thread.run_sync(service_of(request).scenes.all)
    return {"scenes": [SceneStatus.of(scene) for scene in stored]}


@router.get("/scenes/{scene_id}", summary="One scene", responses=_problems(status_404=_NO_SCENE))
async def scene(request: Request, scene_id: SceneId) -> SceneStatus:
    """What was declared, what is missing, and when it expires."""
    return SceneStatus.of(await to_thread.run_sync(service_of(request).scenes.get, scene_id))


@router.put(
    "/scenes/{scene_id}/windows/{x0},{y0}",
    summary="Send a window",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in _IMAGES},
        }
    },
    responses=_problems(
        status_404=_NO_SCENE,
        status_409="The scene is finished and changes no more.",
        status_413="More bytes or pixels than the operator allows.",
        status_422="The image cannot be decoded, or does not fit the scene.",
    ),
)
async def put_window(
    request: Request,
    scene_id: SceneId,
    x0: Start,
    y0: Start,
    affine: Annotated[
        str | None,
        Query(
            description="The window's own a,b,c,d,e,f. It must lie on the scene's grid; a scene declared without an "
            "affine gets its own from it.",
            examples=["0.3,0,595000,0,-0.3,5745000"],
        ),
    ] = None,
    width: Annotated[int | None, Query(gt=0, description="Columns of raw pixels.")] = None,
    height: Annotated[int | None, Query(gt=0, description="Rows of raw pixels.")] = None,
) -> SceneStatus:
    """Pixels whose first one is column x0, row y0 of the scene: a GeoTIFF, PNG, JPEG or WebP as the body.

    With `width` and `height` the body is the pixels themselves, row by row, the bands of a pixel side by side, uint8
    (or little-endian uint16, as declared). One band more than declared is alpha.

    The same window may be sent again. The last missing one finishes the scene, which changes no more from then on.
    """
    store = service_of(request).scenes
    await to_thread.run_sync(store.get, scene_id)  # before the body is read
    own = None if affine is None else affine_of(affine)
    if (width is None) != (height is None):
        raise UsageError("Raw pixels need both width and height; an image file needs neither.")
    raw = None if width is None or height is None else RawPixels(width, height)
    with store.incoming() as upload:
        with writing(upload), upload.open("wb") as file:
            async for piece in request.stream():
                await to_thread.run_sync(file.write, piece)
        stored = await to_thread.run_sync(
            store.put_window, scene_id, x0, y0, upload, own, raw, limiter=_uploads
        )
    return SceneStatus.of(stored)


@router.delete(
    "/scenes/{scene_id}",
    summary="Delete a scene",
    status_code=204,
    response_class=Response,
    responses=_problems(status_404=_NO_SCENE, status_409="A job that has not ended needs it."),
)
async def delete(request: Request, scene_id: SceneId) -> Response:
    """Forget a scene and its pixels. Answers about it stay."""
    service = service_of(request)
    service.scenes.get(scene_id)
    if scene_id in await to_thread.run_sync(service.ask.scenes_in_use):
        raise RunError(
            f"A job that has not ended needs the scene {scene_id}. Cancel the job, or wait for it."
        )
    await to_thread.run_sync(service.scenes.delete, scene_id)
    return Response(status_code=204)


def affine_of(text: str) -> AffineNumbers:
    """Six numbers divided by commas. Raises UsageError."""
    try:
        a, b, c, d, e, f = (float(part) for part in text.split(","))
    except ValueError as err:
        raise UsageError(f"affine {text[:100]!r} is not six numbers a,b,c,d,e,f divided by commas.") from err
    return (a, b, c, d, e, f)
