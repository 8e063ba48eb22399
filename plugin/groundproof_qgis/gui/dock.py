"""The dock: what is asked above, the answer below.

Knows how its parts lie together. Refuses to know what they do.
"""

from __future__ import annotations

from qgis.gui import QgsDockWidget
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtWidgets import QFrame, QScrollArea, QSplitter, QVBoxLayout, QWidget

from groundproof_qgis.gui.answer_panel import AnswerPanel
from groundproof_qgis.gui.ask_panel import AskPanel
from groundproof_qgis.gui.engine_line import EngineLine
from groundproof_qgis.gui.messages import MessageBar

WIDTH_PX = 380


class GroundproofDock(QgsDockWidget):
    """Engine line, question and answer, from top to bottom; the border between the last two can be moved."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("groundproof", parent)
        self.setObjectName("GroundproofDock")
        self.engine_line = EngineLine()
        self.messages = MessageBar()
        self.ask_panel = AskPanel()
        self.answer_panel = AnswerPanel()
        upper = QScrollArea()
        upper.setWidgetResizable(True)
        upper.setFrameShape(QFrame.Shape.NoFrame)
        upper.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        upper.setWidget(self.ask_panel)
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
        self.resize(WIDTH_PX, self.height())
