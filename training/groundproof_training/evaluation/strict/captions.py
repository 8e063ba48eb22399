"""Measures of captions: words against references, and the boxes of grounded descriptions where they are known.

Knows words. Refuses to know images and Java: METEOR 1.5 and SPICE are in `official_captions`. Tokens are the Penn
Treebank's without punctuation (`metrics.captions.tokens`), not the Stanford tokenizer's, which needs Java.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from groundproof_training.errors import TrainingError
from groundproof_training.evaluation.cases import Case
from groundproof_training.evaluation.figures import Measure, Summed, mean, ratio
from groundproof_training.evaluation.strict import detection
from groundproof_training.evaluation.strict.answered import Bools, answer_of, parse_rate, where
from groundproof_training.metrics.boxes import Floats
from groundproof_training.metrics.captions import (
    MAX_N,
    Meteor,
    Tokens,
    bleu_counts,
    meteor,
    require_wordnet,
    rouge_1,
    rouge_l,
    tokens,
)
from groundproof_training.metrics.cider import Frequencies, cider_d
from groundproof_training.rewards.reading import prose

BOX_FIGURES = ("precision@0.5", "recall@0.5", "f1@0.5")
"""Of `detection`, for descriptions with boxes."""


@dataclass(frozen=True, slots=True)
class Captioned:
    """One case in tokens. said: empty where there is no readable caption. references: those with a word, for an empty
    one would be nearest in length to every short caption."""

    case: Case
    said: Tokens
    references: tuple[Tokens, ...]


def measures(cases: Sequence[Case]) -> list[Measure]:
    """All of them, over the cases that have references. METEOR is nltk's, by WordNet where its data is there."""
    each = [_captioned(case) for case in cases]
    known = np.array([any(one.references) for one in each], dtype=bool)

    def averaged(name: str, score: Callable[[Tokens, Sequence[Tokens]], float], note: str) -> Summed:
        scores = [score(one.said, one.references) if any(one.references) else np.nan for one in each]
        return mean(name, where(known, scores), note=note)

    variant = _variant()
    made = _bleu(each, known)
    made += [
        averaged(
            f"meteor-{variant}",
            partial(meteor, variant=variant),
            f"nltk's METEOR by {_MATCHES[variant]}, best reference; not METEOR 1.5 of COCO's tools, which is lower.",
        ),
        averaged("rouge-l", rouge_l, "COCO's: F with beta 1.2 of the longest common subsequence."),
        averaged("rouge-1", rouge_1, "F1 of single words, best reference, without stems."),
        _cider(each, known),
        *_shape(each, known),
        parse_rate([bool(one.said) for one in each], "a caption with at least one word"),
    ]
    return made + _boxes(cases)


_MATCHES = {
    Meteor.WORDNET: "words, stems and WordNet's synonyms",
    Meteor.EXACT_STEM: "words and stems, without synonyms, because WordNet's data is not on this machine",
}


def _variant() -> Meteor:
    try:
        require_wordnet()
    except TrainingError:
        return Meteor.EXACT_STEM  # the figure's name and note say so
    return Meteor.WORDNET


def _captioned(case: Case) -> Captioned:
    texts = case.truth.texts or (case.truth.text,)
    # Boxes are no words: references have none, and a grounded caption is held to its boxes apart (`_boxes`).
    said = tokens(prose(answer_of(case) or ""))
    return Captioned(case, said, tuple(filter(None, (tokens(prose(text)) for text in texts))))


def _bleu(each: Sequence[Captioned], known: Bools) -> list[Measure]:
    parts = np.full((len(each), 2 * MAX_N + 2), np.nan)
    for row, one in enumerate(each):
        if known[row]:
            counts = bleu_counts(one.said, one.references)
            parts[row] = (*counts.matched, *counts.possible, counts.length, counts.reference)
    return [
        *(
            Summed(
                name=f"bleu-{n}",
                note="Of the whole set, unsmoothed: n-grams and lengths are summed before they are divided.",
                parts=parts,
                combine=partial(_bleu_of, n=n),
            )
            for n in range(1, MAX_N + 1)
        ),
        Summed(
            name="length-ratio",
            note="Words said over words of the references nearest in length, best at 1.",
            parts=parts[:, -2:],
            combine=ratio,
        ),
    ]


def _bleu_of(sums: Floats, n: int) -> Floats:
    """BLEU-n (d,) of sums (d, 10): matched and possible n-grams of 1..4 words, length said, length of references."""
    matched, possible = sums[:, :n], sums[:, MAX_N : MAX_N + n]
    some = np.asarray((matched > 0).all(axis=1))
    logs = np.log(np.where(some[:, None], matched, 1.0)) - np.log(np.where(some[:, None], possible, 1.0))
    brevity = np.minimum(0.0, 1.0 - sums[:, -1] / np.where(sums[:, -2] > 0, sums[:, -2], 1.0))
    return np.where(some, np.exp(logs.mean(axis=1) + np.where(some, brevity, 0.0)), 0.0)


def _cider(each: Sequence[Captioned], known: Bools) -> Summed:
    """With the set's own frequencies, an image counted once though two models answered (`compare`)."""
    documents = {one.case.case_id: one.references for one in each if any(one.references)}
    scores = np.full(len(each), np.nan)
    if len(documents) > 1:
        table = Frequencies.of_tokens(documents.values())
        scores = np.array(
            [cider_d(one.said, one.references, table) if any(one.references) else np.nan for one in each]
        )
    return mean(
        "cider-d",
        where(known, scores),
        note="0 to 10, frequencies from the references of exactly these cases, as the published script does: it "
        "changes with the set, and one case alone has none.",
    )


def _shape(each: Sequence[Captioned], known: Bools) -> list[Measure]:
    """repeated: within one model's answers; of a pair of models the second's cases are the ids' second ones."""
    turn: Counter[str] = Counter()
    texts = []
    for one in each:
        texts.append((turn[one.case.case_id], one.said))
        turn[one.case.case_id] += 1
    times = Counter(texts)
    return [
        mean(
            "repeated",
            where(known, [bool(text[1]) and times[text] > 1 for text in texts]),
            "lower",
            "Share of captions that were said word for word of another case too.",
        ),
        mean(
            "empty",
            where(known, [not one.said for one in each]),
            "lower",
            "Share of cases without a word said.",
        ),
    ]


def _boxes(cases: Sequence[Case]) -> list[Measure]:
    if not any(case.truth.boxes is not None for case in cases):
        return []
    # A description is held to the boxes that its source describes, so these are all there are for it.
    whole = [
        case if case.truth.boxes is None else replace(case, truth=replace(case.truth, complete=True))
        for case in cases
    ]
    found = {measure.name: measure for measure in detection.measures(whole)}
    return [replace(found[name], name=f"boxes-{name}") for name in BOX_FIGURES if name in found]
