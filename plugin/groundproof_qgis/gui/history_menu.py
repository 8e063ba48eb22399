"""The project's earlier questions: open one, go on with it, ask it again, compare two, remove one.

Knows what a list shows of a run. Refuses to know files, layers and the engine.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from qgis.PyQt.QtCore import QDateTime, QLocale, QSize, Qt, pyqtSignal
from qgis.PyQt.QtGui import QKeyEvent
from qgis.PyQt.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from groundproof_qgis.gui import theme
from groundproof_qgis.gui.colours import Colours, Follower
from groundproof_qgis.gui.notices import Sentence, plain_tip
from groundproof_qgis.i18n_text import tr

ASKING = "asking"
DONE = "done"
CANCELLED = "cancelled"
FAILED = "failed"
INTERRUPTED = "interrupted"
DAMAGED = "damaged"
"""Its record cannot be read; its result perhaps can."""

OPEN, GO_ON, AGAIN, COMPARE, REMOVE = "open", "go_on", "again", "compare", "remove"

QUESTION, WHEN, STATUS = range(3)
ROW_LINES = 2
SIZE = QSize(640, 420)


@dataclass(frozen=True)
class HistoryEntry:
    """One run as the list shows it. when: RFC 3339. status: asking, done, cancelled, failed, interrupted or damaged.

    has_result: whether there is a GeoPackage to open.
    """

    run_id: str
    question: str
    answer: str
    when: str
    engine: str
    status: str
    has_result: bool = True


def _status_words(status: str) -> str:
    return {
        ASKING: tr("being asked"),
        DONE: tr("answered"),
        CANCELLED: tr("cancelled"),
        FAILED: tr("failed"),
        INTERRUPTED: tr("interrupted"),
        DAMAGED: tr("damaged"),
    }.get(status, status)


def when_words(when: str) -> str:
    """An RFC 3339 time as people of QGIS's language write it, in their time zone; as it is where it is no time."""
    time = QDateTime.fromString(when, Qt.DateFormat.ISODate)
    if not time.isValid():
        return when
    return QLocale().toString(time.toLocalTime(), QLocale.FormatType.ShortFormat)


class HistoryDialog(QDialog):
    """Not modal. `chosen`: OPEN, GO_ON, AGAIN, COMPARE or REMOVE, and the runs' ids, for COMPARE the earlier first."""

    chosen = pyqtSignal(str, list)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._entries: dict[str, HistoryEntry] = {}
        self.setWindowTitle(tr("Earlier questions"))
        self.resize(SIZE)
        self.filter = QLineEdit()
        self.filter.setPlaceholderText(tr("Filter"))
        self.filter.setClearButtonEnabled(True)
        self.filter.setAccessibleName(tr("Filter the questions"))
        self.list = QTreeWidget()
        self.nothing = Sentence(tr("Nothing has been asked in this project yet."))
        self.buttons = {
            OPEN: QPushButton(tr("&Open")),
            GO_ON: QPushButton(tr("&Go on")),
            AGAIN: QPushButton(tr("Ask &again")),
            COMPARE: QPushButton(tr("&Compare")),
            REMOVE: QPushButton(tr("&Remove...")),
        }
        self._lay_out()
        self._connect()
        self.set_entries(())

    def set_entries(self, entries: Iterable[HistoryEntry]) -> None:
        """Show these, newest first; what was selected stays selected."""
        kept = set(self.selected_ids)
        ordered = sorted(entries, key=lambda one: one.when, reverse=True)
        self._entries = {one.run_id: one for one in ordered}
        self.list.clear()
        height = self.fontMetrics().lineSpacing() * ROW_LINES + 8
        for one in ordered:
            words = one.answer or tr("no answer")
            item = QTreeWidgetItem(
                [
                    f"{_line(one.question)}\n{_line(words)}",
                    f"{when_words(one.when)}\n{_line(one.engine)}",
                    _status_words(one.status),
                ]
            )
            item.setData(QUESTION, Qt.ItemDataRole.UserRole, one.run_id)
            item.setSizeHint(QUESTION, QSize(0, height))
            item.setToolTip(QUESTION, plain_tip(f"{one.question}\n{one.answer}"))
            item.setToolTip(WHEN, plain_tip(one.engine))
            if one.status in (FAILED, INTERRUPTED, DAMAGED):
                item.setForeground(STATUS, theme.warning_colour(self._follower.colours))
            self.list.addTopLevelItem(item)
            item.setSelected(one.run_id in kept)
        self.nothing.setVisible(not ordered)
        self.list.setVisible(bool(ordered))
        self.filter.setVisible(bool(ordered))
        self._filtered(self.filter.text())
        self._enable()

    @property
    def selected_ids(self) -> list[str]:
        """Of the selected runs, newest first."""
        items = (self.list.topLevelItem(n) for n in range(self.list.topLevelItemCount()))
        return [item.data(QUESTION, Qt.ItemDataRole.UserRole) for item in items if item.isSelected()]

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Enter opens, Delete removes."""
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if self.list.hasFocus() and (enter or event.key() == Qt.Key.Key_Delete):
            self._choose(OPEN if enter else REMOVE)
            return
        super().keyPressEvent(event)

    def _lay_out(self) -> None:
        self.list.setAccessibleName(tr("Earlier questions"))
        self.list.setHeaderLabels([tr("Question and answer"), tr("When, and who answered"), tr("Status")])
        self.list.setRootIsDecorated(False)
        self.list.setUniformRowHeights(True)
        self.list.setAlternatingRowColors(True)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.list.setTextElideMode(Qt.TextElideMode.ElideRight)
        header = self.list.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(QUESTION, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(STATUS, QHeaderView.ResizeMode.ResizeToContents)
        header.resizeSection(WHEN, self.fontMetrics().horizontalAdvance("0" * 22))
        row = QHBoxLayout()
        for key in (OPEN, GO_ON, AGAIN, COMPARE):
            row.addWidget(self.buttons[key])
        row.addStretch(1)
        row.addWidget(self.buttons[REMOVE])
        for button in self.buttons.values():
            button.setAutoDefault(False)
        self.buttons[GO_ON].setToolTip(tr("Goes on with a question that was interrupted"))
        self.buttons[AGAIN].setToolTip(
            tr("Fills in the question and its place, so that you can ask it again")
        )
        self.buttons[COMPARE].setToolTip(tr("Select two: shows what appeared, disappeared and moved"))
        self.buttons[REMOVE].setToolTip(tr("Removes the question and its result; asks you first"))
        column = QVBoxLayout(self)
        column.addWidget(self.filter)
        column.addWidget(self.nothing)
        column.addWidget(self.list, 1)
        column.addLayout(row)
        self._follower = Follower(self, self._dress)

    def _connect(self) -> None:
        self.filter.textChanged.connect(self._filtered)
        self.list.itemSelectionChanged.connect(self._enable)
        self.list.itemDoubleClicked.connect(lambda *_: self._choose(OPEN))
        for key, button in self.buttons.items():
            button.clicked.connect(lambda _checked=False, which=key: self._choose(which))

    def _dress(self, colours: Colours) -> None:
        for key, name in (
            (OPEN, "open"),
            (GO_ON, "go_on"),
            (AGAIN, "again"),
            (COMPARE, "compare"),
            (REMOVE, "remove"),
        ):
            self.buttons[key].setIcon(theme.icon(name, colours))

    def _possible(self, what: str) -> list[str]:
        """The runs that this can be done with now; empty when it cannot."""
        ids = self.selected_ids
        runs: Sequence[HistoryEntry] = [self._entries[one] for one in ids]
        can = {
            OPEN: len(runs) == 1 and runs[0].has_result,
            GO_ON: len(runs) == 1 and runs[0].status == INTERRUPTED,
            AGAIN: len(runs) == 1 and runs[0].status not in (ASKING, DAMAGED),
            COMPARE: len(runs) == 2 and all(one.has_result for one in runs),
            REMOVE: bool(runs) and all(one.status != ASKING for one in runs),
        }
        return (ids[::-1] if what == COMPARE else ids) if can[what] else []

    def _enable(self) -> None:
        for key, button in self.buttons.items():
            button.setEnabled(bool(self._possible(key)))

    def _choose(self, what: str) -> None:
        ids = self._possible(what)
        if ids:
            if what == AGAIN:  # the form in the dock is what comes next, and this list would cover it
                self.close()
            self.chosen.emit(what, ids)

    def _filtered(self, text: str) -> None:
        words = text.casefold().split()
        for n in range(self.list.topLevelItemCount()):
            item = self.list.topLevelItem(n)
            one = self._entries[item.data(QUESTION, Qt.ItemDataRole.UserRole)]
            said = f"{one.question} {one.answer} {one.engine} {_status_words(one.status)}".casefold()
            hidden = not all(word in said for word in words)
            item.setHidden(hidden)
            if hidden:
                item.setSelected(False)


def _line(text: str) -> str:
    return " ".join(text.split())
