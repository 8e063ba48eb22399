"""From what the form says to a place on the map and to what would be sent.

Knows the canvas, the project and the rectangle that was drawn. Refuses to know the engine.
"""

from __future__ import annotations

from dataclasses import replace

from qgis.core import QgsCoordinateReferenceSystem, QgsGeometry, QgsProject, QgsRectangle
from qgis.gui import QgsMapCanvas
from qgis.PyQt.QtCore import QObject, pyqtSignal

from groundproof_qgis.asking.form import CANVAS, LAYER, RECTANGLE, AskForm
from groundproof_qgis.asking.request import FollowUp
from groundproof_qgis.asking.size_words import ground_words
from groundproof_qgis.gui.rectangle_tool import RectangleTool
from groundproof_qgis.i18n_text import tr
from groundproof_qgis.imagery.errors import PixelError
from groundproof_qgis.imagery.freeze import Frozen, freeze, preview
from groundproof_qgis.imagery.ground import measuring
from groundproof_qgis.imagery.place import Place, place_of_canvas, place_of_layer, place_of_selection
from groundproof_qgis.imagery.plan import Preview

SURROUNDINGS = 3.0
"""Of boxes that are asked about: as often their longer side on each side. The engine looks at one."""


class Places(QObject):
    """Takes the place of a form from the canvas and the project; keeps the rectangle.

    rectangle_changed: the drawn rectangle's size in words, None when there is none any more.
    """

    rectangle_changed = pyqtSignal(object)

    def __init__(self, canvas: QgsMapCanvas, project: QgsProject, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._canvas = canvas
        self._project = project
        self._rectangle: Place | None = None
        self._about: tuple[FollowUp, Place] | None = None
        self._tool = RectangleTool(canvas)
        self._tool.drawn.connect(self._drawn)
        self._tool.cancelled.connect(lambda: self.show_rectangle(True))

    def set_about(self, follow_up: FollowUp, around: QgsRectangle, crs: QgsCoordinateReferenceSystem) -> None:
        """Where a follow-up question about boxes is asked. around: the boxes, in `crs`.

        More than the engine looks at around them, so that what it needs has been sent.
        """
        side = max(around.width(), around.height())
        self._about = (follow_up, Place(QgsGeometry.fromRect(around.buffered(SURROUNDINGS * side)), crs))

    def draw_rectangle(self) -> None:
        """Let the person draw one."""
        self._tool.start()

    def set_rectangle(self, place: Place | None) -> None:
        """One from an earlier question; None: none."""
        self._rectangle = place
        if place is None:
            self._tool.clear()
            self.rectangle_changed.emit(None)
        else:
            self._tool.show_geometry(place.polygons, place.crs)
            self.rectangle_changed.emit(self._size(place))

    def show_rectangle(self, shown: bool) -> None:
        """Its outline is on the map only while it is what would be asked about; one that is being drawn stays."""
        if not shown:
            self._tool.stop()
            self._tool.clear()
        elif self._tool.is_drawing:
            return
        elif self._rectangle is not None:
            self._tool.show_geometry(self._rectangle.polygons, self._rectangle.crs)
        else:
            self._tool.clear()

    def place(self, form: AskForm) -> Place:
        """Where the form asks about, now. Raises PixelError."""
        if self._about is not None and form.follow_up == self._about[0]:
            return self._about[1]
        kind, layer_id = form.where.kind, form.where.layer_id
        if kind == CANVAS:
            return place_of_canvas(self._canvas)
        if kind == RECTANGLE:
            if self._rectangle is None:
                raise PixelError(tr("Draw the rectangle on the map first."))
            return self._rectangle
        layer = self._project.mapLayer(layer_id)
        if kind == LAYER:
            return place_of_layer(layer)
        chosen = place_of_selection(layer)
        return chosen if form.per_polygon else replace(chosen, parts=())

    def previews(self, form: AskForm, place: Place) -> list[Preview]:
        """What would be sent, one for each date. Raises PixelError."""
        return [preview(choice, place, self._project, self._canvas) for choice in form.pixels]

    def frozen(self, form: AskForm, place: Place) -> list[Frozen]:
        """What is sent, copied; whoever has it closes its sources. Raises PixelError."""
        made: list[Frozen] = []
        try:
            for choice in form.pixels:
                made.append(freeze(choice, place, self._project, self._canvas))  # noqa: PERF401 - closed on failure
        except PixelError:
            for one in made:
                one.source.close()
            raise
        return made

    def tidy_up(self) -> None:
        """Leave the canvas as it was."""
        self._tool.remove()
        self._tool.deleteLater()

    def _drawn(self, polygon: QgsGeometry, crs: QgsCoordinateReferenceSystem) -> None:
        self.set_rectangle(Place(QgsGeometry(polygon), crs, self._canvas.rotation()))

    def _size(self, place: Place) -> str:
        corners = place.polygons.asPolygon()[0]
        measure = measuring(place.crs, self._project.transformContext())
        return ground_words(
            measure.measureLine(corners[0], corners[1]), measure.measureLine(corners[1], corners[2])
        )
