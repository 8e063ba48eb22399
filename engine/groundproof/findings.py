"""What an audit hands on: findings about an answer, and what one tile said, as the audit reads it.

Knows the shape of a finding and of a tile's reply. Refuses to know how either is found or shown.
"""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal

from groundproof.tables import TileStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

    from groundproof.boxes import PixelBox
    from groundproof.models.base import Finish
    from groundproof.tables import Verdict
    from groundproof.trace import Trace, TraceEvidence

Severity = Literal["error", "warning", "info"]
"""error: the answer says nothing; warning: it is weaker than it reads; info: good to know."""

SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")
"""Most severe first: the order in which findings are listed."""


class Kind(StrEnum):
    """What a finding is about."""

    COUNT = "count"
    PRESENCE = "presence"
    ANSWER_BOX = "answer-box"
    """Answer boxes that no sentence of the rationale points at."""
    NO_RATIONALE = "no-rationale"
    OTHER_LABEL = "other-label"
    LISTED_TWICE = "listed-twice"
    OTHER_SCENE = "other-scene"
    """Boxes of objects that the answer of another, overlapping scene counts (`--dedupe-scenes`)."""
    OUT_OF_FRAME = "out-of-frame"
    UNPLACED = "unplaced"
    """Boxes without a place (degenerate, wholly outside): dropped, so they have no row."""
    TRUNCATED = "truncated"
    REPAIRED = "repaired"
    COVERAGE = "coverage"
    UNTRAINED = "untrained"
    CONTRADICTED = "contradicted"
    """Boxes that a second look or another model contradicts."""
    SECOND_LOOK = "second-look"
    REVIEW = "review"
    RAISED = "raised"
    """Boxes that were not counted until an analyst accepted or moved them."""
    OVERLAP = "overlap"
    """Counted boxes of one label that lie on each other: perhaps one object listed twice."""
    NO_DATA = "no-data"
    """Counted boxes that lie mostly where the image holds no data."""


class ClaimVerdict(StrEnum):
    """Of a claim, against the evidence. Findings that check no claim are unchecked."""

    SUPPORTED = "supported"
    CONTRADICTED = "contradicted"
    UNCHECKED = "unchecked"


@dataclass(frozen=True, slots=True)
class AuditFinding:
    """One thing an audit found. claim: what was said ("16 storage tanks"), "" when nothing was claimed.

    sentence: for a person, plain text. evidence: the E-numbers it speaks of.
    """

    kind: Kind
    severity: Severity
    sentence: str
    claim: str = ""
    verdict: ClaimVerdict = ClaimVerdict.UNCHECKED
    evidence: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """One item of the `audit` column of `tables.ANSWERS`; JSON-able."""
        plain = asdict(self)
        order = ("kind", "severity", "claim", "verdict", "sentence")
        return {key: str(plain[key]) for key in order} | {"evidence": list(self.evidence)}

    @classmethod
    def from_dict(cls, item: Mapping[str, Any]) -> AuditFinding:
        """Back from the `audit` column. Raises ValueError for a kind, severity or verdict that is not one."""
        if item["severity"] not in SEVERITIES:
            raise ValueError(f"severity is one of {', '.join(SEVERITIES)}, got {item['severity']!r}")
        return cls(
            kind=Kind(item["kind"]),
            severity=item["severity"],
            sentence=item["sentence"],
            claim=item["claim"],
            verdict=ClaimVerdict(item["verdict"]),
            evidence=tuple(item["evidence"]),
        )


@dataclass(frozen=True, slots=True)
class BoxFinding:
    """One box of a tile that becomes a row: where it lies in scene pixels, and what the tile's audit says."""

    source: TraceEvidence
    box: PixelBox
    verdict: Verdict
    without_data: float = 0.0
    """Share of the box on ground where the image holds no data, 0..1."""


@dataclass(frozen=True, slots=True)
class Unplaced:
    """One box of a tile that has no place and so no row, and the words why."""

    source: TraceEvidence
    problem: str


@dataclass(frozen=True, slots=True)
class TileAudit:
    """A tile's boxes after its own audit. Answer boxes that are evidence already are in neither list.

    matched: how many answer boxes are evidence. answers_only: the boxes are the answer's because the
    text gave no rationale; they are counted.
    """

    boxes: tuple[BoxFinding, ...] = ()
    unplaced: tuple[Unplaced, ...] = ()
    matched: int = 0
    answers_only: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """What one text says, as audit and synthesis read it: small, for an answer may have 100 000 tiles.

    Fields as in `Trace`; of its boxes only whether there are any, of its repairs (kind, sentence).
    """

    plan: str = ""
    synthesis: str = ""
    answer: str = ""
    value: int | float | bool | str | None = None
    stated_counts: tuple[tuple[str, int], ...] = ()
    repairs: tuple[tuple[str, str], ...] = ()
    has_boxes: bool = False
    has_answer_boxes: bool = False
    has_rationale: bool = False
    complete: bool = False

    @classmethod
    def of(cls, trace: Trace) -> Said:
        """Most tiles have the same plan, which is kept once."""
        return cls(
            plan=sys.intern(trace.plan),
            synthesis=trace.synthesis,
            answer=trace.answer,
            value=trace.value,
            stated_counts=trace.stated_counts,
            repairs=tuple((repair.kind, repair.sentence) for repair in trace.repairs),
            has_boxes=bool(trace.evidence or trace.answer_boxes),
            has_answer_boxes=bool(trace.answer_boxes),
            has_rationale=trace.has_rationale,
            complete=trace.complete,
        )


@dataclass(frozen=True, slots=True)
class TileReply:
    """What became of one tile, as audit and synthesis need it.

    number: 1, 2, ... in the plan's order among the answer's tiles, which is what people read ("tile 3").
    window_px: (x0, y0, x1, y1), scene pixels. said: None when the tile has no answer. finish: why the text
    ended; None when not known. valid_share: share of the window that holds data, 0..1. n_boxes: rows the
    tile's own audit gave; None when not known. unplaced: why boxes of it gave no row, one by one.
    """

    tile_id: str
    number: int
    window_px: tuple[float, float, float, float]
    status: TileStatus
    said: Said | None = None
    finish: Finish | None = None
    valid_share: float = 1.0
    n_boxes: int | None = None
    unplaced: tuple[str, ...] = ()

    @property
    def answered(self) -> bool:
        """The tile was looked at and its text could be read."""
        return self.said is not None and self.status in (TileStatus.OK, TileStatus.EMPTY)

    @property
    def valid_px(self) -> float:
        """Area of the window that holds data, in scene pixels."""
        x0, y0, x1, y1 = self.window_px
        return (x1 - x0) * (y1 - y0) * self.valid_share
