"""What plan, synthesis and evidence sentences assert beyond the boxes: numbers of things, and things.

Knows a sample's truth in words. Refuses to know where anything lies.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator

from groundproof.labels import is_kind_of, normalise, plural
from groundproof.number_words import numbers_in
from groundproof.protocol import Task
from groundproof.trace.claims import sentence_counts
from groundproof.trace.prose import asked_in
from groundproof_training.rationales.shape import Shape
from groundproof_training.rationales.verdict import Reason, Rule
from groundproof_training.rationales.words import (
    Vocabulary,
    alike,
    asserted,
    counts_of,
    in_singular,
    is_class,
    is_negated,
    only_named,
    sentences,
)
from groundproof_training.samples import Sample, class_name

_CHANGED = re.compile(
    r"(?P<what>[^.;]*?)\s*\b(?:(?:have|has) )?(?:newly )?(?P<how>appeared|disappeared)\b", re.IGNORECASE
)
_NUMBER_IS = re.compile(r"\s+(?:number|are|is|total|amount to|add up to|sum to|come to)\s+", re.IGNORECASE)
_NUMBER_ENDS = re.compile(r"\s*(?:[.,;:!]|\Z|in (?:all|total|number)|altogether)", re.IGNORECASE)

_LEAST = {
    "a few": 2, "a couple of": 2, "several": 3, "many": 3, "multiple": 2, "numerous": 3, "a lot of": 3, "lots of": 3,
    "plenty of": 3, "countless": 20, "dozens of": 20, "hundreds of": 100, "thousands of": 1000, "a row of": 2,
    "rows of": 4, "a group of": 2, "a cluster of": 2, "clusters of": 4,
    "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9, "tenth": 10,
}  # fmt: skip
"""The fewest objects that such words may be said of [U]."""
_FURTHER = frozenset({"another", "additional", "further", "more", "extra", "one more"})
_MORE = re.compile(
    rf"\b(?P<words>{'|'.join(sorted((*_LEAST, *_FURTHER), key=len, reverse=True))})\s+(?:[\w-]+\s+){{0,2}}\Z",
    re.IGNORECASE,
)
_NTH = re.compile(
    r"\b(?P<words>second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth)\s+(?:object|item|target|instance)\b",
    re.IGNORECASE,
)
_NO_OTHER = re.compile(r"\bno (?:other|further|more|additional)\b", re.IGNORECASE)
_NEGATES = re.compile(r"\b(?:no|not|without|any|nor|never)\b|n't", re.IGNORECASE)
_DENIED_AHEAD = re.compile(
    r"\b(?:no|without(?: any)?|zero|0|not (?:an?|the|any)|(?:absence|lack) of(?: any)?)\s+\Z", re.IGNORECASE
)
_DENIED_BEHIND = re.compile(
    r"\s+(?:(?:is|are|was|were) (?:absent|missing|nowhere|not (?:visible|present|there|seen|found|here|in))"
    r"|can(?:not| not|'t) be (?:seen|found|made out)|do(?:es)? not (?:appear|exist|occur))\b",
    re.IGNORECASE,
)
_SUPPOSED = re.compile(
    r"\b(?:would|could|might|should|if|whether|any|ask(?:s|ed)?|question|look(?:s|ed|ing)? for|search\w*|"
    r"scan\w*|like)\b",
    re.IGNORECASE,
)
"""What is looked for, and how it would look, is not said to be there."""


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
        text = _NO_OTHER.sub(" ", text)
        return list(dict.fromkeys([*sentence_counts(text, asked, seen), *counts_of(text, vocabulary)]))

    stated = {pair for text in true_words(sample) for pair in counts(text)}
    number = int(sample.answer) if re.fullmatch(r"\s*\d{1,9}\s*", sample.answer) else None
    parts = [("plan", shape.plan), ("synthesis", shape.synthesis)]
    parts += [(f"sentence of E{line.number}", line.text) for line in shape.lines]
    for name, whole in parts:
        if sample.task is Task.CHANGE and len(sample.images) > 1:
            yield from _changes_said(name, whole, sample, counts)
            whole = _CHANGED.sub(" ", whole)
        for label, said in [*counts(whole), *_numbered(whole, vocabulary)]:
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


def _changes_said(
    name: str, text: str, sample: Sample, counts: Callable[[str], list[tuple[str, int]]]
) -> Iterator[Reason]:
    """Of "2 ships appeared, 1 ship disappeared" each number is that of the boxes in the last or the first image."""
    for match in _CHANGED.finditer(text):
        came = match["how"].casefold() == "appeared"
        there = [box for box in sample.counted if (box.image > 0) == came]
        of_date = sample.model_copy(update={"boxes": tuple(there)})
        for label, said in counts(match["what"]):
            if said not in (numbers := _numbers_of(label, of_date)):
                what = plural(label) if label else "objects"
                yield Reason(
                    Rule.NUMBER, f"The {name} says that {said} {what} {match['how']}; {max(numbers)} did."
                )


def _numbered(text: str, vocabulary: Vocabulary) -> Iterator[tuple[str, int]]:
    """(class, number) of each "the ships number 3" and "ships are three in all"."""
    for sentence in sentences(text):
        numbers = numbers_in(sentence)
        for mention in vocabulary.mentions(sentence):
            verb = _NUMBER_IS.match(sentence, mention.end())
            number = next((n for n in numbers if verb and n.start == verb.end()), None)
            if number is not None and _NUMBER_ENDS.match(sentence, number.end):
                yield in_singular(mention[0]), number.value


def vaguely_said(shape: Shape, sample: Sample, vocabulary: Vocabulary) -> Iterator[Reason]:
    """Words for more objects than there are: "dozens of ships" of three, "another ship" beside the cited ones, "the
    third ship" of two, "only E1 is a ship" of two. Where the source says it in its own words, it may be said."""
    if not sample.complete and not sample.counted:
        return
    stated = " ".join(class_name(text) for text in true_words(sample))
    for part_name, part in (("plan", shape.plan), ("synthesis", shape.synthesis)):
        for sentence in sentences(part):
            for mention in vocabulary.mentions(sentence):
                before = sentence[: mention.start()]
                most = max(_numbers_of(mention[0], sample))
                words = _MORE.search(before)
                if words is None or class_name(words[0] + mention[0]) in stated:
                    continue
                said = words["words"].casefold()
                least = _LEAST.get(said, 0)
                alone = said in _FURTHER and not _NEGATES.search(before) and not re.search(r"\bE\d", sentence)
                if least > most or (alone and part_name == "synthesis"):
                    yield Reason(
                        Rule.NUMBER,
                        f"The {part_name} says {words[0].strip() + ' ' + mention[0]!r}; there {_are(most)}, all cited.",
                    )
        for match in _NTH.finditer(part):
            if _LEAST[match["words"].casefold()] > len(sample.counted):
                yield Reason(
                    Rule.NUMBER,
                    f"The {part_name} says {match[0]!r}; there {_are(len(sample.counted))} in all.",
                )
    for numbers, what in only_named(shape.synthesis):
        mention = next(iter(vocabulary.mentions(what)), None)
        if mention is not None and len(numbers) not in (known := _numbers_of(mention[0], sample)):
            yield Reason(
                Rule.NUMBER, f"The synthesis says that only {len(numbers)} of {max(known)} is {mention[0]!r}."
            )


def _are(number: int) -> str:
    return f"{'is' if number == 1 else 'are'} {number}"


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
                if _there(sentence, mention, part_name) and any(alike(mention[0], name) for name in absent):
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


def _there(sentence: str, mention: re.Match[str], part_name: str) -> bool:
    """Whether the sentence says that the mentioned thing is there. In a synthesis whatever is named is, unless it is
    denied, or only looked for."""
    if asserted(sentence, mention):
        return True
    return part_name == "synthesis" and not is_negated(sentence) and not _SUPPOSED.search(sentence)


def _denied(sentence: str, mention: re.Match[str]) -> bool:
    """ "no ships", "without any ship", "ships are absent"; "no other ship" denies more ships, not these."""
    if _DENIED_BEHIND.match(sentence, mention.end()):
        return True
    return _DENIED_AHEAD.search(sentence[: mention.start()]) is not None
