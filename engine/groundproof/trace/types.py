"""The types of a trace: what one Geo-CoT output says, and the events by which it becomes known.

Knows no parsing. Boxes stay `ModelBox`: where they lie on the ground is for `georeference`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from groundproof.boxes import ModelBox

Role = Literal["evidence", "answer"]


@dataclass(frozen=True, slots=True)
class TraceEvidence:
    """One box that a sentence of the trace points at, as the tile's own text numbers it.

    number: 1, 2, ... in order of appearance among boxes of its role. label_raw: the noun phrase as
    written (may be empty); label: normalised by `labels.normalise`, falls back to the asked label.
    quote: the clause of the sentence that the box belongs to, up to the bracket (behind it where the
    sentence begins with the box), without its E-number; text_start, text_end: its place in the raw text,
    characters, half-open. image: 0 unless the text names another image. score: see ARCHITECTURE, None
    when unknown.
    """

    number: int
    role: Role
    label_raw: str
    label: str
    quote: str
    text_start: int
    text_end: int
    box: ModelBox
    image: int = 0
    score: float | None = None


@dataclass(frozen=True, slots=True)
class Repair:
    """Something the parser mended or dropped, and why. kind: a short word, e.g. "box-order"."""

    kind: str
    sentence: str
    text_start: int
    text_end: int


@dataclass(frozen=True, slots=True)
class Trace:
    """One parsed Geo-CoT output. All texts are plain (tags removed), never HTML-safe by themselves.

    answer: text inside <answer> (or what stands for it). value: the answer read by machine: int for a
    count, bool for yes/no, list of boxes is in `answer_boxes`, else the text; None when unreadable.
    stated_counts: (label or "", number) pairs that synthesis and answer state.
    has_rationale: a <think> part with any content was there. complete: the text ended properly.
    usable: an answer or at least one evidence box could be read; otherwise the tile is a parse_error.
    """

    plan: str = ""
    evidence: tuple[TraceEvidence, ...] = ()
    synthesis: str = ""
    answer: str = ""
    value: int | float | bool | str | None = None
    answer_boxes: tuple[TraceEvidence, ...] = ()
    stated_counts: tuple[tuple[str, int], ...] = ()
    repairs: tuple[Repair, ...] = field(default=())
    has_rationale: bool = False
    complete: bool = False
    usable: bool = False


@dataclass(frozen=True, slots=True)
class PlanEvent:
    """The plan, complete."""

    text: str


@dataclass(frozen=True, slots=True)
class EvidenceEvent:
    """One box, as it will stand in the final trace."""

    evidence: TraceEvidence


@dataclass(frozen=True, slots=True)
class SynthesisEvent:
    """The synthesis, complete."""

    text: str


@dataclass(frozen=True, slots=True)
class AnswerEvent:
    """The answer, complete, and what a machine reads in it (`Trace.value`)."""

    text: str
    value: int | float | bool | str | None


@dataclass(frozen=True, slots=True)
class RepairEvent:
    """The parser mended or dropped something."""

    repair: Repair


Event: TypeAlias = PlanEvent | EvidenceEvent | SynthesisEvent | AnswerEvent | RepairEvent
