"""Documents of OGC APIs as clients get them: links, the landing page, where a job stands.

Knows their fields, by the standards' names. Refuses to know where the values come from.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from groundproof.service.jobs.store import JobStatus

EXAMPLE_JOB = "0123456789abcdef0123456789abcdef"
_TIME = "2026-05-04T10:20:30.123Z"


class Link(BaseModel):
    """Where to go from here."""

    rel: str
    type: str
    title: str
    href: str


class LandingPage(BaseModel):
    """Where an OGC API begins."""

    title: str
    description: str
    links: list[Link]


class Conformance(BaseModel):
    """Names of the conformance classes that are kept."""

    conformsTo: list[str]  # noqa: N815 - the standard's name


class ProcessSummary(BaseModel):
    """A process as the list of processes holds it."""

    id: str
    title: str
    description: str
    keywords: list[str]
    version: str
    jobControlOptions: list[str]  # noqa: N815 - the standard's name
    outputTransmission: list[str]  # noqa: N815 - the standard's name
    links: list[Link]


class ProcessList(BaseModel):
    """Everything that can be done."""

    processes: list[ProcessSummary]
    links: list[Link]


class ProcessDescription(ProcessSummary):
    """A process with its inputs and outputs by name; each has a `schema` (OpenAPI 3.0)."""

    inputs: dict[str, Any]
    outputs: dict[str, Any]


class StatusInfo(BaseModel):
    """Where a job stands. Times are RFC 3339, UTC; progress is in percent."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "processID": "ask",
                    "type": "process",
                    "jobID": EXAMPLE_JOB,
                    "status": "running",
                    "message": "12 of 64 tiles: asking the model",
                    "progress": 18,
                    "created": _TIME,
                    "started": _TIME,
                    "updated": _TIME,
                    "links": [],
                }
            ]
        }
    )

    processID: str  # noqa: N815 - the standard's name
    type: Literal["process"]
    jobID: str  # noqa: N815 - the standard's name
    title: str | None = Field(default=None, description="The question, for people who look for a job.")
    status: JobStatus
    message: str
    progress: int
    created: str
    started: str | None = None
    finished: str | None = None
    updated: str
    links: list[Link]

    def document(self) -> dict[str, Any]:
        """JSON-able; what is not known is left out."""
        return self.model_dump(mode="json", exclude_none=True)


class JobList(BaseModel):
    """One page of jobs, newest first."""

    jobs: list[StatusInfo]
    links: list[Link]
