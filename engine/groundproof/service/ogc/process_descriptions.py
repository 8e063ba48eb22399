"""The processes as OGC API - Processes describes them (part 1, 18-062r2, conformance class
ogc-process-description).

Knows titles, inputs and outputs. Refuses to know how a process is done and what a job gave.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from groundproof.service.jobs.process_inputs import INPUTS
from groundproof.service.ogc.openapi30 import inlined, schema30
from groundproof.version import __version__

GEOPACKAGE = "application/geopackage+sqlite3"


@dataclass(frozen=True, slots=True)
class Output:
    """One output. schema: OpenAPI 3.0."""

    title: str
    schema: dict[str, Any]

    def document(self) -> dict[str, Any]:
        """As the description holds it."""
        return {"title": self.title, "schema": self.schema}


@dataclass(frozen=True, slots=True)
class Description:
    """One process."""

    process_id: str
    title: str
    keywords: tuple[str, ...]
    outputs: dict[str, Output]

    @property
    def inputs(self) -> type[BaseModel]:
        """What it takes."""
        return INPUTS[self.process_id]

    def summary(self) -> dict[str, Any]:
        """As the list of processes holds it, without links."""
        return {
            "id": self.process_id,
            "title": self.title,
            "description": " ".join((self.inputs.__doc__ or "").split()),
            "keywords": list(self.keywords),
            "version": __version__,
            "jobControlOptions": ["sync-execute", "async-execute", "dismiss"],
            "outputTransmission": ["value", "reference"],
        }

    def document(self) -> dict[str, Any]:
        """The whole description, without links. inputs and outputs by name, schemas stand alone."""
        schema = inlined(self.inputs.model_json_schema())
        required = schema.get("required", [])
        inputs = {
            name: {
                "title": one.get("title", name),
                "description": one.get("description", one.get("title", name)),
                "schema": schema30({key: value for key, value in one.items() if key != "title"}),
                "minOccurs": int(name in required),
                "maxOccurs": 1,
            }
            for name, one in schema["properties"].items()
        }
        outputs = {name: output.document() for name, output in self.outputs.items()}
        return {**self.summary(), "inputs": inputs, "outputs": outputs}

    def example(self) -> dict[str, Any]:
        """Inputs that show what a request looks like."""
        found: dict[str, Any] = self.inputs.model_json_schema()["examples"][0]
        return found


def _objects(title: str) -> Output:
    return Output(title, {"type": "array", "items": {"type": "object"}})


def _file(title: str, media_type: str) -> Output:
    return Output(title, {"type": "string", "format": "binary", "contentMediaType": media_type})


_RESULT = {
    "answers": _objects("The answers, each with its plan, synthesis, coverage and audit"),
    "evidence": _objects(
        "The boxes, with `geometry` in `crs` and `geometry_wgs84` in longitude and latitude; at most 5000, all of "
        "them are in the GeoPackage"
    ),
    "evidence_total": Output("How many boxes there are", {"type": "integer", "minimum": 0}),
    "crs": Output("CRS of `geometry`; left out where results are in pixels", {"type": "string"}),
    "model": Output("What answered", {"type": "string"}),
    "run_id": Output("The run whose answers these are", {"type": "string"}),
    "geopackage": _file("Everything as a GeoPackage, styled for QGIS", GEOPACKAGE),
}

DESCRIPTIONS: dict[str, Description] = {
    one.process_id: one
    for one in (
        Description(
            "ask", "Ask a question of imagery", ("imagery", "vision-language model", "evidence"), _RESULT
        ),
        Description(
            "audit",
            "Check an answer's claims, with a review",
            ("audit", "review"),
            {
                **_RESULT,
                "changed": _objects(
                    "The boxes that differ from the job's, however many: every column as it is now, and `row`, the "
                    "box's position in the evidence table from 0. Added boxes come last, in the order of the request"
                ),
            },
        ),
        Description("merge", "Make a result again without the model", ("merge", "deduplicate"), _RESULT),
        Description(
            "diff",
            "Compare two results",
            ("comparison",),
            {
                "is_empty": Output(
                    "Whether the second result says what the first one says", {"type": "boolean"}
                ),
                "answers": _objects(
                    "What changed, by answer: boxes kept, added, removed and changed (with `moved_m`, metres), and "
                    "those `outside`, where the other result did not look, and `by_review`, which an analyst drew or "
                    "rejected in one result and the other does not have; `sentence` says what became of the answer "
                    "(25 -> 27 airplanes). `same_pixels` false: two grids were compared on the ground"
                ),
                "added": _objects("[scene, question] of answers that only the second result has"),
                "removed": _objects("[scene, question] of answers that only the first result has"),
                "text": Output("The differences for people", {"type": "string"}),
            },
        ),
        Description(
            "review-export",
            "Make training data of a reviewed result",
            ("review", "training data", "COCO", "YOLO"),
            {
                "examples": Output(
                    "Conversations (geo-cot) or images written", {"type": "integer", "minimum": 0}
                ),
                "boxes": Output("True boxes in the tiles taken", {"type": "integer", "minimum": 0}),
                "labels": Output("Their labels", {"type": "array", "items": {"type": "string"}}),
                "left_out": _objects("Tiles that were not taken: `reason` and `tiles`, how many"),
                "archive": _file("Images, annotations and provenance", "application/zip"),
            },
        ),
        Description(
            "import",
            "Take in a result from elsewhere",
            ("import", "GeoPackage", "review"),
            {
                **_RESULT,
                "changed": _objects(
                    "The boxes that differ from the rows sent, because they were drawn or moved by hand: every column "
                    "as it is now, and `row`, the row's position in the request from 0"
                ),
            },
        ),
    )
}
"""By name."""
