"""Answers and evidence as clients get them: JSON with a geometry in the scene's CRS and one in degrees.

Knows the words of the API. Refuses to know jobs and HTTP.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
import shapely
from pyproj import CRS
from shapely.geometry.base import BaseGeometry

from groundproof.boxes import Grid, PixelBoxes
from groundproof.counting import counted
from groundproof.frames import named_rows
from groundproof.georeference import Georeferencer, split_antimeridian
from groundproof.listening import Seen
from groundproof.outputs.geojson import CRS84, degrees, finest_gsd
from groundproof.tables import Result, Verdict

MAX_EVIDENCE = 5_000
"""Boxes in one document or at the end of one job's events; all of them are in its items and files."""


def crs_name(crs: CRS | None) -> str | None:
    """ "EPSG:32631" where it has a code, else WKT2; None in pixel space."""
    if crs is None:
        return None
    authority = crs.to_authority(min_confidence=100)
    return ":".join(authority) if authority else crs.to_wkt("WKT2_2019")


def seen_document(seen: Seen, out_crs: CRS | None) -> dict[str, Any]:
    """One box of one tile while the model writes. `final` is false: merging may drop or join it."""
    place = _georeferencer(seen.grid, out_crs)
    boxes = PixelBoxes.of([seen.box])
    area, width, height = place.sizes(boxes)
    polygon = place.polygons(boxes)[0]
    evidence = seen.evidence
    return {
        "final": False,
        "key": tile_key(seen.asked.tile_id, evidence.role, evidence.image, evidence.number),
        "evidence_id": None,
        "answer_id": seen.asked.answer_id,
        "scene": seen.asked.scene,
        "image": evidence.image,
        "role": str(evidence.role),
        "label": evidence.label,
        "quote": evidence.quote,
        "score": evidence.score,
        "verdict": str(Verdict.UNCHECKED),
        "counted": True,
        "box_px": [float(v) for v in boxes.xyxy[0]],
        "angle_deg": seen.box.angle_deg,
        "area_m2": _number(area[0]),
        "width_m": _number(width[0]),
        "height_m": _number(height[0]),
        "crs": crs_name(place.out_crs),
        "geometry": geometry(polygon),
        "geometry_wgs84": geometry(_in_degrees(seen.grid, boxes)),
    }


def evidence_documents(result: Result, answer_id: str | None = None) -> list[dict[str, Any]]:
    """Merged evidence, at most `MAX_EVIDENCE` rows, in the order of its numbers."""
    rows = np.arange(len(result.evidence))
    if answer_id is not None:
        rows = np.flatnonzero(result.evidence.answer_id == answer_id)
    return row_documents(result, rows[:MAX_EVIDENCE])


def row_documents(result: Result, positions: Sequence[int] | np.ndarray[Any, Any]) -> list[dict[str, Any]]:
    """Rows of the evidence table, by position, as many as there are: every column, and where it lies."""
    rows = result.evidence.iloc[positions]
    crs = crs_name(rows.crs)
    in_degrees = np.full(len(rows), None) if rows.crs is None else degrees(rows, finest_gsd(result))
    return [
        {"row": int(position), **_evidence(row, bool(counts), crs, shape)}
        for position, row, counts, shape in zip(
            positions, named_rows(rows), counted(rows), in_degrees, strict=True
        )
    ]


def answer_documents(result: Result) -> list[dict[str, Any]]:
    """One document for each answer, without its evidence."""
    return [
        {
            "answer_id": row.answer_id,
            "scene": row.scene,
            "question": row.question,
            "task": row.task,
            "answer": row.answer,
            "value": row.value,
            "plan": row.plan,
            "synthesis": row.synthesis,
            "coverage": row.coverage,
            "audit": row.audit,
            "context": row.context,
        }
        for row in named_rows(result.answers)
    ]


def result_document(result: Result) -> dict[str, Any]:
    """Everything a client that waited for the answer gets."""
    evidence = evidence_documents(result)
    return {
        "run_id": result.metadata.get("run_id"),
        "model": result.metadata.get("model"),
        "crs": crs_name(result.evidence.crs),
        "answers": answer_documents(result),
        "evidence": evidence,
        "evidence_total": len(result.evidence),
    }


def tile_key(tile_id: str, role: str, image: int, number: int) -> str:
    """Names one box of one tile's answer; the same when its batch is answered again."""
    return f"{tile_id}:{role}:{image}:{number}"


def geometry(shape: BaseGeometry | None) -> dict[str, Any] | None:
    """GeoJSON's geometry object."""
    return None if shape is None or shape.is_empty else dict(shapely.geometry.mapping(shape))


def _evidence(row: Any, counts: bool, crs: str | None, in_degrees: BaseGeometry | None) -> dict[str, Any]:
    return {
        "final": True,
        "key": f"{row.answer_id}:{row.evidence_id}",
        "evidence_id": row.evidence_id,
        "answer_id": row.answer_id,
        "run_id": row.run_id,
        "scene": row.scene,
        "image": int(row.image),
        "role": row.role,
        "label": row.label,
        "label_raw": row.label_raw,
        "quote": row.quote,
        "text_start": _whole(row.text_start),
        "text_end": _whole(row.text_end),
        "score": _number(row.score),
        "verdict": row.verdict,
        "review": row.review,
        "reviewed_at": row.reviewed_at,
        "counted": counts,
        "box_px": row.box_px,
        "angle_deg": _number(row.angle_deg),
        "area_m2": _number(row.area_m2),
        "width_m": _number(row.width_m),
        "height_m": _number(row.height_m),
        "crs": crs,
        "geometry": geometry(row.geometry),
        "geometry_wgs84": geometry(in_degrees),
        "tile_ids": row.tile_ids,
        "parents": row.parents,
    }


def _number(value: Any) -> float | None:
    return None if value is None or value != value else float(value)


def _whole(value: Any) -> int | None:
    return None if value is None or value is pd.NA or value != value else int(value)


@lru_cache(maxsize=64)
def _georeferencer(grid: Grid, out_crs: CRS | None) -> Georeferencer:
    return Georeferencer(grid, out_crs)


def _in_degrees(grid: Grid, boxes: PixelBoxes) -> BaseGeometry | None:
    if grid.is_pixel_space:
        return None
    polygon = _georeferencer(grid, CRS84).polygons(boxes)[0]
    return None if polygon is None else split_antimeridian(polygon)
