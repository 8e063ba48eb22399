"""A cell's model asked bench-v1 and real pictures, and the figures of its columns. Refuses to know how it was trained.

The questions are those of `groundproof-train evaluate`; so are the parser and the metrics.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from groundproof_training.ablation.columns import COLUMNS, ENTRIES, cases_of, measure_of
from groundproof_training.ablation.results import Answers, Value
from groundproof_training.ablation.settings import EvaluationSettings
from groundproof_training.evaluation import asking
from groundproof_training.evaluation.answers import NAME
from groundproof_training.evaluation.answers import Answers as Kept
from groundproof_training.evaluation.asking import Account, AskSettings
from groundproof_training.evaluation.benchmarks import BENCH, Benchmark, NoDataError, benchmarks
from groundproof_training.evaluation.cases import Case, Status
from groundproof_training.evaluation.figures import Measure
from groundproof_training.evaluation.statistics import FEWEST_GROUPS, resampled
from groundproof_training.evaluation.strict import STRICT, evidence_measures

Say = Callable[[str], None]

REAL = ("aircraft-count", "storage_tanks-count")
"""Of the suite `local`: whole real pictures through tiles and merge. A count's boxes are its evidence."""
REAL_FIGURES = ("evidence-f1@0.5", "evidence-precision@0.5", "evidence-recall@0.5", "mae", "parse-rate")
WORDS = 4
"""Length of the groups of words in which repetition is counted."""


@dataclass(frozen=True, slots=True)
class Evaluated:
    """See the fields of `CellResult`."""

    answers: Answers
    figures: dict[str, Value]
    real: dict[str, dict[str, Value]]
    real_left_out: dict[str, str]


def evaluate(
    model: Path, settings: EvaluationSettings, data: Path | None, keep_in: Path, say: Say
) -> Evaluated:
    """keep_in: folder in which answers lie, so that none is asked for twice. data: folder with the real sets; None: no
    real pictures. Raises ModelDiedError, ModelError, NotKeptError."""
    keep_in.mkdir(parents=True, exist_ok=True)
    kept = Kept(keep_in / NAME)
    opened = asking.open_any(str(model))
    try:

        def answered(one: Benchmark, limit: int) -> list[Case]:
            read = one.read(data or Path(), limit)
            return one.answer(
                read.questions, opened, kept, AskSettings(), lambda line: None, Account(), read.problems
            )

        cases = {}
        for one in benchmarks(BENCH):
            if one.name in ENTRIES:
                cases[one.name] = answered(one, settings.scenes)
                say(f"{one.name}: {len(cases[one.name])} answers")
        figures = _figures(cases, settings.draws)
        real, left_out = {}, {}
        for one in benchmarks("local") if settings.pictures else ():
            if one.name not in REAL:
                continue
            if data is None:
                left_out[one.name] = "no folder of real pictures was given (--data)"
                continue
            try:
                found = answered(one, settings.pictures)
            except NoDataError as err:
                left_out[one.name] = str(err)
                continue
            say(f"{one.name}: {len(found)} pictures")
            real[one.name] = _real(found, settings.draws)
    finally:
        opened.close()
    return Evaluated(_answers(cases), figures, real, left_out)


def _figures(cases: dict[str, list[Case]], draws: int) -> dict[str, Value]:
    made = {}
    for column in COLUMNS:
        own = cases_of(column, cases)
        made[column.name] = _value(measure_of(column, own), own, draws)
    return made


def _real(cases: Sequence[Case], draws: int) -> dict[str, Value]:
    measures = {one.name: one for one in [*STRICT[cases[0].family](cases), *evidence_measures(cases)]}
    return {name: _value(measures.get(name), cases, draws) for name in REAL_FIGURES}


def _value(measure: Measure | None, cases: Sequence[Case], draws: int) -> Value:
    if measure is None:
        return Value(value=None, n=0, note="no answer has what this is measured on")
    value = float(measure.of(np.ones((1, len(cases))))[0])
    n = int(measure.applies.sum())
    if np.isnan(value):
        return Value(value=None, n=n, note="not defined: nothing was said that it could be measured on")
    groups = [case.group for case in cases]
    applying = {group for group, own in zip(groups, measure.applies, strict=True) if own}
    if len(applying) < FEWEST_GROUPS:
        return Value(value=value, n=n, note=f"{len(applying)} pictures are too few for an interval")
    drawn = resampled([measure], groups, draws)[0]
    return Value(
        value=value,
        n=n,
        draws=tuple(None if np.isnan(one) else round(float(one), 6) for one in drawn),
        note=measure.note,
    )


def _answers(cases: dict[str, list[Case]]) -> Answers:
    texts = [case.said.text for mine in cases.values() for case in mine]
    read = [case.said.status is Status.OK for mine in cases.values() for case in mine]
    return Answers(
        n=len(texts),
        mean_chars=float(np.mean([len(text) for text in texts])) if texts else 0.0,
        repetition=float(np.mean([repetition(text) for text in texts])) if texts else 0.0,
        unreadable=len(read) - sum(read),
        reasoned=float(np.mean(["<think>" in text for text in texts])) if texts else None,
    )


def repetition(text: str) -> float:
    """Share of the groups of `WORDS` words in a text that were there before in it; 0 for a text with no group."""
    words = text.replace("<", " <").replace(",", " , ").replace("[", " [ ").split()
    groups = [tuple(words[k : k + WORDS]) for k in range(len(words) - WORDS + 1)]
    return 1 - len(set(groups)) / len(groups) if groups else 0.0
