"""Boxes on the map while the model writes: a layer in memory, fed in batches.

Knows evidence and one layer. Refuses to know jobs and the dock. Boxes go to the provider in one call for each batch,
and the canvas is asked to draw at most `REPAINT_MS` apart and never while it is still drawing: many boxes cost
the GUI little.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from qgis.core import (
    QgsCoordinateTransform,
    QgsCsException,
    QgsFeature,
    QgsFeatureSink,
    QgsGeometry,
    QgsProject,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QObject, QTimer

from groundproof_qgis.answer.evidence import Evidence
from groundproof_qgis.i18n_text import tr
from groundproof_qgis.layers import group, look
from groundproof_qgis.layers.crs import crs_of, geometry_of
from groundproof_qgis.layers.errors import LayerError

REPAINT_MS = 400

_FIELDS = (
    "field=key:string&field=answer_id:string&field=evidence_id:string&field=label:string&field=quote:string"
    "&field=verdict:string&field=score:double&field=width_m:double&field=height_m:double"
)
"""As the memory provider reads them: the same on every QGIS, while the types of QgsField are not."""


class LiveLayer(QObject):
    """The live boxes of one run, shown in its subgroup.

    crs: as evidence names it, None in pixel space; boxes in another one are transformed. title: of the subgroup.
    is_drawing: whether the canvas draws just now. note: is told once, as a sentence, that boxes cannot be drawn. Raises
    LayerError for a CRS that QGIS does not know.
    """

    def __init__(
        self,
        project: QgsProject,
        run_id: str,
        title: str,
        crs: str | None,
        is_drawing: Callable[[], bool] = lambda: False,
        note: Callable[[str], None] = lambda sentence: None,
    ) -> None:
        super().__init__()
        self._project = project
        self._is_drawing = is_drawing
        self._note = note
        self._undrawable: set[str] = set()
        self.layer = QgsVectorLayer(f"Polygon?{_FIELDS}", tr("boxes so far"), "memory")
        self.layer.setCrs(crs_of(crs))
        self.layer.setRenderer(look.live_renderer())
        look.label(self.layer)
        self.layer.setMapTipTemplate(look.map_tip(*look.TIPS["evidence"]))
        # Nothing is lost with it: QGIS need not warn about a temporary layer when it closes.
        self.layer.setCustomProperty("skipMemoryLayersCheck", 1)
        self._layer_id = self.layer.id()
        self._fids: dict[str, int] = {}
        self._keys: dict[int, str] = {}
        self._live: dict[str, set[str]] = {}
        self._ended: set[str] = set()
        self._transforms: dict[str | None, QgsCoordinateTransform | None] = {crs: None}
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._repaint)
        group.add_layer(project, self.layer, "live", run_id, group.run_group(project, run_id, title))
        project.layersWillBeRemoved.connect(self._forget)

    def add(self, evidence: Iterable[Evidence]) -> None:
        """Show boxes; known keys are left alone. The first final box of an answer ends its live ones.

        Boxes in a CRS or of a shape that QGIS does not know are left out.
        """
        if self.layer is None:
            return
        rows = {one.key: one for one in evidence if one.key not in self._fids and one.geometry is not None}
        for answer_id in {one.answer_id for one in rows.values() if one.final}:
            self._remove_live(answer_id)
        wanted = [one for one in rows.values() if one.final or one.answer_id not in self._ended]
        new = [(one, feature) for one, feature in ((one, self._feature(one)) for one in wanted) if feature]
        if not new:
            return
        features = [feature for _, feature in new]
        _, added = self.layer.dataProvider().addFeatures(features, QgsFeatureSink.Flag.FastInsert)
        for (one, _), feature in zip(new, added):
            self._fids[one.key] = feature.id()
            self._keys[feature.id()] = one.key
            if not one.final:
                self._live.setdefault(one.answer_id, set()).add(one.key)
        self._changed()

    def end_live(self, answer_id: str) -> None:
        """The answer is there: its live boxes go, also where it has no final one."""
        if self.layer is not None and self._remove_live(answer_id):
            self._changed()

    def fids(self, keys: Iterable[str]) -> list[int]:
        """Features of these boxes, as far as they are shown."""
        return [self._fids[key] for key in keys if key in self._fids]

    def keys(self, fids: Iterable[int]) -> list[str]:
        """Boxes of these features."""
        return [self._keys[fid] for fid in fids if fid in self._keys]

    def _feature(self, one: Evidence) -> QgsFeature | None:
        if one.key in self._undrawable:
            return None
        try:
            geometry = self._geometry(one)
        except (LayerError, QgsCsException, KeyError, IndexError, TypeError, ValueError):
            self._leave_out(one.key)
            return None
        feature = QgsFeature()
        feature.setGeometry(geometry)
        feature.setAttributes(
            [
                one.key,
                one.answer_id,
                one.evidence_id,
                one.label,
                one.quote,
                one.verdict,
                one.score,
                one.width_m,
                one.height_m,
            ]
        )
        return feature

    def _leave_out(self, key: str) -> None:
        if not self._undrawable:
            self._note(
                tr(
                    "Some boxes are not on the map: this QGIS does not know the place that the engine gives for them."
                )
            )
        self._undrawable.add(key)

    def _geometry(self, one: Evidence) -> QgsGeometry:
        geometry = geometry_of(one.geometry)
        if one.crs not in self._transforms:
            self._transforms[one.crs] = QgsCoordinateTransform(
                crs_of(one.crs), self.layer.crs(), self._project
            )
        transform = self._transforms[one.crs]
        if transform is not None:
            geometry.transform(transform)
        if not geometry.boundingBox().isFinite():
            raise ValueError("a corner is nowhere in the layer's CRS")
        return geometry

    def _remove_live(self, answer_id: str) -> bool:
        self._ended.add(answer_id)
        keys = self._live.pop(answer_id, set())
        fids = [self._fids.pop(key) for key in keys]
        for fid in fids:
            del self._keys[fid]
        if fids:
            self.layer.removeSelection()
            self.layer.dataProvider().deleteFeatures(fids)
        return bool(fids)

    def _changed(self) -> None:
        if not self._timer.isActive():
            self._timer.start(REPAINT_MS)

    def _repaint(self) -> None:
        if self.layer is None:
            return
        if self._is_drawing():
            self._timer.start(REPAINT_MS)
            return
        self.layer.updateExtents()
        self.layer.triggerRepaint()

    def _forget(self, layer_ids: list[str]) -> None:
        if self.layer is not None and self._layer_id in layer_ids:
            self._timer.stop()
            self._project.layersWillBeRemoved.disconnect(self._forget)
            self.layer = None
