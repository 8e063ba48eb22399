"""`POST /ask`: every question is a job. `GET /jobs/{id}/events`: watch it."""

from __future__ import annotations

import hashlib
import json
import tempfile
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import TypeAdapter, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from groundproof.errors import UsageError
from groundproof.service.jobs.asking import AskRequest
from groundproof.service.jobs.repeats import LONGEST_KEY, Once
from groundproof.service.jobs.waiting import response, state, until_ended, watch
from groundproof.service.state import Service, service_of

router = APIRouter(tags=["ask"])

MAX_FIELD_BYTES = 1 << 20
FORM_FIELDS = ("question", "task", "gsd", "bands", "out_crs", "pixel_space", "second_look", "on_disconnect")

_FORM_SCHEMA = {
    "type": "object",
    "required": ["image", "question"],
    "properties": {
        "image": {"type": "string", "format": "binary", "description": "GeoTIFF, PNG, JPEG or WebP."},
        "question": {"type": "string"},
        "affine": {
            "type": "string",
            "description": "a,b,c,d,e,f: x = a*col + b*row + c, y = d*col + e*row + f. Needed with `crs` where the "
            "image does not say where it lies; without both, boxes are in pixels.",
        },
        "crs": {"type": "string", "description": "EPSG:code or WKT."},
        "datetime": {"type": "string", "description": "Of acquisition, RFC 3339."},
        "options": {
            "type": "string",
            "description": "Further fields of the JSON request, as a JSON object.",
        },
        **{name: {"type": "string"} for name in FORM_FIELDS[1:]},
    },
}


@router.post(
    "/ask",
    summary="Ask a question",
    status_code=201,
    response_class=JSONResponse,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": {"$ref": "#/components/schemas/AskRequest"}},
                "multipart/form-data": {"schema": _FORM_SCHEMA},
            },
        }
    },
    responses={
        200: {
            "description": "The whole answer (Accept: application/json), or its events (text/event-stream).",
            "content": {"application/json": {}, "text/event-stream": {}},
        },
        201: {"description": "The job was made; `Location` names it."},
        202: {"description": "Still running after the time a request may wait; `Location` names the job."},
        429: {"description": "Too many jobs wait; `Retry-After` says when to come back."},
    },
)
async def ask(
    request: Request,
    idempotency_key: Annotated[
        str | None,
        Header(
            min_length=1,
            max_length=LONGEST_KEY,
            pattern="^[!-~]+$",
            description="A random text (a UUID, say) for this one question. The same key within a day gives the same "
            "job and begins no other, so that a request whose answer was lost may be sent again. 422 where the key "
            "came with another question before.",
        ),
    ] = None,
) -> Response:
    """Ask about scenes sent before, files or addresses the operator allows, or one image sent along.

    What comes back depends on `Accept`:

    - `*/*`: 201 at once, with `Location: /jobs/{id}`. Watch `/jobs/{id}/events`, or ask `/jobs/{id}`.
    - `application/json`: waits, and gives one document with answers, evidence, coverage and audit.
    - `text/event-stream`: the job's events in this very answer.
    """
    service = service_of(request)
    asked, once = await _read(service, request, idempotency_key)
    if once is None or once.among(service.jobs.all()) is None:  # what was taken before is not judged again
        await run_in_threadpool(service.ask.check, asked)
    job = await run_in_threadpool(
        lambda: service.runner.submit("ask", asked.model_dump(mode="json"), once=once)
    )
    accept = request.headers.get("accept", "*/*")
    if "text/event-stream" in accept:
        stream = watch(service, job.job_id, on_leave=asked.on_disconnect)
        stream.headers["Location"] = f"/jobs/{job.job_id}"
        return stream
    if "application/json" in accept and "respond-async" not in request.headers.get("prefer", ""):
        seconds = service.settings.limits.wait_seconds
        job = await until_ended(service, request, job.job_id, seconds, asked.on_disconnect)
        return await response(service, job)
    return JSONResponse(state(job), 201, {"Location": f"/jobs/{job.job_id}"})


@router.get(
    "/jobs/{job_id}/events",
    summary="Watch a job",
    responses={200: {"content": {"text/event-stream": {}}, "description": "Server-sent events."}},
)
async def events(
    request: Request,
    job_id: str,
    last_event_id: Annotated[int, Header(ge=0, description="Events up to this one are left out.")] = 0,
    after: Annotated[int, Query(ge=0, description="The same, for clients that cannot set headers.")] = 0,
) -> Response:
    """Numbered events; a client that lost its connection says the last number it saw and goes on from there.

    `plan`, `evidence` (first of single tiles with `final` false, in the end merged with `final` true),
    `synthesis`, `answer`, `coverage`, `audit`, `progress`, `note`, `error`, and `done`, always the last.
    `evidence` has `geometry` in `crs` (the request's) and `geometry_wgs84`. Comment lines keep a silent
    connection alive.
    """
    service = service_of(request)
    service.jobs.get(job_id)
    return watch(service, job_id, max(last_event_id, after))


async def _read(service: Service, request: Request, key: str | None) -> tuple[AskRequest, Once | None]:
    """The request, and what its client calls it."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        return await _form(service, request, key)
    if kind != "application/json":
        raise UsageError(
            f"The request's Content-Type is {kind or 'not given'}. Send application/json with scenes, or "
            "multipart/form-data with an image."
        )
    try:
        body = await request.json()
    except ValueError as err:
        raise UsageError(f"The request's body is not JSON: {err}.") from err
    asked = _validated(body)
    return asked, None if key is None else Once.of(key, asked.model_dump(mode="json"))


async def _form(service: Service, request: Request, key: str | None) -> tuple[AskRequest, Once | None]:
    """The one-image shortcut: the image becomes a stored scene, but for a form that came before."""
    async with request.form(max_files=1, max_fields=20, max_part_size=MAX_FIELD_BYTES) as form:
        image = form.get("image")
        if not isinstance(image, UploadFile):
            raise UsageError(
                "The form has no file `image`. Send GeoTIFF, PNG, JPEG or WebP, and a `question`."
            )
        text = {name: str(value) for name, value in form.items() if name != "image"}
        unknown = sorted(set(text) - {*FORM_FIELDS, "affine", "crs", "datetime", "options"})
        if unknown:
            raise UsageError(f"The form has unknown fields: {', '.join(unknown)}.")
        asked = {"question": text.get("question", ""), **_options(text)}
        placed = "affine" in text or "crs" in text
        _validated({**asked, "scenes": [{"id": "checked before anything is decoded"}]})
        with tempfile.TemporaryDirectory(prefix="groundproof-") as folder:
            path = Path(folder) / "upload"
            digest = await run_in_threadpool(_copy, image, path)
            once = None if key is None else Once.of(key, text, digest)
            before = None if once is None else once.among(service.jobs.all())
            if before is not None:
                return AskRequest.model_validate(before.inputs), once
            scene = await run_in_threadpool(
                service.scenes.add_image,
                path,
                Path(image.filename or "image").stem,
                _affine(text["affine"]) if "affine" in text else None,
                text.get("crs"),
                text.get("datetime"),
            )
    if not placed and not scene.has_place:
        asked.setdefault("pixel_space", True)
    return _validated({**asked, "scenes": [{"id": scene.scene_id}]}), once


def _options(text: dict[str, str]) -> dict[str, Any]:
    """Fields of the request that a form holds as text: JSON where it is JSON, else the text."""
    try:
        options = json.loads(text.get("options", "{}"))
    except ValueError as err:
        raise UsageError(f"The form's `options` is not JSON: {err}.") from err
    if not isinstance(options, dict) or "scenes" in options:
        raise UsageError(
            "The form's `options` must be a JSON object without `scenes`: the image is the scene."
        )
    for name in FORM_FIELDS[1:]:
        if name in text:
            try:
                options[name] = json.loads(text[name])
            except ValueError:
                options[name] = text[name]
    return options


def _affine(text: str) -> tuple[float, float, float, float, float, float]:
    try:
        return TypeAdapter(tuple[float, float, float, float, float, float]).validate_python(text.split(","))
    except ValidationError as err:
        raise UsageError(f"affine {text[:100]!r} is not six numbers a,b,c,d,e,f divided by commas.") from err


def _copy(upload: UploadFile, path: Path) -> bytes:
    """Write the image to a file; its digest."""
    digest = hashlib.blake2b(digest_size=16)
    with path.open("wb") as file:
        while part := upload.file.read(1 << 20):
            file.write(part)
            digest.update(part)
    return digest.digest()


def _validated(body: Any) -> AskRequest:
    try:
        return AskRequest.model_validate(body)
    except ValidationError as err:
        raise RequestValidationError(err.errors(include_url=False), body=None) from err
