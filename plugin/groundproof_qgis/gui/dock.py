"""The dock: what is asked above, the answer below.

Knows how its parts lie together. Refuses to know what they do.
"""

from __future__ import annotations

from qgis.gui import QgsDockWidget
from qgis.PyQt.QtCore import QEvent, QObject, QSize, Qt, QTimer
from qgis.PyQt.QtGui import QResizeEvent
from qgis.PyQt.QtWidgets import QFrame, QScrollArea, QSplitter, QVBoxLayout, QWidget

from groundproof_qgis.gui.answer_panel import AnswerPanel
from groundproof_qgis.gui.ask_panel import AskPanel
from groundproof_qgis.gui.engine_line import EngineLine
from groundproof_qgis.gui.messages import MessageBar

WIDTH_PX = 380
"""What a new profile gives the dock; afterwards QGIS keeps what the person made of it."""
UPPER_SHARE = 0.6
"""Of the dock's height that the question may take from the answer."""


class GroundproofDock(QgsDockWidget):
    """Engine line, question and answer, from top to bottom; the border between the last two can be moved."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("groundproof", parent)
        self.setObjectName("GroundproofDock")
        self.engine_line = EngineLine()
        self.messages = MessageBar()
        self.ask_panel = AskPanel()
        self.answer_panel = AnswerPanel()
        upper = _Upper(self.ask_panel)
        self.splitter = QSplitter(Qt.Orientation.Vertical)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.addWidget(upper)
        self.splitter.addWidget(self.answer_panel)
        self.splitter.setStretchFactor(0, 0)
        self.splitter.setStretchFactor(1, 1)
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.engine_line)
        column.addWidget(self.messages)
        column.addWidget(self.splitter, 1)
        self.setWidget(body)


class _Upper(QScrollArea):
    """As high as what it holds; scrolls where the dock is lower than that."""

    def __init__(self, inside: QWidget) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWidget(inside)
        inside.installEventFilter(self)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(0)
        self._soon.timeout.connect(self._fit)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Of what it holds, at this width; that high it needs no scroll bar, so none takes from the width."""
        inside, width = self.widget(), self.contentsRect().width()
        height = inside.heightForWidth(width) if inside.hasHeightForWidth() else inside.sizeHint().height()
        # A text that wraps may have a least height above what this width needs, and Qt goes by that one.
        return QSize(inside.sizeHint().width(), max(height, inside.minimumSizeHint().height()))

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Another width, another height."""
        super().resizeEvent(event)
        self._soon.start()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """What it holds wants another height; it knows which once this event is done."""
        if event.type() == QEvent.Type.LayoutRequest:
            self._soon.start()
        return super().eventFilter(watched, event)

    def _fit(self) -> None:
        """The button to ask stays in view, unless the dock is really low."""
        splitter, height = self.parentWidget(), self.sizeHint().height()
        if not isinstance(splitter, QSplitter):
            return
        least = min(height, int(splitter.height() * UPPER_SHARE))
        if (least, height) != (self.minimumHeight(), self.maximumHeight()):
            self.setMinimumHeight(least)
            self.setMaximumHeight(height)
            if self.height() != height:
                splitter.setSizes([height, max(splitter.height() - height, 0)])
        # Qt keeps a scroll bar that was once needed: beside it the text wraps into more lines.
        policy = Qt.ScrollBarPolicy
        self.setVerticalScrollBarPolicy(
            policy.ScrollBarAlwaysOff if self.height() >= height else policy.ScrollBarAsNeeded
        )
