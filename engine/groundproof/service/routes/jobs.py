"""`/jobs`: what was asked, how far it is, what it gave, and ending it (OGC API - Processes part 1)."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool

from groundproof.errors import NotFoundError
from groundproof.service.addresses import base_url
from groundproof.service.jobs.job_results import outputs
from groundproof.service.jobs.store import Job, JobStatus
from groundproof.service.jobs.waiting import CONTINUE, state, until_ended
from groundproof.service.ogc.documents import EXAMPLE_JOB, JobList, Link, StatusInfo
from groundproof.service.ogc.errors import NoSuchJobError, ResultNotReadyError
from groundproof.service.ogc.job_list import JobQuery
from groundproof.service.problems import MEDIA_TYPE
from groundproof.service.state import Service, service_of

router = APIRouter(tags=["OGC API - Processes"])

JobId = Annotated[str, Path(description="Of a job.", examples=[EXAMPLE_JOB])]
NO_SUCH_JOB: dict[int | str, dict[str, Any]] = {404: {"description": "There is no such job."}}

DISMISS_WAIT_S = 10.0
"""How long a request that cancels a job waits for it to end; a job looks up at the next piece of text."""


def status_info(request: Request, job: Job) -> StatusInfo:
    """Where a job stands, with whole addresses."""
    base, info = base_url(request), StatusInfo.model_validate(state(job))
    for link in info.links:
        link.href = f"{base}{link.href}"
    return info


@router.get("/jobs", summary="List jobs", response_model_exclude_none=True)
async def job_list(request: Request, query: Annotated[JobQuery, Query()]) -> JobList:
    """Newest first."""
    jobs = await run_in_threadpool(lambda: query.chosen(service_of(request).jobs.all()))
    start, size = query.offset, query.page_size
    links = [_page(request, "self", "This page", start)]
    if start + size < len(jobs):
        links.append(_page(request, "next", "Older jobs", start + size))
    if start > 0:
        links.append(_page(request, "prev", "Newer jobs", max(0, start - size)))
    return JobList(jobs=[status_info(request, job) for job in jobs[start : start + size]], links=links)


@router.get(
    "/jobs/{job_id}", summary="Where a job stands", responses=NO_SUCH_JOB, response_model_exclude_none=True
)
async def job(request: Request, job_id: JobId) -> StatusInfo:
    """Status, progress in percent and a sentence about it; links to its events and results."""
    return status_info(request, _job(service_of(request), job_id))


@router.get(
    "/jobs/{job_id}/results",
    summary="What a job gave",
    responses={404: {"description": "There is no such job, or it has not ended."}},
)
async def results(request: Request, job_id: JobId) -> Response:
    """All outputs of a successful job, by name; a failed one gives its problem."""
    service = service_of(request)
    found = _job(service, job_id)
    if found.problem is not None:
        return JSONResponse(found.problem, int(found.problem["status"]), media_type=MEDIA_TYPE)
    if found.status is not JobStatus.SUCCESSFUL:
        advice = (
            "It gave no results; the process merge makes one of what was answered before."
            if found.status is JobStatus.DISMISSED
            else f"Wait for it, or watch /jobs/{job_id}/events."
        )
        raise ResultNotReadyError(f"The job {job_id} is {found.status}. {advice}")
    return JSONResponse(await run_in_threadpool(outputs, service.jobs, found, base_url(request)))


@router.delete(
    "/jobs/{job_id}",
    summary="Cancel or delete a job",
    responses=NO_SUCH_JOB,
    response_model_exclude_none=True,
)
async def dismiss(request: Request, job_id: JobId) -> StatusInfo:
    """Ends a job that waits or runs, and keeps what was answered. Deletes one that has ended, files and all."""
    service = service_of(request)
    found = _job(service, job_id)
    if found.ended:
        await run_in_threadpool(service.jobs.delete, job_id)
        changes = {"status": JobStatus.DISMISSED, "message": "Deleted.", "links": []}
        return status_info(request, found).model_copy(update=changes)
    await run_in_threadpool(service.runner.cancel, job_id)
    return status_info(request, await until_ended(service, request, job_id, DISMISS_WAIT_S, CONTINUE))


def _job(service: Service, job_id: str) -> Job:
    try:
        return service.jobs.get(job_id)
    except NotFoundError as err:
        raise NoSuchJobError(str(err)) from err


def _page(request: Request, rel: str, title: str, offset: int) -> Link:
    asked = [(name, value) for name, value in request.query_params.multi_items() if name != "offset"]
    query = urlencode([*asked, *([("offset", str(offset))] if offset else [])])
    href = f"{base_url(request)}/jobs{'?' if query else ''}{query}"
    return Link(rel=rel, type="application/json", title=title, href=href)
