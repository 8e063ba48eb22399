"""When the map has come to rest after it was moved, turned, or given other layers.

Knows the canvas. Refuses to know what follows from it.
"""

from __future__ import annotations

from qgis.gui import QgsMapCanvas
from qgis.PyQt.QtCore import QObject, QTimer, pyqtSignal

REST_MS = 250


class MapMoves(QObject):
    """`rested`: the map shows something else, and has not changed for a moment.

    Many changes come while it is dragged.
    """

    rested = pyqtSignal()

    def __init__(self, canvas: QgsMapCanvas, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(REST_MS)
        self._timer.timeout.connect(self.rested)
        self._signals = (
            canvas.extentsChanged,
            canvas.layersChanged,
            canvas.destinationCrsChanged,
            canvas.rotationChanged,
        )
        for signal in self._signals:
            signal.connect(self._moved)

    def close(self) -> None:
        """Listen no more."""
        for signal in self._signals:
            signal.disconnect(self._moved)
        self._timer.stop()

    def _moved(self, *_: object) -> None:
        self._timer.start()
