"""The lower part of the dock: an answer as it grows, and everything that can be done with it.

Knows `answer.answer.Answer` and the keys of its boxes. Refuses to know layers, files and the engine: it only says what
the person wants.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from qgis.PyQt.QtCore import QSize, Qt, pyqtSignal
from qgis.PyQt.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMenu,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from groundproof_qgis.answer.answer import Answer
from groundproof_qgis.answer.html import Html
from groundproof_qgis.answer.links import Link
from groundproof_qgis.gui import theme
from groundproof_qgis.gui.answer_head import AnswerHead
from groundproof_qgis.gui.collapsible import Collapsible
from groundproof_qgis.gui.colours import Colours, Follower
from groundproof_qgis.gui.evidence_model import EvidenceModel
from groundproof_qgis.gui.evidence_view import EvidenceView
from groundproof_qgis.gui.notices import Sentence
from groundproof_qgis.gui.safe_browser import SafeBrowser
from groundproof_qgis.i18n_text import tr

PLAN_LINES = 5
SYNTHESIS_LINES = 8
DETAIL_LINES = 8


class AnswerPanel(QWidget):
    """Signals carry lists of keys (`answer.evidence.Evidence.key`); hovered with an empty list: nothing any more.

    review_requested: keys, and "accepted", "rejected" or None (take it back). tile_activated: a tile's id.
    """

    evidence_hovered = pyqtSignal(list)
    evidence_activated = pyqtSignal(list)
    evidence_selected = pyqtSignal(list)
    tile_activated = pyqtSignal(str)
    review_requested = pyqtSignal(list, object)
    follow_up_requested = pyqtSignal(list)
    review_toggled = pyqtSignal(bool)
    save_requested = pyqtSignal()
    report_requested = pyqtSignal(str)
    corrections_requested = pyqtSignal(str)
    history_requested = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._answer: Answer | None = None
        self._html: Html | None = None
        self._was_running = False
        self.head = AnswerHead()
        self.plan_text = SafeBrowser(tr("Plan"), PLAN_LINES)
        self.plan = Collapsible(tr("Plan"), self.plan_text)
        self.count = QLabel()
        self.filter = QLineEdit()
        self.model = EvidenceModel(self)
        self.view = EvidenceView(self.model)
        self.synthesis_title = QLabel(tr("Synthesis"))
        self.synthesis = SafeBrowser(tr("Synthesis"), SYNTHESIS_LINES)
        self.detail_text = SafeBrowser(tr("All checks"), DETAIL_LINES)
        self.detail = Collapsible(tr("All checks"), self.detail_text)
        self.buttons = QWidget()
        self.review_button = self._button(
            "review", tr("Review"), tr("Accept, reject, move or add boxes on the map")
        )
        self.save_button = self._button("save", tr("Save"), tr("Save a copy of the GeoPackage"))
        self.report_button = self._button(
            "report", tr("Report"), tr("A page with the map's picture and all evidence")
        )
        self.corrections_button = self._button(
            "export", tr("Export"), tr("Export corrections: training samples made of what you reviewed")
        )
        self.follow_button = self._button(
            "follow_up", tr("Follow up"), tr("Ask a further question about this answer")
        )
        self.history_button = self._button("history", tr("History"), tr("Earlier questions of this project"))
        self._nothing = Sentence(
            tr(
                "No answer yet. Ask about what the map shows: each claim of the answer becomes a box on the map."
            )
        )
        self._nothing.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._lay_out()
        self._connect()
        self._body.setVisible(False)
        self._enable()
        self._follower = Follower(self, self._dress)

    def show_answer(self, answer: Answer | None) -> None:
        """Show this answer from its beginning; None: no answer."""
        self._answer = answer
        self._was_running = answer is not None and answer.is_running
        self.filter.clear()
        self.model.sync(())
        self.view.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.head.set_review_sentence("")
        self.head.set_elapsed("")
        self._body.setVisible(answer is not None)
        self._nothing.setVisible(answer is None)
        self.plan.set_open(self._was_running)
        self._enable()
        if answer is not None:
            self.update_answer(answer)

    def update_answer(self, answer: Answer) -> None:
        """Show what came since. What is read stays where it is; only what is new is added."""
        if answer is not self._answer:
            self.show_answer(answer)
            return
        html = self._html = Html(answer)
        self.head.show_answer(answer, html)
        self.plan_text.set_html(html.plan())
        self.plan.setVisible(not self.plan_text.is_empty)
        self.model.sync(chain.from_iterable(part.evidence for part in answer.parts.values()))
        self._say_count()
        self.synthesis.set_html(html.synthesis())
        for part in (self.synthesis_title, self.synthesis):
            part.setVisible(not self.synthesis.is_empty)
        self._show_detail(answer, html)
        if self._was_running and not answer.is_running:
            self._was_running = False
            self.plan.set_open(False)
        self._enable()

    def replace_answer(self, answer: Answer) -> None:
        """The answer that is shown, read anew: filter, order, selection and what is in view stay."""
        kept, at = self.view.selected_keys, self.view.verticalScrollBar().value()
        self._answer = answer
        self.update_answer(answer)
        self.view.mark(kept)
        self.view.verticalScrollBar().setValue(at)

    def select_evidence(self, keys: Sequence[str]) -> None:
        """Mark these boxes' rows and the first one's sentences, and bring them into view; tells nobody."""
        self.view.mark(list(keys))
        self._mark_sentences(keys)

    def set_review_sentence(self, text: str) -> None:
        """What the review makes of the answer; "" before any."""
        self.head.set_review_sentence(text)

    def set_elapsed(self, text: str) -> None:
        """How long it took, or has taken."""
        self.head.set_elapsed(text)

    def set_reviewing(self, reviewing: bool) -> None:
        """Whether boxes can be decided about now; does not emit."""
        before = self.review_button.blockSignals(True)
        self.review_button.setChecked(reviewing)
        self.review_button.blockSignals(before)
        self.view.set_reviewable(reviewing)

    def _button(self, icon: str, text: str, tip: str) -> QToolButton:
        button = _Narrow(self.buttons)
        button.setText(text)
        button.setToolTip(tip)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
        button.setAutoRaise(True)
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        if not hasattr(self, "_icons"):
            self._icons: list[tuple[QToolButton, str]] = []
        self._icons.append((button, icon))
        return button

    def _lay_out(self) -> None:
        self.filter.setPlaceholderText(tr("Filter"))
        self.filter.setClearButtonEnabled(True)
        self.filter.setAccessibleName(tr("Filter the evidence"))
        self.filter.setToolTip(tr("Words of a sentence, a label, a number or a verdict"))
        self.view.setToolTip("")
        self._body = QWidget()
        body = QVBoxLayout(self._body)
        body.setContentsMargins(0, 0, 0, 0)
        body.setSpacing(5)
        body.addWidget(self.head)
        body.addWidget(self.plan)
        row = QHBoxLayout()
        row.addWidget(self.count)
        row.addStretch(1)
        row.addWidget(self.filter, 2)
        body.addLayout(row)
        body.addWidget(self.view, 1)
        for part in (self.synthesis_title, self.synthesis, self.detail):
            body.addWidget(part)
        buttons = QHBoxLayout(self.buttons)
        buttons.setContentsMargins(0, 0, 0, 0)
        buttons.setSpacing(0)
        for button, _icon in self._icons:
            buttons.addWidget(button, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 6, 8, 4)
        column.setSpacing(4)
        column.addWidget(self._body, 1)
        column.addWidget(self._nothing, 1)
        column.addWidget(self.buttons)
        self.review_button.setCheckable(True)
        self.report_button.setMenu(
            self._menu(
                self.report_button,
                ((tr("Web page (HTML)..."), "html"), (tr("PDF..."), "pdf")),
                self.report_requested.emit,
            )
        )
        self.corrections_button.setMenu(
            self._menu(
                self.corrections_button,
                (
                    (tr("Geo-CoT messages, for reasoning models..."), "geo-cot"),
                    (tr("COCO, for detectors..."), "coco"),
                    (tr("YOLO, for detectors..."), "yolo"),
                ),
                self.corrections_requested.emit,
            )
        )

    def _menu(self, button: QToolButton, entries: Sequence[tuple[str, str]], emit: object) -> QMenu:
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(button)
        for text, key in entries:
            menu.addAction(text).triggered.connect(lambda _checked=False, which=key: emit(which))
        return menu

    def _connect(self) -> None:
        self.filter.textChanged.connect(self._filtered)
        self.view.hovered.connect(self.evidence_hovered)
        self.view.activated_keys.connect(self.evidence_activated)
        self.view.selected.connect(self._selected)
        self.view.decided.connect(self.review_requested)
        self.view.asked_about.connect(self.follow_up_requested)
        self.review_button.toggled.connect(self.view.set_reviewable)
        self.review_button.toggled.connect(self.review_toggled)
        self.save_button.clicked.connect(lambda: self.save_requested.emit())
        self.follow_button.clicked.connect(lambda: self.follow_up_requested.emit([]))
        self.history_button.clicked.connect(lambda: self.history_requested.emit())
        for browser in (self.head.weak_text, self.plan_text, self.synthesis, self.detail_text):
            browser.link_pressed.connect(self._follow)
            browser.link_pointed.connect(self._point)

    def _enable(self) -> None:
        """Each button only when it can do something."""
        finished = self._answer is not None and not self._answer.is_running
        for button in (
            self.review_button,
            self.save_button,
            self.report_button,
            self.corrections_button,
            self.follow_button,
        ):
            button.setEnabled(finished)

    def _say_count(self) -> None:
        total, shown = self.model.total, self.model.rowCount()
        self.filter.setVisible(total > 1)
        words = tr("Evidence ({n})").format(n=f"{total:,}")
        if shown != total:
            words = tr("Evidence ({n} of {total})").format(n=f"{shown:,}", total=f"{total:,}")
        elif self._answer is not None and self._answer.is_running:
            words = tr("Evidence ({n} so far)").format(n=f"{total:,}")
        self.count.setText(words)

    def _show_detail(self, answer: Answer, html: Html) -> None:
        failures = any(part.coverage is not None and part.coverage.failures for part in answer.parts.values())
        places = html.places() if not answer.is_running else ""
        pieces = (html.coverage() if failures else "", html.findings(), places, html.notes())
        self.detail_text.set_html("".join(piece for piece in pieces if piece))
        self.detail.setVisible(not self.detail_text.is_empty)
        self.detail.set_title(tr("Notes") if answer.is_running else tr("All checks"))

    def _filtered(self, text: str) -> None:
        kept = self.view.selected_keys
        self.model.set_filter(text)
        self.view.mark(kept)
        self._say_count()

    def _selected(self, keys: list[str]) -> None:
        self._mark_sentences(keys)
        self.evidence_selected.emit(keys)

    def _mark_sentences(self, keys: Sequence[str]) -> None:
        anchors: list[str] = []
        for key in keys[:1]:
            row = self.model.row_of(key)
            one = self.model.evidence(row) if row >= 0 else None
            if one is not None and one.evidence_id and self._html is not None:
                anchors += self._html.anchors(one.evidence_id, one.answer_id)
        self.synthesis.mark(anchors)

    def _keys(self, link: Link) -> list[str]:
        if self._answer is None:
            return []
        found = (self._answer.find(one, link.answer_id) for one in link.evidence_ids)
        return [one.key for one in found if one is not None]

    def _follow(self, link: Link) -> None:
        if link.tile is not None:
            self.tile_activated.emit(link.tile)
            return
        keys = self._keys(link)
        if keys:
            self.view.mark(keys)
            self._mark_sentences(keys)
            self.evidence_selected.emit(keys)
            self.evidence_activated.emit(keys)

    def _point(self, link: Link | None) -> None:
        self.evidence_hovered.emit([] if link is None or link.tile is not None else self._keys(link))

    def _dress(self, colours: Colours) -> None:
        for button, name in self._icons:
            button.setIcon(theme.icon(name, colours))
        bold = self.font()
        bold.setBold(True)
        self._nothing.setStyleSheet(f"color: {theme.quiet(colours).name()};")
        for label in (self.count, self.synthesis_title):
            label.setFont(bold)


class _Narrow(QToolButton):
    """May be narrower than its text; the tool tip says it."""

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        return QSize(32, super().minimumSizeHint().height())
