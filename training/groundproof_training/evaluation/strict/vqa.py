"""Measures of visual questions: short answers against every right wording, by a normaliser that anybody can repeat.

Knows answers in words. Refuses to know images and judges (VRSBench asks GPT-4o-mini).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from groundproof_training.evaluation.cases import Case
from groundproof_training.evaluation.figures import Measure, Summed, mean
from groundproof_training.evaluation.strict.answered import (
    Bools,
    ByClass,
    answer_of,
    mean_of_defined,
    parse_rate,
    share,
    table,
    where,
)
from groundproof_training.metrics.boxes import Floats
from groundproof_training.metrics.text import Kind, kind_of, number_of, polarity, same_answer, words_of

_RIGHT = (
    "Yes and no by polarity, numbers by value, all else by its words in one spelling (synonyms, singular, no "
    "articles)"
)


def measures(cases: Sequence[Case]) -> list[Measure]:
    """All of them, over the cases whose answer is known. Kinds of questions that do not occur have no measure."""
    true = [_true(case) for case in cases]
    known = np.array([bool(texts) for texts in true], dtype=bool)
    kinds = np.array([str(kind_of(texts[0])) if texts else "" for texts in true])
    answers = [answer_of(case) for case in cases]
    right = np.array(
        [
            said is not None and any(same_answer(said, text) for text in texts)
            for said, texts in zip(answers, true, strict=True)
        ],
        dtype=bool,
    )
    letters = [
        said is not None and said.strip().casefold() in [text.strip().casefold() for text in texts]
        for said, texts in zip(answers, true, strict=True)
    ]
    made: list[Measure] = [
        mean("accuracy", where(known, right), note=f"{_RIGHT}. Every question counts alike (micro-average)."),
        mean(
            "accuracy-letters",
            where(known, letters),
            note="The answer is the true one to the letter, case aside.",
        ),
    ]
    made += _by_type(cases, right, known)
    number, yes_no = kinds == str(Kind.NUMBER), kinds == str(Kind.YES_NO)
    if number.any() and (known & ~number).any():
        made.append(
            mean(
                "accuracy-without-counts",
                where(known & ~number, right),
                note="Over the questions whose true answer is no number; what EarthDial prints for RSVQA-LR.",
            )
        )
    if number.any():
        made.append(
            mean("accuracy-numbers", where(number, right), note="The number is exactly the true one.")
        )
    if yes_no.any():
        made.append(mean("accuracy-yes-no", where(yes_no, right), note="Over the yes-no questions."))
        made.append(_balanced([bool(texts) and polarity(texts[0]) is True for texts in true], right, yes_no))
    if (kinds == str(Kind.WORDS)).any():
        made.append(mean("accuracy-words", where(kinds == str(Kind.WORDS), right), note=f"{_RIGHT}."))
    readable = [_readable(said, kind) for said, kind in zip(answers, kinds.tolist(), strict=True)]
    made.append(parse_rate(readable, "of the kind asked for (yes or no, one number, words)"))
    return made


def _true(case: Case) -> tuple[str, ...]:
    return tuple(text for text in case.truth.texts or (case.truth.text,) if text.strip())


def _readable(said: str | None, kind: str) -> bool:
    if said is None:
        return False
    if kind == Kind.YES_NO:
        return polarity(said) is not None
    if kind == Kind.NUMBER:
        return number_of(said) is not None
    return bool(words_of(said))


def _by_type(cases: Sequence[Case], right: Bools, known: Bools) -> list[Measure]:
    types = [case.meta.get("type", "") for case in cases]
    rows = [row for row, own in enumerate(types) if own and known[row]]
    place = {name: k for k, name in enumerate(sorted({types[row] for row in rows}))}
    if len(place) < 2:
        return []
    shape = (len(cases), len(place))
    typed = np.zeros(len(cases), dtype=bool)
    typed[rows] = True
    hits = [row for row in rows if right[row]]
    return [
        ByClass(
            name="accuracy-by-type",
            note=f"Mean of the accuracies of the {len(place)} types of questions (macro-average).",
            tables=(
                table(hits, [place[types[row]] for row in hits], shape),
                table(rows, [place[types[row]] for row in rows], shape),
            ),
            combine=_mean_share,
            rests_on=typed,
        )
    ]


def _mean_share(right: Floats, all_of_type: Floats) -> Floats:
    return mean_of_defined(share(right, all_of_type))


def _balanced(positive: Sequence[bool], right: Bools, yes_no: Bools) -> Summed:
    yes = np.asarray(positive, dtype=bool)
    parts = np.stack([yes & right, ~yes & right, yes, ~yes], axis=1).astype(np.float64)
    parts[~yes_no] = np.nan
    return Summed(
        name="balanced-yes-no",
        note="Mean of the accuracy where yes is true and where no is: always saying yes gives .5.",
        parts=parts,
        combine=_mean_of_two,
    )


def _mean_of_two(sums: Floats) -> Floats:
    return mean_of_defined(share(sums[:, :2], sums[:, 2:]))
