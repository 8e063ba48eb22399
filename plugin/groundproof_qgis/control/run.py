"""One run while QGIS knows it: its record, its answer, its layers.

Knows what belongs together. Refuses to know who changes it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from groundproof_qgis.answer.answer import Answer
from groundproof_qgis.answer.evidence import Evidence
from groundproof_qgis.gui.history_menu import when_words
from groundproof_qgis.history import store
from groundproof_qgis.history.record import DAMAGED, RunRecord
from groundproof_qgis.layers.group import run_title
from groundproof_qgis.layers.index import EvidenceIndex
from groundproof_qgis.layers.live import LiveLayer
from groundproof_qgis.layers.result import ResultLayers


@dataclass
class Run:
    """folder: where record and GeoPackage lie. live: boxes so far, None before the first and after the last. layers: of
    the GeoPackage, None while there is none. asked: labels by question, for boxes added by hand. is_orphan: the
    project it was asked in was closed meanwhile. seconds_left: while it is asked, None when not known.
    """

    record: RunRecord
    folder: Path
    answer: Answer
    live: LiveLayer | None = None
    layers: ResultLayers | None = None
    index: EvidenceIndex | None = None
    asked: dict[str, tuple[str, ...]] = field(default_factory=dict)
    is_orphan: bool = False
    seconds_left: float | None = None

    @property
    def path(self) -> Path:
        """Of the GeoPackage, whether it is there or not."""
        return self.folder / self.record.gpkg

    @property
    def title(self) -> str:
        """What its layers' group is called."""
        return run_title(self.record.question, when_words(self.record.asked_at))

    def note(self, **changes: Any) -> None:
        """Change the record, and keep it. Raises OSError; the change is known here in any case."""
        before, self.record = self.record, replace(self.record, **changes)
        if changes and self.record == before:
            return  # waiting for the disk takes longer than all else here
        if self.record.status != DAMAGED:  # what cannot be read is left as it is
            store.save(self.folder, self.record)

    def note_answer(self, **changes: Any) -> None:
        """Keep the answer as it is now, so that the list of runs needs no file opened. Raises OSError."""
        parts = list(self.answer.parts.values())
        value = [part.value for part in parts] if len(parts) > 1 else next((p.value for p in parts), None)
        cover = self.answer.coverage_sentence
        self.note(answer=self.answer.line, value=value, coverage=cover, **changes)

    def fids(self, keys: Iterable[str]) -> list[int]:
        """Features of these boxes in the layer that shows them now."""
        if self.index is not None:
            return self.index.fids((one.answer_id, one.evidence_id or "") for one in self.boxes(keys))
        return [] if self.live is None else self.live.fids(keys)

    def keys(self, fids: Iterable[int]) -> list[str]:
        """Boxes of these features."""
        if self.index is not None:
            names = (self.index.name(fid) for fid in fids)
            found = (self.answer.find(name[1], name[0]) for name in names if name is not None)
            return [one.key for one in found if one is not None]
        return [] if self.live is None else self.live.keys(fids)

    def boxes(self, keys: Iterable[str]) -> list[Evidence]:
        """These boxes, as far as the answer has them (still)."""
        return [one for one in map(self.answer.box, keys) if one is not None]
