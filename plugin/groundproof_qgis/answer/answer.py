"""A run's answer as it grows from a job's events, or as a saved GeoPackage holds it.

Knows the events' words and their order. Refuses to know HTTP, layers and widgets. Adding an event twice changes
nothing, so a watcher that reconnected may tell more than it has to.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from groundproof_qgis.answer.counting import is_counted
from groundproof_qgis.answer.evidence import Evidence, plain
from groundproof_qgis.answer.part import Coverage, Part, Tile
from groundproof_qgis.i18n_text import tr

ASKING = "asking"
DONE = "done"
CANCELLED = "cancelled"
FAILED = "failed"
INTERRUPTED = "interrupted"
"""Nobody watches any more; the engine may go on."""

_STATUS = {"successful": DONE, "dismissed": CANCELLED, "failed": FAILED}
"""The engine's words for how a job ended."""

EVENTS = frozenset(
    {"progress", "note", "plan", "evidence", "synthesis", "answer", "coverage", "audit", "error", "done"}
)
"""Names of events that say something of the answer."""

MAX_LINES = 3
"""Answers put into one line; further ones are numbered."""


class Answer:
    """Everything known of one run, for the dock, the layers and the report.

    status: asking, done, cancelled, failed or interrupted. tiles, answered, failed: of the progress; tiles is 0 until
    it is known. error: the sentence of a failed job. sentence: how the job ended, in words. metadata: of a saved
    result: model, versions, configuration.
    """

    def __init__(self, question: str = "") -> None:
        self.question = question
        self.status = ASKING
        self.sentence = ""
        self.error = ""
        self.stage = ""
        self.tiles = self.answered = self.failed = 0
        self.notes: list[str] = []
        self.plans: list[str] = []
        self.parts: dict[str, Part] = {}
        self.metadata: dict[str, Any] = {}

    @classmethod
    def from_tables(
        cls,
        evidence: Iterable[Mapping[str, Any]],
        answers: Iterable[Mapping[str, Any]],
        tiles: Iterable[Mapping[str, Any]] = (),
        crs: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Answer:
        """Of a saved result: rows by column name, JSON columns parsed or as text, geometry (GeoJSON) as `geometry`."""
        made = cls()
        made.status = DONE
        made.metadata = dict(metadata or {})
        for row in answers:
            part = made.part(str(row["answer_id"]))
            part.set_answer(row)
            part.synthesis = str(row.get("synthesis") or "")
            part.coverage = Coverage.from_document(plain(row.get("coverage")) or {})
            part.set_findings(plain(row.get("audit")) or ())
            made.question = made.question or part.question
        for row in evidence:
            one = Evidence.from_row(row, crs, is_counted(row.get("verdict"), row.get("review")))
            made.part(one.answer_id).add_evidence(one)
        by_part: dict[str, list[Tile]] = {}
        for row in tiles:
            window = tuple(float(v) for v in plain(row.get("window_px")) or ())
            by_part.setdefault(str(row["answer_id"]), []).append(Tile(str(row["tile_id"]), window))
        for answer_id, of_part in by_part.items():
            made.part(answer_id).tiles = tuple(of_part)
        covers = [part.coverage for part in made.parts.values() if part.coverage is not None]
        made.tiles = sum(cover.tiles for cover in covers)
        made.failed = sum(cover.failed for cover in covers)
        made.answered = made.tiles
        made.plans = list(dict.fromkeys(part.plan for part in made.parts.values() if part.plan))
        return made

    @property
    def is_running(self) -> bool:
        """Whether more may come."""
        return self.status == ASKING

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """All boxes, by answer."""
        return tuple(one for part in self.parts.values() for one in part.evidence)

    @property
    def line(self) -> str:
        """The answer in one line, plain text; while it is made, how far it is."""
        answers = [part for part in self.parts.values() if part.line]
        if not answers:
            return self._live_line()
        if len(self.parts) == 1:
            return answers[0].line
        words = "; ".join(f"{part.answer_id} {part.line}" for part in answers[:MAX_LINES])
        if len(answers) > MAX_LINES:
            words = tr("{answers}; and {n} more answers").format(answers=words, n=len(answers) - MAX_LINES)
        return words

    @property
    def weaknesses(self) -> tuple[str, ...]:
        """What makes the answer weaker than it reads; plain text. With several answers each says which it is of."""
        several = len(self.parts) > 1
        found = [
            f"{part.answer_id}: {sentence}" if several else sentence
            for part in self.parts.values()
            for sentence in part.weaknesses
        ]
        if self.status == CANCELLED:
            found.insert(0, self.sentence or tr("cancelled before all tiles were looked at"))
        elif self.status == FAILED:
            found.insert(0, self.error or self.sentence or tr("the engine stopped before it had answered"))
        elif self.status == INTERRUPTED:
            found.insert(0, self.sentence or tr("nobody waited for the answer; follow it again"))
        return tuple(dict.fromkeys(found))

    @property
    def coverage_sentence(self) -> str:
        """What was looked at; while the model writes, the progress."""
        covers = [part.coverage for part in self.parts.values() if part.coverage is not None]
        if covers:
            return "; ".join(dict.fromkeys(cover.sentence for cover in covers))
        if not self.tiles:
            return ""
        words = tr("{n} of {tiles} tiles").format(n=self.answered, tiles=self.tiles)
        return tr("{progress}, {n} failed").format(progress=words, n=self.failed) if self.failed else words

    def part(self, answer_id: str) -> Part:
        """The answer of that id, made where it is new."""
        return self.parts.setdefault(answer_id, Part(answer_id))

    def find(self, evidence_id: str, answer_id: str | None = None) -> Evidence | None:
        """The box of that number; without answer_id, of the one answer or the first that has it."""
        parts = self.parts.values() if answer_id is None else filter(None, [self.parts.get(answer_id)])
        return next((one for one in (part.find(evidence_id) for part in parts) if one is not None), None)

    def box(self, key: str) -> Evidence | None:
        """The box of that key, live or final; None for one that is not there (any more)."""
        return next((one for one in (part.box(key) for part in self.parts.values()) if one is not None), None)

    def add(self, name: str, data: Mapping[str, Any]) -> bool:
        """Take one event; whether it changed anything. Events of unknown names are left alone.

        A part that only some events spoke of yet is simply incomplete: any order that the engine may send is right.
        """
        return bool(getattr(self, f"_take_{name}")(data)) if name in EVENTS else False

    @staticmethod
    def understands(name: str, data: Mapping[str, Any]) -> bool:
        """Whether `add` can take this event, whatever came before it: another program may have written it."""
        made = Answer()
        try:
            made.add(name, data)
        except (KeyError, TypeError, ValueError, AttributeError):
            return False
        named = [text for one in made.evidence for text in (one.evidence_id, one.crs, one.review)]
        return all(text is None or isinstance(text, str) for text in named)

    def end(self, status: str, sentence: str = "") -> None:
        """The run ended in another way than by a `done` event: a dead engine, a cancel that nobody answered."""
        self.status, self.sentence = status, sentence

    def _live_line(self) -> str:
        boxes = len(self.evidence)
        if not boxes and not self.tiles:
            return self.stage if self.is_running else ""
        found = tr("1 box so far") if boxes == 1 else tr("{n} boxes so far").format(n=boxes)
        if not self.is_running:
            found = tr("1 box, no answer") if boxes == 1 else tr("{n} boxes, no answer").format(n=boxes)
        return f"{found}, {self.coverage_sentence}" if self.tiles else found

    def _take_progress(self, data: Mapping[str, Any]) -> bool:
        before = (self.answered, self.tiles, self.failed, self.stage)
        self.answered, self.tiles, self.failed = (
            int(data.get(name) or 0) for name in ("answered", "tiles", "failed")
        )
        self.stage = str(data.get("stage") or "")
        return before != (self.answered, self.tiles, self.failed, self.stage)

    def _take_note(self, data: Mapping[str, Any]) -> bool:
        return _append(self.notes, data.get("text"))

    def _take_plan(self, data: Mapping[str, Any]) -> bool:
        return _append(self.plans, data.get("text"))

    def _take_evidence(self, data: Mapping[str, Any]) -> bool:
        one = Evidence.from_document(data)
        return self.part(one.answer_id).add_evidence(one)

    def _take_synthesis(self, data: Mapping[str, Any]) -> bool:
        part, text = self.part(str(data["answer_id"])), str(data.get("text") or "")
        ended, same = part.finish_live(), part.synthesis == text
        part.synthesis = text
        return ended or not same

    def _take_answer(self, data: Mapping[str, Any]) -> bool:
        part = self.part(str(data["answer_id"]))
        before = (part.line, part.value, part.is_final)
        part.set_answer(data)
        self.question = self.question or part.question
        return before != (part.line, part.value, part.is_final)

    def _take_coverage(self, data: Mapping[str, Any]) -> bool:
        part, cover = self.part(str(data["answer_id"])), Coverage.from_document(data)
        changed, part.coverage = part.coverage != cover, cover
        return changed

    def _take_audit(self, data: Mapping[str, Any]) -> bool:
        part = self.part(str(data["answer_id"]))
        before = part.findings
        part.set_findings(data.get("findings") or ())
        return before != part.findings

    def _take_error(self, data: Mapping[str, Any]) -> bool:
        sentence = str(data.get("detail") or data.get("title") or "")
        changed, self.error = self.error != sentence, sentence
        return changed

    def _take_done(self, data: Mapping[str, Any]) -> bool:
        status = _STATUS.get(str(data.get("status")), FAILED)
        changed = status != self.status
        self.end(status, str(data.get("message") or ""))
        return changed


def _append(texts: list[str], text: Any) -> bool:
    words = str(text or "").strip()
    if not words or words in texts:
        return False
    texts.append(words)
    return True
