"""Boxes on ground where the image holds no data: which are lowered, and the finding about the others.

Knows a tile's audited boxes and its cells of data. Refuses to know pixels and rows.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from groundproof.data_cells import share_without_data
from groundproof.findings import AuditFinding, Kind
from groundproof.tables import NOT_COUNTED, Verdict
from groundproof.wording import e_list

if TYPE_CHECKING:
    from collections.abc import Sequence

    from groundproof.boxes import Tile
    from groundproof.findings import BoxFinding

MOSTLY = 0.5
"""A counted box with this share of its area without data is named in the audit."""


def on_data(boxes: Sequence[BoxFinding], tile: Tile, cells: Sequence[bytes | None]) -> tuple[BoxFinding, ...]:
    """The boxes with their share without data; one wholly without is out-of-frame: nothing was seen there.

    cells: of every date's image (`data_cells.pack`); None where all of it holds data, or nothing is known.
    """
    found = []
    for row in boxes:
        mask = cells[row.source.image] if row.source.image < len(cells) else None
        if mask is None or row.verdict in NOT_COUNTED:
            found.append(row)
            continue
        bare = share_without_data(row.box, tile, mask)
        found.append(
            replace(row, without_data=bare, verdict=Verdict.OUT_OF_FRAME if bare == 1.0 else row.verdict)
        )
    return tuple(found)


def no_data(evidence_ids: Sequence[str]) -> AuditFinding | None:
    """The finding about counted boxes that lie mostly on ground without data; None where there are none."""
    if not evidence_ids:
        return None
    words = "1 counted box lies" if len(evidence_ids) == 1 else f"{len(evidence_ids)} counted boxes lie"
    sentence = f"{words} mostly where the image holds no data: {e_list(evidence_ids)}"
    return AuditFinding(Kind.NO_DATA, "warning", sentence, evidence=tuple(evidence_ids))
