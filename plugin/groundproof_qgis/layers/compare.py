"""Two runs compared on the map: what appeared, disappeared, moved, or has another verdict.

Knows the engine's diff document and two runs' files. Refuses to know how boxes are matched: the engine does that.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsCoordinateTransform,
    QgsCoordinateTransformContext,
    QgsFeature,
    QgsFeatureRequest,
    QgsGeometry,
    QgsProject,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QCoreApplication

from groundproof_qgis.engine.errors import MISSING, EngineError
from groundproof_qgis.i18n_text import tr
from groundproof_qgis.layers import group, look
from groundproof_qgis.layers.crs import crs_of, geometry_of
from groundproof_qgis.layers.errors import LayerError
from groundproof_qgis.layers.tables import Row, Tables, read_tables
from groundproof_qgis.review.state import import_inputs, review_state
from groundproof_qgis.review.update import Engine

APPEARED, DISAPPEARED, MOVED = "appeared", "disappeared", "moved"
JUDGED, KEPT = "verdict changed", "the same"
BY_REVIEW = "by review"
"""Boxes that an analyst drew or rejected in one run and the other does not have: no model found or lost them."""
ALONE = "not compared"
"""Boxes where the other run did not look, or of a question that it was not asked: they neither came nor went."""

MAX_ANSWERS = 3
"""Answers (of several areas) whose change is told in the summary."""

_LOOK: dict[str, tuple[str, tuple[float, ...], float]] = {
    APPEARED: ("#56b4e9", (), 0.7),
    DISAPPEARED: ("#e0651a", (3, 2), 0.7),
    MOVED: ("#f0e442", (6, 2.5), 0.6),
    JUDGED: ("#cc79a7", (1.5, 1.5), 0.6),
    BY_REVIEW: ("#009e73", (6, 1.5, 1.5, 1.5), 0.6),
    KEPT: ("#c8d2dc", (), 0.25),
    ALONE: ("#9a9a9a", (1.5, 3), 0.25),
}
"""Colour, dash and width (mm): Okabe and Ito's hues; without colour, dash and width still tell them apart."""

_NUMBERS = (
    f"CASE WHEN \"change\" IN ('{KEPT}', '{ALONE}') THEN NULL "
    'WHEN "before" = "after" THEN "after" '
    'WHEN "before" = \'\' OR "after" = \'\' THEN "before" || "after" '
    'ELSE "before" || \' → \' || "after" END'
)
"""Labels: the numbers of what changed."""

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
    LayerError, also where the two have no question about one place in common, and EngineError.
    """
    document = _document(before, after, engine)
    if not document["answers"]:
        raise LayerError(
            tr(
                "The two runs have no question about the same place in common, so there is nothing to compare. Choose "
                "two runs of one question."
            )
        )
    return document


def _document(
    before: tuple[Path, str | None], after: tuple[Path, str | None], engine: Engine
) -> dict[str, Any]:
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
    compared: set[tuple[bool, str]] = set()

    def one(
        change: str, name: tuple[str, str] | None, later: tuple[str, str] | None, what: str = ""
    ) -> Difference:
        """The later run's box where there is one. name, later: (answer_id, evidence_id) in either run."""
        row = old.get(name) if later is None else new.get(later)
        return Difference(
            change,
            name[1] if name is not None else "",
            later[1] if later is not None else "",
            str((row or {}).get("label") or ""),
            what,
            str((row or {}).get("answer_id") or ""),
            (row or {}).get("geometry"),
            before.crs if later is None else after.crs,
        )

    for answer in document["answers"]:
        a, b = answer["answer_ids"]
        compared |= {(False, a), (True, b)}
        outside, by_review = answer.get("outside") or {}, answer.get("by_review") or {}
        for first, second in answer["kept"]:
            yield one(KEPT, (a, first), (b, second))
        for change, items in (
            (DISAPPEARED, answer["removed"]),
            (BY_REVIEW, by_review.get("before", ())),
            (ALONE, outside.get("before", ())),
        ):
            for item in items:
                yield one(change, (a, item["evidence_id"]), None, _reviewed(change, item))
        for change, items in (
            (APPEARED, answer["added"]),
            (BY_REVIEW, by_review.get("after", ())),
            (ALONE, outside.get("after", ())),
        ):
            for item in items:
                yield one(change, None, (b, item["evidence_id"]), _reviewed(change, item))
        for found in answer["changed"]:
            what = found["what"]
            words = "; ".join(_words(name, *pair, found.get("moved_m")) for name, pair in what.items())
            # Only other words of the model: still the same object in the same place.
            kind = MOVED if "box_px" in what else JUDGED if set(what) & {"verdict", "review"} else KEPT
            names = found["before"]["evidence_id"], found["after"]["evidence_id"]
            yield one(kind, (a, names[0]), (b, names[1]), words)
    yield from (one(ALONE, name, None) for name in old if (False, name[0]) not in compared)
    yield from (one(ALONE, None, name) for name in new if (True, name[0]) not in compared)


def drawn(found: Iterable[Difference], context: QgsCoordinateTransformContext) -> QgsVectorLayer:
    """`layer_of` in its colours, for `show_differences`. For a worker thread, where many boxes keep nobody waiting.

    Raises LayerError for a CRS that QGIS does not know.
    """
    layer = layer_of(found, context)
    dress(layer)
    layer.setCustomProperty("skipMemoryLayersCheck", 1)
    layer.moveToThread(QCoreApplication.instance().thread())
    return layer


def show_differences(project: QgsProject, layer: QgsVectorLayer, run_id: str, title: str) -> None:
    """Put a layer made by `drawn` into a subgroup of its own; an earlier one of the same id is replaced.

    run_id: names the comparison. title: of its subgroup.
    """
    group.remove_layers(project, run_id)
    run = group.run_group(project, run_id, title)
    group.add_layer(project, layer, "compare", run_id, run, expanded=True)


def layer_of(found: Iterable[Difference], context: QgsCoordinateTransformContext) -> QgsVectorLayer:
    """The comparison as a memory layer in the later run's CRS. Raises LayerError for a CRS that QGIS does not know."""
    rows = list(found)
    layer = QgsVectorLayer(f"Polygon?{_FIELDS}", tr("changes"), "memory")
    crs = next((one.crs for one in [*(row for row in rows if row.after), *rows]), None)
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
    only = QgsFeatureRequest().setFlags(QgsFeatureRequest.Flag.NoGeometry)
    only.setSubsetOfAttributes(["change"], layer.fields())
    changes = Counter(feature["change"] for feature in layer.getFeatures(only))
    layer.setRenderer(
        look.categorised(
            "change",
            [
                (change, f"{words} ({changes[change]})", look.outline(colour, dash, width))
                for (change, (colour, dash, width)), words in zip(_LOOK.items(), _legend())
            ],
        )
    )
    look.label(layer, _NUMBERS)
    layer.setMapTipTemplate(look.map_tip('"change"', '"before"', '"after"', '"label"', '"what"'))


def summary(document: Mapping[str, Any], found: Iterable[Difference]) -> str:
    """ "25 → 27 airplanes. Boxes: 2 appeared, 1 disappeared, 3 moved, 0 verdict changed, 20 the same".

    Also what was not compared, and what only a review made, where there is any. document: of the process `diff`.
    """
    changes = Counter(one.change for one in found)
    counts = [(change, changes[change], words) for change, words in zip(_LOOK, _legend())]
    boxes = ", ".join(f"{n} {words}" for change, n, words in counts if n or change not in (ALONE, BY_REVIEW))
    answers = [str(answer.get("sentence") or "").replace(" -> ", " → ") for answer in document["answers"]]
    told = "; ".join([one for one in answers if one][:MAX_ANSWERS])
    words = tr("Boxes: {changes}").format(changes=boxes)
    return f"{told}. {words}" if told else words


def _legend() -> tuple[str, ...]:
    return (
        tr("appeared"),
        tr("disappeared"),
        tr("moved"),
        tr("verdict changed"),
        tr("drawn or rejected in review"),
        tr("the same"),
        tr("where only one looked"),
    )


def _by_name(tables: Tables) -> dict[tuple[str, str], Row]:
    return {(row["answer_id"], row["evidence_id"]): row for row in tables.evidence}


def _reviewed(change: str, item: Mapping[str, Any]) -> str:
    """What the analyst did to a box that only a review made."""
    if change != BY_REVIEW:
        return ""
    return tr("drawn in review") if item.get("review") == "added" else tr("rejected in review")


def _words(name: str, before: Any, after: Any, moved_m: float | None) -> str:
    if name == "box_px":
        return tr("moved") if moved_m is None else tr("moved by {far} m").format(far=f"{moved_m:.1f}")
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
