"""Model text to a `Trace`, incrementally.

Knows the Geo-CoT grammar and what models really write. Refuses to know who made the text, and where
anything lies on the ground: boxes stay `ModelBox`.
"""

from groundproof.trace.parser import MAX_BOXES, TraceParser, parse
from groundproof.trace.types import (
    AnswerEvent,
    Event,
    EvidenceEvent,
    PlanEvent,
    Repair,
    RepairEvent,
    Role,
    SynthesisEvent,
    Trace,
    TraceEvidence,
)

__all__ = [
    "MAX_BOXES",
    "AnswerEvent",
    "Event",
    "EvidenceEvent",
    "PlanEvent",
    "Repair",
    "RepairEvent",
    "Role",
    "SynthesisEvent",
    "Trace",
    "TraceEvidence",
    "TraceParser",
    "parse",
]
