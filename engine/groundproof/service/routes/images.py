"""`POST /scenes/image`: a whole image becomes a stored scene, to be looked at before anything is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from groundproof.errors import UsageError
from groundproof.service.addresses import base_url
from groundproof.service.state import service_of
from groundproof.service.uploads.scene_spec import SceneStatus

router = APIRouter(tags=["scenes"])

_decoded_at_a_time = CapacityLimiter(2)
"""Each is a process that may take as much memory as the operator allows one."""

_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.post(
    "/scenes/image",
    summary="Send a whole image",
    status_code=201,
    openapi_extra=_BODY,
    responses={413: {"description": "More bytes or pixels than the operator allows."}},
)
async def send_image(
    request: Request,
    response: Response,
    name: Annotated[
        str, Query(min_length=1, max_length=255, description="Its file name; answers call it so.")
    ] = "scene",
) -> SceneStatus:
    """The body is the file itself: GeoTIFF, PNG, JPEG or WebP. `Location` names the scene it became."""
    store = service_of(request).scenes
    with store.incoming() as upload:
        with upload.open("wb") as file:
            async for piece in request.stream():
                await to_thread.run_sync(file.write, piece)
        if not upload.stat().st_size:
            raise UsageError(
                "The request has no body. Send the image file itself: GeoTIFF, PNG, JPEG or WebP."
            )
        stored = await to_thread.run_sync(
            store.add_image, upload, Path(name).stem, limiter=_decoded_at_a_time
        )
    response.headers["Location"] = f"{base_url(request)}/scenes/{stored.scene_id}"
    return SceneStatus.of(stored)
