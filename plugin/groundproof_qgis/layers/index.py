"""Which feature is which box, both ways, kept right while the layer is edited.

Knows one evidence layer. Refuses to know geometries. With 50,000 boxes looking a number up must not read the layer, and
neither may saving.
"""

from __future__ import annotations

from collections.abc import Iterable

from qgis.core import QgsFeature, QgsFeatureRequest, QgsVectorLayer
from qgis.PyQt.QtCore import QObject

from groundproof_qgis.answer.evidence import Evidence

Name = tuple[str, str]
"""(answer_id, evidence_id)."""


class EvidenceIndex(QObject):
    """Numbers to feature ids of one evidence layer. The layer must live as long as it.

    evidence: what was read from the same file a moment ago, so that the layer need not be read again.
    """

    def __init__(self, layer: QgsVectorLayer, evidence: Iterable[Evidence] = ()) -> None:
        super().__init__()
        self.layer = layer
        self._columns = [layer.fields().indexOf(name) for name in ("answer_id", "evidence_id")]
        self._fids: dict[Name, int] = {}
        self._names: dict[int, Name] = {}
        self._is_known = False
        self._seed: tuple[Evidence, ...] = ()
        self.seed(evidence)
        layer.featureAdded.connect(self._added)
        layer.featureDeleted.connect(self._deleted)
        layer.attributeValueChanged.connect(self._value_changed)
        for signal in (layer.afterRollBack, layer.dataSourceChanged, layer.willBeDeleted):
            signal.connect(self.forget)

    def seed(self, evidence: Iterable[Evidence]) -> None:
        """Know these boxes, where they are exactly the layer's; else the layer is read when first asked."""
        self.forget()
        rows = tuple(evidence)
        if rows and not self.layer.isModified() and len(rows) == self.layer.featureCount():
            self._seed = rows  # sorted in when first asked: opening a result has enough to do

    def prepare(self) -> None:
        """Be quick when first asked."""
        self._know()

    def fid(self, answer_id: str, evidence_id: str) -> int | None:
        """The feature of a box; None where it is not in the layer (any more)."""
        self._know()
        return self._fids.get((answer_id, evidence_id))

    def fids(self, names: Iterable[Name]) -> list[int]:
        """The features of these boxes, as far as they are in the layer."""
        self._know()
        return [self._fids[name] for name in names if name in self._fids]

    def name(self, fid: int) -> Name | None:
        """(answer_id, evidence_id) of a feature; None for one without a number."""
        self._know()
        return self._names.get(fid)

    def forget(self, *_: object) -> None:
        """Read the layer again when next asked."""
        self._fids, self._names, self._is_known, self._seed = {}, {}, False, ()

    def _know(self) -> None:
        if self._is_known:
            return
        seed, self._seed = self._seed, ()
        if seed and all(one.fid is not None and one.evidence_id for one in seed):
            names = [(one.answer_id, one.evidence_id) for one in seed]
            fids = [one.fid for one in seed]
            self._fids, self._names = dict(zip(names, fids)), dict(zip(fids, names))
            self._is_known = True
            return
        request = QgsFeatureRequest().setFlags(QgsFeatureRequest.Flag.NoGeometry)
        request.setSubsetOfAttributes(self._columns)
        for feature in self.layer.getFeatures(request):
            self._put(feature.id(), self._name_of(feature))
        self._is_known = True

    def _name_of(self, feature: QgsFeature) -> Name | None:
        answer_id, evidence_id = (feature.attribute(i) for i in self._columns)
        if not isinstance(evidence_id, str) or not evidence_id:
            return None
        return (answer_id if isinstance(answer_id, str) else "", evidence_id)

    def _put(self, fid: int, name: Name | None) -> None:
        if name is not None:
            self._fids[name] = fid
            self._names[fid] = name

    def _added(self, fid: int) -> None:
        if self._is_known or self._seed:
            self._know()
            self._put(fid, self._name_of(self.layer.getFeature(fid)))

    def _deleted(self, fid: int) -> None:
        if self._seed:
            self._know()
        name = self._names.pop(fid, None)
        if name is not None and self._fids.get(name) == fid:
            del self._fids[name]

    def _value_changed(self, fid: int, column: int, _value: object) -> None:
        if (self._is_known or self._seed) and column in self._columns:
            self._know()
            self._deleted(fid)
            self._put(fid, self._name_of(self.layer.getFeature(fid)))
