"""One run on the map and in the dock, linked both ways.

Knows that a sentence is a box and a box is a sentence. Refuses to know how the run came about.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from qgis.core import QgsCoordinateReferenceSystem, QgsFeatureRequest, QgsGeometry, QgsPointXY, QgsRectangle
from qgis.gui import QgsMapCanvas
from qgis.PyQt.QtCore import QObject, QTimer, pyqtSignal

from groundproof_qgis.asking.size_words import duration_words
from groundproof_qgis.control.run import Run
from groundproof_qgis.gui.answer_panel import AnswerPanel
from groundproof_qgis.gui.box_clicks import BoxClicks
from groundproof_qgis.gui.evidence_view import MAX_SELECTED_AT_ONCE
from groundproof_qgis.gui.hover import HoverMark
from groundproof_qgis.i18n_text import tr
from groundproof_qgis.layers.crs import crs_of, geometry_of
from groundproof_qgis.tasks.garbage import take_back

UPDATE_MS = 150
"""Between two looks of the dock at an answer that grows."""
MAX_HOVERED = 500


class Showing(QObject):
    """`problem`: a sentence when something cannot be shown."""

    problem = pyqtSignal(str)

    def __init__(self, panel: AnswerPanel, canvas: QgsMapCanvas) -> None:
        super().__init__(panel)
        self.run: Run | None = None
        self._panel = panel
        self._canvas = canvas
        self._mark = HoverMark(canvas)
        self._clicks = BoxClicks(canvas)
        self._selecting = False
        self._followed: object | None = None
        self._started: float | None = None
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(UPDATE_MS)
        self._soon.timeout.connect(self._update)
        self._clock = QTimer(self)
        self._clock.setInterval(1000)
        self._clock.timeout.connect(self._tick)
        self._clicks.clicked.connect(self._clicked)
        panel.evidence_hovered.connect(self._hovered)
        panel.evidence_activated.connect(self.go_to)
        panel.evidence_selected.connect(self._selected_in_dock)
        panel.tile_activated.connect(self._go_to_tile)

    def show(self, run: Run | None) -> None:
        """Show this run from its beginning; None: none."""
        self._soon.stop()
        if run is not self.run:
            take_back()
        self.run = run
        self._mark.clear()
        self._panel.show_answer(None if run is None else run.answer)
        self.follow_layer()
        running = run is not None and run.answer.is_running
        self._started = time.monotonic() if running else None
        if running:
            self._clock.start()
        else:
            self._clock.stop()

    def read_anew(self) -> None:
        """The run's answer was read from its file: what the person sees of it stays where it is."""
        self._soon.stop()
        if self.run is not None:
            self._panel.replace_answer(self.run.answer)
        self.follow_layer()

    def changed(self) -> None:
        """The run's answer has grown; the dock follows a little later."""
        if not self._soon.isActive():
            self._soon.start()

    def finished(self) -> None:
        """The run's answer is complete, or as complete as it gets."""
        self._soon.stop()
        self._clock.stop()
        self._update()
        self._tick()

    def follow_layer(self) -> None:
        """Listen to the selection of the layer that shows the run now."""
        run = self.run
        layer = None
        if run is not None:
            layer = run.layers.evidence if run.layers is not None else run.live.layer if run.live else None
        if layer is self._followed:
            return
        self._followed = layer
        if layer is not None:
            layer.selectionChanged.connect(lambda ids, *_: self._selected_on_map(layer, ids))

    def let_go(self, layer_ids: Sequence[str]) -> None:
        """These layers are about to go."""
        if self._followed is not None and self._followed.id() in layer_ids:
            self._followed = None

    def go_to(self, keys: Sequence[str]) -> None:
        """Zoom to boxes and flash them."""
        geometries, crs = self._shapes(keys)
        if not geometries:
            return
        if self._mark.zoom(geometries, crs):
            self._mark.flash(geometries, crs)
        else:
            self.problem.emit(
                tr("The box lies outside of what the map's coordinate reference system can show.")
            )

    def extent_of(self, keys: Sequence[str]) -> tuple[QgsRectangle, QgsCoordinateReferenceSystem]:
        """The rectangle around boxes, and its CRS; a null one for none."""
        geometries, crs = self._shapes(keys)
        around = QgsRectangle()
        around.setMinimal()
        for geometry in geometries:
            around.combineExtentWith(geometry.boundingBox())
        return around, crs

    def close(self) -> None:
        """Leave the canvas as it was."""
        self._soon.stop()
        self._clock.stop()
        self._clicks.stop()
        self._mark.remove()
        self.run = self._followed = None

    def _update(self) -> None:
        if self.run is not None:
            self._panel.update_answer(self.run.answer)

    def _tick(self) -> None:
        if self._started is not None:
            words = duration_words(time.monotonic() - self._started)
            left = None if self.run is None or not self.run.answer.is_running else self.run.seconds_left
            if left is not None:
                words = tr("{elapsed}, about {left} left").format(elapsed=words, left=duration_words(left))
            self._panel.set_elapsed(words)

    def _hovered(self, keys: list) -> None:
        geometries, crs = self._shapes(keys[:MAX_HOVERED])
        self._mark.show(geometries, crs)

    def _selected_in_dock(self, keys: list) -> None:
        if self.run is None or self._followed is None:
            return
        self._selecting = True
        try:
            self._followed.selectByIds(self.run.fids(keys))
        finally:
            self._selecting = False

    def _selected_on_map(self, layer: object, fids: list) -> None:
        if layer is self._followed and not self._selecting and self.run is not None:
            self._panel.select_evidence(self.run.keys(fids[:MAX_SELECTED_AT_ONCE]))

    def _clicked(self, point: QgsPointXY, reach: float) -> None:
        layer = self._followed
        if layer is None or self.run is None:
            return
        around = QgsRectangle(point.x() - reach, point.y() - reach, point.x() + reach, point.y() + reach)
        here = self._canvas.mapSettings().mapToLayerCoordinates(layer, around)
        spot = QgsGeometry.fromRect(here)
        hit = [
            (feature.geometry().area(), feature.id())
            for feature in layer.getFeatures(QgsFeatureRequest(here).setNoAttributes())
            if feature.geometry().intersects(spot)
        ]
        if hit:  # of boxes inside each other the smallest is meant
            layer.selectByIds([min(hit)[1]])

    def _go_to_tile(self, tile_id: str) -> None:
        if self.run is None or self.run.layers is None:
            return
        layer = self.run.layers.tiles
        request = QgsFeatureRequest().setFilterExpression(_equals("tile_id", tile_id))
        shapes = [feature.geometry() for feature in layer.getFeatures(request)]
        if shapes and self._mark.zoom(shapes, layer.crs()):
            self._mark.flash(shapes, layer.crs())

    def _shapes(self, keys: Sequence[str]) -> tuple[list[QgsGeometry], QgsCoordinateReferenceSystem]:
        """Where boxes lie now: in the layer, which may be being edited; else as the engine told."""
        run = self.run
        if run is None:
            return [], QgsCoordinateReferenceSystem()
        if run.layers is not None:
            layer, fids = run.layers.evidence, run.fids(keys)
            request = QgsFeatureRequest().setFilterFids(fids).setNoAttributes()
            return [feature.geometry() for feature in layer.getFeatures(request)] if fids else [], layer.crs()
        boxes = [one for one in run.boxes(keys) if one.geometry is not None]
        if not boxes:
            return [], QgsCoordinateReferenceSystem()
        same = [one for one in boxes if one.crs == boxes[0].crs]
        return [geometry_of(one.geometry) for one in same], crs_of(boxes[0].crs)


def _equals(column: str, value: str) -> str:
    quoted = value.replace("'", "''")
    return f"\"{column}\" = '{quoted}'"
