"""Hand-made traces, replies, evidence tables and results for the tests of audit, synthesis and diff."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import pandas as pd
from affine import Affine
from pyproj import CRS
from shapely.geometry import MultiPolygon, Polygon, box

from groundproof.boxes import ModelBox, PixelBox
from groundproof.coverage import coverage
from groundproof.findings import Said, TileReply
from groundproof.georeference import Placed
from groundproof.tables import TABLES, Result, TileStatus
from groundproof.trace import Trace, TraceEvidence

Numbers = tuple[float, float, float, float]

TILE_PX = 100
"""Tiles of these cases lie side by side in one row of the scene."""


def said(
    numbers: Numbers, label: str = "airplane", role: str = "evidence", number: int = 1, **more: Any
) -> TraceEvidence:
    raw = more.pop("raw", label)
    return TraceEvidence(number, role, raw, label, f"a {label} here", 0, 10, ModelBox(*numbers), **more)


def trace(
    evidence: list[TraceEvidence] | None = None, answers: list[TraceEvidence] | None = None, **more: Any
) -> Trace:
    defaults: dict[str, Any] = {"has_rationale": True, "complete": True, "usable": True}
    return Trace(evidence=tuple(evidence or ()), answer_boxes=tuple(answers or ()), **(defaults | more))


def placed_as_written(one: Trace) -> list[Placed]:
    """Model units taken as scene pixels."""
    boxes = [e.box for e in (*one.evidence, *one.answer_boxes)]
    return [Placed(PixelBox(b.x0, b.y0, b.x1, b.y1)) for b in boxes]


def reply(
    number: int = 1, said_trace: Trace | None = None, status: TileStatus | None = None, **more: Any
) -> TileReply:
    if status is None:
        status = TileStatus.ENGINE_ERROR if said_trace is None else TileStatus.OK
    x0 = (number - 1) * TILE_PX
    window = (x0, 0, x0 + TILE_PX, TILE_PX)
    words = None if said_trace is None else Said.of(said_trace)
    return TileReply(f"t{number}", number, window, status, words, **({"finish": "stop"} | more))


def unasked(number: int, status: TileStatus) -> TileReply:
    return reply(number, None, status, finish=None)


def row(
    evidence_id: str,
    numbers: Numbers = (0, 0, 10, 10),
    label: str = "airplane",
    tiles: tuple[int, ...] = (1,),
    **more: Any,
) -> dict[str, Any]:
    values = dict.fromkeys(c.name for c in TABLES["evidence"])
    values |= {
        "evidence_id": evidence_id,
        "answer_id": "A1",
        "run_id": "r",
        "scene": "scene",
        "image": 0,
        "tile_ids": [f"t{n}" for n in tiles],
        "parents": [{"tile_id": f"t{n}", "number": 1, "box_px": list(numbers)} for n in tiles],
        "role": "evidence",
        "label": label,
        "label_raw": label,
        "quote": f"a {label} here",
        "text_start": 0,
        "text_end": 10,
        "box_px": list(numbers),
        "verdict": "unchecked",
    }
    unknown = set(more) - set(values)
    assert not unknown, unknown
    return values | more


def table(*rows: dict[str, Any]) -> pd.DataFrame:
    frame = pd.DataFrame(list(rows), columns=[c.name for c in TABLES["evidence"]])
    frame["angle_deg"] = frame["angle_deg"].astype(float)
    return frame


def tiles_table(
    *statuses: str | None, texts: dict[int, str] | None = None, n_evidence: int = 0
) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "tile_id": f"t{n}",
                "answer_id": "A1",
                "scene": "scene",
                "window_px": [(n - 1) * TILE_PX, 0, n * TILE_PX, TILE_PX],
                "status": status,
                "attempts": 1,
                "seconds": 0.1,
                "n_evidence": n_evidence,
                "text": (texts or {}).get(n, ""),
                "pixels_hash": "",
            }
            for n, status in enumerate(statuses, start=1)
        ],
        columns=[c.name for c in TABLES["tiles"]],
    )


def cover_of(*statuses: str | None) -> dict[str, Any]:
    return coverage(tiles_table(*statuses), 1.0)


def answer_row(**more: Any) -> dict[str, Any]:
    values = dict.fromkeys(c.name for c in TABLES["answers"])
    values |= {
        "answer_id": "A1",
        "run_id": "r",
        "scene": "scene",
        "question": "How many airplanes are there?",
        "task": "count",
        "answer": "",
        "plan": "",
        "synthesis": "",
        "coverage": cover_of("ok"),
        "audit": [],
    }
    return values | more


AFFINE = Affine(2, 0, 500000, 0, -2, 5700000)
"""2 m pixels in UTM zone 31N."""


def on_map(numbers: Any) -> Polygon:
    x0, y0, x1, y1 = numbers
    return box(500000 + 2 * x0, 5700000 - 2 * y1, 500000 + 2 * x1, 5700000 - 2 * y0)


def result(
    evidence: pd.DataFrame, answers: list[dict[str, Any]], tiles: pd.DataFrame, **metadata: Any
) -> Result:
    crs = CRS.from_epsg(32631)
    width = int(max((w[2] for w in tiles["window_px"]), default=TILE_PX))
    scene = {
        "scene": "scene",
        "path": "scene.tif",
        "content_id": "c",
        "crs_wkt": crs.to_wkt(),
        "affine": list(AFFINE)[:6],
        "gcps": None,
        "width": width,
        "height": TILE_PX,
        "gsd_m": 2.0,
        "datetime": None,
        "status": "ok",
        "reason": None,
    }
    whole = on_map((0, 0, width, TILE_PX))
    return Result(
        evidence=_frame("evidence", evidence, [on_map(b) for b in evidence["box_px"]], crs),
        answers=_frame("answers", pd.DataFrame(answers), [MultiPolygon([whole])] * len(answers), crs),
        tiles=_frame("tiles", tiles, [on_map(w) for w in tiles["window_px"]], crs),
        scenes=_frame("scenes", pd.DataFrame([scene]), [whole], crs),
        metadata=metadata,
    )


def _frame(name: str, data: pd.DataFrame, shapes: list[Any], crs: CRS) -> gpd.GeoDataFrame:
    columns = [c.name for c in TABLES[name]]
    return gpd.GeoDataFrame(data[columns].reset_index(drop=True), geometry=gpd.GeoSeries(shapes, crs=crs))
