"""Where the question is typed: one line that grows, Enter asks, earlier questions at hand.

Knows keys and text. Refuses to know tasks, layers and who answers.
"""

from __future__ import annotations

from collections.abc import Sequence

from qgis.PyQt.QtCore import QMimeData, QSize, Qt, pyqtSignal
from qgis.PyQt.QtGui import QKeyEvent, QShowEvent, QTextCursor
from qgis.PyQt.QtWidgets import QPlainTextEdit, QSizePolicy, QWidget

from groundproof_qgis.i18n_text import tr

MIN_LINES = 2
MAX_LINES = 6
SLACK_PX = 6
"""Without it some themes show a scroll bar beside text that fits."""


class QuestionEdit(QPlainTextEdit):
    """Enter asks, Shift+Enter makes a line; Up in the first line and Down in the last go through earlier questions."""

    asked = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._recent: tuple[str, ...] = ()
        self._at = -1
        self._draft = ""
        self.setTabChangesFocus(True)
        self.setPlaceholderText(tr("How many airplanes are parked here?"))
        self.setAccessibleName(tr("Question"))
        self.setToolTip(
            tr("Enter asks, Shift+Enter starts a new line, Up and Down bring earlier questions back.")
        )
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.document().contentsChanged.connect(self._fit)
        self._fit()

    def set_recent(self, questions: Sequence[str]) -> None:
        """Earlier questions, newest first."""
        self._recent = tuple(questions)
        self._at = -1

    def set_text(self, text: str) -> None:
        """Replace all; Ctrl+Z brings back what was there."""
        cursor = self.textCursor()
        cursor.beginEditBlock()
        cursor.select(QTextCursor.SelectionType.Document)
        cursor.insertText(text)
        cursor.endEditBlock()
        self.setTextCursor(cursor)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """As high as its lines, within limits."""
        return QSize(super().sizeHint().width(), self._height())

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Narrow docks are allowed."""
        return QSize(80, self._height())

    def resizeEvent(self, event: object) -> None:  # noqa: N802 - Qt's name
        """Lines wrap anew."""
        super().resizeEvent(event)
        self._fit()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Only now the theme's margins are known."""
        super().showEvent(event)
        self._fit()

    def insertFromMimeData(self, source: QMimeData) -> None:  # noqa: N802 - Qt's name
        """Pasted text loses its line ends at both sides."""
        if source.hasText():
            self.insertPlainText(source.text().strip())

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Enter asks; Up and Down at the edges go through earlier questions."""
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if enter and not event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.asked.emit()
            return
        plain = event.modifiers() in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.KeypadModifier)
        if plain and event.key() == Qt.Key.Key_Up and self._cursor_cannot(QTextCursor.MoveOperation.Up):
            self._step(1)
            return
        if plain and event.key() == Qt.Key.Key_Down and self._cursor_cannot(QTextCursor.MoveOperation.Down):
            self._step(-1)
            return
        super().keyPressEvent(event)

    def _cursor_cannot(self, way: QTextCursor.MoveOperation) -> bool:
        return not self.textCursor().movePosition(way)

    def _step(self, by: int) -> None:
        wanted = self._at + by
        if wanted >= len(self._recent) or wanted < -1:
            return
        if self._at == -1:
            self._draft = self.toPlainText()
        self._at = wanted
        self.set_text(self._draft if wanted == -1 else self._recent[wanted])

    def _height(self) -> int:
        lines = max(MIN_LINES, min(MAX_LINES, int(self.document().size().height())))
        frame = 2 * self.frameWidth()
        if self.isVisible():  # themes put more around the text than the frame
            frame = max(frame, self.height() - self.viewport().height())
        margin = int(2 * self.document().documentMargin())
        return lines * self.fontMetrics().lineSpacing() + frame + margin + SLACK_PX

    def _fit(self) -> None:
        height = self._height()
        if height != self.height():
            self.setFixedHeight(height)
