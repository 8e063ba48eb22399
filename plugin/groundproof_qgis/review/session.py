"""A review: accept, reject, move and add boxes with ordinary QGIS editing, undo and redo.

Knows the evidence layer's edit buffer and the decisions of a person. Refuses to know the engine (`update`), widgets,
and what other tools did to boxes (`by_hand`).
"""

from __future__ import annotations

from collections.abc import Iterable

from qgis.core import QgsVectorLayer
from qgis.PyQt.QtCore import QObject, QTimer, pyqtSignal

from groundproof_qgis.answer.answer import Answer
from groundproof_qgis.answer.counting import Counts, count
from groundproof_qgis.i18n_text import tr
from groundproof_qgis.layers.result import ResultLayers, source_of
from groundproof_qgis.review.by_hand import BY_HAND, HandEdits
from groundproof_qgis.review.defaults import set_defaults
from groundproof_qgis.review.errors import ReviewError
from groundproof_qgis.review.rows import ReviewRows
from groundproof_qgis.review.writing import ReviewWriter

CHANGED_MS = 50


class ReviewSession(QObject):
    """The review of one run's evidence.

    answer: as it was saved last. asked: labels by question (`Tables.labels_asked`). `changed` is emitted a little after
    edits, once for many of them. `start`, `save` and the decisions raise ReviewError.
    """

    changed = pyqtSignal()

    def __init__(
        self, layers: ResultLayers, answer: Answer, asked: dict[str, tuple[str, ...]] | None = None
    ) -> None:
        super().__init__()
        self._layer: QgsVectorLayer = layers.evidence
        self._asked = dict(asked or {})
        self.rows = ReviewRows(self._layer)
        self._writer = ReviewWriter(self._layer, self.rows)
        self._by_hand = HandEdits(layers, self.rows, self._writer)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(CHANGED_MS)
        self._timer.timeout.connect(self.changed)
        self.rows.changed.connect(self._timer.start)
        self.set_answer(answer)

    def set_answer(self, answer: Answer) -> None:
        """The answer was made anew."""
        self.answer = answer
        self._by_hand.set_answer(answer, self._asked)
        set_defaults(self._layer, answer, self._asked)
        self.rows.seed(answer.evidence)

    @property
    def is_modified(self) -> bool:
        """Whether there are decisions that are not saved."""
        return self._layer.isModified()

    def counts(self) -> dict[str, Counts]:
        """What the review makes of each answer, before the engine has said it; one look at the rows for all."""
        of_answer: dict[str | None, list[tuple[str | None, str | None, str | None]]] = {}
        for row in self.rows:
            of_answer.setdefault(row.answer_id, []).append((row.verdict, row.review, row.label))
        return {
            name: count(of_answer.get(name, ()), part.asked_labels_missed, part.task)
            for name, part in self.answer.parts.items()
        }

    def sentence(self) -> str:
        """The counts in words, of every answer; "" before anything was reviewed."""
        if not self.rows.has_reviews:
            return ""  # without counting 50,000 boxes
        counts = self.counts()
        if not any(one.reviewed for one in counts.values()):
            return ""
        if len(counts) == 1:
            return next(iter(counts.values())).sentence
        return "; ".join(f"{name} {one.sentence}" for name, one in counts.items())

    def start(self) -> None:
        """Begin to edit, where it has not begun. Raises ReviewError for a file that cannot be written."""
        if self._layer.isEditable() or self._layer.startEditing():
            return
        raise ReviewError(
            tr(
                "{path} cannot be written: it is read-only, or another program holds it. Save the GeoPackage to "
                "another place and review that one."
            ).format(path=source_of(self._layer))
        )

    def accept(self, fids: Iterable[int]) -> None:
        """A person says: it is there. A box that was moved or added stays so."""
        self._decide(fids, "accepted", tr("Accept evidence"))

    def reject(self, fids: Iterable[int]) -> None:
        """A person says: it is not there, or not what was asked for."""
        self._decide(fids, "rejected", tr("Reject evidence"))

    def clear(self, fids: Iterable[int]) -> None:
        """Take yes and no back. Raises ReviewError for boxes that were moved or added: undo or deleting does that."""
        fids = list(fids)
        by_hand = [self.rows[fid] for fid in fids if self.rows[fid].review in BY_HAND]
        if by_hand:
            names = ", ".join(str(row.evidence_id) for row in by_hand[:5])
            raise ReviewError(
                tr(
                    "{names} was drawn or changed by hand, which cannot be cleared. Undo the change, delete the box, "
                    "or reject it."
                ).format(names=names)
            )
        self._decide(fids, None, tr("Clear review"))

    def save(self) -> None:
        """Write the decisions into the GeoPackage and end editing. Raises ReviewError, and keeps them, if it cannot."""
        if self._layer.isEditable() and not self._layer.commitChanges():
            raise ReviewError(
                tr(
                    "The review could not be written to {path}: {reason}. It is kept in the layer; close other "
                    "programs that use the file and save again."
                ).format(path=source_of(self._layer), reason="; ".join(self._layer.commitErrors()))
            )

    def _decide(self, fids: Iterable[int], review: str | None, command: str) -> None:
        self.start()
        self._layer.beginEditCommand(command)
        for fid in fids:
            row = self.rows[fid]
            if row.review == review or (review == "accepted" and row.review in BY_HAND):
                continue
            self._writer.decide(fid, review)
        self._layer.endEditCommand()
        self._layer.triggerRepaint()
