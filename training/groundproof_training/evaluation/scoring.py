"""Cases -> every figure that applies to them. Knows which metrics there are; refuses to know where cases come from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from groundproof_training.evaluation.cases import Case, Family
from groundproof_training.evaluation.compat import COMPAT
from groundproof_training.evaluation.figures import Difference, Figure, Measure
from groundproof_training.evaluation.results import Scores
from groundproof_training.evaluation.statistics import DRAWS, compare, estimate
from groundproof_training.evaluation.strict import STRICT, counting, detection, evidence_measures
from groundproof_training.evaluation.strict.evidence import pointed_at
from groundproof_training.evaluation.strict.official_captions import official
from groundproof_training.evaluation.strict.points import point_measures

BREAKDOWNS = ("type", "size_group", "class", "number")
"""Keys of `Case.meta` that strict figures are broken down by, where at least two values occur."""


def score(
    cases: Sequence[Case],
    draws: int = DRAWS,
    seed: int = 0,
    *,
    java: bool = False,
    say: Callable[[str], None] = lambda line: None,
) -> Scores:
    """All figures of cases of one family. draws: of the bootstrap; 0: no intervals. java: COCO's own caption tools as
    well, METEOR 1.5 and SPICE; say gets a sentence for each that cannot run."""
    family = _family(cases)
    strict = STRICT[family](cases)
    if java and family is Family.CAPTIONING:
        more, cannot = official(cases)
        strict += more
        for sentence in cannot:
            say(sentence)
    groups = [case.group for case in cases]

    def figures(measures: list[Measure], of: Sequence[str] = groups) -> tuple[Figure, ...]:
        return estimate(measures, of, draws=draws, seed=seed)

    evidence = evidence_measures(cases)
    breakdowns = {}
    for key in BREAKDOWNS:
        counts = key == "number" and family is Family.COUNTING
        parts = counting.by_number(cases) if counts else _by_fact(cases, key)
        if len(parts) > 1:
            breakdowns[key] = {
                value: figures(STRICT[family](part), [case.group for case in part])
                for value, part in parts.items()
            }
    if family is Family.DETECTION:
        for key, by_value in detection.breakdowns(cases).items():
            breakdowns[key] = {value: figures(made) for value, made in by_value.items()}
    if (
        family is Family.COUNTING and evidence
    ):  # a count that shows what it counts: found or not, by class and size
        for key, by_value in detection.breakdowns(pointed_at(cases)).items():
            breakdowns[f"evidence {key}"] = {value: figures(made) for value, made in by_value.items()}
    return Scores(
        n=len(cases),
        strict=figures(strict),
        evidence=figures([*evidence, *point_measures(cases)]),
        compat={name: made for name, rule in COMPAT.items() if (made := figures(rule.measures(cases)))},
        breakdowns=breakdowns,
        statuses=dict(Counter(str(case.said.status) for case in cases)),
    )


def differences(
    one: Sequence[Case], other: Sequence[Case], draws: int = DRAWS, seed: int = 0
) -> tuple[Difference, ...]:
    """Strict figures of two models on the cases that both have. Raises ValueError where they share none, or are of
    two families."""
    both = {case.case_id for case in one} & {case.case_id for case in other}
    if not both:
        raise ValueError("the two have no question in common, so they cannot be compared")
    a, b = (
        sorted((c for c in cases if c.case_id in both), key=lambda c: c.case_id) for cases in (one, other)
    )
    measures: Callable[[Sequence[Case]], list[Measure]] = STRICT[_family([*a, *b])]
    return compare(measures([*a, *b]), [case.group for case in a], draws=draws, seed=seed)


def _by_fact(cases: Sequence[Case], key: str) -> dict[str, list[Case]]:
    values = [case.meta.get(key, "") for case in cases]
    return {
        value: [case for case, mine in zip(cases, values, strict=True) if mine == value]
        for value in sorted(set(values) - {""})
    }


def _family(cases: Sequence[Case]) -> Family:
    families = {case.family for case in cases}
    if len(families) != 1:
        raise ValueError(f"cases of one family are scored together, got {sorted(families) or 'no case'}")
    return families.pop()
