"""Corrections as training data, made by the engine: a zip of images, annotations and where they come from.

Knows the process and its forms. Refuses to know what is in the zip. For a worker thread.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from groundproof_qgis.engine.errors import MISSING, EngineError
from groundproof_qgis.i18n_text import tr
from groundproof_qgis.layers.tables import read_tables
from groundproof_qgis.review.errors import ReviewError
from groundproof_qgis.review.state import import_inputs, review_state
from groundproof_qgis.review.update import Engine

FORMATS = ("geo-cot", "coco", "yolo")
"""Messages for a reasoning model; boxes for a detector, in two spellings."""


@dataclass(frozen=True)
class Exported:
    """What was written. left_out: (why, how many tiles)."""

    path: Path
    examples: int
    boxes: int
    labels: tuple[str, ...]
    left_out: tuple[tuple[str, int], ...] = field(default=())

    @property
    def sentence(self) -> str:
        """For the person who asked for it."""
        words = tr("{examples} examples with {boxes} boxes were written to {path}.").format(
            examples=self.examples, boxes=self.boxes, path=self.path
        )
        if self.left_out:
            why = "; ".join(f"{n}: {reason}" for reason, n in self.left_out)
            words = tr("{written} Tiles left out: {why}.").format(written=words, why=why)
        return words


def export_corrections(
    source: Path,
    job_id: str | None,
    form: str,
    target: Path,
    engine: Engine,
    *,
    include_unchecked: bool = False,
) -> Exported:
    """Make training data of the review that is saved in a GeoPackage.

    source: the GeoPackage. form: one of FORMATS. target: the zip; a file that is there is replaced once the new one has
    come. include_unchecked: boxes nobody reviewed count as true. Raises ReviewError where nothing is reviewed,
    LayerError, EngineError and OSError.
    """
    tables = read_tables(source)
    state = review_state(tables)
    if state.is_empty and not include_unchecked:
        raise ReviewError(
            tr(
                "Nothing was reviewed yet, so there is nothing to learn from. Accept, reject, move or add boxes and "
                "save the review first."
            )
        )
    wanted: dict[str, Any] = {"format": form, "include_unchecked": include_unchecked}
    inputs = {"review": state.review, "added": list(state.added)}
    try:
        job_id, reply = _export(job_id, {**inputs, **wanted}, engine)
    except EngineError as err:
        if err.kind != MISSING:
            raise
        job_id, _ = engine.execute_job("import", import_inputs(tables))
        job_id, reply = _export(job_id, wanted, engine)
    beside = target.with_name(f".{target.name}.new")
    beside.unlink(missing_ok=True)
    engine.download(f"/jobs/{job_id}/files/{reply['archive']['title']}", beside)
    beside.replace(target)
    return Exported(
        target,
        int(reply["examples"]),
        int(reply["boxes"]),
        tuple(reply["labels"]),
        tuple((str(one["reason"]), int(one["tiles"])) for one in reply.get("left_out", ())),
    )


def _export(job_id: str | None, inputs: Mapping[str, Any], engine: Engine) -> tuple[str, dict[str, Any]]:
    if job_id is None:
        raise EngineError(tr("The engine does not have this result."), MISSING)
    return engine.execute_job("review-export", {"job": job_id, **inputs})
