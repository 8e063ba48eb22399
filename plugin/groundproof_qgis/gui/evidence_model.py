"""An answer's boxes as a table for a view: tens of thousands of rows, sorted and filtered here.

Knows `answer.evidence.Evidence`. Refuses to know the answer around it and the map. There is no proxy model: one that
calls Python for each comparison is too slow for 50,000 rows.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from qgis.PyQt.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt
from qgis.PyQt.QtGui import QFont

from groundproof_qgis.answer.evidence import Evidence
from groundproof_qgis.gui import theme
from groundproof_qgis.gui.colours import Colours
from groundproof_qgis.gui.notices import plain_tip
from groundproof_qgis.gui.verdict_icons import verdict_icon
from groundproof_qgis.gui.verdict_words import LIVE, review_word, verdict_meaning, verdict_word
from groundproof_qgis.i18n_text import tr

NUMBER, QUOTE, SIZE, SCORE, VERDICT, REVIEW = range(6)

WITHOUT_NUMBER = "\u00b7"
_LOW = frozenset({"contradicted", "unsupported", "duplicate", "out-of-frame"})


def verdict_of(one: Evidence) -> str:
    """The verdict as shown: none while the box is not final."""
    return one.verdict if one.final else LIVE


def words_of(one: Evidence) -> str:
    """What a box is known by: its sentence, or its label."""
    return one.quote or one.label or tr("no words")


def number_text(one: Evidence, several: bool) -> str:
    """ "E3", with several answers "A2/E3"; a dot for a live box."""
    if not one.evidence_id:
        return WITHOUT_NUMBER
    return f"{one.answer_id}/{one.evidence_id}" if several else one.evidence_id


def line_of(one: Evidence, several: bool = False) -> str:
    """One box as a line of text, tab separated."""
    score = "" if one.score is None else f"{one.score:.2f}"
    parts = (
        number_text(one, several),
        words_of(one),
        one.size,
        score,
        verdict_word(verdict_of(one)),
        review_word(one.review),
    )
    return "\t".join(" ".join(part.split()) for part in parts)


_KEYS: dict[int, Callable[[Evidence], Any]] = {
    NUMBER: lambda one: (one.answer_id, one.number),
    QUOTE: lambda one: words_of(one).casefold(),
    SIZE: lambda one: one.area_m2 if one.area_m2 is not None else (one.width_m or 0) * (one.height_m or 0),
    SCORE: lambda one: -1.0 if one.score is None else one.score,
    VERDICT: lambda one: verdict_word(verdict_of(one)),
    REVIEW: lambda one: review_word(one.review),
}


class EvidenceModel(QAbstractTableModel):
    """Rows are appended and stay where they are, until they are sorted or numbered boxes replace the live ones."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._all: list[Evidence] = []
        self._at: dict[str, int] = {}
        self._shown: list[int] = []
        self._row: dict[int, int] = {}
        self._filter = ""
        self._sorted_by: tuple[int, Qt.SortOrder] | None = None
        self._several = False
        self._colours = Colours("#000000", "#ffffff")

    def set_colours(self, colours: Colours) -> None:
        """Of the view."""
        self._colours = colours

    def sync(self, evidence: Iterable[Evidence]) -> None:
        """Make the table show these boxes: changed rows change, new ones are appended; if one is gone, all anew."""
        wanted = list(evidence)
        if self._all and len(wanted) >= len(self._all) and all(map(operator.is_, self._all, wanted)):
            self._append(wanted[len(self._all) :])  # what happens ten times a second, so it must be quick
            return
        if not self._all:
            self._replace(wanted)
            return
        added, changed, kept = [], [], 0
        for one in wanted:
            at = self._at.get(one.key)
            if at is None:
                added.append(one)
                continue
            kept += 1
            if self._all[at] is not one and self._all[at] != one:
                changed.append((at, one))
        if kept < len(self._all):
            self._replace(wanted)
            return
        for at, one in changed:
            self._all[at] = one
            row = self._row.get(at)
            if row is not None:
                self.dataChanged.emit(self.index(row, 0), self.index(row, self.columnCount() - 1))
        self._append(added)

    def set_filter(self, text: str) -> None:
        """Show only boxes whose number, words, label, verdict or review hold every word of the text."""
        words = text.casefold()
        if words == self._filter:
            return
        self.beginResetModel()
        self._filter = words
        self._choose()
        self.endResetModel()

    @property
    def total(self) -> int:
        """All boxes, whether shown or not."""
        return len(self._all)

    @property
    def has_scores(self) -> bool:
        """Whether the model gave any."""
        return any(one.score is not None for one in self._all)

    def evidence(self, row: int) -> Evidence:
        """The box in that row of the view."""
        return self._all[self._shown[row]]

    def row_of(self, key: str) -> int:
        """Where the box of that key is shown; -1 when it is not."""
        return self._row.get(self._at.get(key, -1), -1)

    def keys(self, rows: Iterable[int]) -> list[str]:
        """Of these rows."""
        return [self.evidence(row).key for row in rows]

    def as_text(self, rows: Sequence[int]) -> str:
        """Rows as lines, for the clipboard."""
        return "\n".join(line_of(self.evidence(row), self._several) for row in rows)

    def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: N802 - Qt's name
        """Boxes shown."""
        return 0 if parent.isValid() else len(self._shown)

    def columnCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: N802 - Qt's name
        """Number, quote, size, score, verdict, review."""
        return 0 if parent.isValid() else REVIEW + 1

    def headerData(  # noqa: N802 - Qt's name
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Names of the columns."""
        if (
            orientation == Qt.Orientation.Horizontal
            and role == Qt.ItemDataRole.ToolTipRole
            and section == QUOTE
        ):
            return tr(
                "What the model wrote. Places in it, such as top or left, are within its tile, not the map"
            )
        if orientation != Qt.Orientation.Horizontal or role != Qt.ItemDataRole.DisplayRole:
            return None
        return (tr("No."), tr("Evidence"), tr("Size"), tr("Score"), tr("Verdict"), tr("Review"))[section]

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """What a cell shows; never rich text."""
        if not index.isValid():
            return None
        one, column = self.evidence(index.row()), index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(one, column)
        if role == Qt.ItemDataRole.DecorationRole and column == VERDICT:
            return verdict_icon(verdict_of(one))
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tip(_tip(one))
        if role == Qt.ItemDataRole.ForegroundRole:
            return self._colour(one, column)
        if role == Qt.ItemDataRole.FontRole:
            return _font(one, column)
        if role == Qt.ItemDataRole.TextAlignmentRole and column in (SIZE, SCORE):
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return None

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """By that column; -1 for the order in which they came. Boxes that come later are appended."""
        self.layoutAboutToBeChanged.emit()
        before = self.persistentIndexList()
        at = [self._shown[index.row()] for index in before]
        self._sorted_by = (column, order) if column >= 0 else None
        self._choose()
        after = [self.index(self._row[one], index.column()) for one, index in zip(at, before)]
        self.changePersistentIndexList(before, after)
        self.layoutChanged.emit()

    def _text(self, one: Evidence, column: int) -> str:
        if column == NUMBER:
            return number_text(one, self._several)
        if column == QUOTE:
            return words_of(one)
        if column == SIZE:
            return one.size
        if column == SCORE:
            return "" if one.score is None else f"{one.score:.2f}"
        return verdict_word(verdict_of(one)) if column == VERDICT else review_word(one.review)

    def _colour(self, one: Evidence, column: int) -> Any:
        if column == VERDICT and one.final and one.verdict in _LOW:
            return theme.warning_colour(self._colours)
        if column == VERDICT and one.final and one.verdict == "supported":
            return theme.good_colour(self._colours)
        if not one.counted or not one.final or column in (SIZE, SCORE):
            return theme.quiet(self._colours)
        return None

    def _append(self, added: Sequence[Evidence]) -> None:
        if not added:
            return
        matches = self._test()
        matching = [one for one in added if matches(one)]
        first = len(self._shown)
        if matching:
            self.beginInsertRows(QModelIndex(), first, first + len(matching) - 1)
        for one in added:
            self._at[one.key] = len(self._all)
            self._all.append(one)
        for one in matching:
            self._row[self._at[one.key]] = len(self._shown)
            self._shown.append(self._at[one.key])
        if matching:
            self.endInsertRows()
        several = self._several or len({one.answer_id for one in (self._all[0], *added)}) > 1
        if several != self._several:
            self._several = several
            self.dataChanged.emit(self.index(0, NUMBER), self.index(self.rowCount() - 1, NUMBER))

    def _replace(self, wanted: list[Evidence]) -> None:
        self.beginResetModel()
        self._all = wanted
        self._at = dict(zip(map(operator.attrgetter("key"), wanted), range(len(wanted))))
        self._several = len(set(map(operator.attrgetter("answer_id"), wanted))) > 1
        self._choose()
        self.endResetModel()

    def _choose(self) -> None:
        matches = self._test() if self._filter else None
        shown = [n for n, one in enumerate(self._all) if matches is None or matches(one)]
        if self._sorted_by is not None:
            column, order = self._sorted_by
            key = _KEYS[column]
            shown.sort(key=lambda n: key(self._all[n]), reverse=order == Qt.SortOrder.DescendingOrder)
        self._shown = shown
        self._row = dict(zip(shown, range(len(shown))))

    def _test(self) -> Callable[[Evidence], bool]:
        """Whether a box is shown; verdicts and reviews are put into words once, not for each of 50,000 boxes."""
        words = self._filter.split()
        if not words:
            return lambda _one: True
        said: dict[str | None, str] = {}

        def matches(one: Evidence) -> bool:
            verdict = verdict_of(one)
            if verdict not in said:
                said[verdict] = verdict_word(verdict)
            if one.review not in said:
                said[one.review] = review_word(one.review)
            parts = (
                one.answer_id,
                one.evidence_id or "",
                one.quote,
                one.label,
                said[verdict],
                said[one.review],
            )
            text = " ".join(parts).casefold()
            return all(word in text for word in words)

        return matches


def _font(one: Evidence, column: int) -> QFont | None:
    if column == NUMBER:
        font = QFont()
        font.setBold(True)
        return font
    if column == QUOTE and one.review == "rejected":
        font = QFont()
        font.setStrikeOut(True)
        return font
    return None


def _tip(one: Evidence) -> str:
    verdict = verdict_of(one)
    lines = [words_of(one)]
    if one.label and one.label not in one.quote:
        lines.append(one.label)
    facts = [one.size]
    if one.score is not None:
        facts.append(tr("score {n}").format(n=f"{one.score:.2f}"))
    lines.append(", ".join(fact for fact in facts if fact))
    lines.append(f"{verdict_word(verdict)}: {verdict_meaning(verdict)}")
    if one.review:
        lines.append(tr("Review: {word}").format(word=review_word(one.review)))
    return "\n".join(line for line in lines if line)
