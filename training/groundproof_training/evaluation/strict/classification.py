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
from groundproof_training.metrics.classes import Named, key_of, read_classes, same_classes

_GAPS = re.compile(r"[\s_-]+")
NOTHING = Named(())


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
        names = sorted(_letters(name) for name in self.case.truth.classes)
        said = [answer] if len(names) == 1 else answer.split(",")
        return sorted(map(_letters, said)) == names

    @property
    def outside(self) -> bool:
        """Something is named that is no class of the list, or no class at all."""
        return bool(self.said.other) or not self.said.classes


def measures(cases: Sequence[Case]) -> list[Measure]:
    """All of them, over the cases whose classes are known; those for several classes where some case has several."""
    each = [_compared(case) for case in cases]
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


def _compared(case: Case) -> Compared:
    answer = answer_of(case)
    return Compared(
        case,
        tuple(dict.fromkeys(filter(None, map(key_of, case.truth.classes)))),
        NOTHING if answer is None else read_classes(answer, case.choices),
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
        Summed(name="micro-f1", note=note, parts=counts[:, :2], combine=ratio),
        Summed(name="micro-precision", note=note, parts=counts[:, [2, 3]], combine=ratio),
        Summed(name="micro-recall", note=note, parts=counts[:, [2, 4]], combine=ratio),
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
