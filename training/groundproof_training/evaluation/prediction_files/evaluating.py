"""Files of predictions to an evaluation: every family of each file scored apart, files compared where there are more.

Knows formats and scores. Refuses to know reports.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from groundproof_training.errors import TrainingError
from groundproof_training.evaluation.cases import Case, Family, Truth
from groundproof_training.evaluation.figures import Difference
from groundproof_training.evaluation.prediction_files.base import (
    MIXED,
    WRONG_FRAME,
    FileOptions,
    Loaded,
    Say,
    shown,
    silent,
)
from groundproof_training.evaluation.prediction_files.registry import load
from groundproof_training.evaluation.results import EntryResult, Evaluation
from groundproof_training.evaluation.scoring import differences, score
from groundproof_training.evaluation.statistics import DRAWS


def evaluate_files(
    files: Sequence[Path],
    name: str,
    truth: Path | None = None,
    options: FileOptions | None = None,
    *,
    draws: int = DRAWS,
    seed: int = 0,
    java: bool = False,
    say: Say = silent,
) -> Evaluation:
    """Files of one format as an evaluation with an entry for each family. draws: of the bootstrap; 0: no intervals.
    java: COCO's own caption tools too.

    Two files and more are compared pair by pair on the questions that both answer. What is wrong with the files is
    told to `say` and stands among the problems of the first entry. Raises TrainingError.
    """
    if not files:
        raise TrainingError("no file of predictions was given; name one, or several of one format.")
    options = options or FileOptions()
    titles = titles_of(files)
    loaded: dict[str, Loaded] = {}
    for title, path in zip(titles, files, strict=True):
        say(f"reading {path}")
        loaded[title] = load(path, name, truth, options, say)
        for line in account(title, loaded[title]):
            say(line)
    parts = {title: one.by_family() for title, one in loaded.items()}
    entries = []
    for family in Family:
        mine = {title: part[family] for title, part in parts.items() if family in part}
        if mine:
            entries.append(_entry(family, mine, name, draws, seed, say, java=java))
    entries[0] = _with_problems(entries[0], loaded)
    configuration = {
        "format": name,
        "truth": _identity(truth) if truth is not None else None,
        "options": options.model_dump(mode="json"),
        "draws": draws,
        "seed": seed,
        "files": {
            title: {
                **_identity(path),
                "rows": one.rows,
                "left_out": one.left_out,
                "problems": dict(one.problems.counts),
                **one.facts,
            }
            for (title, one), path in zip(loaded.items(), files, strict=True)
        },
    }
    return Evaluation(
        title=f"Predictions in {', '.join(titles)}",
        models=tuple(titles),
        entries=tuple(entries),
        configuration=configuration,
    )


def account(title: str, loaded: Loaded) -> Iterator[str]:
    """Lines on what was left out of a file or looks wrong in it."""
    if seen := loaded.facts.get("coverage"):
        yield (
            f"{shown(title)}: looked at {seen['looked_at']:,} of {seen['tiles']:,} tiles; {seen['failed']:,} failed, "
            f"{seen['skipped']:,} hold no data"
        )
    for warning in loaded.warnings:
        yield f"{shown(title)}: {warning}"
    found = [kind for kind, _ in loaded.problems.counts.most_common() if kind not in (WRONG_FRAME, MIXED)]
    if found:
        yield f"{shown(title)}: of {loaded.rows:,} rows {loaded.left_out:,} were left out"
    for kind in found:
        yield f"  {loaded.problems.counts[kind]:,} x {kind}"
        yield from (f"    {line}" for line in loaded.problems.examples[kind])


def titles_of(files: Sequence[Path]) -> list[str]:
    """Names of the files, with as many folders before them as tell them apart. Raises TrainingError for one file
    given twice."""
    if len({path.resolve() for path in files}) < len(files):
        raise TrainingError("the same file of predictions was given twice; give each once.")
    whole = [path.resolve().parts for path in files]
    for depth in range(1, max(map(len, whole)) + 1):
        titles = ["/".join(parts[-depth:]) for parts in whole]
        if len(set(titles)) == len(titles):
            return titles
    return [str(path) for path in files]


def _entry(
    family: Family,
    cases: Mapping[str, list[Case]],
    name: str,
    draws: int,
    seed: int,
    say: Say,
    *,
    java: bool,
) -> EntryResult:
    scores = {}
    for title, mine in cases.items():
        say(f"scoring {len(mine):,} questions of {family} in {title}")
        scores[title] = score(mine, draws=draws, seed=seed, java=java, say=say)
    compared: dict[str, tuple[Difference, ...]] = {}
    common: dict[str, Any] = {}
    problems: Counter[str] = Counter()
    examples: dict[str, list[str]] = {}
    for one, other in combinations(cases, 2):
        key = f"{one} vs {other}"
        truths = {case.case_id: case.truth for case in cases[one]}
        shared = [case for case in cases[other] if case.case_id in truths]
        differ = [case.case_id for case in shared if not same_truth(case.truth, truths[case.case_id])]
        if differ:
            sentence = (
                f"{key}: {len(differ)} questions have another truth in the other file, {differ[0]} among them; each "
                "file's answers were scored by its own"
            )
            say(shown(sentence, 600))
            problems["different truth"] += len(differ)
            examples.setdefault("different truth", []).append(sentence)
        common[key] = len(shared)
        if shared:
            say(f"comparing {key} on {len(shared):,} questions")
            compared[key] = differences(cases[one], cases[other], draws=draws, seed=seed)
        else:
            say(f"{key}: no question of {family} in common, so they are not compared")
    return EntryResult(
        name=str(family),
        title=str(family),
        family=family,
        status="scored",
        scores=scores,
        compared=compared,
        problems=dict(problems),
        examples=examples,
        configuration={"format": name, **({"questions in common": common} if common else {})},
    )


def same_truth(one: Truth, other: Truth) -> bool:
    """Whether two files hold the same to be true of a question, boxes to a thousandth of their unit."""
    if (one.text, one.texts, one.classes, one.count) != (other.text, other.texts, other.classes, other.count):
        return False
    if one.boxes is None or other.boxes is None:
        return one.boxes is other.boxes
    a, b = one.boxes.xyxy, other.boxes.xyxy
    return a.shape == b.shape and bool((np.abs(a - b) < 1e-3).all())


def _with_problems(entry: EntryResult, loaded: Mapping[str, Loaded]) -> EntryResult:
    """The first entry with what is wrong with the files, which are no family's own."""
    counts = Counter(entry.problems)
    examples = {kind: list(found) for kind, found in entry.examples.items()}
    for title, one in loaded.items():
        file = f"{title}: " if len(loaded) > 1 else ""
        named = {line for found in one.problems.examples.values() for line in found}
        others = [line for line in one.warnings if not any(line in example for example in named)]
        counts.update({**one.problems.counts, **({"warning": len(others)} if others else {})})
        for kind, lines in [*one.problems.examples.items(), ("warning", others)]:
            if lines:
                examples.setdefault(kind, []).extend(file + line for line in lines)
    return replace(entry, problems=dict(counts), examples=examples)


def _identity(path: Path) -> dict[str, Any]:
    """A file's name, size and hash; of a folder its name."""
    if not path.is_file():
        return {"name": path.name}
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"name": path.name, "bytes": path.stat().st_size, "sha256": digest}
