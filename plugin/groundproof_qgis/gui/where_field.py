"""Where is asked: the visible map, a rectangle, selected polygons or a layer's extent.

Knows choices of places. Refuses to know geometries; the rectangle is drawn elsewhere.
"""

from __future__ import annotations

from qgis.PyQt.QtCore import pyqtSignal
from qgis.PyQt.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from groundproof_qgis.asking.form import CANVAS, LAYER, RECTANGLE, SELECTION, Where
from groundproof_qgis.gui.choice_bar import ChoiceBar
from groundproof_qgis.gui.layer_choices import LayerList, PolygonChoice
from groundproof_qgis.gui.narrow_combo import NarrowCombo
from groundproof_qgis.gui.notices import Sentence
from groundproof_qgis.i18n_text import tr


class WhereField(QWidget):
    """`changed` comes when another place is meant; `rectangle_requested` when one shall be drawn."""

    changed = pyqtSignal()
    rectangle_requested = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._has_rectangle = False
        self._layers = LayerList()
        self.bar = ChoiceBar(
            [
                (CANVAS, tr("Map"), tr("What the map canvas shows when you ask")),
                (RECTANGLE, tr("Rectangle"), tr("A rectangle that you draw on the map")),
                (SELECTION, tr("Selection"), tr("The selected polygons of a layer")),
                (LAYER, tr("Layer"), tr("The whole extent of a raster layer")),
            ]
        )
        self.draw = QPushButton(tr("Draw on the map"))
        self.draw.setAutoDefault(False)
        self.drawn = Sentence()
        self.polygons = NarrowCombo(tr("Layer of the selected polygons"))
        self.rasters = NarrowCombo(tr("Layer whose extent is asked about"))
        self.hint = Sentence()
        self._rectangle_row = QWidget()
        row = QHBoxLayout(self._rectangle_row)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.draw)
        row.addWidget(self.drawn, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        for part in (self.bar, self._rectangle_row, self.polygons, self.rasters, self.hint):
            column.addWidget(part)
        self.bar.chosen.connect(self._chosen)
        self.draw.clicked.connect(self.rectangle_requested)
        self.polygons.picked.connect(self._changed)
        self.rasters.picked.connect(self._changed)
        self._show()

    @property
    def where(self) -> Where:
        """As set."""
        kind = self.bar.key
        layer = {SELECTION: self.polygons.key, LAYER: self.rasters.key}.get(kind)
        return Where(kind, layer or "")

    @property
    def problem(self) -> str:
        """Why this place cannot be asked about yet, as a sentence; "" when it can."""
        kind = self.bar.key
        if kind == RECTANGLE and not self._has_rectangle:
            return tr("Draw the rectangle on the map first.")
        if kind == SELECTION:
            polygons = self._polygon()
            if polygons is None:
                return tr("There is no polygon layer. Add one, or ask about the visible map.")
            if not polygons.selected:
                return tr("No polygon of {layer} is selected. Select those to ask about.").format(
                    layer=polygons.name
                )
        if kind == LAYER and self.rasters.key is None:
            return tr("There is no raster layer. Add one, or ask about the visible map.")
        return ""

    def set_layers(self, layers: LayerList) -> None:
        """What the project has now."""
        self._layers = layers
        self.polygons.set_items(
            (one.layer_id, tr("{layer} ({n} selected)").format(layer=one.name, n=one.selected), "")
            for one in layers.polygons
        )
        self.rasters.set_items((one.layer_id, one.name, "") for one in layers.rasters)
        self._show()

    def set_rectangle(self, size: str | None) -> None:
        """A rectangle was drawn; size in words. None: there is none any more."""
        self._has_rectangle = size is not None
        self.drawn.setText(size or "")
        self.draw.setText(tr("Draw another") if self._has_rectangle else tr("Draw on the map"))
        self._changed()

    def choose(self, kind: str, layer_id: str = "") -> None:
        """Set the place."""
        self.bar.choose(kind)
        {SELECTION: self.polygons, LAYER: self.rasters}.get(kind, self.polygons).pick(layer_id or None)

    def _polygon(self) -> PolygonChoice | None:
        return next((one for one in self._layers.polygons if one.layer_id == self.polygons.key), None)

    def _chosen(self, kind: str) -> None:
        self._changed()
        if kind == RECTANGLE and not self._has_rectangle:
            self.rectangle_requested.emit()

    def _changed(self) -> None:
        self._show()
        self.changed.emit()

    def _show(self) -> None:
        kind = self.bar.key
        self._rectangle_row.setVisible(kind == RECTANGLE)
        self.polygons.setVisible(kind == SELECTION and self.polygons.count() > 0)
        self.rasters.setVisible(kind == LAYER and self.rasters.count() > 0)
        problem = self.problem if kind != RECTANGLE else ""
        self.hint.setText(problem)
        self.hint.setVisible(bool(problem))
