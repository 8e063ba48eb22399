"""The analyst's decisions about the run that is shown: made in the dock or with QGIS's own editing, kept, carried out.

Knows when the answer has to be made anew. Refuses to know how a decision is written (`review`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from qgis.core import NULL, QgsFeature, QgsVectorLayer
from qgis.PyQt import sip
from qgis.PyQt.QtCore import QObject, pyqtSignal

from groundproof_qgis.answer.counting import is_counted
from groundproof_qgis.answer.evidence import Evidence
from groundproof_qgis.control.run import Run
from groundproof_qgis.control.updating import Updating
from groundproof_qgis.gui.answer_panel import AnswerPanel
from groundproof_qgis.i18n_text import tr
from groundproof_qgis.review.errors import ReviewError
from groundproof_qgis.review.rows import text_of
from groundproof_qgis.review.session import ReviewSession


class Reviewing(QObject):
    """started: the layer that can be edited now. answer_due: the boxes are again as they were saved; read them.

    changed: the answer's boxes are others.

    layers_missing: there is nothing to review on the map. problem: a sentence.
    """

    started = pyqtSignal(object)
    answer_due = pyqtSignal(object)
    layers_missing = pyqtSignal()
    changed = pyqtSignal()
    problem = pyqtSignal(str)

    def __init__(self, panel: AnswerPanel, updating: Updating) -> None:
        super().__init__()
        self._panel = panel
        self._updating = updating
        self._run: Run | None = None
        self._layer: QgsVectorLayer | None = None
        self._session: ReviewSession | None = None
        self._touched: set[int] = set()
        panel.review_toggled.connect(self._toggle)
        panel.review_requested.connect(self._decide)

    def set_run(self, run: Run | None) -> None:
        """Review this run from now on; None, or one without layers: nothing. What was being reviewed is saved."""
        layers = None if run is None else run.layers
        layer = None if layers is None else layers.evidence
        if layer is not self._layer and self._is_editing:
            self.save()
        self._run = run
        if run is None or layers is None:
            self._layer = self._session = None
            self._touched.clear()
            self._panel.set_review_sentence("")
            self._show_mode()
            return
        if layer is self._layer and self._session is not None:
            self._session.set_answer(run.answer)
        else:
            self._layer = layer
            self._touched.clear()
            self._session = ReviewSession(layers, run.answer, run.asked)
            self._session.changed.connect(self._edited)
            self._listen(layer)
        self._show_mode()
        self._say()

    def close(self) -> None:
        """Listen no more; what is being edited stays so."""
        self._run = self._layer = self._session = None

    def save(self) -> bool:
        """Keep all decisions; whether they are kept."""
        if self._session is None:
            return True
        try:
            self._session.save()
        except ReviewError as err:
            self.problem.emit(str(err))
            return False
        return True

    def _listen(self, layer: QgsVectorLayer) -> None:
        """Connections end with the layer; those of one that is not reviewed any more do nothing."""

        def only_now(act: Callable[..., None]) -> Callable[..., None]:
            return lambda *values: act(*values) if layer is self._layer else None

        layer.attributeValueChanged.connect(only_now(self._touch))
        layer.geometryChanged.connect(only_now(self._touch))
        layer.featureAdded.connect(only_now(self._touch))
        layer.featureDeleted.connect(only_now(self._deleted))
        layer.afterCommitChanges.connect(only_now(self._saved))
        layer.afterRollBack.connect(only_now(self._rolled_back))
        layer.editingStarted.connect(only_now(self._show_mode))
        layer.editingStopped.connect(only_now(self._show_mode))

    def _toggle(self, reviewing: bool) -> None:
        if self._session is None:
            self._panel.set_reviewing(False)
            self.layers_missing.emit()
            return
        if not reviewing:
            self.save()
            self._show_mode()
            return
        try:
            self._session.start()
        except ReviewError as err:
            self.problem.emit(str(err))
        else:
            self._layer.removeSelection()  # QGIS's tools move what is selected, wherever the mouse is
            self.started.emit(self._layer)
        self._show_mode()

    def _decide(self, keys: list, decision: str | None) -> None:
        session, run = self._session, self._run
        if session is None or run is None:
            return
        act = {"accepted": session.accept, "rejected": session.reject, None: session.clear}[decision]
        try:
            act(run.fids(keys))
        except ReviewError as err:
            self.problem.emit(str(err))

    @property
    def _is_editing(self) -> bool:
        return self._layer is not None and not sip.isdeleted(self._layer) and self._layer.isEditable()

    def _show_mode(self) -> None:
        self._panel.set_reviewing(self._is_editing)

    def _touch(self, fid: int, *_: object) -> None:
        self._touched.add(fid)

    def _deleted(self, fid: int) -> None:
        if self._run is not None:
            for key in self._run.keys([fid]):
                box = self._run.answer.box(key)
                if box is not None:
                    self._run.answer.part(box.answer_id).drop(key)
        self._touched.discard(fid)

    def _edited(self) -> None:
        """Show in the dock what was edited, before it is saved."""
        run, session = self._run, self._session
        if run is None or session is None:
            return
        touched, self._touched = self._touched, set()
        for fid in touched:
            if fid not in session.rows:
                continue
            row = session.rows[fid]
            if row.answer_id is None or row.evidence_id is None:
                continue  # it gets its number in a moment
            before = run.answer.box(f"{row.answer_id}:{row.evidence_id}") or _drawn(
                self._layer.getFeature(fid), row.answer_id, row.evidence_id, run
            )
            run.answer.part(row.answer_id).add_evidence(
                replace(
                    before,
                    label=row.label or "",
                    verdict=row.verdict or before.verdict,
                    review=row.review,
                    counted=is_counted(row.verdict, row.review),
                )
            )
        self._say()
        if touched:
            self.changed.emit()

    def _say(self) -> None:
        session, run = self._session, self._run
        if session is None or run is None:
            return
        words = session.sentence()
        if words and session.is_modified:
            words = tr("{counts}, not saved yet").format(counts=words)
        self._panel.set_review_sentence(words)

    def _rolled_back(self) -> None:
        if self._run is not None:
            self.answer_due.emit(self._run)

    def _saved(self) -> None:
        """The review is in the file: let the engine say what follows from it."""
        if self._run is not None:
            self._updating.update(self._run)


def _drawn(feature: QgsFeature, answer_id: str, evidence_id: str, run: Run) -> Evidence:
    """A box that a person drew, as the dock lists it."""
    cells = {
        name: None if value == NULL else value
        for name, value in zip(feature.fields().names(), feature.attributes())
    }
    part = run.answer.part(answer_id)
    crs = next((one.crs for one in part.evidence), None)
    row = {
        "answer_id": answer_id,
        "evidence_id": evidence_id,
        "quote": text_of(cells.get("quote")),
        "role": "evidence",
    }
    return Evidence.from_row(row, crs, True)
