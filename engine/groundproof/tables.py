"""The four tables of a result: their columns, types and allowed words. A contract with every reader.

Knows names and types only. `outputs/` writes them, `audit.py` and `synthesis.py` fill them; nothing
here computes. In memory a table is a (Geo)DataFrame with exactly these columns in this order; lists
and dicts are Python objects there, JSON text in GeoPackage and GeoJSON, lists in Parquet.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

import geopandas as gpd

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pyproj import CRS


class Verdict(StrEnum):
    """Of a box. Every box starts unchecked; a text-only audit can lower it, never raise it."""

    UNCHECKED = "unchecked"
    SUPPORTED = "supported"
    UNSUPPORTED = "unsupported"
    CONTRADICTED = "contradicted"
    DUPLICATE = "duplicate"
    OUT_OF_FRAME = "out-of-frame"


NOT_COUNTED = frozenset({Verdict.DUPLICATE, Verdict.OUT_OF_FRAME, Verdict.CONTRADICTED})
"""Rows with these verdicts stay as rows and are not counted; nor are those an analyst rejected."""


class TileStatus(StrEnum):
    """What became of one tile. Nothing is inferred from absence: every tile has a row."""

    OK = "ok"
    EMPTY = "empty"
    """Looked at; the answer names no object."""
    SKIPPED = "skipped"
    """Holds no valid pixel (nodata), so it was not shown to the model."""
    PARSE_ERROR = "parse_error"
    READ_ERROR = "read_error"
    ENGINE_ERROR = "engine_error"


FAILED = frozenset({TileStatus.PARSE_ERROR, TileStatus.READ_ERROR, TileStatus.ENGINE_ERROR})


@dataclass(frozen=True, slots=True)
class Column:
    """One column. kind: str, int, float, json (a list or dict), time (RFC 3339 text)."""

    name: str
    kind: str
    meaning: str


EVIDENCE: tuple[Column, ...] = (
    Column("evidence_id", "str", "E1, E2, ... within its answer, given after merging"),
    Column("answer_id", "str", "the answer this row is evidence for"),
    Column("run_id", "str", "the run that made it"),
    Column("scene", "str", "the scene's short name, unique in the run"),
    Column("image", "int", "which date's image, 0 first"),
    Column("tile_ids", "json", "tiles that saw it"),
    Column("parents", "json", "[{tile_id, number, box_px}]: the tiles' own boxes it was merged from"),
    Column("role", "str", "evidence, or answer for an answer box without a rationale"),
    Column("label", "str", "normalised"),
    Column("label_raw", "str", "as the model wrote it"),
    Column("quote", "str", "the sentence that points at the box"),
    Column("text_start", "int", "where the quote starts in its tile's text, characters"),
    Column("text_end", "int", "where the quote ends"),
    Column("box_px", "json", "[x0, y0, x1, y1] in scene pixels"),
    Column(
        "angle_deg", "float", "NULL when axis-aligned; else clockwise on screen about the centre of box_px"
    ),
    Column("area_m2", "float", "geodesic; NULL in pixel space"),
    Column("width_m", "float", "length of the box's x side; NULL in pixel space"),
    Column("height_m", "float", "length of the box's y side; NULL in pixel space"),
    Column("score", "float", "exp(mean log-probability of the box's number tokens); NULL when not given"),
    Column("verdict", "str", "one of Verdict"),
    Column("review", "str", "accepted, rejected, adjusted, added or NULL"),
    Column("reviewed_at", "time", "when the analyst decided"),
)

ANSWERS: tuple[Column, ...] = (
    Column("answer_id", "str", "A1, A2, ...: one per scene (or parcel) and question"),
    Column("run_id", "str", "the run that made it"),
    Column("scene", "str", "the scene asked"),
    Column("question", "str", "as asked"),
    Column("task", "str", "one of protocol.Task"),
    Column("answer", "str", "the answer as a sentence"),
    Column("value", "json", "the answer for machines: a number, true/false, a label, a list"),
    Column("plan", "str", "what was to be done"),
    Column("synthesis", "str", "how the evidence gives the answer, naming E-numbers"),
    Column("coverage", "json", "{looked_at, tiles, skipped, failed, valid_share, sentence, failures}"),
    Column("audit", "json", "[{kind, severity, claim, verdict, sentence, evidence}]"),
    Column("context", "json", "the earlier answer and evidence this follows up, or NULL"),
)

TILES: tuple[Column, ...] = (
    Column("tile_id", "str", "hash of content identity, window, prompt, model and decoding"),
    Column("answer_id", "str", "the answer it belongs to"),
    Column("scene", "str", "its scene"),
    Column("window_px", "json", "[x0, y0, x1, y1] in scene pixels"),
    Column("status", "str", "one of TileStatus"),
    Column("attempts", "int", "how often it was tried"),
    Column("seconds", "float", "wall time of its last answer"),
    Column("n_evidence", "int", "boxes its own answer gave"),
    Column("text", "str", "the model's raw text; for failures, why"),
    Column("pixels_hash", "str", "of the pixels the model saw"),
)

SCENES: tuple[Column, ...] = (
    Column("scene", "str", "short name, unique in the run"),
    Column("path", "str", "path or URL"),
    Column("content_id", "str", "size, mtime or ETag and a hash of the header"),
    Column("crs_wkt", "str", "WKT2; NULL in pixel space"),
    Column(
        "affine", "json", "[a, b, c, d, e, f]: x = a*col + b*row + c, y = d*col + e*row + f; NULL with gcps"
    ),
    Column("gcps", "json", "[[col, row, x, y], ...] or NULL"),
    Column("width", "int", "px"),
    Column("height", "int", "px"),
    Column("gsd_m", "float", "metres per pixel at the centre, geodesic; NULL in pixel space"),
    Column("datetime", "time", "of acquisition, when the file says"),
    Column("status", "str", "ok, skipped (outside the area asked about) or failed"),
    Column("reason", "str", "why it is not ok, else NULL"),
)

TABLES: dict[str, tuple[Column, ...]] = {
    "evidence": EVIDENCE,
    "answers": ANSWERS,
    "tiles": TILES,
    "scenes": SCENES,
}


CHUNK_ROWS = 16_384
"""At most so many rows of a table are in memory at once where a result streams: some 60 MB as Python objects."""


class Tables(Protocol):
    """A result that is read in chunks of rows, wherever it lies: in memory (`Result`) or on disk (`Spool`)."""

    @property
    def crs(self) -> CRS | None:
        """Of all four tables; None in pixel space, where y = -row."""

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Provenance: see `Result`."""

    def count(self, name: str) -> int:
        """How many rows the table has. Raises KeyError for a name that is not in `TABLES`."""

    def frames(self, name: str) -> Iterator[gpd.GeoDataFrame]:
        """The table's rows in order, in chunks of at most `CHUNK_ROWS`; nothing for an empty table.

        Every chunk has the table's columns and `geometry`, in order, and the result's CRS. Can be asked for again.
        Raises KeyError for a name that is not in `TABLES`.
        """


@dataclass(frozen=True)
class Result:
    """What a run gives: four GeoDataFrames (all present even when empty) and its provenance.

    The `Tables` of a result that fits into memory.

    Geometry: `evidence` Polygon, `answers` MultiPolygon (the AOI), `tiles` Polygon, `scenes` Polygon
    (footprint); all in one CRS (`.crs`; None in pixel space, where y = -row).
    metadata: run configuration and directory, model and revision, prompt version, library versions,
    transform accuracy; JSON-able.
    """

    evidence: gpd.GeoDataFrame
    answers: gpd.GeoDataFrame
    tiles: gpd.GeoDataFrame
    scenes: gpd.GeoDataFrame
    metadata: dict[str, Any]

    def __post_init__(self) -> None:
        for name, columns in TABLES.items():
            got = list(getattr(self, name).columns)
            want = [c.name for c in columns] + ["geometry"]
            if got != want:
                raise ValueError(f"table {name}: expected columns {want}, got {got}")

    @property
    def crs(self) -> CRS | None:
        """Of all four tables; None in pixel space."""
        crs: CRS | None = self.evidence.crs
        return crs

    def count(self, name: str) -> int:
        """How many rows the table has."""
        return len(self._frame(name))

    def frames(self, name: str) -> Iterator[gpd.GeoDataFrame]:
        """The table's rows in order, `CHUNK_ROWS` at a time."""
        frame = self._frame(name)
        for start in range(0, len(frame), CHUNK_ROWS):
            yield frame.iloc[start : start + CHUNK_ROWS]

    def _frame(self, name: str) -> gpd.GeoDataFrame:
        whole = {
            "evidence": self.evidence,
            "answers": self.answers,
            "tiles": self.tiles,
            "scenes": self.scenes,
        }
        return whole[name]
