"""What an operator's Prometheus reads, and one log line for each request.

Knows counts, times and route names. Refuses to know questions, imagery, tokens and query strings.
"""

from __future__ import annotations

import logging
import time
from collections import Counter as Tally
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from groundproof.service.jobs.store import JobStatus
from groundproof.tables import TileStatus

if TYPE_CHECKING:
    from groundproof.service.state import Service

log = logging.getLogger("groundproof.access")

SECONDS = (0.005, 0.02, 0.1, 0.5, 2, 10, 60, 300)
"""Upper bounds of the buckets of request times."""


class Metrics:
    """All metrics of one service, in a registry of their own."""

    def __init__(self, service: Service) -> None:
        self.registry = CollectorRegistry()
        self._service = service
        self.requests = Counter(
            "groundproof_requests", "Requests.", ("method", "route", "status"), registry=self.registry
        )
        self.seconds = Histogram(
            "groundproof_request_seconds",
            "Time to the end of the answer.",
            ("method", "route"),
            buckets=SECONDS,
            registry=self.registry,
        )
        self.tiles = Counter(
            "groundproof_tiles",
            "Tiles answered, by what became of them.",
            ("status",),
            registry=self.registry,
        )
        self.evidence = Counter("groundproof_evidence", "Boxes the model wrote.", registry=self.registry)
        self.queue_full = Counter("groundproof_refused", "Jobs refused: queue full.", registry=self.registry)
        for status in TileStatus:
            self.tiles.labels(status.value)
        self.registry.register(self)

    def collect(self) -> Iterable[Metric]:
        """Gauges read from the service when asked."""
        service = self._service
        jobs = Tally(str(job.status) for job in service.jobs.all())
        by_status = GaugeMetricFamily("groundproof_jobs", "Jobs kept.", labels=["status"])
        for status in JobStatus:
            by_status.add_metric([status.value], jobs.get(status.value, 0))
        yield by_status
        gauges = {
            "groundproof_jobs_waiting": ("Jobs in the queue.", service.runner.waiting),
            "groundproof_jobs_running": ("Jobs being worked on.", service.runner.running),
            "groundproof_model_ready": ("1 when the model can answer.", int(service.engine.ready)),
            "groundproof_start_time_seconds": ("When the service started, Unix time.", service.started),
        }
        for name, (help_, value) in gauges.items():
            yield GaugeMetricFamily(name, help_, value=value)

    def describe(self) -> Iterator[Metric]:
        """Nothing: `collect` needs the whole service, which is not there yet when this registers."""
        return iter(())

    def text(self) -> bytes:
        """Prometheus' text format."""
        return generate_latest(self.registry)


class Measured:
    """ASGI middleware: counts and times every request and logs one line, without its query."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app = app
        self._metrics = service.metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status, sent = time.perf_counter(), 500, 0

        async def counting(message: Message) -> None:
            nonlocal status, sent
            if message["type"] == "http.response.start":
                status = message["status"]
            elif message["type"] == "http.response.body":
                sent += len(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, receive, counting)
        finally:
            seconds = time.perf_counter() - started
            route = getattr(scope.get("route"), "path", "other")
            method = scope["method"] if scope["method"] in _METHODS else "other"
            self._metrics.requests.labels(method, route, str(status)).inc()
            self._metrics.seconds.labels(method, route).observe(seconds)
            log.info(
                "request",
                extra={
                    "method": method,
                    "path": scope["path"],
                    "status": status,
                    "ms": round(seconds * 1e3, 1),
                    "bytes": sent,
                },
            )


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})
"""Anything else a client makes up would be a label value of its own."""
