"""One answer of a run: of one scene, or of one of several areas.

Knows what events and saved rows say of it. Refuses to know the run's progress and how anything is shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from groundproof_qgis.answer.evidence import Evidence, plain
from groundproof_qgis.i18n_text import tr

WEAKENING = ("error", "warning")
"""Severities of findings that stand right below the answer."""

ALMOST_ALL = 0.95
"""Share of an area with imagery from which on the rest is not spoken of."""


@dataclass(frozen=True)
class Finding:
    """One thing the audit found. severity: error, warning or info. evidence: E-numbers. All texts are plain text."""

    kind: str
    severity: str
    sentence: str
    claim: str = ""
    verdict: str = "unchecked"
    evidence: tuple[str, ...] = ()

    @classmethod
    def from_document(cls, item: Mapping[str, Any]) -> Finding:
        """Of an item of an `audit` event or column."""
        return cls(
            kind=str(item.get("kind") or ""),
            severity=str(item.get("severity") or "info"),
            sentence=str(item.get("sentence") or ""),
            claim=str(item.get("claim") or ""),
            verdict=str(item.get("verdict") or "unchecked"),
            evidence=tuple(str(one) for one in item.get("evidence") or ()),
        )


@dataclass(frozen=True)
class Failure:
    """One tile that was not looked at. window_px: (x0, y0, x1, y1) in scene pixels."""

    window_px: tuple[float, ...]
    status: str
    reason: str


@dataclass(frozen=True)
class Coverage:
    """How much was looked at, in numbers and one sentence."""

    looked_at: int
    tiles: int
    skipped: int
    failed: int
    sentence: str
    failures: tuple[Failure, ...] = ()

    @classmethod
    def from_document(cls, data: Mapping[str, Any]) -> Coverage:
        """Of a `coverage` event or column."""
        return cls(
            *(int(data.get(name) or 0) for name in ("looked_at", "tiles", "skipped", "failed")),
            sentence=_with_gaps(str(data.get("sentence") or ""), data.get("valid_share")),
            failures=tuple(
                Failure(
                    tuple(float(v) for v in one.get("window_px") or ()),
                    str(one.get("status") or ""),
                    str(one.get("reason") or ""),
                )
                for one in data.get("failures") or ()
            ),
        )


def _with_gaps(sentence: str, valid_share: float | None) -> str:
    """The sentence, and how much of the area has no imagery, where that is worth saying: margins are no ground."""
    if not sentence or valid_share is None or valid_share >= ALMOST_ALL:
        return sentence
    gaps = tr("{n} % of the area has no imagery").format(n=round(100 * (1 - valid_share)))
    return f"{sentence}; {gaps}"


@dataclass(frozen=True)
class Tile:
    """One tile. window_px: (x0, y0, x1, y1) in scene pixels."""

    tile_id: str
    window_px: tuple[float, ...]


class Part:
    """One answer as it grows. Texts are the model's and the engine's: plain, untrusted, shown escaped only.

    value: a number, true or false, a label, a list, or None. tiles: in the order of the numbers that texts give them
    ("tile 1" first); empty while they are not known.
    """

    def __init__(self, answer_id: str) -> None:
        self.answer_id = answer_id
        self.scene = ""
        self.question = ""
        self.task = ""
        self.line = ""
        self.value: Any = None
        self.plan = ""
        self.synthesis = ""
        self.context: Any = None
        self.coverage: Coverage | None = None
        self.findings: tuple[Finding, ...] = ()
        self.tiles: tuple[Tile, ...] = ()
        self.is_final = False
        self._evidence: dict[str, Evidence] = {}
        self._by_id: dict[str, Evidence] = {}
        self._live = False

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """Live boxes in the order they came; final ones by number."""
        return tuple(self._evidence.values())

    @property
    def place(self) -> str:
        """What it is about: the name of its area where that has one, else of its image."""
        area = self.context.get("area") if isinstance(self.context, Mapping) else None
        return str(area or self.scene)

    @property
    def weaknesses(self) -> tuple[str, ...]:
        """What makes the answer weaker than it reads, most severe first; plain text."""
        sentences = [f.sentence for f in self.findings if f.severity in WEAKENING and f.kind != "coverage"]
        if self.coverage is not None and (self.coverage.failed or not self.coverage.looked_at):
            sentences.insert(0, self.coverage.sentence)
        return tuple(sentences)

    @property
    def asked_labels_missed(self) -> frozenset[str]:
        """Labels of boxes that the audit says were not asked for: the engine knows which noun is a kind of which."""
        named = {
            one for finding in self.findings if finding.kind == "other-label" for one in finding.evidence
        }
        return frozenset(self._by_id[one].label for one in named if one in self._by_id)

    def find(self, evidence_id: str) -> Evidence | None:
        """The box of that number."""
        return self._by_id.get(evidence_id)

    def box(self, key: str) -> Evidence | None:
        """The box of that key."""
        return self._evidence.get(key)

    def drop(self, key: str) -> None:
        """Forget a box that was deleted by hand."""
        gone = self._evidence.pop(key, None)
        if gone is not None and gone.evidence_id is not None:
            self._by_id.pop(gone.evidence_id, None)

    def tile_at(self, window_px: tuple[float, ...]) -> str | None:
        """The id of the tile with that window."""
        return next((one.tile_id for one in self.tiles if one.window_px == window_px), None)

    def add_evidence(self, one: Evidence) -> bool:
        """Take a box; whether that changed anything. A final box ends all live ones; a live one after that is late."""
        if not one.final and self.is_final:
            return False
        if one.final:
            self.finish_live()
        if self._evidence.get(one.key) == one:
            return False
        self._evidence[one.key] = one
        self._live = self._live or not one.final
        if one.evidence_id:
            self._by_id[one.evidence_id] = one
        return True

    def finish_live(self) -> bool:
        """No tile writes any more: forget the tiles' own boxes; whether there were any."""
        self.is_final = True
        had, self._live = bool(self._live), False
        if had:
            self._evidence = {key: one for key, one in self._evidence.items() if one.final}
        return had

    def set_answer(self, data: Mapping[str, Any]) -> None:
        """Take the `answer` event or a row of the answers table."""
        self.finish_live()
        self.scene = str(data.get("scene") or "")
        self.question = str(data.get("question") or "")
        self.task = str(data.get("task") or "")
        self.line = str(data.get("answer") or "") or tr("no answer")
        self.value = plain(data.get("value"))
        self.plan = str(data.get("plan") or "")
        self.context = plain(data.get("context"))

    def set_findings(self, items: Iterable[Mapping[str, Any]]) -> None:
        """Take the audit's findings, in their order."""
        self.findings = tuple(Finding.from_document(item) for item in items)
