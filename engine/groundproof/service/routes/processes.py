"""`/processes`: what can be done, described, and doing it (OGC API - Processes part 1, 18-062r2)."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Header, Path, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, Response
from pydantic import BaseModel, ValidationError
from starlette.concurrency import run_in_threadpool

from groundproof.service.addresses import base_url
from groundproof.service.jobs.asking import AskRequest
from groundproof.service.jobs.job_results import FILES, outputs
from groundproof.service.jobs.process_inputs import LARGE
from groundproof.service.jobs.processes import check
from groundproof.service.jobs.store import Job, JobStatus
from groundproof.service.jobs.waiting import CONTINUE, until_ended
from groundproof.service.ogc.documents import (
    Link,
    ProcessDescription,
    ProcessList,
    ProcessSummary,
    StatusInfo,
)
from groundproof.service.ogc.errors import NoSuchProcessError
from groundproof.service.ogc.execution import Execute
from groundproof.service.ogc.process_descriptions import DESCRIPTIONS, Description
from groundproof.service.problems import MEDIA_TYPE
from groundproof.service.routes.jobs import status_info
from groundproof.service.state import Service, service_of

router = APIRouter(tags=["OGC API - Processes"])

ProcessId = Annotated[str, Path(description=f"One of {', '.join(DESCRIPTIONS)}.", examples=["ask"])]
RESPOND_ASYNC = "respond-async"
NO_SUCH_PROCESS: dict[int | str, dict[str, Any]] = {404: {"description": "There is no such process."}}


@router.get("/processes", summary="List processes")
async def process_list(request: Request) -> ProcessList:
    """Everything the service can do, with links to the whole descriptions."""
    base = base_url(request)
    return ProcessList(
        processes=[
            ProcessSummary(**one.summary(), links=[_link("process", f"{base}/processes/{name}", one.title)])
            for name, one in DESCRIPTIONS.items()
        ],
        links=[_link("self", f"{base}/processes", "Processes")],
    )


@router.get("/processes/{process_id}", summary="Describe a process", responses=NO_SUCH_PROCESS)
async def process(request: Request, process_id: ProcessId) -> ProcessDescription:
    """Inputs and outputs with their schemas (OpenAPI 3.0)."""
    here = f"{base_url(request)}/processes/{process_id}"
    return ProcessDescription(
        **_described(process_id).document(),
        links=[
            _link("self", here, "This process"),
            _link("http://www.opengis.net/def/rel/ogc/1.0/execute", f"{here}/execution", "Execute it"),
        ],
    )


@router.post(
    "/processes/{process_id}/execution",
    summary="Execute a process",
    response_class=JSONResponse,
    responses={
        **NO_SUCH_PROCESS,
        200: {
            "description": "The outputs (or the one, raw).",
            "content": {"application/json": {}, "application/octet-stream": {}},
        },
        201: {
            "model": StatusInfo,
            "description": "Prefer: respond-async: the job was made; `Location` names it.",
        },
        202: {
            "model": StatusInfo,
            "description": "Still running after the time a request may wait; `Location` names the job.",
        },
        409: {"description": "An earlier job that an input names has no result."},
        422: {"description": "The inputs do not fit; the sentence says why."},
        429: {"description": "Too many jobs wait; `Retry-After` says when to come back."},
    },
)
async def execute(
    request: Request,
    process_id: ProcessId,
    body: Annotated[
        Execute,
        Body(
            openapi_examples={
                name: {"summary": one.title, "value": {"inputs": one.example()}}
                for name, one in DESCRIPTIONS.items()
            }
        ),
    ],
    prefer: Annotated[str, Header(description="respond-async: do not wait for the outputs.")] = "",
) -> Response:
    """Do a process. Waits for its outputs, unless `Prefer: respond-async` asks for the job at once."""
    service = service_of(request)
    description = _described(process_id)
    inputs = await run_in_threadpool(_validated, description, body)
    wanted = body.wanted(description)
    await run_in_threadpool(_check, service, inputs)
    job = await run_in_threadpool(
        lambda: service.runner.submit(process_id, inputs.model_dump(mode="json"), LARGE)
    )
    headers = {"Location": f"{base_url(request)}/jobs/{job.job_id}"}
    if RESPOND_ASYNC in prefer:
        applied = {"Preference-Applied": RESPOND_ASYNC}
        return JSONResponse(status_info(request, job).document(), 201, headers | applied)
    on_leave = inputs.on_disconnect if isinstance(inputs, AskRequest) else CONTINUE
    job = await until_ended(service, request, job.job_id, service.settings.limits.wait_seconds, on_leave)
    if job.status is not JobStatus.SUCCESSFUL:
        if job.problem is not None:
            return JSONResponse(job.problem, int(job.problem["status"]), headers, media_type=MEDIA_TYPE)
        return JSONResponse(status_info(request, job).document(), 202, headers)
    return await _given(request, service, job, wanted, headers, raw=body.is_raw)


async def _given(
    request: Request,
    service: Service,
    job: Job,
    wanted: tuple[str, ...],
    headers: dict[str, str],
    *,
    raw: bool,
) -> Response:
    """The outputs as they were wanted."""
    if raw and wanted[0] in FILES:
        file, media_type = FILES[wanted[0]]
        path = service.jobs.folder(job.job_id) / file
        return FileResponse(path, headers=headers, media_type=media_type, filename=file)
    values = await run_in_threadpool(outputs, service.jobs, job, base_url(request))
    if raw:
        return JSONResponse(values.get(wanted[0]), headers=headers)
    return JSONResponse({name: values[name] for name in wanted if name in values}, headers=headers)


def _described(process_id: str) -> Description:
    if process_id not in DESCRIPTIONS:
        raise NoSuchProcessError(f"There is no process {process_id!r}; there are {', '.join(DESCRIPTIONS)}.")
    return DESCRIPTIONS[process_id]


def _validated(description: Description, body: Execute) -> BaseModel:
    try:
        return description.inputs.model_validate(body.plain_inputs())
    except ValidationError as err:
        errors = [{**e, "loc": ("body", "inputs", *e["loc"])} for e in err.errors(include_url=False)]
        raise RequestValidationError(errors) from err


def _check(service: Service, inputs: BaseModel) -> None:
    """Raise now for what would fail in the queue."""
    if isinstance(inputs, AskRequest):
        service.ask.check(inputs)
    else:
        check(service.jobs, inputs)


def _link(rel: str, href: str, title: str) -> Link:
    return Link(rel=rel, type="application/json", title=title, href=href)
