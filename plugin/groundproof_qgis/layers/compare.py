"""Two runs compared on the map: what appeared, disappeared, moved, or is judged otherwise.

Knows the engine's diff document and two runs' files. Refuses to know how boxes are matched: the engine does that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsCoordinateTransform,
    QgsCoordinateTransformContext,
    QgsFeature,
    QgsGeometry,
    QgsProject,
    QgsVectorLayer,
)

from groundproof_qgis.engine.errors import MISSING, EngineError
from groundproof_qgis.i18n_text import tr
from groundproof_qgis.layers import group, look
from groundproof_qgis.layers.crs import crs_of, geometry_of
from groundproof_qgis.layers.tables import Row, Tables, read_tables
from groundproof_qgis.review.state import import_inputs, review_state
from groundproof_qgis.review.update import Engine

APPEARED, DISAPPEARED, MOVED, JUDGED, KEPT = (
    "appeared",
    "disappeared",
    "moved",
    "judged otherwise",
    "the same",
)

_LOOK: dict[str, tuple[str, tuple[float, ...], float]] = {
    APPEARED: ("#56b4e9", (), 0.7),
    DISAPPEARED: ("#e0651a", (3, 2), 0.7),
    MOVED: ("#f0e442", (6, 2.5), 0.6),
    JUDGED: ("#cc79a7", (1.5, 1.5), 0.6),
    KEPT: ("#c8d2dc", (), 0.25),
}
"""Colour, dash and width (mm): Okabe and Ito's hues; without colour, dash and width still tell them apart."""

_FIELDS = (
    "field=change:string&field=before:string&field=after:string&field=label:string&field=what:string"
    "&field=answer_id:string"
)


@dataclass(frozen=True)
class Difference:
    """One box of the comparison. before, after: its numbers, "" where it has none. geometry: GeoJSON in `crs`."""

    change: str
    before: str
    after: str
    label: str
    what: str
    answer_id: str
    geometry: dict[str, Any] | None = field(hash=False)
    crs: str | None = None


def ask_for_difference(
    before: tuple[Path, str | None], after: tuple[Path, str | None], engine: Engine
) -> dict[str, Any]:
    """The engine's comparison of two runs as they are saved: (GeoPackage, the job that made it or None).

    A run that was reviewed, or whose job the engine does not have, is given to it first. For a worker thread. Raises
    LayerError and EngineError.
    """
    tables = (read_tables(before[0]), read_tables(after[0]))
    jobs = [
        job if job is not None and review_state(one).is_empty else None
        for job, one in zip((before[1], after[1]), tables)
    ]
    if None not in jobs:
        try:
            return engine.execute_job("diff", {"a": jobs[0], "b": jobs[1]})[1]
        except EngineError as err:
            if err.kind != MISSING:
                raise
            jobs = [None, None]
    given = [job or engine.execute_job("import", import_inputs(one))[0] for job, one in zip(jobs, tables)]
    return engine.execute_job("diff", {"a": given[0], "b": given[1]})[1]


def differences(document: Mapping[str, Any], before: Tables, after: Tables) -> Iterator[Difference]:
    """Every box of both runs with what became of it. document: of the process `diff`."""
    old, new = _by_name(before), _by_name(after)
    for answer in document["answers"]:
        first, second = answer["answer_ids"]

        def one(
            change: str,
            item_before: str | None,
            item_after: str | None,
            what: str = "",
            ids: tuple[str, str] = (first, second),
        ) -> Difference:
            """The later run's box where there is one."""
            of_old = item_after is None
            row = old.get((ids[0], item_before)) if of_old else new.get((ids[1], item_after))
            return Difference(
                change,
                item_before or "",
                item_after or "",
                str((row or {}).get("label") or ""),
                what,
                ids[0] if of_old else ids[1],
                (row or {}).get("geometry"),
                before.crs if of_old else after.crs,
            )

        for a, b in answer["kept"]:
            yield one(KEPT, a, b)
        for item in answer["removed"]:
            yield one(DISAPPEARED, item["evidence_id"], None)
        for item in answer["added"]:
            yield one(APPEARED, None, item["evidence_id"])
        for change in answer["changed"]:
            names = (change["before"]["evidence_id"], change["after"]["evidence_id"])
            what = change["what"]
            moved = "box_px" in what or "geometry" in what
            words = "; ".join(_words(name, *pair) for name, pair in what.items())
            # Only other words of the model: still the same object in the same place.
            kind = MOVED if moved else JUDGED if set(what) & {"verdict", "review"} else KEPT
            yield one(kind, *names, words)


def show_differences(
    project: QgsProject, found: Iterable[Difference], run_id: str, title: str
) -> QgsVectorLayer:
    """A layer of the comparison in a subgroup of its own, categorised; an earlier one of the same id is replaced.

    run_id: names the comparison. title: of its subgroup. Raises LayerError for a CRS that QGIS does not know.
    """
    layer = layer_of(found, project.transformContext())
    dress(layer)
    layer.setCustomProperty("skipMemoryLayersCheck", 1)
    group.remove_layers(project, run_id)
    group.add_layer(project, layer, "compare", run_id, group.run_group(project, run_id, title))
    return layer


def layer_of(found: Iterable[Difference], context: QgsCoordinateTransformContext) -> QgsVectorLayer:
    """The comparison as a memory layer in the later run's CRS. Raises LayerError for a CRS that QGIS does not know."""
    rows = list(found)
    layer = QgsVectorLayer(f"Polygon?{_FIELDS}", tr("changes"), "memory")
    crs = next((one.crs for one in rows if one.change in (APPEARED, KEPT, MOVED, JUDGED)), None)
    if crs is None:
        crs = next((one.crs for one in rows), None)
    layer.setCrs(crs_of(crs))
    transforms = {
        name: QgsCoordinateTransform(crs_of(name), layer.crs(), context)
        for name in {one.crs for one in rows} - {crs}
    }
    layer.dataProvider().addFeatures([_feature(one, transforms.get(one.crs)) for one in rows])
    layer.updateExtents()
    return layer


def dress(layer: QgsVectorLayer) -> None:
    """Colours, labels and map tips for a layer with the columns of `layer_of`."""
    changes = [feature["change"] for feature in layer.getFeatures()]
    layer.setRenderer(
        look.categorised(
            "change",
            [
                (change, f"{words} ({changes.count(change)})", look.outline(colour, dash, width))
                for (change, (colour, dash, width)), words in zip(_LOOK.items(), _legend())
            ],
        )
    )
    look.label(
        layer,
        f"if(\"change\" = '{KEPT}', NULL, concat_ws(' → ', nullif(\"before\", ''), nullif(\"after\", '')))",
    )
    layer.setMapTipTemplate(look.map_tip('"change"', '"before"', '"after"', '"label"', '"what"'))


def summary(found: Iterable[Difference]) -> str:
    """ "2 appeared, 1 disappeared, 3 moved, 0 judged otherwise, 20 the same"."""
    changes = [one.change for one in found]
    return ", ".join(f"{changes.count(change)} {words}" for change, words in zip(_LOOK, _legend()))


def _legend() -> tuple[str, ...]:
    return (tr("appeared"), tr("disappeared"), tr("moved"), tr("judged otherwise"), tr("the same"))


def _by_name(tables: Tables) -> dict[tuple[str, str], Row]:
    return {(row["answer_id"], row["evidence_id"]): row for row in tables.evidence}


def _words(name: str, before: Any, after: Any) -> str:
    if name in ("box_px", "geometry"):
        return tr("moved")
    if name == "quote":
        return tr("other words")
    return f"{name}: {before or '-'} → {after or '-'}"


def _feature(one: Difference, transform: QgsCoordinateTransform | None) -> QgsFeature:
    feature = QgsFeature()
    shape: QgsGeometry = geometry_of(one.geometry)
    if transform is not None:
        shape.transform(transform)
    feature.setGeometry(shape)
    feature.setAttributes([one.change, one.before, one.after, one.label, one.what, one.answer_id])
    return feature
