"""What plan, synthesis and evidence sentences assert beyond the boxes: numbers of things, and things.

Knows a sample's truth in words. Refuses to know where anything lies.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from groundproof.labels import is_kind_of, normalise, plural
from groundproof.trace.claims import sentence_counts
from groundproof.trace.prose import asked_in
from groundproof_training.rationales.shape import Shape
from groundproof_training.rationales.verdict import Reason, Rule
from groundproof_training.rationales.words import Vocabulary, alike, asserted, counts_of, is_class, sentences
from groundproof_training.samples import Sample, class_name


def true_words(sample: Sample) -> list[str]:
    """Every text that the source itself gives about the image: what it says may be said."""
    things = (*sample.boxes, *sample.regions)
    return [
        sample.question, sample.answer, *sample.answers, *sample.captions, *sample.asked,
        *(box.label for box in things), *(box.phrase for box in things),
        *(value for box in things for value in box.attributes.values()),
    ]  # fmt: skip


def numbers_said(shape: Shape, sample: Sample, vocabulary: Vocabulary) -> Iterator[Reason]:
    """Numbers of things in plan and synthesis that are not those of the truth.

    A number with a class must be the number of all its true boxes; one of a total, that of all of them. Where the
    source gives a number without boxes, or states one in its own words, that one may be said.
    """
    asked = tuple(dict.fromkeys(normalise(name) for name in sample.asked))
    seen = {normalise(box.label) for box in sample.counted}

    def counts(text: str) -> list[tuple[str, int]]:
        return list(dict.fromkeys([*sentence_counts(text, asked, seen), *counts_of(text, vocabulary)]))

    stated = {pair for text in true_words(sample) for pair in counts(text)}
    number = int(sample.answer) if re.fullmatch(r"\s*\d{1,9}\s*", sample.answer) else None
    for name, part in (("plan", shape.plan), ("synthesis", shape.synthesis)):
        for label, said in counts(part):
            numbers = _numbers_of(label, sample)
            if said in numbers or (label, said) in stated:
                continue
            if number == said and (
                not label or any(alike(label, one) for one in sample.asked) or not sample.asked
            ):
                continue
            if not sample.counted and not sample.complete:
                known = "their number is not known"
            else:
                most = max(numbers)
                known = f"there {'is' if most == 1 else 'are'} {most}"
            what = plural(label) if label else "objects"
            yield Reason(
                Rule.NUMBER,
                f"The {name} counts {said} {what}; {known}. State no number of a part, and none that is not certain.",
            )


def _numbers_of(label: str, sample: Sample) -> set[int]:
    """How many there are of what a text calls `label`: with its kinds, without, and of each class that the engine's
    one spelling cannot tell apart ("large vehicle" and "small vehicle" are both "vehicle" to it). "" is everything."""
    of_class = Counter(box.label for box in sample.counted)
    if not label:
        return {of_class.total()}
    strictly = {name for name in of_class if is_class(label, name)}
    kinds = {name for name in of_class if normalise(name) != normalise(label) and is_kind_of(name, label)}
    alone = {of_class[name] for name in strictly}
    return {
        sum(of_class[name] for name in strictly | kinds),
        sum(of_class[name] for name in strictly),
    } | alone


def said_outside(shape: Shape, sample: Sample, vocabulary: Vocabulary) -> Iterator[Reason]:
    """Classes that are named and are not in the truth; asked ones that are said to be there and are not; those that
    are there and are denied."""
    allowed = _allowed(sample, vocabulary)
    absent = [
        name
        for name in sample.asked
        if sample.complete and not any(alike(name, box.label) for box in (*sample.boxes, *sample.regions))
    ]
    told = {name for text in (*sample.captions, sample.answer) for name in _names(text, vocabulary)}
    parts = [("plan", shape.plan), ("synthesis", shape.synthesis)]
    if shape.absent:
        parts.append(("evidence", f"No {shape.absent} is visible."))
    parts += [(f"sentence of E{line.number}", line.text) for line in shape.lines]
    for part_name, part in parts:
        for mention in vocabulary.mentions(part):
            if not any(alike(mention[0], name) for name in allowed):
                yield Reason(
                    Rule.OUTSIDE,
                    f"The {part_name} speaks of {mention[0]!r}, of which nothing is known here; leave it out.",
                )
        if part_name == "plan":
            continue
        for sentence in sentences(part):
            for mention in vocabulary.mentions(sentence):
                if any(alike(mention[0], name) for name in told):
                    continue
                if asserted(sentence, mention) and any(alike(mention[0], name) for name in absent):
                    yield Reason(
                        Rule.OUTSIDE,
                        f"The {part_name} says that there is {mention[0]!r}; there is none: {sentence!r}.",
                    )
                elif _denied(sentence, mention) and any(
                    is_class(mention[0], b.label) for b in sample.counted
                ):
                    yield Reason(
                        Rule.OUTSIDE, f"The {part_name} denies {mention[0]!r}, which is there: {sentence!r}."
                    )


def _allowed(sample: Sample, vocabulary: Vocabulary) -> set[str]:
    named = {name for text in true_words(sample) for name in _names(text, vocabulary)}
    # A question about "the car" lets the text speak of a vehicle, as the answers of some datasets do.
    named.update(asked_in(sample.question, tuple(sorted({normalise(name) for name in vocabulary.names}))))
    return named | {class_name(box.label) for box in (*sample.boxes, *sample.regions)}


def _names(text: str, vocabulary: Vocabulary) -> set[str]:
    return {mention[0] for mention in vocabulary.mentions(class_name(text))}


def _denied(sentence: str, mention: re.Match[str]) -> bool:
    """ "no ships", "without any ship"; "no other ship" denies more ships, not these."""
    before = sentence[: mention.start()]
    return re.search(r"\b(?:no|without(?: any)?|zero|0)\s+\Z", before, re.IGNORECASE) is not None
