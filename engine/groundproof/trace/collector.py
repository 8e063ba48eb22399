"""Boxes of a text with the words that name them.

Knows sentences, lists and citations: which clause a box belongs to, and whether it is new. Refuses to know
tags and sections; it is told the role of what it reads.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from groundproof.boxes import BoxFrame, ModelBox
from groundproof.trace import prose
from groundproof.trace.boxes_text import BoxReading, Point, order, read_bracket
from groundproof.trace.lexer import Token
from groundproof.trace.plain import clean
from groundproof.trace.scores import Scores
from groundproof.trace.types import Role, TraceEvidence

MAX_BOXES = 2000
"""Boxes kept of one text. A tile with more objects is not answered box by box, it is a model in a loop."""
MAX_COPIES = 20
"""Times the same box of one role is kept: copies are for the audit to show, loops are not."""
MAX_QUOTE = 600
"""Characters of a quote; of a longer clause, its end."""

Note = Callable[[str, str, int, int], None]
"""kind, sentence, text_start, text_end of a `Repair`."""


@dataclass(frozen=True, slots=True)
class _Clause:
    """The words a box belongs to. start, end: their place in the raw text. e_number: as the text calls it."""

    raw: str
    label: str
    quote: str
    start: int
    end: int
    e_number: int | None = None


class Collector:
    """Text and brackets in, evidence out, in order. `keep` is called with each piece of evidence, `note`
    with each repair, `first` once a section, before its first box, with the place where that box's
    sentence begins."""

    def __init__(
        self,
        frame: BoxFrame,
        asked: tuple[str, ...],
        *,
        several_images: bool,
        keep: Callable[[TraceEvidence], None],
        note: Note,
        first: Callable[[int], None],
    ) -> None:
        self._frame, self._asked, self._several_images = frame, asked, several_images
        self._tell, self._note, self._first = keep, note, first
        self.scores = Scores()
        self.evidence: list[TraceEvidence] = []
        self.answers: list[TraceEvidence] = []
        self.last_end: int | None = None
        """Where the last box of the section ends; None: no box yet."""
        self._pending: list[tuple[TraceEvidence, int | None]] = []
        self._sentence_of: dict[ModelBox, int] = {}
        self._name_of: dict[ModelBox, str] = {}
        self._names: set[str] = set()
        self._copies: dict[tuple[Role, ModelBox], int] = {}
        self._full = False
        self._sentence = 0
        self.begin("evidence", cites=False)

    # -- text ------------------------------------------------------------------------------------------

    def begin(self, role: Role, *, cites: bool) -> None:
        """A new section. cites: a box that an earlier sentence gave is a citation here, not evidence."""
        self._role, self._cites = role, cites
        self.last_end = None
        self._sentence += 1
        self._fresh: list[str] = []  # text not yet looked at
        self._at = 0  # place of its end in the raw text
        self._point: tuple[Token, Point, int] | None = None
        self._words = ""  # the current clause, its last MAX_QUOTE characters and some
        self._list: _Clause | None = None  # the clause of the last box, while its sentence goes on
        self._heading_image, self._sentence_image = 0, None

    _sentence_image: int | None

    def add(self, text: str, start: int) -> None:
        """Plain text, or a bracket that is plain text."""
        self._fresh.append(text)
        self._at = start + len(text)

    def take(self, token: Token) -> None:
        """A bracket: a box, several, or plain text after all."""
        at = token.end
        whole = token
        read = read_bracket(token, self._frame)
        if isinstance(read, Point):
            whole, read = self._take_point(token, read)
        else:
            self._point = None
        kept = [reading for reading in read or () if reading.box is not None]
        for reading in read or ():
            for kind, sentence in reading.notes:
                self._note(kind, sentence, reading.numbers_start, reading.numbers_end)
        if kept:
            self._look(whole.start, is_box=True)
        if not kept or (self._cites and all(self._is_citation(reading.box) for reading in kept)):
            if not (read is None and whole is not token):
                self.add(whole.text, whole.start)
            return
        if self.last_end is None:
            self._first(whole.start - len(self._words))
        for reading in kept:
            self._take_box(reading, whole)
        self._words, self._at, self.last_end = "", at, at

    def settle(self) -> None:
        """The section ends: boxes that wait for words get what there is."""
        if self._pending:
            self._look(self._at, is_box=False)
            self._release(None)

    def _take_point(self, token: Token, point: Point) -> tuple[Token, list[BoxReading] | None]:
        """Two brackets of two numbers, one right after the other, are the corners of one box.

        Returns what then is one token, from the first bracket to the second, and its reading.
        """
        first, self._point = self._point, (token, point, len(self._fresh))
        if first is None or "".join(self._fresh[first[2] + 1 :]).strip(" ,;-–") not in ("", "to", "and"):
            return token, None
        both = Token("pair", first[0].start, "".join(self._fresh[first[2] :]) + token.text)
        del self._fresh[first[2] :]
        notes: list[tuple[str, str]] = []
        box = order([first[1].x, first[1].y, point.x, point.y], None, self._frame, notes)
        self._point = None
        return both, [BoxReading(box, tuple(notes), both.start, both.end)]

    def _look(self, end: int, *, is_box: bool) -> None:
        """Read the fresh text, which ends at `end`: sentence ends, words behind waiting boxes, images."""
        fresh = "".join(self._fresh)
        self._fresh.clear()
        ends = [match.end() for match in prose.BOUNDARY.finditer(fresh)]
        if self._pending:
            first_end = ends[0] if ends else len(fresh)
            behind = self._words + fresh[:first_end]
            used = self._name_pending(
                behind, end - len(fresh) - len(self._words), is_box and not ends, bool(ends)
            )
            if used and not ends:
                self._words, fresh = "", ""
        if ends:
            self._sentence += len(ends)
            self._list, self._sentence_image, self._words = None, None, ""
        if self._several_images:
            heading = prose.heading_image(fresh[-4 * MAX_QUOTE :])
            self._heading_image = self._heading_image if heading is None else heading
        self._words = (self._words + fresh[ends[-1] if ends else 0 :])[-2 * MAX_QUOTE :]
        if self._several_images:
            named = prose.image_in(self._words)
            self._sentence_image = self._sentence_image if named is None else named

    # -- words -----------------------------------------------------------------------------------------

    def _name_pending(self, behind: str, start: int, goes_on: bool, ended: bool) -> bool:
        """Name the boxes that open their sentence by the words behind them. True: the words are used up."""
        if goes_on and prose.only_separators(behind):
            return False  # a list of boxes; its words come later
        if not ended and goes_on and prose.belongs_to_next(behind):
            self._release(None)
            return False
        low, high, _ = prose.trim(behind, 0, len(behind))
        quote = behind[low:high][:MAX_QUOTE]
        raw, label = prose.noun(quote, self._asked) if prose.HAS_LETTER.search(quote) else ("", "")
        if not quote or not (label or not self._pending[0][0].quote):
            self._release(None)
            return False
        self._release(_Clause(raw, label, quote, start + low, start + low + len(quote)))
        self._list = None
        return True

    def _release(self, clause: _Clause | None) -> None:
        """Let the waiting boxes go, with the words found behind them."""
        pending, self._pending = self._pending, []
        for evidence, e_number in pending:
            named = evidence
            if clause is not None and (clause.label or not evidence.quote):
                named = replace(
                    named, quote=clean(clause.quote), text_start=clause.start, text_end=clause.end
                )
                named = replace(named, label_raw=clause.raw, label=clause.label) if not named.label else named
            self._keep(replace(named, label=named.label or self._fallback(named.box)), e_number)

    def _clause(self, end: int) -> _Clause | None:
        """The words before a bracket that opens at `end`; None when there are none."""
        start, stop, e_number = prose.trim(self._words, 0, len(self._words))
        start = max(start, stop - MAX_QUOTE)
        quote = self._words[start:stop]
        if not prose.HAS_LETTER.search(quote):
            return None if e_number is None else _Clause("", "", "", end, end, e_number)
        raw, label = prose.noun(quote, self._asked)
        base = end - len(self._words)
        return _Clause(raw, label, quote, base + start, base + stop, e_number)

    def _fallback(self, box: ModelBox) -> str:
        """What a box is called that no word names.

        What the evidence calls the very same box; else what was asked for, if that is one thing; else what
        all boxes so far are called, if that is one thing.
        """
        if self._role == "answer" and box in self._name_of:
            return self._name_of[box]
        if len(self._asked) == 1:
            return self._asked[0]
        return next(iter(self._names)) if len(self._names) == 1 else ""

    # -- boxes -----------------------------------------------------------------------------------------

    def _is_citation(self, box: ModelBox | None) -> bool:
        return box is None or self._sentence_of.get(box, self._sentence) < self._sentence

    def _take_box(self, reading: BoxReading, token: Token) -> None:
        box = reading.box
        if box is None or not self._counts(box, reading):
            return
        self._sentence_of.setdefault(box, self._sentence)
        score = self.scores.score(token, reading.numbers_start, reading.numbers_end)
        if reading.label:
            start = reading.label_start
            label = prose.noun(reading.label, ())[1] or self._fallback(box)
            clause = _Clause(reading.label, label, reading.label, start, start + len(reading.label))
            self._place(box, clause, score, wait=False)
        elif self._list is not None and prose.only_separators(self._words):
            self._place(box, replace(self._list, e_number=None), score, wait=bool(self._pending))
        else:
            clause = self._clause(token.start) or _Clause("", "", "", token.start, token.start)
            wait = not clause.quote or not (clause.label or len(self._asked) == 1)
            if not clause.label and not wait:
                clause = replace(clause, label=self._fallback(box))
            self._place(box, clause, score, wait=wait)

    def _counts(self, box: ModelBox, reading: BoxReading) -> bool:
        """False for boxes past the limits; the first one past a limit is noted."""
        where = (reading.numbers_start, reading.numbers_end)
        if len(self.evidence) + len(self.answers) + len(self._pending) >= MAX_BOXES:
            if not self._full:
                self._full = True
                self._note("too-many-boxes", f"more than {MAX_BOXES:,} boxes; the rest was dropped", *where)
            return False
        copies = self._copies[self._role, box] = self._copies.get((self._role, box), 0) + 1
        if copies == 2:
            self._note("same-box", "the same box is listed twice; both are kept for the audit", *where)
        if copies == MAX_COPIES + 1:
            sentence = f"the same box more than {MAX_COPIES} times; further copies were dropped"
            self._note("repetition", sentence, *where)
        return copies <= MAX_COPIES

    def _place(self, box: ModelBox, clause: _Clause, score: float | None, *, wait: bool) -> None:
        image = self._heading_image if self._sentence_image is None else self._sentence_image
        number = len(self.answers if self._role == "answer" else self.evidence) + 1
        evidence = TraceEvidence(
            number, self._role, clause.raw, clause.label, clean(clause.quote), clause.start, clause.end,
            box, image, score,
        )  # fmt: skip
        self._list = clause
        if wait:
            self._pending.append((evidence, clause.e_number))
            return
        if self._pending:
            self._release(None)
        self._keep(evidence, clause.e_number)

    def _keep(self, evidence: TraceEvidence, e_number: int | None) -> None:
        listed = self.answers if evidence.role == "answer" else self.evidence
        number = len(listed) + 1
        if evidence.number != number:
            evidence = replace(evidence, number=number)
        listed.append(evidence)
        if evidence.label:
            self._names.add(evidence.label)
            if evidence.role == "evidence":
                self._name_of.setdefault(evidence.box, evidence.label)
        self._tell(evidence)
        if e_number is not None and e_number != number:
            sentence = f"the text calls this E{e_number}; it is box {number} of the text"
            self._note("numbering", sentence, evidence.text_start, evidence.text_end)

    def as_answers(self) -> None:
        """What was read so far turned out to be the answer: all evidence becomes answer boxes."""
        self.answers = [replace(e, role="answer") for e in self.evidence]
        self.evidence = []
