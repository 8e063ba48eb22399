"""Which feature is which box, both ways, kept right while the layer is edited.

Knows one evidence layer. Refuses to know geometries. With 50,000 boxes looking a number up must not read the layer.
"""

from __future__ import annotations

from collections.abc import Iterable

from qgis.core import QgsFeatureRequest, QgsVectorLayer
from qgis.PyQt.QtCore import QObject

Name = tuple[str, str]
"""(answer_id, evidence_id)."""


class EvidenceIndex(QObject):
    """Numbers to feature ids of one evidence layer. The layer must live as long as it."""

    def __init__(self, layer: QgsVectorLayer) -> None:
        super().__init__()
        self._layer = layer
        self._fids: dict[Name, int] | None = None
        self._names: dict[int, Name] = {}
        self._columns = [layer.fields().indexOf(name) for name in ("answer_id", "evidence_id")]
        for signal in (
            layer.featureAdded,
            layer.featuresDeleted,
            layer.afterCommitChanges,
            layer.afterRollBack,
            layer.dataSourceChanged,
        ):
            signal.connect(self._forget)
        layer.attributeValueChanged.connect(self._value_changed)
        layer.willBeDeleted.connect(self._forget)

    def fid(self, answer_id: str, evidence_id: str) -> int | None:
        """The feature of a box; None where it is not in the layer (any more)."""
        return self._known().get((answer_id, evidence_id))

    def fids(self, names: Iterable[Name]) -> list[int]:
        """The features of these boxes, as far as they are in the layer."""
        known = self._known()
        return [known[name] for name in names if name in known]

    def name(self, fid: int) -> Name | None:
        """(answer_id, evidence_id) of a feature; None for one without a number."""
        self._known()
        return self._names.get(fid)

    def _known(self) -> dict[Name, int]:
        if self._fids is None:
            request = QgsFeatureRequest().setFlags(QgsFeatureRequest.Flag.NoGeometry)
            request.setSubsetOfAttributes(self._columns)
            self._fids, self._names = {}, {}
            for feature in self._layer.getFeatures(request):
                answer_id, evidence_id = (feature.attribute(i) for i in self._columns)
                if isinstance(evidence_id, str) and evidence_id:
                    name = (answer_id if isinstance(answer_id, str) else "", evidence_id)
                    self._fids[name] = feature.id()
                    self._names[feature.id()] = name
        return self._fids

    def _value_changed(self, _fid: int, column: int, _value: object) -> None:
        if column in self._columns:
            self._fids = None

    def _forget(self, *_: object) -> None:
        self._fids = None
