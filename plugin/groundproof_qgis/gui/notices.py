"""Sentences with a coloured bar at their side: hints, warnings, empty states that teach.

Knows a sentence and its buttons. Refuses to know what happened.
"""

from __future__ import annotations

import html
from collections.abc import Sequence

from qgis.PyQt.QtCore import QSize, Qt, pyqtSignal
from qgis.PyQt.QtGui import QResizeEvent
from qgis.PyQt.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from groundproof_qgis.gui import theme
from groundproof_qgis.gui.colours import Colours, Follower

HINT_PX = 280
MIN_PX = 60

_TINTS = {"info": theme.neutral, "warning": theme.warning, "good": theme.good}


def plain_tip(text: str) -> str:
    """A tool tip of plain text: Qt would take text that looks like HTML for HTML. Line ends are kept."""
    lines = html.escape(text).replace("\n", "<br/>")
    return f"<qt>{lines}</qt>" if lines else ""


class Sentence(QLabel):
    """A label that wraps, holds plain text only, and can be copied from. As wide as it may be, as high as it must.

    hint_px: how wide a long text would like to be.
    """

    def __init__(self, text: str = "", parent: QWidget | None = None, hint_px: int = HINT_PX) -> None:
        super().__init__(text, parent)
        self._hint_px = hint_px
        self.setWordWrap(True)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """One line if it is short; else of a dock's width: Qt's own guess is a narrow, high column."""
        width = min(self.fontMetrics().horizontalAdvance(self.text()) + 4, self._hint_px)
        return QSize(width, self.heightForWidth(width))

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Narrow, and never less than its lines: squeezed text cannot be read."""
        return QSize(MIN_PX, self.heightForWidth(max(self.width(), MIN_PX)))

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Another width, another height."""
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self.updateGeometry()


class Notice(QFrame):
    """One sentence and up to a few buttons, (key, text); `pressed` says which. level: info, warning or good."""

    pressed = pyqtSignal(str)

    def __init__(self, text: str = "", buttons: Sequence[tuple[str, str]] = (), level: str = "info") -> None:
        super().__init__()
        self.setObjectName("notice")
        self._level = level
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.label = Sentence(text, self)
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 6, 8, 6)
        column.setSpacing(6)
        column.addWidget(self.label)
        self._row = QHBoxLayout()
        self._row.setSpacing(6)
        column.addLayout(self._row)
        self._buttons: list[QPushButton] = []
        self.set_buttons(buttons)
        self._follower = Follower(self, self._paint)

    def set_text(self, text: str) -> None:
        """Another sentence."""
        self.label.setText(text)

    def set_level(self, level: str) -> None:
        """info, warning or good."""
        self._level = level
        self._paint(self._follower.colours)

    def set_buttons(self, buttons: Sequence[tuple[str, str]]) -> None:
        """(key, text) of each."""
        while self._row.count():
            item = self._row.takeAt(0)
            if item.widget() is not None:
                item.widget().deleteLater()
        self._buttons = []
        for key, text in buttons:
            button = _Narrow(text, self)
            button.setAutoDefault(False)
            button.setToolTip(text)
            button.clicked.connect(lambda _checked=False, which=key: self.pressed.emit(which))
            self._row.addWidget(button)
            self._buttons.append(button)
        if buttons:
            self._row.addStretch(1)

    def button(self, index: int) -> QPushButton:
        """One of its buttons."""
        return self._buttons[index]

    def _paint(self, colours: Colours) -> None:
        tint = _TINTS[self._level](colours)
        sheet = (
            f"#notice {{ background: {tint.ground}; border: none; border-left: 4px solid {tint.bar}; }}"
            f"#notice QLabel {{ color: {tint.text}; background: transparent; }}"
        )
        if sheet != self.styleSheet():
            self.setStyleSheet(sheet)


class _Narrow(QPushButton):
    """May be narrower than its text."""

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        return QSize(40, super().minimumSizeHint().height())
