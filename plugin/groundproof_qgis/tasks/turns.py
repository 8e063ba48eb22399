"""Work of the GUI thread that is too long for one turn of its event loop.

Knows steps and when the next one is due. Refuses to know what they do.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from qgis.PyQt.QtCore import QObject, QTimer


class Turns(QObject):
    """Works off generators, one after the other: at each `yield` QGIS draws and hears the mouse before it goes on.

    What a step relies on may be gone by the next one.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._work: deque[Iterator[None]] = deque()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._go_on)

    def add(self, steps: Iterator[None]) -> None:
        """Do these when all earlier ones are done; the first one not before this turn is over."""
        self._work.append(steps)
        self._timer.start(0)

    def stop(self) -> None:
        """Do nothing more of it."""
        self._timer.stop()
        self._work.clear()

    def _go_on(self) -> None:
        if not self._work:
            return
        steps, is_over = self._work[0], True
        try:
            next(steps)
            is_over = False
        except StopIteration:
            pass
        finally:
            if is_over and self._work and self._work[0] is steps:  # a step may have stopped all
                self._work.popleft()
            if self._work:
                self._timer.start(0)
