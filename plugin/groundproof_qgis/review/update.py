"""Count, audit and answer made anew by the engine after a review, and written into the GeoPackage.

Knows the engine's processes by name and which columns follow from a review. Refuses to know HTTP. `ask_for_update` is
for a worker thread and reads what is saved; `write_back` is for the main thread and writes through QGIS.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from qgis.core import NULL, QgsVectorLayer
from qgis.PyQt.QtCore import QDateTime, Qt

from groundproof_qgis.engine.errors import MISSING, EngineError
from groundproof_qgis.i18n_text import tr
from groundproof_qgis.layers.crs import geometry_of
from groundproof_qgis.layers.result import ResultLayers
from groundproof_qgis.layers.tables import JSON_COLUMNS, Row, Tables, read_tables
from groundproof_qgis.review.errors import ReviewError
from groundproof_qgis.review.state import ReviewState, audit_inputs, import_inputs, review_state

ANSWER_COLUMNS = ("answer", "value", "synthesis", "audit")
EVIDENCE_COLUMNS = (
    "evidence_id",
    "run_id",
    "label",
    "label_raw",
    "verdict",
    "review",
    "reviewed_at",
    "box_px",
    "angle_deg",
    "area_m2",
    "width_m",
    "height_m",
)
"""What the engine may say otherwise after a review."""


class Engine(Protocol):
    """What is asked of the engine; `engine.client.EngineClient` does it."""

    def execute_job(self, process: str, inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """Do a process; give its job's id and its outputs."""

    def download(self, path: str, file: Path) -> Any:
        """Write what lies at a path into a new file."""


@dataclass(frozen=True)
class Update:
    """What changes in a file, by feature id and column; geometries as GeoJSON. job_id: of the audit: its result is what
    the file holds afterwards.
    """

    job_id: str
    evidence: dict[int, dict[str, Any]] = field(hash=False)
    geometries: dict[int, dict[str, Any]] = field(hash=False)
    answers: dict[int, dict[str, Any]] = field(hash=False)


def ask_for_update(path: Path, job_id: str | None, engine: Engine) -> Update:
    """Let the engine carry out the review that is saved in a GeoPackage.

    job_id: the job that made the result; where the engine does not have it (any more), or boxes of it were deleted
    here, or it is None, the whole result is given to the engine first. Raises LayerError and EngineError.
    """
    tables = read_tables(path)
    state = review_state(tables)
    if job_id is not None:
        try:
            audit, reply = engine.execute_job("audit", audit_inputs(job_id, state))
        except EngineError as err:
            if err.kind != MISSING:
                raise
        else:
            if reply["evidence_total"] == len(state.known) + len(state.added):
                return _compared(tables, _rows(audit, reply, engine), reply["answers"], audit, state)
    job_id, _ = engine.execute_job("import", import_inputs(tables))
    audit, reply = engine.execute_job("audit", {"job": job_id})
    return _compared(tables, _rows(audit, reply, engine), reply["answers"], audit, None)


def write_back(layers: ResultLayers, update: Update) -> None:
    """Write an update into the GeoPackage of these layers. Raises ReviewError where edits wait, or it cannot be.

    It is no undo step: it follows from what is saved already.
    """
    if layers.evidence.isModified():
        raise ReviewError(
            tr("The review has changes that are not saved. Save it; the answer is then made anew.")
        )
    _write(layers.evidence, update.evidence, update.geometries)
    _write(layers.answers, update.answers, {})


def _rows(job_id: str, reply: Mapping[str, Any], engine: Engine) -> list[Row]:
    """All evidence of an audit: a reply holds only so much, its GeoPackage all."""
    rows: list[Row] = reply["evidence"]
    if len(rows) == reply["evidence_total"]:
        return rows
    with tempfile.TemporaryDirectory(prefix="groundproof-") as folder:
        file = Path(folder) / "audit.gpkg"
        engine.download(f"/jobs/{job_id}/files/{reply['geopackage']['title']}", file)
        return list(read_tables(file, ["evidence"]).evidence)


def _compared(
    tables: Tables, rows: list[Row], answers: list[Row], job_id: str, state: ReviewState | None
) -> Update:
    """What the engine says otherwise than the file. state: None where the engine has the file's own numbers."""
    ours = {row["fid"]: row for row in tables.evidence}
    by_name = {(row["answer_id"], row["evidence_id"]): fid for fid, row in ours.items()}
    fids = [by_name.get((row["answer_id"], row["evidence_id"])) for row in rows]
    if state is not None:
        # Added boxes come last, in the order they were sent: their numbers here may be others.
        n = len(rows) - len(state.drawn)
        fids = [state.known.get((row["answer_id"], row["evidence_id"])) for row in rows[:n]] + list(
            state.drawn
        )
    evidence: dict[int, dict[str, Any]] = {}
    geometries: dict[int, dict[str, Any]] = {}
    for fid, row in zip(fids, rows):
        if fid is None:
            continue
        differs = {name: row[name] for name in EVIDENCE_COLUMNS if row[name] != ours[fid][name]}
        if differs.get("reviewed_at") and ours[fid]["reviewed_at"]:
            del differs["reviewed_at"]  # the engine says when it was told
        if differs:
            evidence[fid] = differs
        if row["geometry"] is not None and not _same_place(row["geometry"], ours[fid]["geometry"]):
            geometries[fid] = row["geometry"]
    answer_fids = {row["answer_id"]: row for row in tables.answers}
    changes = {
        answer_fids[row["answer_id"]]["fid"]: {
            name: row[name] for name in ANSWER_COLUMNS if row[name] != answer_fids[row["answer_id"]][name]
        }
        for row in answers
    }
    return Update(job_id, evidence, geometries, {fid: cells for fid, cells in changes.items() if cells})


def _same_place(a: Mapping[str, Any], b: Mapping[str, Any] | None) -> bool:
    return b is not None and [[tuple(p) for p in ring] for ring in a["coordinates"]] == [
        [tuple(p) for p in ring] for ring in b["coordinates"]
    ]


def _write(
    layer: QgsVectorLayer, cells: Mapping[int, Mapping[str, Any]], shapes: Mapping[int, Mapping[str, Any]]
) -> None:
    provider, fields = layer.dataProvider(), layer.fields()
    values = {
        fid: {fields.indexOf(name): _stored(name, value) for name, value in row.items()}
        for fid, row in cells.items()
    }
    geometries = {fid: geometry_of(shape) for fid, shape in shapes.items()}
    written = (not values or provider.changeAttributeValues(values)) and (
        not geometries or provider.changeGeometryValues(geometries)
    )
    if not written:
        raise ReviewError(
            tr(
                "The new answer could not be written to {path}: {reason}. The review itself is saved; close other "
                "programs that use the file and try again."
            ).format(path=provider.dataSourceUri().split("|", 1)[0], reason="; ".join(provider.errors()))
        )
    if values or geometries:
        layer.reload()
        layer.triggerRepaint()


def _stored(name: str, value: Any) -> Any:
    """As the file holds it: lists as JSON text, times in UTC."""
    if value is None:
        return NULL
    if name in JSON_COLUMNS:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if name == "reviewed_at":
        return QDateTime.fromString(value, Qt.DateFormat.ISODateWithMs)
    return value
