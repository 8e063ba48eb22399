"""The state machine: tokens to plan, evidence, synthesis and answer, as they complete.

Knows sections and what to do when they are missing, unclosed or out of order. Refuses to know how numbers
and sentences are read (`boxes_text`, `collector`, `claims`).

Rules, in the order of how well the text follows the protocol:

1. `<plan>`, `<evidence>`, `<synthesis>`, `<answer>`: as tagged. A missing closing tag ends with the next
   tag, a missing `<think>` is thought of.
2. `<think>` with free prose (RSThinker): the sentences before the one with the first box are the plan, the
   sentences after the one with the last new box are the synthesis; prose without any box is synthesis. A
   box that an earlier sentence already gave is a citation, not new evidence.
3. Text after `</think>` without `<answer>` stands for the answer, and so does GLM's begin_of_box.
4. A text without any tag is an answer without a rationale. Whether an untagged beginning is that or
   thinking shows only at the first tag or the end, so its events wait until then. All others come at once:
   evidence when its bracket closes; where the bracket opens its sentence ("[..] airplane."), at the next
   bracket or tag, because the words that name it stand behind it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import islice
from typing import Literal

from groundproof.boxes import BoxFrame
from groundproof.protocol.tasks import Task
from groundproof.trace import claims, prose
from groundproof.trace.collector import MAX_BOXES, Collector
from groundproof.trace.lexer import Lexer, Token
from groundproof.trace.plain import Repetition, clean, is_quoted
from groundproof.trace.types import (
    AnswerEvent,
    Event,
    EvidenceEvent,
    PlanEvent,
    Repair,
    RepairEvent,
    SynthesisEvent,
    Trace,
    TraceEvidence,
)

__all__ = ["MAX_BOXES", "MAX_REPAIRS", "TraceParser", "parse"]

MAX_REPAIRS = 200
"""Repairs listed of one text; the last one then says that there were more."""

PIECES_AT_ONCE = 512
"""Pieces read together where a text is whole already: a quarter of the pieces whose scores are kept."""

Section = Literal["lead", "prose", "plan", "evidence", "synthesis", "answer", "after", "done"]
_THINKING = ("prose", "plan", "evidence", "synthesis")


class TraceParser:
    """Push text in, take events out; after `close`, `trace` is complete.

    frame: how the model writes boxes. task, asked: what was asked, and the normalised labels asked for;
    they help to read values and to name boxes in sentences that do not. Never raises on any text; the
    result is the same however the text is cut. Linear in the text.
    """

    def __init__(self, frame: BoxFrame, task: Task | None = None, asked: tuple[str, ...] = ()) -> None:
        self._task, self._asked = task, tuple(asked)
        self._lexer = Lexer()
        self._boxes = Collector(
            frame,
            self._asked,
            several_images=task is Task.CHANGE,
            keep=self._take_evidence,
            note=self._note,
            first=self._take_first_box,
        )
        self._length = 0
        self._closed = False
        self._events: list[Event] = []
        self._held: list[Event] | None = []  # events of an untagged beginning; None once it is decided
        self._section: Section = "lead"
        self._in_think = False  # an explicit <think> is open
        self._unclosed = False
        self._raw: list[str] = []  # the current section, as written, without gaps
        self._raw_start = 0
        self._tag_end = 0
        self._plan: list[str] = []
        self._synthesis: list[str] = []
        self._answer: str | None = None
        self._value: claims.Value = None
        self._rationale = False
        self._repairs: list[Repair] = []
        self._repetition = Repetition()
        self._enter("lead")

    # -- in and out ------------------------------------------------------------------------------------

    def feed(self, text: str, logprob: float | None = None) -> list[Event]:
        """Events that this piece of text completes. logprob: natural, of the tokens that made it.

        Raises ValueError after `close`.
        """
        if not text and not self._closed:
            return []
        return self.feed_pieces(text, [(len(text), logprob)])

    def feed_pieces(self, text: str, pieces: Iterable[tuple[int, float | None]]) -> list[Event]:
        """As `feed`, several pieces at once: text begins with them, what lies behind them is left out.

        pieces: at most `PIECES_AT_ONCE`, the characters and the log-probability of each.
        """
        if self._closed:
            raise ValueError("this trace is closed; a new text needs a new TraceParser")
        start = self._length
        for length, logprob in pieces:
            if length:
                self._boxes.scores.add(self._length, length, logprob)
                self._length += length
        text = text[: self._length - start]
        self._repetition.add(text)
        for token in self._lexer.feed(text):
            self._take(token)
        return self._drain()

    def close(self) -> list[Event]:
        """The remaining events, at the end of the text. Closing twice gives no more."""
        if self._closed:
            return []
        for token in self._lexer.close():
            self._take(token)
        self._finish()
        self._closed = True
        return self._drain()

    @property
    def trace(self) -> Trace:
        """What is known so far; complete after `close`."""
        boxes = self._boxes
        plan, synthesis, answer = " ".join(self._plan), " ".join(self._synthesis), self._answer or ""
        seen = dict.fromkeys(e.label for e in (*boxes.evidence, *boxes.answers) if e.label)
        read = self._value is not None or bool(boxes.answers)
        if self._task in (Task.DETECT, Task.GROUND) and answer:
            read = read or claims.says_none(answer)
        return Trace(
            plan=plan,
            evidence=tuple(boxes.evidence),
            synthesis=synthesis,
            answer=answer,
            value=self._value,
            answer_boxes=tuple(boxes.answers),
            stated_counts=claims.stated_counts(
                synthesis, answer, self._value, self._task, self._asked, tuple(seen)
            ),
            repairs=tuple(self._repairs),
            has_rationale=self._rationale,
            complete=self._closed and self._answer is not None and not self._unclosed,
            usable=read or bool(boxes.evidence),
        )

    def _drain(self) -> list[Event]:
        events, self._events = self._events, []
        return events

    def _emit(self, event: Event) -> None:
        (self._events if self._held is None else self._held).append(event)

    def _note(self, kind: str, sentence: str, start: int, end: int) -> None:
        if len(self._repairs) >= MAX_REPAIRS:
            return
        if len(self._repairs) == MAX_REPAIRS - 1:
            kind, sentence = "more-repairs", "more was mended in this text than is listed"
        repair = Repair(kind, sentence, start, end)
        self._repairs.append(repair)
        self._emit(RepairEvent(repair))

    def _note_at(self, kind: str, sentence: str, token: Token) -> None:
        self._note(kind, sentence, token.start, token.end)

    # -- tokens ----------------------------------------------------------------------------------------

    def _take(self, token: Token) -> None:
        if token.kind in ("open", "close"):
            self._take_tag(token)
        elif self._section == "done":
            return
        elif token.kind == "text":
            self._add(token)
        else:
            # The raw text first without the bracket: the plan is what stands before it.
            self._boxes.take(token)
            self._raw.append(token.text)

    def _add(self, token: Token) -> None:
        """Text, or a tag that is text."""
        self._raw.append(token.text)
        self._boxes.add(token.text, token.start)

    def _take_evidence(self, evidence: TraceEvidence) -> None:
        self._emit(EvidenceEvent(evidence))

    def _take_first_box(self, sentence_start: int) -> None:
        """At the first box of free prose: what stands before its sentence is the plan."""
        if self._section in ("lead", "prose") and not self._plan and not self._boxes.evidence:
            self._tell_plan(clean("".join(self._raw)[: sentence_start - self._raw_start]))

    def _tell_plan(self, text: str) -> None:
        if text:
            self._plan.append(text)
            self._emit(PlanEvent(text))

    def _tell_synthesis(self, text: str) -> None:
        if text:
            self._synthesis.append(text)
            self._emit(SynthesisEvent(text))

    # -- tags ------------------------------------------------------------------------------------------

    def _take_tag(self, token: Token) -> None:
        own = token.kind == "close" and (
            token.name == self._section or (token.name == "think" and self._section in _THINKING)
        )
        before = token.before[max(len(token.before) - (token.start - self._tag_end), 0) :]
        if before and is_quoted(before, token.after, own_close=own):
            self._note_at("quoted-tag", f"{token.text} stands in quotation marks; taken as text", token)
            if self._section != "done":
                self._add(token)
            return
        self._tag_end = token.end
        if self._section == "done":
            if token.kind == "open" and token.name == "answer":
                self._note_at(
                    "second-answer", "the text answers more than once; the first answer stands", token
                )
        elif token.name == "box":
            self._take_box_mark(token)
        elif token.kind == "open":
            self._open(token)
        else:
            self._close_tag(token)

    def _take_box_mark(self, token: Token) -> None:
        """GLM's begin_of_box and end_of_box: around the answer; elsewhere they say nothing."""
        if token.kind == "open" and self._section == "lead":
            self._end_section(token)
            self._enter("after", token.start)
        self._add(token)

    def _open(self, token: Token) -> None:
        name, section = token.name, self._section
        if name == "think" and self._in_think:
            self._note_at("stray-tag", "a second <think> inside the thinking; left out", token)
            self._add(token)
            return
        if section in ("plan", "evidence", "synthesis", "answer"):
            self._note_at("unclosed-tag", f"<{section}> is not closed before {token.text}", token)
        elif name == "answer" and section == "prose" and self._in_think:
            self._note_at("unclosed-tag", f"<think> is not closed before {token.text}", token)
        self._end_section(token)
        if name == "think":
            self._in_think = True
            self._enter("prose", token.end)
        elif name == "answer":
            self._in_think = False
            self._enter("answer", token.end)
        else:
            self._enter(
                "plan" if name == "plan" else "evidence" if name == "evidence" else "synthesis", token.end
            )

    def _close_tag(self, token: Token) -> None:
        name, section = token.name, self._section
        if name == section:
            self._end_section(token)
            if name == "answer":
                # After an empty answer another may follow.
                self._enter("done" if self._answer else "after", token.end)
            else:
                self._enter("prose" if self._in_think or name != "synthesis" else "after", token.end)
        elif name == "think" and (section == "lead" or section in _THINKING):
            if section == "lead":
                self._note_at("unopened-think", "the thinking has no opening tag", token)
            elif section != "prose":
                self._note_at("unclosed-tag", f"<{section}> is not closed before </think>", token)
            self._end_section(token)
            self._in_think = False
            self._enter("after", token.end)
        elif name == "think" and section == "answer":
            self._note_at("stray-answer", "an <answer> inside the thinking; it is not the answer", token)
            self._boxes.settle()
            self._enter("after", token.end)
        else:
            self._note_at("stray-tag", f"{token.text} closes nothing; left out", token)
            self._add(token)

    # -- sections --------------------------------------------------------------------------------------

    def _enter(self, section: Section, start: int = 0) -> None:
        self._section = section
        self._raw.clear()
        self._raw_start = start
        role: Literal["answer", "evidence"] = "answer" if section in ("answer", "after") else "evidence"
        self._boxes.begin(role, cites=section not in ("evidence", "answer", "after"))

    def _end_section(self, token: Token | None) -> None:
        """Close the current section: tell its text. token: the tag that ends it, None at the text's end."""
        self._boxes.settle()
        section, raw = self._section, "".join(self._raw)
        self._repetition.check(raw)
        if section in ("answer", "after"):
            self._tell_answer(raw)
            return
        text = clean(raw)
        if section == "lead":
            self._events += self._held or []
            self._held = None
            if text and token is not None and token.name == "answer":
                self._note("untagged-think", "text before <answer> without <think>; taken as the thinking",
                           0, token.start)  # fmt: skip
        if not text:
            return
        self._rationale = True
        if section == "plan":
            self._tell_plan(text)
        elif section == "synthesis":
            self._tell_synthesis(text)
        elif section in ("lead", "prose"):
            self._end_prose(raw, token.name if token is not None and token.kind == "open" else "")

    def _end_prose(self, raw: str, next_name: str) -> None:
        """At the end of free prose: what stands after the last box's sentence is the synthesis."""
        if self._boxes.last_end is not None:
            raw = raw[self._boxes.last_end - self._raw_start :]
            end = prose.BOUNDARY.search(raw)
            raw = raw[end.end() :] if end else ""
        if next_name in ("plan", "evidence"):
            if not self._boxes.evidence:
                self._tell_plan(clean(raw))
        elif next_name not in ("think", "synthesis") and not self._synthesis:
            self._tell_synthesis(clean(raw))

    def _tell_answer(self, raw: str) -> None:
        text = clean(raw)
        if self._answer or (not text and self._section == "after"):
            return
        marked = (
            raw.rpartition("<|begin_of_box|>")[2].partition("<|end_of_box|>")[0] if "<|begin" in raw else ""
        )
        self._answer = text
        has_boxes = bool(self._boxes.answers)
        self._value = claims.read_value(clean(marked) or text, self._task, self._asked, has_boxes=has_boxes)
        self._emit(AnswerEvent(text, self._value))

    def _finish(self) -> None:
        """The end of the text."""
        section = self._section
        if section == "lead":
            self._finish_untagged()
        elif section != "done":
            if section == "answer" or section in _THINKING:
                name = "think" if section == "prose" else section
                if section != "prose" or self._in_think:
                    self._unclosed = True
                    self._note("unclosed-tag", f"the text ends inside <{name}>", self._length, self._length)
            self._end_section(None)
        if reason := self._repetition.found():
            self._note("repetition", reason, 0, self._length)

    def _finish_untagged(self) -> None:
        """No tag at all: the whole text is an answer without a rationale."""
        self._boxes.settle()
        self._boxes.as_answers()
        held, self._held = self._held or [], None
        self._plan.clear()
        for event in held:
            if isinstance(event, EvidenceEvent):
                self._emit(EvidenceEvent(replace(event.evidence, role="answer")))
            elif isinstance(event, RepairEvent):
                self._emit(event)
        self._section = "after"
        self._tell_answer("".join(self._raw))


def parse(
    text: str,
    frame: BoxFrame,
    task: Task | None = None,
    asked: tuple[str, ...] = (),
    logprobs: Iterable[tuple[int, float | None]] | None = None,
) -> Trace:
    """The trace of a whole text; see `TraceParser`.

    logprobs: (characters, natural log-probability) of the pieces the text came in, in order; text beyond
    them has none.
    """
    parser = TraceParser(frame, task, asked)
    at = 0
    pieces = iter(logprobs or ())
    while some := list(islice(pieces, PIECES_AT_ONCE)):
        parser.feed_pieces(text[at:], some)
        at += sum(length for length, _ in some)
    parser.feed(text[at:])
    parser.close()
    return parser.trace
