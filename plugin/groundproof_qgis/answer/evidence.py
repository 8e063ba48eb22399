"""One box that a sentence points at, as events and saved tables tell of it.

Knows the words of the engine's documents and columns. Refuses to know layers, widgets and how it is counted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from groundproof_qgis.i18n_text import tr

UNCHECKED = "unchecked"

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Evidence:
    """One box.

    key: unique within a job, for live boxes as well. evidence_id: "E3" within its answer; None while the model
    writes. final: merged and numbered. score: 0..1, None when the model gave none. box_px: (x0, y0, x1, y1) in scene
    pixels. width_m, height_m, area_m2: None in pixel space. geometry: GeoJSON in `crs` (EPSG:code or WKT2; None in
    pixel space, where y = -row). review: accepted, rejected, adjusted, added or None. fid: of its row in the saved
    file, None before it is saved.
    """

    key: str
    evidence_id: str | None
    answer_id: str
    label: str
    quote: str
    score: float | None
    verdict: str
    review: str | None
    counted: bool
    box_px: Box | None
    width_m: float | None
    height_m: float | None
    geometry: dict[str, Any] | None = field(hash=False)
    crs: str | None
    final: bool
    scene: str = ""
    image: int = 0
    role: str = "evidence"
    area_m2: float | None = None
    tile_ids: tuple[str, ...] = ()
    fid: int | None = None

    @property
    def number(self) -> int:
        """3 of E3; 0 without a number."""
        return number_of(self.evidence_id)

    @property
    def size(self) -> str:
        """ "12 x 11 m", in pixels where there are no metres, "" where neither is known."""
        if self.width_m is not None and self.height_m is not None:
            return tr("{width} x {height} m").format(
                width=length_text(self.width_m), height=length_text(self.height_m)
            )
        if self.box_px is None:
            return ""
        x0, y0, x1, y1 = self.box_px
        return tr("{width} x {height} px").format(width=f"{x1 - x0:.0f}", height=f"{y1 - y0:.0f}")

    @classmethod
    def from_document(cls, data: Mapping[str, Any]) -> Evidence:
        """Of an `evidence` event. Raises KeyError without `key` or `answer_id`."""
        return cls(
            key=str(data["key"]),
            evidence_id=data.get("evidence_id"),
            answer_id=str(data["answer_id"]),
            label=str(data.get("label") or ""),
            quote=str(data.get("quote") or ""),
            score=_number(data.get("score")),
            verdict=str(data.get("verdict") or UNCHECKED),
            review=data.get("review") or None,
            counted=bool(data.get("counted", True)),
            box_px=_box(data.get("box_px")),
            width_m=_number(data.get("width_m")),
            height_m=_number(data.get("height_m")),
            geometry=_shape(data.get("geometry")),
            crs=data.get("crs"),
            final=bool(data.get("final")),
            scene=str(data.get("scene") or ""),
            image=int(data.get("image") or 0),
            role=str(data.get("role") or "evidence"),
            area_m2=_number(data.get("area_m2")),
            tile_ids=tuple(str(one) for one in plain(data.get("tile_ids")) or ()),
            fid=data.get("fid"),
        )

    @classmethod
    def from_row(cls, row: Mapping[str, Any], crs: str | None, counted: bool) -> Evidence:
        """Of a row of the evidence table, columns by name and `geometry` as GeoJSON."""
        answer_id, evidence_id = str(row.get("answer_id") or ""), row.get("evidence_id") or None
        return cls.from_document(
            {
                **row,
                "key": f"{answer_id}:{evidence_id}",
                "evidence_id": evidence_id,
                "answer_id": answer_id,
                "box_px": plain(row.get("box_px")),
                "counted": counted,
                "crs": crs,
                "final": True,
            }
        )


def number_of(evidence_id: str | None) -> int:
    """3 of "E3"; 0 of anything else."""
    digits = evidence_id[1:] if evidence_id and evidence_id[0] == "E" else ""
    return int(digits) if digits.isascii() and digits.isdigit() else 0


def length_text(metres: float) -> str:
    """Metres as people read them: one decimal below ten."""
    return f"{metres:.1f}" if metres < 10 else f"{metres:.0f}"


def plain(value: Any) -> Any:
    """A cell of a JSON column: parsed where it is text, None where it is empty. Text that is no JSON stays text."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value) if value.strip() else None
    except ValueError:
        return value


def _shape(value: Any) -> dict[str, Any] | None:
    """GeoJSON with tuples for lists. Python's garbage collector leaves tuples of numbers alone; the lists of 50,000
    boxes it walks through again and again, and QGIS stands still for half a second each time.
    """
    if not isinstance(value, Mapping):
        return None
    return {"type": value.get("type"), "coordinates": _tuples(value.get("coordinates"))}


def _tuples(value: Any) -> Any:
    return tuple(_tuples(one) for one in value) if isinstance(value, (list, tuple)) else value


def _box(value: Any) -> Box | None:
    if not isinstance(value, (list, tuple)) or len(value) != 4:
        return None
    x0, y0, x1, y1 = (float(one) for one in value)
    return (x0, y0, x1, y1)


def _number(value: Any) -> float | None:
    return None if value is None or value != value else float(value)
