"""Rows of a result's four tables as JSON: the columns of `groundproof.tables` by name, typed and bounded.

Knows which values a column may hold. Refuses to know whether rows fit together (`importing.py` does) and files.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    model_validator,
)

from groundproof.findings import ClaimVerdict, Kind, Severity
from groundproof.models.profile import Profile
from groundproof.protocol import Task
from groundproof.scene import parse_datetime
from groundproof.service.jobs.asking import Number
from groundproof.service.jobs.polygons import MultiOutline, Outline, PolygonDocument
from groundproof.tables import TileStatus, Verdict

MAX_EVIDENCE_ROWS = 100_000
MAX_TILE_ROWS = 100_000
MAX_ANSWER_ROWS = 10_000
MAX_SCENE_ROWS = 1_000

MAX_TILE_PX = 8_192
"""Side of a tile as a model saw it. Its pixels are read again when a review is exported."""

MAX_SIDE_PX = 1_000_000


def _time(text: str) -> str:
    found = parse_datetime(text)
    if found is None:
        raise ValueError("give a time as 2026-11-20T10:15:00Z")
    return found


def _none_if_empty(value: Any) -> Any:
    return None if value == "" else value


Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Words = Annotated[str, StringConstraints(max_length=20_000)]
TileText = Annotated[str, StringConstraints(max_length=1_000_000)]
Time = Annotated[str, StringConstraints(max_length=64), AfterValidator(_time)]
Box = tuple[Number, Number, Number, Number]
Whole = Annotated[int, Field(ge=0, le=2**53)]
Size = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ParentItem(_Row):
    """A box of one tile that was merged into the evidence."""

    tile_id: Name
    number: Whole
    box_px: Box


class EvidenceRow(_Row):
    """A box. One drawn by hand has no `evidence_id` and needs nothing but a geometry."""

    evidence_id: Annotated[
        Annotated[str, StringConstraints(pattern=r"^E[0-9]{1,9}$")] | None, BeforeValidator(_none_if_empty)
    ] = None
    answer_id: Annotated[Name | None, BeforeValidator(_none_if_empty)] = None
    run_id: Name | None = None
    scene: Name | None = None
    image: Annotated[int, Field(ge=0, le=1000)] | None = None
    tile_ids: list[Name] | None = None
    parents: list[ParentItem] | None = None
    role: Literal["evidence", "answer"] | None = None
    label: Words | None = None
    label_raw: Words | None = None
    quote: Words | None = None
    text_start: Whole | None = None
    text_end: Whole | None = None
    box_px: Box | None = None
    angle_deg: Number | None = None
    area_m2: Size | None = None
    width_m: Size | None = None
    height_m: Size | None = None
    score: Number | None = None
    verdict: Annotated[Verdict | None, BeforeValidator(_none_if_empty)] = None
    review: Annotated[
        Literal["accepted", "rejected", "adjusted", "added"] | None, BeforeValidator(_none_if_empty)
    ] = None
    reviewed_at: Time | None = None
    geometry: PolygonDocument | None = None

    @model_validator(mode="after")
    def _has_a_place(self) -> Self:
        if self.box_px is not None:
            x0, y0, x1, y1 = self.box_px
            if not (x0 < x1 and y0 < y1):
                raise ValueError(f"box_px {list(self.box_px)} needs x0 < x1 and y0 < y1")
        by_hand = self.evidence_id is None
        drawn = self.review in ("adjusted", "added") or (by_hand and self.review is None)
        if drawn and self.geometry is None:
            raise ValueError("a box that was drawn or moved by hand needs its geometry")
        if not drawn and (self.box_px is None or by_hand):
            raise ValueError(
                "the row has no evidence_id or no box_px; a box drawn by hand has the review added, or none"
            )
        if not by_hand and (self.answer_id is None or self.scene is None):
            raise ValueError(f"{self.evidence_id} has no answer_id or no scene")
        return self


class CoverageItem(_Row):
    """How much of an answer's area was looked at."""

    looked_at: Whole
    tiles: Whole
    skipped: Whole = 0
    failed: Whole = 0
    valid_share: Annotated[float, Field(ge=0, le=1)] | None = None
    sentence: Words
    failures: list[dict[str, JsonValue]] = []


class FindingItem(_Row):
    """What an audit found."""

    kind: Kind
    severity: Severity
    claim: Words = ""
    verdict: ClaimVerdict = ClaimVerdict.UNCHECKED
    sentence: Words
    evidence: list[Name] = []


class AnswerRow(_Row):
    """The answer to one question about one scene or parcel."""

    answer_id: Name
    run_id: Name | None = None
    scene: Name
    question: Annotated[str, StringConstraints(min_length=1, max_length=10_000)]
    task: Task
    answer: Words | None = None
    value: JsonValue = None
    plan: Words | None = None
    synthesis: Words | None = None
    coverage: CoverageItem | None = None
    audit: list[FindingItem] | None = None
    context: dict[str, JsonValue] | None = None
    geometry: Annotated[Outline | MultiOutline, Field(discriminator="type")] | None = None


class TileRow(_Row):
    """A tile of one answer."""

    tile_id: Name
    answer_id: Name
    scene: Name
    window_px: tuple[Whole, Whole, Whole, Whole]
    status: TileStatus | None = None
    attempts: Whole | None = None
    seconds: Size | None = None
    n_evidence: Whole | None = None
    text: TileText | None = None
    pixels_hash: Name | None = None
    geometry: Outline | None = None

    @model_validator(mode="after")
    def _is_a_window(self) -> Self:
        x0, y0, x1, y1 = self.window_px
        if not (x0 < x1 and y0 < y1):
            raise ValueError(f"window_px {list(self.window_px)} needs x0 < x1 and y0 < y1")
        return self


class SceneRow(_Row):
    """A scene. Its `path` is opened only where the service may read it anyway."""

    scene: Name
    path: Annotated[str, StringConstraints(max_length=4096)] | None = None
    content_id: Annotated[str, StringConstraints(max_length=1000)] | None = None
    crs_wkt: Annotated[str, StringConstraints(max_length=20_000)] | None = None
    affine: tuple[Number, Number, Number, Number, Number, Number] | None = None
    gcps: Annotated[list[Box], Field(min_length=3, max_length=10_000)] | None = None
    width: Annotated[int, Field(gt=0, le=MAX_SIDE_PX)] | None = None
    height: Annotated[int, Field(gt=0, le=MAX_SIDE_PX)] | None = None
    gsd_m: Size | None = None
    datetime: Time | None = None
    status: Literal["ok", "skipped", "failed"]
    reason: Words | None = None
    geometry: Outline | None = None

    @model_validator(mode="after")
    def _has_a_size(self) -> Self:
        if self.status == "ok" and (self.width is None or self.height is None):
            raise ValueError("a scene that could be read has width and height")
        return self


class Tables(_Row):
    """A result's four tables. Rows come in the order of the file; columns left out are NULL."""

    evidence: Annotated[list[EvidenceRow], Field(max_length=MAX_EVIDENCE_ROWS)]
    answers: Annotated[list[AnswerRow], Field(min_length=1, max_length=MAX_ANSWER_ROWS)]
    tiles: Annotated[list[TileRow], Field(max_length=MAX_TILE_ROWS)] = []
    scenes: Annotated[list[SceneRow], Field(min_length=1, max_length=MAX_SCENE_ROWS)]


class AskedItem(BaseModel):
    """A question as the run understood it."""

    model_config = ConfigDict(frozen=True, extra="allow")

    text: Words
    labels: list[Words] = []


class Configuration(BaseModel):
    """What of a run's configuration is used again; the rest is kept as it came."""

    model_config = ConfigDict(frozen=True, extra="allow")

    profile: Profile
    tile_px: Annotated[int, Field(gt=0, le=MAX_TILE_PX)]
    questions: list[AskedItem] = []
    scene_crs: Annotated[str, StringConstraints(max_length=20_000)] | None = None
    pixel_space: bool = False
    bands: Annotated[list[Annotated[int, Field(ge=1, le=65_535)]], Field(max_length=3)] | None = None


class Metadata(BaseModel):
    """A result's metadata, as its GeoPackage holds them; what is not named here is kept as it came."""

    model_config = ConfigDict(frozen=True, extra="allow")

    run_id: Name | None = None
    model: Annotated[str, StringConstraints(max_length=1000)] | None = None
    created: Annotated[str, StringConstraints(max_length=64)] | None = None
    versions: dict[str, JsonValue] | None = None
    configuration: Configuration | None = None
