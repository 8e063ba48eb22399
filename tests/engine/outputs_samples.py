"""Small results for the tests of outputs."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import pandas as pd
import shapely
from pyproj import CRS

from groundproof.tables import TABLES, Result

HOSTILE = [
    '<img src=x onerror="alert(1)">',
    '<a href="https://evil.example">click</a>',
    "nul\x00inside",
    "lone \ud800 surrogate",
    "esc \x1b[31m and \x7f",
    "'; DROP TABLE evidence; --",
    '"quoted" \\ back',
    "[% $id %]",
    "=HYPERLINK(1)",
    "line\nbreak\ttab",
    "船 и é",
]


def evidence_row(i: int, **changes: Any) -> dict[str, Any]:
    x, y = 10.0 * i, 4.5 * i
    box = [x, y, x + 8.25, y + 6.5]
    row = {
        "evidence_id": f"E{i + 1}",
        "answer_id": "A1",
        "run_id": "run-1",
        "scene": "harbour",
        "image": 0,
        "tile_ids": [f"t{i}", "t9"],
        "parents": [{"tile_id": f"t{i}", "number": 1, "box_px": box}],
        "role": "evidence",
        "label": "storage tank",
        "label_raw": "storage tanks",
        "quote": "a white tank beside the pier",
        "text_start": 10,
        "text_end": 38,
        "box_px": box,
        "angle_deg": None,
        "area_m2": 53.625,
        "width_m": 8.25,
        "height_m": 6.5,
        "score": 0.75,
        "verdict": "unchecked",
        "review": None,
        "reviewed_at": None,
        "geometry": shapely.box(500_000 + x, 4_000_000 - y - 6.5, 500_000 + x + 8.25, 4_000_000 - y),
    }
    return row | changes


def answer_row(**changes: Any) -> dict[str, Any]:
    row = {
        "answer_id": "A1",
        "run_id": "run-1",
        "scene": "harbour",
        "question": "How many storage tanks are in the harbour?",
        "task": "count",
        "answer": "3 storage tanks",
        "value": 3,
        "plan": "Scan the quay from west to east.",
        "synthesis": "Three round roofs, E1 to E3.",
        "coverage": {
            "looked_at": 3,
            "tiles": 4,
            "skipped": 0,
            "failed": 1,
            "valid_share": None,
            "sentence": "Looked at 3 of 4 tiles; 1 failed.",
            "failures": [{"window_px": [0, 0, 8, 8], "status": "read_error", "reason": "the drive is gone"}],
        },
        "audit": [
            {"kind": "count", "severity": "warning", "sentence": "the text says 4", "evidence": ["E1"]}
        ],
        "context": None,
        "geometry": shapely.box(500_000, 3_999_900, 500_100, 4_000_000),
    }
    return row | changes


def tile_row(i: int, **changes: Any) -> dict[str, Any]:
    row = {
        "tile_id": f"t{i}",
        "answer_id": "A1",
        "scene": "harbour",
        "window_px": [50 * i, 0, 50 * i + 50, 100],
        "status": "ok",
        "attempts": 1,
        "seconds": 0.5,
        "n_evidence": 1,
        "text": "<think>a tank</think>",
        "pixels_hash": "abc",
        "geometry": shapely.box(500_000 + 50 * i, 3_999_900, 500_050 + 50 * i, 4_000_000),
    }
    return row | changes


def scene_row(crs: CRS | None, **changes: Any) -> dict[str, Any]:
    row = {
        "scene": "harbour",
        "path": "harbour.tif",
        "content_id": "1-2-3",
        "crs_wkt": None if crs is None else crs.to_wkt("WKT2_2019"),
        "affine": [1.0, 0.0, 500_000.0, 0.0, -1.0, 4_000_000.0],
        "gcps": None,
        "width": 100,
        "height": 100,
        "gsd_m": 1.0,
        "datetime": "2026-05-04T10:20:30Z",
        "status": "ok",
        "reason": None,
        "geometry": shapely.box(500_000, 3_999_900, 500_100, 4_000_000),
    }
    return row | changes


def frame(table: str, rows: list[dict[str, Any]], crs: CRS | None) -> gpd.GeoDataFrame:
    # Text as objects: pandas' own text type refuses lone surrogates before any writer sees them.
    text = ("str", "json", "time")
    data = {
        c.name: pd.Series([r[c.name] for r in rows], dtype=object if c.kind in text else None)
        for c in TABLES[table]
    }
    return gpd.GeoDataFrame(data, geometry=gpd.GeoSeries([r["geometry"] for r in rows], crs=crs))


UTM = CRS.from_epsg(32631)
METADATA = {"model": "tiny", "prompt_version": "1", "libraries": {"gdal": "3.10"}, "accuracy_m": None}


def result(
    n: int = 3,
    crs: CRS | None = UTM,
    *,
    evidence: list[dict[str, Any]] | None = None,
    answers: list[dict[str, Any]] | None = None,
    tiles: list[dict[str, Any]] | None = None,
    scenes: list[dict[str, Any]] | None = None,
    metadata: dict[str, Any] | None = None,
) -> Result:
    return Result(
        frame("evidence", [evidence_row(i) for i in range(n)] if evidence is None else evidence, crs),
        frame("answers", [answer_row()] if answers is None else answers, crs),
        frame("tiles", [tile_row(i) for i in range(2)] if tiles is None else tiles, crs),
        frame("scenes", [scene_row(crs)] if scenes is None else scenes, crs),
        METADATA if metadata is None else metadata,
    )


def empty(crs: CRS | None = UTM) -> Result:
    return result(0, crs, answers=[], tiles=[], scenes=[], metadata={})
