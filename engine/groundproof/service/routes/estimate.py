"""`POST /estimate`: what a question would cost."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool

from groundproof.service.jobs.estimating import EstimateAnswer, EstimateRequest
from groundproof.service.state import service_of

router = APIRouter(tags=["ask"])


@router.post("/estimate", summary="What a question would cost")
async def estimate(request: Request, body: EstimateRequest) -> EstimateAnswer:
    """Tiles, ground and time of a question, before a pixel is sent; nothing is kept.

    The tiles are those that the ask would have. The time is measured or not given: on earlier questions to the
    same model, else on empty trial tiles (asked when somebody first wants to know; it is then the least that
    the question takes).
    """
    service = service_of(request)
    waiting = service.runner.waiting + service.runner.running
    return await run_in_threadpool(service.estimate, body, waiting)
