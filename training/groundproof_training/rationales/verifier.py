"""Accepts or rejects a rationale, deterministically: is every word of it that can be checked true?

Text is read by the engine's own parser; whatever that would have to mend is a reason to reject. Accepted text becomes
a `Rationale`, whose boxes are those of the truth. Knows one sample at a time; refuses to know who wrote the text.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from groundproof.labels import normalise
from groundproof.models.profile import Profile
from groundproof.protocol import Task, format_box, place_words
from groundproof.trace import Trace, parse
from groundproof_training.rationales.absence import absent_words, all_of_class
from groundproof_training.rationales.answers import contradicted, wrong_answer
from groundproof_training.rationales.asserting import numbers_said, said_outside, true_words, vaguely_said
from groundproof_training.rationales.citing import assign, ious
from groundproof_training.rationales.relating import Placed, misplaced, misplaced_by_number, untrue_relations
from groundproof_training.rationales.shape import Shape, ShapeError, read_shape
from groundproof_training.rationales.verdict import Reason, Rule, Verdict
from groundproof_training.rationales.words import (
    Vocabulary,
    e_numbers,
    gives_away,
    is_class,
    is_english,
    named_as,
)
from groundproof_training.samples import EvidenceLine, Rationale, Sample, same_class, write_box
from groundproof_training.samples.types import MARKER

__all__ = ["Limits", "Reason", "Rule", "Verdict", "Verifier"]

Size = tuple[int, int]

EVERY_BOX = frozenset({Task.COUNT, Task.DETECT, Task.GROUND, Task.CHANGE})
"""Tasks whose answer is its boxes: each must be cited. Elsewhere those of the asked classes must."""

MOST_REASONS = 12
"""Told of one text; a teacher that gets forty forgets the first."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Our choices. min_iou: of a cited box with the true one, which the teacher was given. Characters of the parts."""

    min_iou: float = 0.9
    plan_chars: int = 400
    line_chars: int = 240
    synthesis_chars: int = 1200


@dataclass(frozen=True)
class Verifier:
    """profile: whose box frame the texts are in. vocabulary: classes that must not be named unless true."""

    profile: Profile
    vocabulary: Vocabulary
    limits: Limits = Limits()

    def verify(self, text: str, sample: Sample, seen: tuple[Size, ...], by: str) -> Verdict:
        """seen: size of each image as the model sees it, px. by: goes into `Rationale.by`."""
        try:
            shape = read_shape(text)
        except ShapeError as err:
            return Verdict(None, (Reason(Rule.FORMAT, str(err)),))
        asked = tuple(dict.fromkeys(normalise(name) for name in sample.asked))
        trace = parse(text, self.profile.frame, sample.task, asked)
        reasons = list(self._format(shape, trace))
        if reasons:
            return Verdict(None, tuple(reasons))
        cited, found = self._cited(shape, trace, sample, seen)
        reasons += found
        reasons += self._nothing(shape, sample)
        reasons += self._references(shape, sample, cited)
        if wrong := wrong_answer(shape.answer, trace, sample, self.profile, seen, self.limits.min_iou):
            reasons.append(Reason(Rule.ANSWER, wrong))
        if words := contradicted(shape.synthesis, sample):
            reasons.append(
                Reason(Rule.ANSWER, f"The synthesis concludes {words!r}; the answer is {sample.answer!r}.")
            )
        reasons += self._places(shape, sample, cited, seen)
        known = " ".join(true_words(sample))
        for name, part in (("plan", shape.plan), ("synthesis", shape.synthesis)):
            if not is_english(part, known):
                reasons.append(Reason(Rule.FORMAT, f"The {name} is not in English; write English."))
        reasons += numbers_said(shape, sample, self.vocabulary)
        reasons += vaguely_said(shape, sample, self.vocabulary)
        reasons += said_outside(shape, sample, self.vocabulary)
        about_regions = bool(sample.regions)
        for name, part in (("plan", shape.plan), ("synthesis", shape.synthesis), *_texts(shape)):
            if words := gives_away(part, about_regions=about_regions):
                reasons.append(
                    Reason(
                        Rule.GIVEAWAY,
                        f"The {name} says {words!r}; write as somebody who sees the image alone.",
                    )
                )
        if reasons:
            return Verdict(None, tuple(dict.fromkeys(reasons))[:MOST_REASONS])
        lines = tuple(
            EvidenceLine(text=line.text, box=box)
            for line, box in zip(shape.lines, cited, strict=True)
            if box is not None
        )
        absent = "" if shape.absent == all_of_class(sample) else shape.absent
        return Verdict(
            Rationale(plan=shape.plan, evidence=lines, synthesis=shape.synthesis, by=by, absent=absent), ()
        )

    def _format(self, shape: Shape, trace: Trace) -> Iterator[Reason]:
        for repair in trace.repairs:
            if repair.kind != "same-box":  # two true boxes may be one on a coarse grid; counting them tells
                yield Reason(Rule.FORMAT, f"The text cannot be read as it is: {repair.sentence}.")
        if not (trace.complete and trace.has_rationale):
            yield Reason(Rule.FORMAT, "The text ends before it is complete.")
        if len(trace.evidence) != len(shape.lines):
            yield Reason(
                Rule.FORMAT,
                f"The text has {len(shape.lines)} evidence sentences and {len(trace.evidence)} boxes in its thinking; "
                "give each sentence one box, and no box elsewhere.",
            )
        limits = self.limits
        for name, part, most in (
            ("plan", shape.plan, limits.plan_chars),
            ("synthesis", shape.synthesis, limits.synthesis_chars),
            *((name, text, limits.line_chars) for name, text in _texts(shape)),
        ):
            if len(part) > most:
                yield Reason(Rule.LENGTH, f"The {name} has {len(part)} characters; {most} are allowed.")

    def _cited(
        self, shape: Shape, trace: Trace, sample: Sample, seen: tuple[Size, ...]
    ) -> tuple[list[int | None], list[Reason]]:
        """The true box of each sentence, and what is wrong with the boxes."""
        frame = self.profile.frame
        true = [write_box(b, sample.images[b.image], frame, seen[b.image]) for b in sample.boxes]
        names = [evidence.label_raw or evidence.label for evidence in trace.evidence]
        overlap = ious([evidence.box for evidence in trace.evidence], true)
        fits = np.zeros(overlap.shape, dtype=bool)
        several = len(sample.images) > 1
        for i, name in enumerate(names):
            for j in np.flatnonzero(overlap[i] >= self.limits.min_iou):
                box = sample.boxes[j]
                fits[i, j] = (
                    not box.ignore
                    and is_class(name, box.label)
                    and (not several or trace.evidence[i].image == box.image)
                )
        cited = assign(overlap, fits, self.limits.min_iou)
        reasons: list[Reason] = []
        for i, j in enumerate(cited):
            written = format_box(trace.evidence[i].box, frame)
            if j is None:
                again = overlap.shape[1] and overlap[i].max() >= self.limits.min_iou
                reasons.append(
                    Reason(Rule.BOX_TWICE, f"E{i + 1} gives the box {written} again; cite each object once.")
                    if again
                    else Reason(
                        Rule.BOX_NOT_TRUE, f"E{i + 1} gives the box {written}, where there is no such object."
                    )
                )
                continue
            box = sample.boxes[j]
            if box.ignore:
                reasons.append(
                    Reason(Rule.BOX_NOT_TRUE, f"E{i + 1} ({written}) cannot be told for sure; leave it out.")
                )
            elif not is_class(names[i], box.label):
                said = names[i] or shape.lines[i].text
                reasons.append(
                    Reason(
                        Rule.LABEL,
                        f"E{i + 1} is called {said!r}; it is: {box.label}. Begin with that name and a comma.",
                    )
                )
            if several and trace.evidence[i].image != box.image:
                reasons.append(
                    Reason(
                        Rule.IMAGE,
                        f'E{i + 1} lies in image {box.image + 1}; say "in image {box.image + 1}" in its sentence.',
                    )
                )
        missing = sorted(required(sample) - {j for j in cited if j is not None})
        reasons += [
            Reason(
                Rule.BOX_MISSING,
                f"The {sample.boxes[j].label} at {format_box(true[j], frame)} is not cited; add a sentence for it.",
            )
            for j in missing[:5]
        ]
        if len(missing) > 5:
            reasons.append(Reason(Rule.BOX_MISSING, f"{len(missing) - 5} more true boxes are not cited."))
        return cited, reasons

    def _places(
        self, shape: Shape, sample: Sample, cited: list[int | None], seen: tuple[Size, ...]
    ) -> Iterator[Reason]:
        """Places and sizes of cited objects that their true boxes do not have."""
        frame = self.profile.frame
        where: list[Placed | None] = []
        for line, j in zip(shape.lines, cited, strict=True):
            if j is None:
                where.append(None)
                continue
            box = sample.boxes[j]
            size = seen[box.image] if frame.full_scale is None else (frame.full_scale, frame.full_scale)
            true = write_box(box, sample.images[box.image], frame, seen[box.image])
            where.append(placed := Placed.of(true, size, box.image))
            if words := misplaced(line.text, placed):
                lies = place_words(true, frame, size)
                yield Reason(Rule.PLACE, f"E{line.number} is said to be {words!r}; its box lies: {lies}.")
        for n, words in misplaced_by_number(shape.synthesis, where):
            yield Reason(Rule.PLACE, f"The synthesis says that E{n} is {words!r}; its box lies elsewhere.")
        for name, part in (("synthesis", shape.synthesis), *_texts(shape)):
            for words in untrue_relations(part, where):
                yield Reason(Rule.PLACE, f"The {name} says {words!r}; the boxes say otherwise.")

    def _nothing(self, shape: Shape, sample: Sample) -> Iterator[Reason]:
        """Evidence without boxes: it must say what is missing, exactly where something was asked and is not there."""
        if shape.lines or required(sample):
            return
        absent = absent_words(sample)
        if sample.asked and absent and not shape.absent:
            yield Reason(Rule.FORMAT, f'The evidence is empty; it must be "No {absent} is visible."')
        elif absent and absent != all_of_class(sample) and shape.absent == all_of_class(sample):
            yield Reason(
                Rule.OUTSIDE,
                f'The evidence says that no {shape.absent} is visible at all; write "No {absent} is visible."',
            )
        if shape.absent and any(same_class(shape.absent, box.label) for box in sample.counted):
            yield Reason(Rule.OUTSIDE, f"The evidence says that no {shape.absent} is visible; there is one.")

    def _references(self, shape: Shape, sample: Sample, cited: list[int | None]) -> Iterator[Reason]:
        for name, part in (("plan", shape.plan), ("synthesis", shape.synthesis)):
            unknown = sorted({n for n in e_numbers(part) if not 1 <= n <= len(shape.lines)})
            if unknown:
                yield Reason(
                    Rule.REFERENCE,
                    f"The {name} names E{unknown[0]}; the evidence ends at E{len(shape.lines)}.",
                )
        for numbers, what in named_as(shape.synthesis):
            mention = next(iter(self.vocabulary.mentions(what)), None)
            if mention is None:
                continue
            for n in numbers:
                box = cited[n - 1] if 1 <= n <= len(cited) else None
                if box is not None and not is_class(mention[0], sample.boxes[box].label):
                    yield Reason(
                        Rule.LABEL,
                        f"The synthesis calls E{n} {mention[0]!r}; it is: {sample.boxes[box].label}.",
                    )
                    break


def required(sample: Sample) -> set[int]:
    """Indices of the true boxes that a rationale must cite."""
    marked = {int(number) for kind, number in MARKER.findall(sample.answer) if kind == "box"}
    return marked | {
        j
        for j, box in enumerate(sample.boxes)
        if not box.ignore
        and (sample.task in EVERY_BOX or any(same_class(name, box.label) for name in sample.asked))
    }


def _texts(shape: Shape) -> list[tuple[str, str]]:
    return [(f"sentence of E{line.number}", line.text) for line in shape.lines]
