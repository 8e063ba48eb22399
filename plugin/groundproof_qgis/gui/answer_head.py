"""The answer itself, largest, and right below it what weakens it.

Knows `answer.answer.Answer` as text. Refuses to know boxes and layers.
"""

from __future__ import annotations

from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtWidgets import QFrame, QHBoxLayout, QLabel, QProgressBar, QSizePolicy, QVBoxLayout, QWidget

from groundproof_qgis.answer.answer import CANCELLED, FAILED, Answer
from groundproof_qgis.answer.html import Html
from groundproof_qgis.gui import theme
from groundproof_qgis.gui.colours import Colours, Follower
from groundproof_qgis.gui.notices import Sentence
from groundproof_qgis.gui.safe_browser import SafeBrowser
from groundproof_qgis.i18n_text import tr

WEAKNESS_LINES = 7
LARGER = 1.5
LARGER_WHILE_ASKING = 1.2
BAR_PX = 5


class AnswerHead(QWidget):
    """Question, answer, progress, weaknesses, the review's sentence."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.question = Sentence()
        self.line = Sentence()
        self.line.setAccessibleName(tr("Answer"))
        self.elapsed = QLabel()
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(BAR_PX)
        self.bar.setAccessibleName(tr("Tiles answered"))
        self.stage = Sentence()
        self.weak = QFrame()
        self.weak.setObjectName("weak")
        self.weak_text = SafeBrowser(tr("What weakens the answer"), WEAKNESS_LINES)
        self.coverage = Sentence()
        self.review = Sentence()
        inner = QVBoxLayout(self.weak)
        inner.setContentsMargins(10, 5, 6, 4)
        inner.addWidget(self.weak_text)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.question)
        first = QHBoxLayout()
        first.addWidget(self.line, 1)
        first.addWidget(self.elapsed, 0, Qt.AlignmentFlag.AlignBottom)
        column.addLayout(first)
        for part in (self.bar, self.stage, self.weak, self.coverage, self.review):
            column.addWidget(part)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.set_review_sentence("")
        self._follower = Follower(self, self._dress)

    def show_answer(self, answer: Answer, html: Html) -> None:
        """As far as it is known."""
        self.question.setText(answer.question)
        self.question.setVisible(bool(answer.question))
        line = answer.line
        self.line.setText(line or _without_line(answer))
        self._size_line(LARGER_WHILE_ASKING if answer.is_running else LARGER)
        self.bar.setVisible(answer.is_running)
        self.bar.setRange(0, answer.tiles)
        self.bar.setValue(answer.answered)
        stage = answer.stage if answer.is_running and answer.stage != line else ""
        self.stage.setText(stage)
        self.stage.setVisible(answer.is_running)
        self.weak_text.set_html(html.weaknesses())
        self.weak.setVisible(not self.weak_text.is_empty)
        coverage = "" if answer.is_running else answer.coverage_sentence
        if coverage in answer.weaknesses:
            coverage = ""
        self.coverage.setText(coverage)
        self.coverage.setVisible(bool(coverage))

    def set_review_sentence(self, text: str) -> None:
        """What the review makes of the answer; "" before any."""
        self.review.setText(text)
        self.review.setVisible(bool(text))

    def set_elapsed(self, text: str) -> None:
        """How long it took, or has taken."""
        self.elapsed.setText(text)

    def _size_line(self, factor: float) -> None:
        """By a style sheet: a theme that sets fonts would win over the widget's own."""
        sheet = f"font-size: {self.font().pointSizeF() * factor:.1f}pt; font-weight: bold;"
        if sheet != self.line.styleSheet():
            self.line.setStyleSheet(sheet)

    def _dress(self, colours: Colours) -> None:
        self._size_line(LARGER)
        bold = self.font()
        bold.setBold(True)
        self.review.setFont(bold)
        quiet = f"color: {theme.quiet(colours).name()};"
        for label in (self.question, self.elapsed, self.stage, self.coverage):
            label.setStyleSheet(quiet)
        tint = theme.warning(colours)
        self.weak.setStyleSheet(
            f"#weak {{ background: {tint.ground}; border: none; border-left: 4px solid {tint.bar}; }}"
        )
        self.weak_text.set_colours(tint.text, tint.text)
        self.bar.setStyleSheet(
            f"QProgressBar {{ border: none; border-radius: 2px; background: {theme.line(colours).name()}; }}"
            f"QProgressBar::chunk {{ border-radius: 2px; background: {theme.good(colours).bar}; }}"
        )


def _without_line(answer: Answer) -> str:
    if answer.status == FAILED:
        return tr("No answer")
    if answer.status == CANCELLED:
        return tr("Cancelled")
    return tr("Asking...") if answer.is_running else tr("No answer")
