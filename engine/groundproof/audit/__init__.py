"""Claims against evidence: which boxes are real evidence, and whether what the texts say of them holds.

Knows traces, placed boxes and the merged evidence table. Refuses to know models (a second look is
`groundproof.second_look`) and files. A text-only audit can lower a box's verdict, never raise it.
"""

from groundproof.audit.answer import audit_answer, in_order
from groundproof.audit.no_data import no_data, on_data
from groundproof.audit.reaudit import reaudit
from groundproof.audit.tile import LISTED_TWICE_IOU, SAME_OBJECT_IOU, audit_tile
from groundproof.counting import answers_to, count, counted
from groundproof.findings import (
    AuditFinding,
    BoxFinding,
    ClaimVerdict,
    Kind,
    TileAudit,
    TileReply,
    Unplaced,
)

__all__ = [
    "LISTED_TWICE_IOU",
    "SAME_OBJECT_IOU",
    "AuditFinding",
    "BoxFinding",
    "ClaimVerdict",
    "Kind",
    "TileAudit",
    "TileReply",
    "Unplaced",
    "answers_to",
    "audit_answer",
    "audit_tile",
    "count",
    "counted",
    "in_order",
    "no_data",
    "on_data",
    "reaudit",
]
