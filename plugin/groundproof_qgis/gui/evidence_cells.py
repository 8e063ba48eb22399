"""How two cells of the evidence list are drawn: a box's sentence with its facts below, and the buttons to decide.

Knows rectangles and colours. Refuses to know what a decision does.
"""

from __future__ import annotations

from dataclasses import replace

from qgis.PyQt.QtCore import QEvent, QModelIndex, QPoint, QRect, Qt
from qgis.PyQt.QtGui import QMouseEvent, QPainter, QPalette
from qgis.PyQt.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QTableView

from groundproof_qgis.answer.evidence import Evidence
from groundproof_qgis.gui import theme
from groundproof_qgis.gui.evidence_model import VERDICT, verdict_of
from groundproof_qgis.gui.verdict_icons import verdict_icon
from groundproof_qgis.gui.verdict_words import review_word, verdict_word

ACCEPTED = "accepted"
REJECTED = "rejected"
BUTTON_PX = 20
ICON_PX = 14
MARGIN_PX = 4


def _blank(
    delegate: QStyledItemDelegate,
    view: QTableView,
    painter: QPainter,
    option: QStyleOptionViewItem,
    index: QModelIndex,
) -> None:
    """The cell's ground without its text."""
    blank = QStyleOptionViewItem(option)
    delegate.initStyleOption(blank, index)
    blank.text = ""
    view.style().drawControl(QStyle.ControlElement.CE_ItemViewItem, blank, painter, view)


class SentenceCell(QStyledItemDelegate):
    """In a narrow list the facts stand below the sentence, because there are no columns for them."""

    def __init__(self, view: QTableView) -> None:
        super().__init__(view)
        self._view = view

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        """Two lines; in a wide list as any cell."""
        if not self._view.is_narrow:
            super().paint(painter, option, index)
            return
        _blank(self, self._view, painter, option, index)
        shown = QStyleOptionViewItem(option)
        self.initStyleOption(shown, index)
        one = self._view.table.evidence(index.row())
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        role = QPalette.ColorRole.HighlightedText if selected else QPalette.ColorRole.Text
        height = option.rect.height() // 2 - 1
        first = QRect(
            option.rect.left() + MARGIN_PX, option.rect.top() + 1, option.rect.width() - 2 * MARGIN_PX, height
        )
        painter.save()
        painter.setPen(shown.palette.color(role))
        painter.setFont(shown.font)
        metrics = shown.fontMetrics
        words = " ".join(shown.text.split())
        painter.drawText(first, _LEFT, metrics.elidedText(words, Qt.TextElideMode.ElideRight, first.width()))
        self._facts(painter, first.translated(0, height), one, index, selected)
        painter.restore()

    def _facts(
        self, painter: QPainter, rect: QRect, one: Evidence, index: QModelIndex, selected: bool
    ) -> None:
        palette = self._view.palette()
        painter.setFont(self._view.font())
        metrics = self._view.fontMetrics()
        if selected:
            quiet = verdict_colour = palette.color(QPalette.ColorRole.HighlightedText)
        else:
            quiet = theme.quiet(self._view.colours)
            verdict_colour = index.sibling(index.row(), VERDICT).data(Qt.ItemDataRole.ForegroundRole) or quiet
        at = rect.left()
        if one.size:
            painter.setPen(quiet)
            painter.drawText(rect, _LEFT, one.size)
            at += metrics.horizontalAdvance(one.size) + 8
        verdict = verdict_of(one)
        verdict_icon(verdict).paint(painter, QRect(at, rect.center().y() - ICON_PX // 2, ICON_PX, ICON_PX))
        at += ICON_PX + 4
        words = verdict_word(verdict)
        room = QRect(at, rect.top(), max(0, rect.right() - at), rect.height())
        painter.setPen(verdict_colour)
        painter.drawText(room, _LEFT, metrics.elidedText(words, Qt.TextElideMode.ElideRight, room.width()))
        if one.review:
            after = room.adjusted(metrics.horizontalAdvance(words) + 8, 0, 0, 0)
            painter.setPen(quiet)
            painter.drawText(
                after,
                _LEFT,
                metrics.elidedText(review_word(one.review), Qt.TextElideMode.ElideRight, after.width()),
            )


class ReviewCell(QStyledItemDelegate):
    """A decision, or in the row under the mouse two buttons to make one."""

    def __init__(self, view: QTableView) -> None:
        super().__init__(view)
        self._view = view

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        """The buttons are there while the row is pointed at or alone selected, and the box can be reviewed."""
        offers = self._view.offers_buttons(index.row())
        if not offers and not self._view.is_narrow:
            super().paint(painter, option, index)
            return
        _blank(self, self._view, painter, option, index)
        if offers:
            role = (
                QPalette.ColorRole.HighlightedText
                if option.state & QStyle.StateFlag.State_Selected
                else QPalette.ColorRole.Text
            )
            colours = replace(self._view.colours, text=self._view.palette().color(role).name())
            for rect, name in zip(button_rects(option.rect), ("accept", "reject")):
                theme.icon(name, colours).paint(painter, rect.adjusted(2, 2, -2, -2))

    def editorEvent(  # noqa: N802 - Qt's name
        self, event: QEvent, _model: object, option: QStyleOptionViewItem, index: QModelIndex
    ) -> bool:
        """A click on one of the buttons."""
        if event.type() != QEvent.Type.MouseButtonRelease or not self._view.offers_buttons(index.row()):
            return False
        for rect, decision in zip(button_rects(option.rect), (ACCEPTED, REJECTED)):
            if rect.contains(position(event)):
                self._view.decide_row(index.row(), decision)
                return True
        return False


def button_rects(cell: QRect) -> tuple[QRect, QRect]:
    """Where accept and reject are in a review cell."""
    top = cell.center().y() - BUTTON_PX // 2
    left = cell.left() + 2
    return QRect(left, top, BUTTON_PX, BUTTON_PX), QRect(left + BUTTON_PX + 4, top, BUTTON_PX, BUTTON_PX)


def position(event: QMouseEvent) -> QPoint:
    """Where the mouse is: Qt 6 calls it otherwise than Qt 5."""
    return event.position().toPoint() if hasattr(event, "position") else event.pos()


_LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
