"""What a question rarely needs: resolution, bands, parts, a second look, two dates.

Knows these settings. Refuses to know layers but for the bands of the one that is chosen.
"""

from __future__ import annotations

import re

from qgis.gui import QgsDoubleSpinBox
from qgis.PyQt.QtCore import pyqtSignal
from qgis.PyQt.QtWidgets import QCheckBox, QFormLayout, QHBoxLayout, QLineEdit, QWidget

from groundproof_qgis.gui.narrow_combo import NarrowCombo
from groundproof_qgis.gui.notices import plain_tip
from groundproof_qgis.i18n_text import tr

AUTOMATIC = "automatic"
STYLED = "styled"
CHOSEN = "chosen"

MAX_METRES = 1000.0


class AskOptions(QWidget):
    """`changed` comes with every change."""

    changed = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._band_names: tuple[str, ...] = ()
        self.resolution = QgsDoubleSpinBox()
        self.resolution.setRange(0, MAX_METRES)
        self.resolution.setDecimals(2)
        self.resolution.setSingleStep(0.1)
        self.resolution.setSuffix(tr(" m per pixel"))
        self.resolution.setSpecialValueText(tr("automatic"))
        self.resolution.setClearValueMode(QgsDoubleSpinBox.ClearValueMode.MinimumValue)
        self.resolution.setMinimumWidth(60)
        self.resolution.setAccessibleName(tr("Resolution"))
        self.resolution.setToolTip(
            tr("Ground size of a pixel that is sent. Automatic: the map's, or the layer's own.")
        )
        self.bands = NarrowCombo(tr("Bands"))
        self.bands.set_items(
            [
                (
                    AUTOMATIC,
                    tr("automatic"),
                    tr("Red, green and blue of the layer's style, as they are stored"),
                ),
                (STYLED, tr("as drawn"), tr("The colours that the layer's style gives them")),
                (CHOSEN, tr("by number"), tr("Bands of your choice, in this order")),
            ]
        )
        self.band_numbers = QLineEdit()
        self.band_numbers.setPlaceholderText("4, 3, 2")
        self.band_numbers.setAccessibleName(tr("Numbers of the bands"))
        self._bands_row = QWidget()
        row = QHBoxLayout(self._bands_row)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.bands, 2)
        row.addWidget(self.band_numbers, 1)
        self.per_polygon = QCheckBox(tr("One answer for each polygon"))
        self.second_look = QCheckBox(tr("Look at every box again"))
        self.second_look.setToolTip(
            tr(
                "Shows the model every box once more, close up, and marks it supported or contradicted. Takes longer."
            )
        )
        self.two_dates = QCheckBox(tr("Compare two dates"))
        self._form = QFormLayout(self)
        self._form.setContentsMargins(12, 0, 0, 4)
        self._form.setVerticalSpacing(4)
        self._form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self._form.addRow(tr("Resolution"), self.resolution)
        self._form.addRow(tr("Bands"), self._bands_row)
        for box in (self.per_polygon, self.second_look, self.two_dates):
            self._form.addRow(box)
            box.toggled.connect(self.changed)
        self.resolution.valueChanged.connect(self.changed)
        self.bands.picked.connect(self._bands_changed)
        self.band_numbers.textChanged.connect(self.changed)
        self.set_bands(())
        self.set_has_polygons(False)
        self._bands_changed()

    def set_bands(self, names: tuple[str, ...]) -> None:
        """Names of the chosen layer's bands; empty where there is nothing to choose, as with what you see."""
        self._band_names = names
        self._bands_row.setVisible(bool(names))
        self._form.labelForField(self._bands_row).setVisible(bool(names))
        self.band_numbers.setToolTip(plain_tip("\n".join(names)))

    def set_values(self, resolution_m: float | None, bands: tuple[int, ...] | None, styled: bool) -> None:
        """Fill in: metres per px (None: automatic), numbers of bands (None: automatic), colours as drawn."""
        self.resolution.setValue(resolution_m or 0)
        self.bands.pick(STYLED if styled else CHOSEN if bands else AUTOMATIC)
        self.band_numbers.setText(", ".join(map(str, bands or ())))

    def set_has_polygons(self, has: bool) -> None:
        """Whether selected polygons are asked about; only then can each have an answer."""
        self.per_polygon.setVisible(has)

    @property
    def resolution_m(self) -> float | None:
        """Metres per px; None for automatic."""
        return self.resolution.value() or None

    @property
    def is_styled(self) -> bool:
        """Whether the layer's style colours what is sent."""
        return bool(self._band_names) and self.bands.key == STYLED

    @property
    def band_choice(self) -> tuple[int, ...] | None:
        """Numbers of bands, 1 the first; None for automatic, and for what cannot be meant (see `problem`)."""
        if not self._band_names or self.bands.key != CHOSEN or self.problem:
            return None
        return self._typed

    @property
    def problem(self) -> str:
        """Why these settings cannot be used, as a sentence; "" when they can."""
        if not self._band_names or self.bands.key != CHOSEN:
            return ""
        count = len(self._band_names)
        numbers = self._typed
        if not re.fullmatch(r"\s*\d+(\s*[,; ]\s*\d+)*\s*", self.band_numbers.text()):
            return tr("Give the bands by number, such as 4, 3, 2; the layer has {n}.").format(n=count)
        wrong = [str(n) for n in numbers if not 1 <= n <= count]
        if wrong:
            return tr("The layer has {n} bands; there is no band {wrong}.").format(
                n=count, wrong=", ".join(wrong)
            )
        return ""

    @property
    def wants_polygons(self) -> bool:
        """Whether each polygon gets an answer."""
        return self.per_polygon.isVisibleTo(self) and self.per_polygon.isChecked()

    @property
    def summary(self) -> str:
        """What differs from the defaults, for the folded heading."""
        parts = []
        if self.resolution_m is not None:
            parts.append(self.resolution.text())
        if self._band_names and self.bands.key == CHOSEN and self.band_choice:
            parts.append(tr("bands {numbers}").format(numbers=", ".join(map(str, self.band_choice))))
        if self.is_styled:
            parts.append(tr("colours as drawn"))
        if self.wants_polygons:
            parts.append(tr("per polygon"))
        if self.second_look.isChecked():
            parts.append(tr("second look"))
        if self.two_dates.isChecked():
            parts.append(tr("two dates"))
        return ", ".join(parts)

    @property
    def _typed(self) -> tuple[int, ...]:
        return tuple(int(one) for one in re.findall(r"\d+", self.band_numbers.text()))

    def _bands_changed(self) -> None:
        self.band_numbers.setVisible(self.bands.key == CHOSEN)
        self.changed.emit()
