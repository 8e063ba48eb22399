"""A run's GeoPackage as layers of the project: boxes, tiles, the area and the images, in their own styles.

Knows which tables there are, their order and their fields' readable names. Refuses to know what an answer says.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

from qgis.core import (
    QgsAttributeTableConfig,
    QgsCoordinateReferenceSystem,
    QgsEditFormConfig,
    QgsProject,
    QgsVectorLayer,
)

from groundproof_qgis.i18n_text import tr
from groundproof_qgis.layers import group
from groundproof_qgis.layers.crs import is_local
from groundproof_qgis.layers.errors import LayerError
from groundproof_qgis.layers.safe import made_safe

KINDS = ("evidence", "tiles", "answers", "scenes")
"""From top to bottom in the layer tree."""

FAILED = ("parse_error", "read_error", "engine_error")

EDITED = frozenset({"label", "quote", "review", "reviewed_at", "answer_id"})
"""Columns of the evidence table that are the analyst's to write."""

SHOWN = (
    "evidence_id",
    "answer_id",
    "label",
    "quote",
    "width_m",
    "height_m",
    "area_m2",
    "score",
    "verdict",
    "review",
    "reviewed_at",
)
"""Columns of the evidence table that its attribute table shows; the others are for machines."""


@dataclass(frozen=True)
class ResultLayers:
    """The four layers of one run. The project owns them; they are invalid once somebody removed them from it."""

    run_id: str
    path: Path
    evidence: QgsVectorLayer
    tiles: QgsVectorLayer
    answers: QgsVectorLayer
    scenes: QgsVectorLayer

    def __iter__(self) -> Iterator[QgsVectorLayer]:
        return iter((self.evidence, self.tiles, self.answers, self.scenes))


def opening(project: QgsProject, path: Path, run_id: str, title: str) -> Generator[None, None, ResultLayers]:
    """Show a run's GeoPackage in its subgroup, in place of its live boxes; layers that are there already are kept.

    In steps, for `tasks.turns`: QGIS takes 10 ms and more to open one table, and as long to show it. title: of the
    subgroup, where it is new. Raises LayerError for a file that is not a result.
    """
    there = {kind for kind, layer in _found(project, run_id).items() if source_of(layer) == path}
    new = {}
    for kind in KINDS:
        if kind not in there:
            new[kind] = _open(path, kind)
            yield
    failed = "tiles" in new and _has_failed(new["tiles"])
    for kind, layer in new.items():
        group.remove_layers(project, run_id, kind)  # of a file that is somewhere else now
        visible = kind in ("evidence", "answers") or (kind == "tiles" and failed)
        group.add_layer(
            project, layer, kind, run_id, group.run_group(project, run_id, title), visible=visible
        )
        group.remove_layers(project, run_id, "live")
        yield
    shown = find_result(project, run_id)
    if shown is None:  # somebody took a layer out while others were added
        raise LayerError(tr("The boxes of this answer are not on the map."))
    return shown


def find_result(project: QgsProject, run_id: str) -> ResultLayers | None:
    """A run's layers in a project that was opened again; None unless all of them are there."""
    layers = _found(project, run_id)
    if len(layers) < len(KINDS):
        return None
    return ResultLayers(run_id, source_of(layers["evidence"]), **layers)


def source_of(layer: QgsVectorLayer) -> Path:
    """The file that a layer shows."""
    return Path(layer.source().split("|", 1)[0])


def _found(project: QgsProject, run_id: str) -> dict[str, QgsVectorLayer]:
    """The layers of a run that are in the project and can be read."""
    return {
        kind: layer
        for kind in KINDS
        for layer in group.layers_of(project, run_id, kind)
        if isinstance(layer, QgsVectorLayer) and layer.isValid()
    }


def _open(path: Path, kind: str) -> QgsVectorLayer:
    if not path.is_file():
        raise LayerError(tr("The file {path} is not there.").format(path=path))
    layer = QgsVectorLayer(f"{path}|layername={kind}", _NAMES[kind](), "ogr")
    if not layer.isValid():
        raise LayerError(
            tr("{path} is not a result of groundproof: its table {name} cannot be read.").format(
                path=path, name=kind
            )
        )
    if is_local(layer.crs()):
        layer.setCrs(QgsCoordinateReferenceSystem())
    made_safe(layer, kind)
    _describe(layer)
    if kind == "evidence":
        _simplify(layer)
    return layer


def _describe(layer: QgsVectorLayer) -> None:
    """Readable names for the columns. QGIS 3.22 forgets a column's widget when it is given one."""
    words = _aliases()
    for i, field in enumerate(layer.fields()):
        if words.get(field.name(), field.name()) != field.name():
            widget = layer.editorWidgetSetup(i)
            layer.setFieldAlias(i, words[field.name()])
            layer.setEditorWidgetSetup(i, widget)


def _simplify(layer: QgsVectorLayer) -> None:
    """Show what people read, and let them write what is theirs."""
    form = layer.editFormConfig()
    for i, field in enumerate(layer.fields()):
        form.setReadOnly(i, field.name() not in EDITED)
    form.setSuppress(
        QgsEditFormConfig.FeatureFormSuppress.SuppressOn
    )  # a drawn box needs no questions answered
    layer.setEditFormConfig(form)
    config = QgsAttributeTableConfig()
    config.update(layer.fields())
    columns = config.columns()
    for column in columns:
        column.hidden = column.name not in SHOWN
    config.setColumns(columns)
    layer.setAttributeTableConfig(config)


def _has_failed(tiles: QgsVectorLayer) -> bool:
    statuses = ", ".join(f"'{status}'" for status in FAILED)
    return any(True for _ in tiles.getFeatures(f'"status" IN ({statuses}) OR "status" IS NULL'))


_NAMES = {
    "evidence": lambda: tr("evidence"),
    "tiles": lambda: tr("tiles looked at"),
    "answers": lambda: tr("area asked about"),
    "scenes": lambda: tr("images"),
}


def _aliases() -> dict[str, str]:
    return {
        "evidence_id": tr("number"),
        "answer_id": tr("answer"),
        "label": tr("what it is"),
        "quote": tr("sentence"),
        "width_m": tr("width, m"),
        "height_m": tr("height, m"),
        "area_m2": tr("area, m²"),
        "score": tr("score"),
        "verdict": tr("verdict"),
        "review": tr("review"),
        "reviewed_at": tr("reviewed at"),
        "question": tr("question"),
        "task": tr("task"),
        "synthesis": tr("synthesis"),
        "plan": tr("plan"),
        "coverage": tr("coverage"),
        "audit": tr("audit"),
        "status": tr("status"),
        "n_evidence": tr("boxes"),
        "seconds": tr("seconds"),
        "text": tr("the model's text"),
        "scene": tr("image"),
        "gsd_m": tr("metres per pixel"),
    }
