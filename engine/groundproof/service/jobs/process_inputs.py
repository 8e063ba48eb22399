"""What each process takes, as the OGC API describes it and as a job keeps it.

Knows names, types and their meaning. Refuses to know how a process is done.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from groundproof.review_export import ExportFormat
from groundproof.service.jobs.asking import AskRequest
from groundproof.service.jobs.importing import ImportInputs
from groundproof.service.jobs.reviews import AddedBoxes, Review
from groundproof.service.ogc.documents import EXAMPLE_JOB

EXAMPLE_POLYGON: dict[str, Any] = {
    "type": "Polygon",
    "coordinates": [
        [[595010, 5744990], [595040, 5744990], [595040, 5744980], [595010, 5744980], [595010, 5744990]]
    ],
}


class AuditInputs(BaseModel):
    """Counts, answers and audit of an earlier job's result made anew, with an analyst's decisions."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "job": EXAMPLE_JOB,
                    "review": {
                        "E3": "rejected",
                        "E4": {"review": "adjusted", "geometry": EXAMPLE_POLYGON, "label": "ship"},
                    },
                    "added": [{"geometry": EXAMPLE_POLYGON, "label": "ship", "quote": "a ship at the quay"}],
                }
            ]
        },
    )

    job: str = Field(description="A job that gave a result: an ask, a merge, an import or an earlier audit.")
    review: Review = {}
    added: AddedBoxes = []


class MergeInputs(BaseModel):
    """The result of an earlier ask again from the model's kept answers, with other thresholds or another CRS."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", json_schema_extra={"examples": [{"job": EXAMPLE_JOB, "iou": 0.4}]}
    )

    job: str = Field(description="An ask that has ended. A cancelled one gives what was answered before.")
    iou: float | None = Field(
        default=None,
        gt=0,
        le=1,
        description="Intersection over union from which two whole boxes are one object. Default: the ask's.",
    )
    ios: float | None = Field(
        default=None,
        gt=0,
        le=1,
        description="Intersection over the smaller box, where one of them touches its tile's edge. Default: the ask's.",
    )
    out_crs: str | None = Field(
        default=None, description="CRS of the geometries, EPSG:code or WKT. Default: the ask's."
    )


class DiffInputs(BaseModel):
    """What changed between the results of two jobs about the same place, on the same pixels or others."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={"examples": [{"a": EXAMPLE_JOB, "b": EXAMPLE_JOB[::-1]}]},
    )

    a: str = Field(description="The job whose result came before.")
    b: str = Field(description="The job whose result came after.")


class ReviewExportInputs(BaseModel):
    """A reviewed result as training data: image tiles and the boxes a person agreed with."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"job": EXAMPLE_JOB, "format": "coco", "review": {"E1": "accepted", "E3": "rejected"}}
            ]
        },
    )

    job: str = Field(description="A job that gave a result: an ask, a merge, an import or an audit.")
    format: ExportFormat = Field(
        description="geo-cot: messages for training a reasoning model. coco, yolo: boxes for training a detector."
    )
    review: Review = {}
    added: AddedBoxes = []
    include_unchecked: bool = Field(
        default=False, description="Take boxes that nobody reviewed as true, too, where they are counted."
    )


LARGE = frozenset({"review", "added", "tables", "metadata"})
"""Inputs that may be large, and are kept apart from the others (`JobStore.create`)."""

INPUTS: dict[str, type[BaseModel]] = {
    "ask": AskRequest,
    "audit": AuditInputs,
    "merge": MergeInputs,
    "diff": DiffInputs,
    "review-export": ReviewExportInputs,
    "import": ImportInputs,
}
"""By the name of the process."""
