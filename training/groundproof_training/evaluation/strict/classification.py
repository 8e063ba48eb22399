"""Measures of classification: the classes an answer names, against the true ones.

Knows class names as keys (`metrics.classes`). Refuses to know data sets. An answer that is no class of the list is a
wrong answer, and no class's false alarm. Macro-averages are over the classes that are true of some case, as
scikit-learn's with `labels` of the truth: one that is only ever named wrongly costs the others recall already.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from groundproof_training.evaluation.cases import Case
from groundproof_training.evaluation.figures import Measure, Summed, mean, ratio
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
from groundproof_training.metrics import classes
from groundproof_training.metrics.boxes import Floats
from groundproof_training.metrics.classes import Named, is_divided, key_of, read_classes, same_classes

_GAPS = re.compile(r"[\s_-]+")
NOTHING = Named(())
MOST_NAMES = 200
"""Of a closed list made of what is true; more are no classes."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One case. true: keys. said: what the answer names. letters: whether answer and class are the same letters."""

    case: Case
    true: tuple[str, ...]
    said: Named

    @property
    def exact(self) -> bool:
        """Exactly the true classes are named."""
        return bool(self.said.classes) and same_classes(self.said, self.true)

    @property
    def letters(self) -> bool:
        """The answer is the class as its source spells it, spaces, "_", "-" and case aside; several: between commas,
        in any order."""
        answer = answer_of(self.case) or ""
        names = self.case.truth.classes
        if len(names) == 1:
            return _letters(answer) == _letters(names[0])
        # A name may hold commas itself, so both are compared in pieces.
        return sorted(map(_letters, answer.split(","))) == sorted(map(_letters, ",".join(names).split(",")))

    @property
    def outside(self) -> bool:
        """Something is named that is no class of the list, or no class at all."""
        return bool(self.said.other) or not self.said.classes


def measures(cases: Sequence[Case]) -> list[Measure]:
    """All of them, over the cases whose classes are known; those for several classes where some case has several."""
    listed_by_truth = _names_with_dividers(cases)
    each = [_compared(case, listed_by_truth) for case in cases]
    known = np.array([bool(one.true) for one in each], dtype=bool)
    made: list[Measure] = [
        mean(
            "exact",
            where(known, [one.exact for one in each]),
            note="Exactly the true classes are named, known synonyms allowed, and nothing else.",
        ),
        mean(
            "exact-letters",
            where(known, [one.letters for one in each]),
            note='The answer is the class to the letter; only spaces, "_", "-" and case are overlooked.',
        ),
    ]
    made += _of_several(each, known) if any(len(one.true) > 1 for one in each) else _of_one(each, known)
    listed = known & np.array([bool(case.choices) for case in cases], dtype=bool)
    made.append(
        mean(
            "outside-list",
            where(listed, [one.outside for one in each]),
            "lower",
            "Share of answers that name no class of the list, or something beside it; wrong in every figure.",
        )
    )
    made.append(parse_rate([bool(one.said.number) for one in each], "a name of any kind"))
    return made


def _names_with_dividers(cases: Sequence[Case]) -> tuple[str, ...]:
    """What answers are read by where their question lists no classes: those that are true of some case, if one of them
    would be cut at its own comma or "and" (BigEarthNet's); else nothing, and commas decide."""
    names = {name for case in cases if not case.choices for name in case.truth.classes}
    return tuple(sorted(names)) if len(names) <= MOST_NAMES and any(map(is_divided, names)) else ()


def _compared(case: Case, listed_by_truth: tuple[str, ...]) -> Compared:
    answer = answer_of(case)
    return Compared(
        case,
        tuple(dict.fromkeys(filter(None, map(key_of, case.truth.classes)))),
        NOTHING if answer is None else read_classes(answer, case.choices or listed_by_truth),
    )


def _letters(name: str) -> str:
    return _GAPS.sub("", name).casefold()


def _of_one(each: Sequence[Compared], known: Bools) -> list[Measure]:
    """An answer with two classes, or with other words, is none of them."""
    said = [one.said.classes if one.said.number == 1 else () for one in each]
    tables = _tables([one.true for one in each], said)
    return [
        ByClass(
            name="macro-f1",
            note="Mean of F1 over the classes that are true of some case.",
            tables=tables,
            combine=_macro_f1,
            rests_on=known,
        ),
        ByClass(
            name="balanced-accuracy",
            note="Mean over the true classes of the share answered with it: each class counts alike.",
            tables=tables[1:],
            combine=_macro_recall,
            rests_on=known,
        ),
    ]


def _of_several(each: Sequence[Compared], known: Bools) -> list[Measure]:
    """What is named beside the list's classes counts as named wrongly."""
    said = [(*one.said.classes, *one.said.other) for one in each]
    hits = [len(set(names) & set(one.true)) for names, one in zip(said, each, strict=True)]
    counts = np.array(
        [
            (2 * h, len(s) + len(one.true), h, len(s), len(one.true))
            for h, s, one in zip(hits, said, each, strict=True)
        ],
        dtype=np.float64,
    ).reshape(len(each), 5)
    counts[~known] = np.nan
    note = "Over all named and all true classes together."

    def example(function: classes.SetMeasure) -> Floats:
        return where(known, [function(names, one.true) for names, one in zip(said, each, strict=True)])

    return [
        Summed(name="micro-f1", note=note, parts=counts[:, :2], combine=ratio, below=(1,)),
        Summed(name="micro-precision", note=note, parts=counts[:, [2, 3]], combine=ratio, below=(1,)),
        Summed(name="micro-recall", note=note, parts=counts[:, [2, 4]], combine=ratio, below=(1,)),
        ByClass(
            name="macro-f1",
            note="Mean of F1 over the classes that are true of some case.",
            tables=_tables([one.true for one in each], [one.said.classes for one in each]),
            combine=_macro_f1,
            rests_on=known,
        ),
        mean("example-f1", example(classes.f1), note="Mean over cases of the F1 of named and true classes."),
        mean(
            "jaccard",
            example(classes.jaccard),
            note="Mean over cases of classes in both / classes in either.",
        ),
    ]


def _tables(
    true: Sequence[tuple[str, ...]], said: Sequence[tuple[str, ...]]
) -> tuple[csr_array, csr_array, csr_array]:
    """Named, rightly named and true, (n, true classes) each."""
    place = {name: k for k, name in enumerate(sorted({name for names in true for name in names}))}
    shape = (len(true), len(place))

    def of(rows: Sequence[tuple[str, ...]]) -> csr_array:
        pairs = [(row, place[name]) for row, names in enumerate(rows) for name in names if name in place]
        return table([row for row, _ in pairs], [k for _, k in pairs], shape)

    both = [tuple(name for name in names if name in set(own)) for names, own in zip(said, true, strict=True)]
    return of(said), of(both), of(true)


def _macro_f1(said: Floats, both: Floats, true: Floats) -> Floats:
    return mean_of_defined(np.where(true > 0, share(2 * both, said + true), np.nan))


def _macro_recall(both: Floats, true: Floats) -> Floats:
    return mean_of_defined(share(both, true))
