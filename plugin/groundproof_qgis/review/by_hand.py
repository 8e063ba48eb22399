"""What ordinary editing means: a box whose place or name was changed is adjusted, a new one is added.

Knows the edit buffer's signals and QGIS's undo. Refuses to know which tool was used. Marks become part of the same undo
step where QGIS allows it, and a step of their own where it does not.
"""

from __future__ import annotations

from qgis.core import NULL, QgsFeatureRequest, QgsGeometry, QgsVectorLayer
from qgis.PyQt.QtCore import QObject, QTimer

from groundproof_qgis.answer.answer import Answer
from groundproof_qgis.i18n_text import tr
from groundproof_qgis.layers.result import ResultLayers
from groundproof_qgis.review.defaults import added_quote, default_label
from groundproof_qgis.review.rows import ReviewRows, text_of
from groundproof_qgis.review.writing import ReviewWriter

BY_HAND = frozenset({"adjusted", "added"})
"""Reviews that say more than a yes: accepting such a box again keeps them."""

AGAIN_MS = 50

_OF_THE_MODEL = ("tile_ids", "parents", "text_start", "text_end", "box_px", "angle_deg", "score", "label_raw")
"""Cells that a copy of a box must not keep: a person drew it, no tile saw it. The sizes follow with the audit."""


class HandEdits(QObject):
    """Marks what was edited by hand in one evidence layer."""

    def __init__(self, layers: ResultLayers, rows: ReviewRows, writer: ReviewWriter) -> None:
        super().__init__()
        self._layers = layers
        self._layer: QgsVectorLayer = layers.evidence
        self._rows = rows
        self._writer = writer
        self._answer = Answer()
        self._asked: dict[str, tuple[str, ...]] = {}
        self._moved: set[int] = set()
        self._new: set[int] = set()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._settle_later)
        self._layer.geometryChanged.connect(self._geometry_changed)
        self._layer.attributeValueChanged.connect(self._value_changed)
        self._layer.featureAdded.connect(self._feature_added)
        self._layer.beforeCommitChanges.connect(self._before_commit)
        self._layer.afterRollBack.connect(self._forget)

    def set_answer(self, answer: Answer, asked: dict[str, tuple[str, ...]]) -> None:
        """What new boxes belong to. asked: labels by question."""
        self._answer, self._asked = answer, asked

    def _geometry_changed(self, fid: int, _geometry: QgsGeometry) -> None:
        self._touched(fid)

    def _value_changed(self, fid: int, column: int, value: object) -> None:
        if self._writer.is_writing:
            return
        if column == self._writer.column["label"]:
            self._touched(fid)
        elif column == self._writer.column["review"] and self._layer.isEditCommandActive() and fid >= 0:
            # Chosen in a form or the attribute table: what follows from it belongs to the same step.
            self._writer.decide(fid, text_of(value))

    def _touched(self, fid: int) -> None:
        """A box was changed by hand. Within an edit command the mark becomes part of the same undo step.

        Undo and redo tell of the same changes without an edit command; then, and for edits from scripts, it is seen
        afterwards whether the box differs from the saved one.
        """
        if fid < 0:
            return  # a new box; an edit of an added feature from here would confuse QGIS's undo
        if self._layer.isEditCommandActive():
            if fid in self._rows and self._rows[fid].review not in BY_HAND:
                self._writer.decide(fid, "adjusted")
        else:
            self._moved.add(fid)
            self._timer.start(0)

    def _feature_added(self, fid: int) -> None:
        if fid < 0:
            self._new.add(fid)
            self._timer.start(0)

    def _settle_later(self) -> None:
        if self._layer.isEditCommandActive():
            self._timer.start(AGAIN_MS)
        else:
            self._settle()

    def _before_commit(self, *_: object) -> None:
        if self._layer.isEditable():
            self._new |= {fid for fid in self._layer.editBuffer().addedFeatures() if fid in self._rows}
        self._settle(saving=True)

    def _settle(self, *, saving: bool = False) -> None:
        """Give new boxes what they lack and mark changed ones, each as an undo step of its own where needed.

        saving: now is also when new boxes were reviewed. An undo step for the time alone would puzzle people.
        """
        moved, self._moved = self._moved, set()
        new, self._new = self._new, set()
        if not self._layer.isEditable():
            return
        wanted = {fid: self._missing(fid, saving) for fid in sorted(new, reverse=True) if fid in self._rows}
        marks = [fid for fid in sorted(moved) if self._is_changed(fid)]
        if not any(wanted.values()) and not marks:
            return
        self._layer.beginEditCommand(tr("Complete the review"))
        for fid in wanted:
            # Asked again: numbers given in this loop count.
            self._writer.write(fid, **self._missing(fid, saving))
        for fid in marks:
            self._writer.decide(fid, "adjusted")
        self._layer.endEditCommand()

    def _missing(self, fid: int, saving: bool) -> dict[str, object]:
        """Cells that a new box should have and has not."""
        feature = self._layer.getFeature(fid)
        row = self._rows[fid]
        answer_id = (
            row.answer_id if row.answer_id in self._answer.parts else self._answer_at(feature.geometry())
        )
        part = self._answer.parts.get(answer_id)
        is_copy = len(self._rows.fids_named(answer_id, row.evidence_id)) > 1 if row.evidence_id else False
        cells: dict[str, object] = {}
        if answer_id != row.answer_id:
            cells["answer_id"] = answer_id
        if is_copy or row.evidence_id is None:
            cells["evidence_id"] = self._rows.next_number(answer_id)
        defaults: dict[str, object] = {
            "role": "evidence",
            "review": "added",
            "verdict": "supported",
            "quote": added_quote(),
            "scene": part.scene if part is not None else None,
            "run_id": self._answer.metadata.get("run_id"),
            "image": 0,
            "label": default_label(
                self._answer, answer_id, self._asked.get(part.question, ()) if part is not None else ()
            ),
        }
        for name, value in defaults.items():
            is_empty = feature.attribute(self._writer.column[name]) in (None, NULL, "")
            if value not in (None, "") and (is_empty or (is_copy and name in ("review", "verdict", "quote"))):
                cells[name] = value
        if is_copy:
            cells.update(dict.fromkeys(_OF_THE_MODEL))
        elif saving and row.review and feature.attribute(self._writer.column["reviewed_at"]) in (None, NULL):
            cells["review"] = cells.get("review", row.review)
        return cells

    def _answer_at(self, geometry: QgsGeometry) -> str:
        """The answer in whose area a box lies; the first where it lies in none."""
        names = list(self._answer.parts)
        if len(names) > 1 and not geometry.isNull():
            column = self._layers.answers.fields().indexOf("answer_id")
            request = QgsFeatureRequest().setFilterRect(geometry.boundingBox())
            middle = geometry.centroid()
            for area in self._layers.answers.getFeatures(request):
                if area.geometry().contains(middle):
                    return str(area.attribute(column))
        return names[0] if names else ""

    def _is_changed(self, fid: int) -> bool:
        """Whether a box lies elsewhere, or is called otherwise, than it was saved, and nobody has said so yet."""
        if fid not in self._rows or self._rows[fid].review in BY_HAND:
            return False
        request = QgsFeatureRequest(fid)
        saved = next(self._layer.dataProvider().getFeatures(request), None)
        if saved is None:
            return False
        now = self._layer.getFeature(fid)
        label = self._writer.column["label"]
        return not now.geometry().equals(saved.geometry()) or (
            text_of(now.attribute(label)) != text_of(saved.attribute(label))
        )

    def _forget(self) -> None:
        self._moved.clear()
        self._new.clear()
