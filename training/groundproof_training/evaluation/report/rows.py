"""An evaluation as rows that every form of the report shares: which figure stands first, who is compared with whom.

Knows results. Refuses to know HTML, Markdown and terminals.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from groundproof_training.evaluation.cases import Family
from groundproof_training.evaluation.figures import Difference, Figure
from groundproof_training.evaluation.report.numbers import Way
from groundproof_training.evaluation.results import EntryResult, Evaluation, Scores

HEADLINES: dict[Family, tuple[str, ...]] = {
    Family.GROUNDING: ("acc@0.5", "mean-iou"),
    Family.DETECTION: ("f1@0.5", "ap@0.5"),
    Family.COUNTING: ("accuracy", "mae"),
    Family.CLASSIFICATION: ("micro-f1", "exact", "macro-f1"),
    Family.VQA: ("accuracy", "accuracy-by-type"),
    Family.CAPTIONING: ("bleu-4", "cider-d"),
}
"""Which strict figure speaks for an entry: the first that it has."""
PARSE_RATE = "parse-rate"
PAPERS_DECIMALS = 2
EVIDENCE_BREAKDOWN = "evidence "
"""Beginning of the names of breakdowns whose figures are the evidence's."""
FAMILIES = {
    Family.GROUNDING: "grounding",
    Family.DETECTION: "detection",
    Family.COUNTING: "counting",
    Family.CLASSIFICATION: "classification",
    Family.VQA: "visual question answering",
    Family.CAPTIONING: "captioning",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One metric of every model, in the models' order; None for a model that does not have it."""

    name: str
    figures: tuple[Figure | None, ...]
    way: Way

    @property
    def notes(self) -> tuple[str, ...]:
        """Each once; they differ between models where they tell a share or a number."""
        return tuple(dict.fromkeys(one.note for one in self.figures if one is not None and one.note))

    @property
    def n(self) -> str:
        """Cases; of every model where they differ."""
        numbers = [one.n for one in self.figures if one is not None]
        return " / ".join(f"{n:,}" for n in (numbers if len(set(numbers)) > 1 else numbers[:1]))


def rows(of: Sequence[Sequence[Figure]], least: int = 0) -> list[Row]:
    """Figures of every model, side by side in the order in which they first appear. least: decimals of each."""
    by_name = [{one.name: one for one in figures} for figures in of]
    made = []
    for name in dict.fromkeys(name for one in by_name for name in one):
        figures = tuple(one.get(name) for one in by_name)
        made.append(Row(name, figures, Way.of((one for one in figures if one is not None), least)))
    return made


def models_of(evaluation: Evaluation) -> tuple[str, ...]:
    """In the order they were named; those that only an entry knows come last."""
    return tuple(dict.fromkeys([*evaluation.models, *(m for e in evaluation.entries for m in e.scores)]))


def letter(index: int) -> str:
    """A, B, ... Z, AA, ...: a short name for a model whose own may be a path."""
    high, low = divmod(index, 26)
    return (letter(high - 1) if high else "") + chr(ord("A") + low)


def of_models(
    entry: EntryResult, models: Sequence[str], pick: Callable[[Scores], Sequence[Figure]]
) -> list[Row]:
    """Rows of one part of the scores; a model without scores has no figure."""
    return rows([pick(entry.scores[model]) if model in entry.scores else () for model in models])


def published_rows(entry: EntryResult, models: Sequence[str], rule: str) -> list[Row]:
    """Rows of one published rule, with as many decimals as papers print: they are there to be held against those."""
    of = [entry.scores[model].compat.get(rule, ()) if model in entry.scores else () for model in models]
    return rows(of, PAPERS_DECIMALS)


def notes_of(found: Sequence[Row]) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Which rows have which notes: rows of the same notes together, in the order of the first."""
    made: dict[tuple[str, ...], list[str]] = {}
    for row in found:
        if row.notes:
            made.setdefault(row.notes, []).append(row.name)
    return [(tuple(names), notes) for notes, names in made.items()]


def headline(found: Sequence[Row], family: Family, prefix: str = "") -> Row | None:
    """The row that speaks for all of them."""
    by_name = {row.name: row for row in found}
    for name in HEADLINES[family]:
        if prefix + name in by_name:
            return by_name[prefix + name]
    if prefix:
        return by_name.get(f"{prefix}f1@0.5") or by_name.get("f1@0.5") or headline(found, family)
    return found[0] if found else None


def summary_rows(found: Sequence[Row], family: Family) -> list[Row]:
    """What stands for an entry among others: its headline, and of counting how far off the numbers are as well, since
    few numbers of many objects are exact."""
    first = headline(found, family)
    more = [row for row in found if family is Family.COUNTING and row.name == "mae" and row is not first]
    return [] if first is None else [first, *more]


def headlines(found: Sequence[Row], family: Family) -> list[Row]:
    """The few rows that a short form shows: the headlines and how much could be read at all."""
    names = (*HEADLINES[family], PARSE_RATE)
    chosen = [row for name in names for row in found if row.name == name]
    return chosen if len(chosen) > 1 or not found else [*found[:3]]


@dataclass(frozen=True, slots=True)
class Compared:
    """Differences b - a. a, b: their letters and names; "" where the key names no two known models."""

    a: str
    b: str
    name_a: str
    name_b: str
    differences: tuple[Difference, ...]


def compared(entry: EntryResult, models: Sequence[str]) -> list[Compared]:
    """Every comparison of an entry. Its key is "a vs b", and a name may hold " vs " itself."""
    known = {
        f"{a} vs {b}": (letter(i), letter(j), a, b)
        for i, a in enumerate(models)
        for j, b in enumerate(models)
        if i != j
    }
    made = []
    for key, differences in entry.compared.items():
        a, b, name_a, name_b = known.get(key, ("first", "second", key, ""))
        made.append(Compared(a, b, name_a, name_b, differences))
    return made


def groups_of(by: str, entry: EntryResult, models: Sequence[str]) -> dict[str, list[Sequence[Figure]]]:
    """Of one breakdown: group -> the figures of each model."""
    names = dict.fromkeys(
        group for model in models if model in entry.scores for group in _breakdown(entry, model, by)
    )
    return {
        group: [
            _breakdown(entry, model, by).get(group, ()) if model in entry.scores else () for model in models
        ]
        for group in names
    }


def breakdowns_of(entry: EntryResult) -> list[str]:
    """By what the entry is broken down, of any model."""
    return list(dict.fromkeys(by for scores in entry.scores.values() for by in scores.breakdowns))


def rules_of(entry: EntryResult) -> list[str]:
    """The published rules of any model."""
    return list(dict.fromkeys(rule for scores in entry.scores.values() for rule in scores.compat))


def statuses(evaluation: Evaluation) -> dict[str, list[EntryResult]]:
    """Entries by what became of them, the scored ones first."""
    made: dict[str, list[EntryResult]] = {"scored": []}
    for entry in evaluation.entries:
        made.setdefault(entry.status, []).append(entry)
    return made


def count_of(items: Iterable[object] | int, one: str, many: str | None = None) -> str:
    """ "1 model", "2 models"."""
    number = items if isinstance(items, int) else sum(1 for _ in items)
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def _breakdown(entry: EntryResult, model: str, by: str) -> Mapping[str, Sequence[Figure]]:
    return entry.scores[model].breakdowns.get(by, {})
