"""The columns of the evidence layer that a review reads, of every box at once, kept right while it is edited.

Knows one evidence layer. Refuses to know geometries and what a review means. Counting 50,000 boxes after each click
must not read the layer again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from qgis.core import QgsFeature, QgsFeatureRequest, QgsVectorLayer
from qgis.PyQt.QtCore import QObject, pyqtSignal

from groundproof_qgis.answer.evidence import Evidence, number_of


class ReviewRow(NamedTuple):
    """One box as the review sees it; None where a cell is empty."""

    answer_id: str | None = None
    evidence_id: str | None = None
    verdict: str | None = None
    review: str | None = None
    label: str | None = None


class ReviewRows(QObject):
    """Rows by feature id. `changed` is emitted after every change, also many times in a row."""

    changed = pyqtSignal()

    def __init__(self, layer: QgsVectorLayer) -> None:
        super().__init__()
        self._layer = layer
        self._columns = {layer.fields().indexOf(name): name for name in ReviewRow._fields}
        self._rows: dict[int, ReviewRow] | None = None
        self._seed: tuple[Evidence, ...] = ()
        layer.attributeValueChanged.connect(self._value_changed)
        layer.featureAdded.connect(self._added)
        layer.featureDeleted.connect(self._deleted)
        layer.afterRollBack.connect(self.forget)

    def seed(self, evidence: Iterable[Evidence]) -> None:
        """Know these boxes, where they are exactly the layer's, read from the same file a moment ago."""
        rows = tuple(evidence)
        same = not self._layer.isModified() and len(rows) == self._layer.featureCount()
        # Made into rows when the first one is asked for: opening a result has enough to do.
        self._rows, self._seed = None, rows if same and all(one.fid is not None for one in rows) else ()
        self.changed.emit()

    @property
    def has_reviews(self) -> bool:
        """Whether anybody has decided about any box."""
        return any(one.review for one in self._seed or self)

    def __getitem__(self, fid: int) -> ReviewRow:
        return self._known()[fid]

    def __contains__(self, fid: int) -> bool:
        return fid in self._known()

    def __iter__(self) -> Iterator[ReviewRow]:
        return iter(self._known().values())

    def of_answer(self, answer_id: str) -> Iterator[ReviewRow]:
        """The rows of one answer."""
        return (row for row in self._known().values() if row.answer_id == answer_id)

    def fids_named(self, answer_id: str, evidence_id: str) -> list[int]:
        """Features that carry this number; more than one after a box was copied."""
        return [
            fid
            for fid, row in self._known().items()
            if row.evidence_id == evidence_id and row.answer_id == answer_id
        ]

    def next_number(self, answer_id: str) -> str:
        """The E-number after the highest of the answer, as the engine gives it."""
        return f"E{max((number_of(row.evidence_id) for row in self.of_answer(answer_id)), default=0) + 1}"

    def forget(self, *_: object) -> None:
        """Read the layer again when next asked."""
        self._rows, self._seed = None, ()
        self.changed.emit()

    def _known(self) -> dict[int, ReviewRow]:
        seed, self._seed = self._seed, ()
        if seed:
            self._rows = {
                one.fid: ReviewRow(
                    one.answer_id, one.evidence_id, one.verdict, one.review or None, one.label or None
                )
                for one in seed
            }
        elif self._rows is None:
            request = QgsFeatureRequest().setFlags(QgsFeatureRequest.Flag.NoGeometry)
            request.setSubsetOfAttributes(list(self._columns))
            self._rows = {one.id(): self._row(one) for one in self._layer.getFeatures(request)}
        return self._rows

    def _row(self, feature: QgsFeature) -> ReviewRow:
        return ReviewRow(**{name: text_of(feature.attribute(i)) for i, name in self._columns.items()})

    def _value_changed(self, fid: int, column: int, value: Any) -> None:
        if column in self._columns and self._is_known and fid in self:
            self._rows[fid] = self._rows[fid]._replace(**{self._columns[column]: text_of(value)})
            self.changed.emit()

    def _added(self, fid: int) -> None:
        if self._is_known:
            self._known()[fid] = self._row(self._layer.getFeature(fid))
            self.changed.emit()

    def _deleted(self, fid: int) -> None:
        if self._is_known and self._known().pop(fid, None) is not None:
            self.changed.emit()

    @property
    def _is_known(self) -> bool:
        """Whether the rows are those before the edit that is told about."""
        return self._rows is not None or bool(self._seed)


def text_of(value: Any) -> str | None:
    """A cell as text; None for NULL, however QGIS spells it, and for empty text."""
    return value if isinstance(value, str) and value else None
