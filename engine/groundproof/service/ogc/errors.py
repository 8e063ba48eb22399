"""Errors that OGC API - Processes part 1 (18-062r2) gives a type of their own.

Knows their names. `problems.document` writes `problem_type` into a problem's `type`.
"""

from __future__ import annotations

from groundproof.errors import NotFoundError

EXCEPTIONS = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0"


class NoSuchProcessError(NotFoundError):
    """There is no process of that name (/req/core/process-exception/no-such-process)."""

    problem_type = f"{EXCEPTIONS}/no-such-process"


class NoSuchJobError(NotFoundError):
    """There is no job of that name (/req/core/job-exception-no-such-job)."""

    problem_type = f"{EXCEPTIONS}/no-such-job"


class ResultNotReadyError(NotFoundError):
    """The job has not ended (/req/core/job-results-exception/results-not-ready): 404, as the standard has it."""

    problem_type = f"{EXCEPTIONS}/result-not-ready"
