"""`/jobs/{id}/files`: a job's result as files. `/jobs/{id}/stac`: as an entry of a catalogue."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, JSONResponse, Response

from groundproof.service.addresses import base_url
from groundproof.service.ogc.features import GEOJSON
from groundproof.service.stac import stac_item
from groundproof.service.state import service_of

router = APIRouter(tags=["results"])

PARTIAL = "Groundproof-Partial"
"""Header of a file made of a job that is not complete: what it holds."""

_PROBLEMS: dict[int | str, dict[str, Any]] = {
    404: {"description": "There is no such job or file."},
    409: {"description": "The job has not begun, so there is nothing yet."},
}


@router.get("/jobs/{job_id}/files", summary="List a job's files", responses=_PROBLEMS)
def files(request: Request, job_id: str) -> JSONResponse:
    """Name, type and address of each. They are made when first asked for."""
    offers, partial = service_of(request).downloads.offers(job_id)
    base = base_url(request)
    listed = [
        {
            "name": offer.name,
            "title": offer.title,
            "type": offer.media_type,
            "href": f"{base}/jobs/{job_id}/files/{offer.name}",
        }
        for offer in offers
    ]
    return JSONResponse({"job": job_id, "partial": partial, "files": listed})


@router.head("/jobs/{job_id}/files/{name}", include_in_schema=False)
@router.get(
    "/jobs/{job_id}/files/{name}",
    summary="Download a file",
    response_class=FileResponse,
    responses={
        200: {"description": "The file. Of a running job, what has been answered so far.", "content": {}},
        206: {"description": "The range asked for."},
        304: {"description": "It is the file with the ETag given in If-None-Match."},
        413: {"description": "Too many boxes for GeoJSON."},
        416: {"description": "The file has no such range."},
        **_PROBLEMS,
    },
)
def file(request: Request, job_id: str, name: str) -> Response:
    """One of the names that `/jobs/{job_id}/files` lists. Ranges and `If-None-Match` work.

    A file of a job that is not complete has `partial` in its name and a header `Groundproof-Partial`.
    """
    made = service_of(request).downloads.file(job_id, name)
    headers = {"Cache-Control": "private, no-cache"}
    if made.partial is not None:
        headers[PARTIAL] = made.partial
    response = FileResponse(
        made.path,
        headers=headers,
        media_type=made.media_type,
        filename=made.save_as,
        stat_result=made.path.stat(),
    )
    if request.headers.get("if-none-match") == response.headers["etag"]:
        return Response(status_code=304, headers={**headers, "ETag": response.headers["etag"]})
    return response


@router.get(
    "/jobs/{job_id}/stac",
    summary="A job as a STAC item",
    response_class=JSONResponse,
    responses={200: {"description": "A STAC 1.1 item.", "content": {GEOJSON: {}}}, **_PROBLEMS},
)
def stac(request: Request, job_id: str) -> JSONResponse:
    """Footprint, dates, provenance, and its files as assets. Jobs in pixel space have none (409)."""
    service = service_of(request)
    offers, _ = service.downloads.offers(job_id)
    result = service.snapshots.get(job_id).result
    document = stac_item(service.jobs.get(job_id), result, offers, base_url(request))
    return JSONResponse(document, media_type=GEOJSON)
