"""One question, frozen when it is asked.

Knows the words of the engine's `POST /ask`. Refuses to know QGIS, widgets and HTTP.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

TASKS = (
    "auto",
    "count",
    "detect",
    "ground",
    "classify",
    "caption",
    "region-caption",
    "grounded-caption",
    "vqa",
    "change",
)
"""As the engine takes them; auto lets it infer the task from the question."""

MAX_QUESTION = 2000
"""Characters the engine takes."""


@dataclass(frozen=True)
class FollowUp:
    """The earlier answer a question follows up. job: the engine's. evidence: selected boxes, such as ("E3",)."""

    job: str
    answer_id: str = "A1"
    evidence: tuple[str, ...] = ()

    def as_json(self) -> dict[str, object]:
        """The request's `context`."""
        return {"job": self.job, "answer_id": self.answer_id, "evidence": list(self.evidence)}


@dataclass(frozen=True)
class Area:
    """The part of the scene that is asked about. geojson: geometry, Feature or FeatureCollection in `crs_wkt`.

    field: with a FeatureCollection, the property that names its parts; one answer for each. None: one answer.
    """

    geojson: dict[str, Any] = field(hash=False)
    crs_wkt: str
    field: str | None = None


@dataclass(frozen=True)
class Question:
    """What is asked, without the pixels. gsd: metres per px to resample tiles to, None: the model's own choice.

    bands: 1-based, of the scene that is sent; None: all it has. Raises ValueError for an empty or too long question.
    """

    text: str
    task: str = "auto"
    area: Area | None = None
    bands: tuple[int, ...] | None = None
    gsd: float | None = None
    second_look: bool = False
    pixel_space: bool = False
    follow_up: FollowUp | None = None

    def __post_init__(self) -> None:
        words = " ".join(self.text.split())
        if not words:
            raise ValueError("The question is empty. Type one, for example: How many airplanes are there?")
        if len(words) > MAX_QUESTION:
            raise ValueError(
                f"The question has {len(words)} characters; up to {MAX_QUESTION} are allowed. Shorten it."
            )
        if self.task not in TASKS:
            raise ValueError(f"The task {self.task!r} is not one of {', '.join(TASKS)}.")

    def as_json(self, scene_ids: Sequence[str]) -> dict[str, object]:
        """The body of `POST /ask`. scene_ids: of scenes sent before; for a change, the earlier date first."""
        scenes: list[dict[str, str]] = [{"id": one} for one in scene_ids]
        body: dict[str, object] = {"question": self.text, "task": self.task, "scenes": scenes}
        if self.area is not None:
            body["aoi"] = self.area.geojson
            body["aoi_crs"] = self.area.crs_wkt
            if self.area.field is not None:
                body["aoi_field"] = self.area.field
        if self.bands is not None:
            body["bands"] = list(self.bands)
        if self.gsd is not None:
            body["gsd"] = self.gsd
        if self.second_look:
            body["second_look"] = True
        if self.pixel_space:
            body["pixel_space"] = True
        if self.follow_up is not None:
            body["context"] = self.follow_up.as_json()
        return body
