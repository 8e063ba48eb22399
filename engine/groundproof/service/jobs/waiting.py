"""A request that waits for its job, and one that watches it.

Knows how long, and what happens when the client leaves. Refuses to know what the job does.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any

from fastapi import Request
from fastapi.responses import JSONResponse, Response
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.concurrency import run_in_threadpool

from groundproof.outputs import read
from groundproof.service.documents import result_document
from groundproof.service.jobs.ask_process import RESULT
from groundproof.service.jobs.store import Job, JobStatus
from groundproof.service.problems import MEDIA_TYPE
from groundproof.service.state import Service

HEARTBEAT_S = 15
"""Time between comment lines of a silent stream; proxies and QGIS give up on silent connections after 60 s."""

CANCEL, CONTINUE = "cancel", "continue"


async def until_ended(service: Service, request: Request, job_id: str, seconds: float, on_leave: str) -> Job:
    """The job when it has ended, `seconds` are over or the client has left, whichever is first."""
    deadline = time.monotonic() + seconds
    following = asyncio.ensure_future(_last(service, job_id))
    try:
        while not following.done() and time.monotonic() < deadline:
            await asyncio.wait({following}, timeout=0.5)
            if await request.is_disconnected():
                if on_leave == CANCEL:
                    service.runner.cancel(job_id)
                break
    finally:
        following.cancel()
    return service.jobs.get(job_id)


async def _last(service: Service, job_id: str) -> None:
    async for _ in service.jobs.events(job_id).follow():
        pass


def watch(service: Service, job_id: str, after: int = 0, on_leave: str = CONTINUE) -> EventSourceResponse:
    """The job's events behind `after` as server-sent events; ends with its last one."""

    async def events() -> AsyncIterator[ServerSentEvent]:
        whole = False
        try:
            async for event in service.jobs.events(job_id).follow(after):
                whole = event.name == "done"
                yield ServerSentEvent(
                    data=json.dumps(event.data, ensure_ascii=False),
                    event=event.name,
                    id=str(event.number),
                    retry=2000,
                )
            whole = True
        finally:
            if not whole and on_leave == CANCEL:
                service.runner.cancel(job_id)

    return EventSourceResponse(events(), ping=HEARTBEAT_S, headers={"Cache-Control": "no-store"})


async def document(service: Service, job: Job) -> dict[str, Any]:
    """The whole answer of a successful ask, with its links."""
    path = service.jobs.folder(job.job_id) / RESULT
    answer = await run_in_threadpool(lambda: result_document(read(path)))
    return {"job": job.job_id, **answer, "links": links(job)}


async def response(service: Service, job: Job) -> Response:
    """What a client that waited gets: the answer, the problem, or the job that still goes on (202)."""
    headers = {"Location": f"/jobs/{job.job_id}"}
    if job.status is JobStatus.SUCCESSFUL:
        return JSONResponse(await document(service, job), headers=headers)
    if job.problem is not None:
        return JSONResponse(job.problem, int(job.problem["status"]), headers, media_type=MEDIA_TYPE)
    return JSONResponse(state(job), 202, headers)


def state(job: Job) -> dict[str, Any]:
    """Where a job stands, in OGC API - Processes' words (its `statusInfo`)."""
    return {
        "processID": job.process,
        "type": "process",
        "jobID": job.job_id,
        "title": title(job),
        "status": str(job.status),
        "message": job.message,
        "progress": job.progress,
        "created": job.created,
        "started": job.started,
        "finished": job.finished,
        "updated": job.updated,
        "links": links(job),
    }


def title(job: Job) -> str | None:
    """What tells jobs apart in a list: the question, what it was asked about, and the answer."""
    question = job.inputs.get("question")
    if question is None:
        return None
    scenes, answers = job.results.get("scenes", []), job.results.get("answers", [])
    about = f" ({', '.join(scenes[:3])}{', ...' if len(scenes) > 3 else ''})" if scenes else ""
    answer = f": {answers[0]}" if len(answers) == 1 else ""
    return f"{question}{about}{answer}"


def links(job: Job) -> list[dict[str, str]]:
    """Where to go from a job."""
    base = f"/jobs/{job.job_id}"
    found = [
        {"rel": "self", "type": "application/json", "title": "This job", "href": base},
        {"rel": "monitor", "type": "text/event-stream", "title": "Its events", "href": f"{base}/events"},
    ]
    if job.status is JobStatus.SUCCESSFUL:
        rel = "http://www.opengis.net/def/rel/ogc/1.0/results"
        found.append(
            {"rel": "enclosure", "type": "application/json", "title": "Files", "href": f"{base}/files"}
        )
        found.append({"rel": rel, "type": "application/json", "title": "Results", "href": f"{base}/results"})
    return found
