"""The list of boxes: point at one and it lights up, click and the map goes there, decide about it.

Knows rows, keys and the mouse. Refuses to know the map and where a decision is stored.
"""

from __future__ import annotations

from collections.abc import Sequence

from qgis.PyQt.QtCore import QEvent, QItemSelection, QItemSelectionModel, QPoint, QSize, Qt, pyqtSignal
from qgis.PyQt.QtGui import QGuiApplication, QKeyEvent, QKeySequence
from qgis.PyQt.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QMenu,
    QTableView,
    QWidget,
)

from groundproof_qgis.gui import theme
from groundproof_qgis.gui.colours import Colours, Follower
from groundproof_qgis.gui.evidence_cells import ACCEPTED, BUTTON_PX, REJECTED, ReviewCell, SentenceCell
from groundproof_qgis.gui.evidence_model import NUMBER, QUOTE, REVIEW, SCORE, SIZE, VERDICT, EvidenceModel
from groundproof_qgis.i18n_text import tr

MAX_SELECTED_AT_ONCE = 2000
"""Rows that a selection from elsewhere marks; more would be slow and show nothing."""
WIDE_PX = 470
"""From this width on there is room for a column for each fact."""
LINES = 2
"""Of a sentence in a row."""
KEYS = {Qt.Key.Key_A: ACCEPTED, Qt.Key.Key_R: REJECTED, Qt.Key.Key_C: None}


class EvidenceView(QTableView):
    """Signals carry keys (`answer.evidence.Evidence.key`). hovered: empty when nothing is pointed at any more."""

    hovered = pyqtSignal(list)
    activated_keys = pyqtSignal(list)
    selected = pyqtSignal(list)
    decided = pyqtSignal(list, object)
    asked_about = pyqtSignal(list)

    def __init__(self, model: EvidenceModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._hot = -1
        self._quiet = False
        self._reviewable = False
        self._kept: list[str] = []
        self.table = model
        self.is_narrow = True
        self.setModel(model)
        self.setAccessibleName(tr("Evidence"))
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTabKeyNavigation(False)
        self.setAlternatingRowColors(False)
        self.setShowGrid(False)
        self.setWordWrap(True)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setMouseTracking(True)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setItemDelegateForColumn(QUOTE, SentenceCell(self))
        self.setItemDelegateForColumn(REVIEW, ReviewCell(self))
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setMinimumSectionSize(10)
        self.verticalHeader().setDefaultSectionSize(LINES * self.fontMetrics().lineSpacing() + 6)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header.setSectionResizeMode(QUOTE, QHeaderView.ResizeMode.Stretch)
        header.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        header.customContextMenuRequested.connect(lambda at: self._sort_menu().exec(header.mapToGlobal(at)))
        header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.setSortingEnabled(True)
        model.sort(-1)
        self.setMinimumHeight(self.verticalHeader().defaultSectionSize() * 2 + header.sizeHint().height())
        self._follower = Follower(self, model.set_colours)
        self._widths()
        self.entered.connect(lambda index: self._point_at(index.row()))
        self.clicked.connect(lambda index: self.activated_keys.emit([model.evidence(index.row()).key]))
        self.customContextMenuRequested.connect(self._open_menu)
        self.selectionModel().selectionChanged.connect(self._selection_changed)
        model.modelAboutToBeReset.connect(self._keep)
        model.modelReset.connect(self._restore)
        model.rowsInserted.connect(lambda *_: self._widths())

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Some rows."""
        return QSize(300, self.verticalHeader().defaultSectionSize() * 6)

    @property
    def colours(self) -> Colours:
        """In which the rows stand."""
        return self._follower.colours

    @property
    def selected_keys(self) -> list[str]:
        """In the order of the rows."""
        return self.table.keys(self._selected_rows())

    def set_reviewable(self, reviewable: bool) -> None:
        """Whether boxes can be accepted and rejected now."""
        self._reviewable = reviewable
        self._widths()
        self.viewport().update()

    def offers_buttons(self, row: int) -> bool:
        """Whether that row shows buttons to decide."""
        if not self._reviewable or not self.table.evidence(row).final:
            return False
        current = self.selectionModel().selectedRows()
        return row == self._hot or (len(current) == 1 and current[0].row() == row and self.hasFocus())

    def decide_row(self, row: int, decision: str) -> None:
        """Accept or reject one box; the same once more takes it back."""
        one = self.table.evidence(row)
        self.decided.emit([one.key], None if one.review == decision else decision)

    def decide(self, decision: str | None) -> None:
        """About all selected boxes; None takes a decision back."""
        final = [key for key in self.selected_keys if self.table.evidence(self.table.row_of(key)).final]
        if self._reviewable and final:
            self.decided.emit(final, decision)

    def copy(self) -> None:
        """Selected rows as text; all rows when none is selected."""
        rows = self._selected_rows()
        QGuiApplication.clipboard().setText(self.table.as_text(rows or range(self.table.rowCount())))

    def mark(self, keys: Sequence[str]) -> None:
        """Select these rows and bring the first into view, without telling anybody."""
        rows = sorted(row for row in map(self.table.row_of, keys[:MAX_SELECTED_AT_ONCE]) if row >= 0)
        selection = QItemSelection()
        last = self.table.columnCount() - 1
        start = previous = None
        for row in [*rows, None]:
            if start is not None and row != previous + 1:
                selection.select(self.table.index(start, 0), self.table.index(previous, last))
                start = None
            if row is not None and start is None:
                start = row
            previous = row
        self._quiet = True
        self.selectionModel().select(selection, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        if rows:
            first = self.table.index(rows[0], NUMBER)
            self.selectionModel().setCurrentIndex(first, QItemSelectionModel.SelectionFlag.NoUpdate)
            self.scrollTo(first)
        self._quiet = False

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Copy, go there, decide; all else as in any table."""
        plain = event.modifiers() == Qt.KeyboardModifier.NoModifier
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
        elif plain and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.selected_keys:
            self.activated_keys.emit(self.selected_keys)
        elif plain and event.key() in KEYS:
            self.decide(KEYS[event.key()])
        else:
            super().keyPressEvent(event)

    def leaveEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Nothing is pointed at any more."""
        self._point_at(-1)
        super().leaveEvent(event)

    def resizeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Scores only where there is room."""
        super().resizeEvent(event)
        self._widths()

    def _widths(self) -> None:
        self.is_narrow = self.viewport().width() < WIDE_PX
        for column in (SIZE, VERDICT):
            self.setColumnHidden(column, self.is_narrow)
        self.setColumnHidden(SCORE, self.is_narrow or not self.table.has_scores)
        self.setColumnHidden(REVIEW, self.is_narrow and not self._reviewable)
        measure = self.fontMetrics().horizontalAdvance
        longest = self.table.evidence(self.table.rowCount() - 1) if self.table.rowCount() else None
        number = max(4, len(str(self.table.total)) + 1, len(longest.answer_id) if longest is not None else 0)
        self.setColumnWidth(NUMBER, measure("0" * number) + 14)
        self.setColumnWidth(SIZE, measure("000 x 000 m") + 8)
        self.setColumnWidth(SCORE, measure(tr("Score")) + 22)
        self.setColumnWidth(VERDICT, measure(tr("contradicted")) + 34)
        buttons = max(2 * BUTTON_PX + 10, measure(tr("Review")) + 16)
        self.setColumnWidth(REVIEW, buttons if self.is_narrow else max(buttons, measure(tr("accepted")) + 8))

    def _point_at(self, row: int) -> None:
        if row == self._hot:
            return
        before, self._hot = self._hot, row
        for one in (before, row):
            if 0 <= one < self.table.rowCount():
                self.update(self.table.index(one, REVIEW))
        self.hovered.emit([self.table.evidence(row).key] if row >= 0 else [])

    def _selection_changed(self) -> None:
        if not self._quiet:
            self.selected.emit(self.selected_keys)

    def _keep(self) -> None:
        self._kept = self.selected_keys
        self._hot = -1

    def _restore(self) -> None:
        if self._kept:
            self.mark(self._kept)
        self._widths()

    def _open_menu(self, at: QPoint) -> None:
        if self.indexAt(at).isValid():
            self.menu().exec(self.viewport().mapToGlobal(at))

    def _selected_rows(self) -> list[int]:
        """In order. From ranges: one index for each of 50,000 rows would take a second."""
        ranges = self.selectionModel().selection()
        return sorted({row for part in ranges for row in range(part.top(), part.bottom() + 1)})

    def _sort_menu(self) -> QMenu:
        """Sort by what has no column in a narrow list."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for column in range(self.table.columnCount()):
            words = tr("Sort by {column}").format(
                column=self.table.headerData(column, Qt.Orientation.Horizontal)
            )
            action = menu.addAction(words)
            action.triggered.connect(
                lambda _checked=False, which=column: self.sortByColumn(which, Qt.SortOrder.AscendingOrder)
            )
        return menu

    def menu(self) -> QMenu:
        """What can be done with the selected boxes."""
        keys = self.selected_keys
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        entries = (
            ("accept", tr("Accept") + "\tA", self._reviewable, lambda: self.decide(ACCEPTED)),
            ("reject", tr("Reject") + "\tR", self._reviewable, lambda: self.decide(REJECTED)),
            ("clear", tr("Take the decision back") + "\tC", self._reviewable, lambda: self.decide(None)),
            (None, "", True, None),
            ("zoom", tr("Zoom to it"), True, lambda: self.activated_keys.emit(keys)),
            ("follow_up", tr("Ask about it"), True, lambda: self.asked_about.emit(keys)),
            ("copy", tr("Copy as text"), True, self.copy),
        )
        for name, text, enabled, act in entries:
            if act is None:
                menu.addSeparator()
                continue
            action = menu.addAction(theme.icon(name, self.colours), text)
            action.setEnabled(enabled and bool(keys))
            action.triggered.connect(lambda _checked=False, do=act: do())
        return menu
