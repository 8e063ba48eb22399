"""Which figure of our own evaluation stands for which column of the published table.

Knows names of benchmarks and measures. All figures are the strict ones; no published rule is used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from groundproof.protocol import Task
from groundproof_training.evaluation.cases import Case, Status
from groundproof_training.evaluation.figures import Better, Measure, mean
from groundproof_training.evaluation.strict import STRICT, evidence_measures

Kind = Literal["strict", "evidence", "parsed"]


@dataclass(frozen=True, slots=True)
class Column:
    """entry: of bench-v1, "" for all of them. tasks: only questions of these, empty for all of the entry. measure: its
    name in our evaluation. unit: "%" for a share. published: the head of its column in RSThinker's table."""

    name: str
    title: str
    entry: str
    measure: str
    kind: Kind = "strict"
    tasks: tuple[Task, ...] = ()
    better: Better = "higher"
    unit: str = "%"
    published: str | None = None


OBJECTS, COUNTS = "bench-v1-objects", "bench-v1-count"
COLUMNS = (
    Column("grounding", "grounding, mean IoU", OBJECTS, "mean-iou", tasks=(Task.GROUND,), published="VG"),
    Column("counting", "counting, MAE", COUNTS, "mae", better="lower", unit="objects", published="OC"),
    Column("detection", "detection, AP@0.5", OBJECTS, "ap@0.5", tasks=(Task.DETECT,), published="Det"),
    Column("captions", "captions, BLEU-4", "bench-v1-caption", "bleu-4", published="IC"),
    Column("classes", "kind of scene, accuracy", "bench-v1-classify", "exact", published="SC"),
    Column("vqa", "questions, accuracy", "bench-v1-vqa", "accuracy", published="VQA"),
    Column("evidence-precision", "evidence precision@0.5", COUNTS, "evidence-precision@0.5", "evidence"),
    Column("evidence-recall", "evidence recall@0.5", COUNTS, "evidence-recall@0.5", "evidence"),
    Column("exact-counts", "counts that are exact", COUNTS, "accuracy"),
    Column("parsed", "answers that can be read", "", "parse-rate", "parsed"),
)


def shown_as(unit: str) -> tuple[int, int]:
    """How a value of this unit is written: the factor, and the digits behind the point. A share is shown in percent."""
    return (100, 1) if unit == "%" else (1, 2)


ENTRIES = tuple(dict.fromkeys(column.entry for column in COLUMNS if column.entry))


def cases_of(column: Column, cases: Mapping[str, Sequence[Case]]) -> list[Case]:
    """The questions that a column rests on. cases: by entry."""
    if not column.entry:
        return [case for mine in cases.values() for case in mine]
    return [case for case in cases.get(column.entry, ()) if not column.tasks or case.task in column.tasks]


def measure_of(column: Column, cases: Sequence[Case]) -> Measure | None:
    """The column's measure over its cases; None where they do not give it: not one answer that can be read.

    Answers without a chain of thought point at nothing: their evidence precision and recall are 0, not undefined."""
    if not cases:
        return None
    if column.kind == "parsed":
        read = np.array([case.said.status is Status.OK for case in cases], dtype=np.float64)
        return mean("parse-rate", read, note="Share of answers in which what was asked for can be read.")
    made = evidence_measures(cases) if column.kind == "evidence" else STRICT[cases[0].family](cases)
    return next((one for one in made if one.name == column.measure), None)
