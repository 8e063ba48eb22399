"""A drop-down list that fits a narrow dock: long names are cut in the middle, the tool tip says them whole.

Knows items with a key. Refuses to know what they stand for.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from qgis.PyQt.QtCore import QSignalBlocker, Qt, pyqtSignal
from qgis.PyQt.QtGui import QPaintEvent
from qgis.PyQt.QtWidgets import QComboBox, QSizePolicy, QStyle, QStyleOptionComboBox, QStylePainter, QWidget

from groundproof_qgis.gui.notices import plain_tip


class NarrowCombo(QComboBox):
    """Items are (key, text, tool tip); a key of None makes a separator. `picked` comes when the key changes."""

    picked = pyqtSignal()

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(6)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.view().setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self._last: Any = None
        self.currentIndexChanged.connect(self._tell)

    @property
    def key(self) -> Any:
        """Of the item shown; None without items."""
        return self.currentData()

    def set_items(self, items: Iterable[tuple[Any, str, str]]) -> None:
        """Replace all; what was picked stays picked where it still exists."""
        before = self.key
        with QSignalBlocker(self):
            self.clear()
            for key, text, tip in items:
                if key is None:
                    self.insertSeparator(self.count())
                    continue
                self.addItem(text, key)
                self.setItemData(self.count() - 1, plain_tip(tip or text), Qt.ItemDataRole.ToolTipRole)
            self.setCurrentIndex(max(0, self.index_of(before)))
        self._tell()

    def index_of(self, key: Any) -> int:
        """Where the item of that key stands, -1 without one."""
        return next((n for n in range(self.count()) if key is not None and self.itemData(n) == key), -1)

    def pick(self, key: Any) -> bool:
        """Show the item of that key; whether there is one."""
        index = self.index_of(key)
        if index >= 0:
            self.setCurrentIndex(index)
        return index >= 0

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Cut the text in the middle, which QComboBox does not."""
        painter = QStylePainter(self)
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        field = self.style().subControlRect(
            QStyle.ComplexControl.CC_ComboBox, option, QStyle.SubControl.SC_ComboBoxEditField, self
        )
        option.currentText = self.fontMetrics().elidedText(
            option.currentText, Qt.TextElideMode.ElideMiddle, field.width() - 4
        )
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)

    def _tell(self) -> None:
        self.setToolTip(str(self.currentData(Qt.ItemDataRole.ToolTipRole) or ""))
        if self.key != self._last:
            self._last = self.key
            self.picked.emit()
