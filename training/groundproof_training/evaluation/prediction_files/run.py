"""Our own results, a run directory or its GeoPackage, against truth in scene pixels.

Knows the engine's tables: what is predicted is the counted evidence of each scene and question, the number an answer
states, and its words. Failed tiles are named, and what lies in them is missed. Refuses to look at pixels.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from groundproof.counting import answers_to, counted
from groundproof.deliver import merge_run
from groundproof.errors import GroundproofError
from groundproof.labels import is_kind_of
from groundproof.outputs import read
from groundproof.protocol import Task, target_labels
from groundproof.tables import FAILED, Result, TileStatus
from groundproof_training.errors import TrainingError
from groundproof_training.evaluation.cases import NO_BOXES, BoxSet, Case, Family, Said, Status
from groundproof_training.evaluation.prediction_files.base import (
    FileOptions,
    Frame,
    Loaded,
    Say,
    Tally,
    silent,
)
from groundproof_training.evaluation.prediction_files.frames import box_set
from groundproof_training.evaluation.prediction_files.joining import image_name, unique
from groundproof_training.evaluation.prediction_files.run_truth import RunTruth, truth_for_runs
from groundproof_training.evaluation.prediction_files.text_rows import words_in
from groundproof_training.metrics.counting import read_single

_LOOKED_AT = (TileStatus.OK, TileStatus.EMPTY)


@dataclass(frozen=True, slots=True)
class Answered:
    """One row of the answers table with its scene, evidence and tiles."""

    row: Any
    scene: Any
    evidence: pd.DataFrame
    tiles: pd.DataFrame

    @property
    def task(self) -> Task:
        """Of the question."""
        return Task(self.row.task)

    @property
    def labels(self) -> tuple[str, ...]:
        """What was asked for, normalised."""
        return target_labels(self.row.question, self.task)

    @property
    def name(self) -> str:
        """Of the scene's file."""
        return str(self.scene.path or self.row.scene)

    @property
    def size(self) -> tuple[float, float] | None:
        """Of the scene, px."""
        width, height = self.scene.width, self.scene.height
        return None if pd.isna(width) or pd.isna(height) else (float(width), float(height))


class RunResults:
    """See the module."""

    name = "run"
    summary = (
        "our run directory or result GeoPackage; --truth: COCO annotations, samples or a reviewed GeoPackage"
    )

    def read(self, path: Path, truth: Path | None, options: FileOptions, say: Say = silent) -> Loaded:
        """A case for each scene and question."""
        if truth is None:
            raise TrainingError(
                "the format run needs --truth FILE: COCO annotations in scene pixels, a file of samples, or a reviewed "
                "GeoPackage."
            )
        if options.frame not in (None, Frame.PX):
            raise TrainingError(
                f"boxes of a run are in px of the scene; --frame {options.frame} does not apply."
            )
        tally = Tally.telling(say)
        result = result_of(path)
        known = truth_for_runs(truth, tally, options)
        cases = list(_cases(result, known, tally, options))
        _name_failures(result, tally)
        return Loaded.of(unique(cases), tally, coverage=coverage_of(result))


def result_of(path: Path) -> Result:
    """The four tables. Raises TrainingError for what is no result of ours."""
    try:
        if path.is_dir():
            return merge_run(path)[1]
        return read(path)
    except (GroundproofError, OSError) as err:
        raise TrainingError(f"{path} cannot be read as a run: {err}") from err


def coverage_of(result: Result) -> dict[str, Any]:
    """Tiles planned, looked at, skipped for want of data, failed; share: looked at, of those that hold data."""
    status = result.tiles.status
    looked, skipped = int(status.isin(_LOOKED_AT).sum()), int((status == TileStatus.SKIPPED).sum())
    held = len(status) - skipped
    return {
        "tiles": len(status),
        "looked_at": looked,
        "skipped": skipped,
        "failed": held - looked,
        "share": looked / held if held else float("nan"),
    }


def _cases(result: Result, known: RunTruth, tally: Tally, options: FileOptions) -> Iterator[Case]:
    scenes = {row.scene: row for row in result.scenes.itertuples()}
    seen, questions = set[tuple[str, str]](), dict[tuple[str, str], None]()
    evidence = dict(list(result.evidence.groupby("answer_id")))
    tiles = dict(list(result.tiles.groupby("answer_id")))
    for row in result.answers.itertuples():
        tally.row()
        where = f"answer {row.answer_id} ({row.scene})"
        one = Answered(
            row,
            scenes[row.scene],
            evidence.get(row.answer_id, result.evidence.iloc[:0]),
            tiles.get(row.answer_id, result.tiles.iloc[:0]),
        )
        questions[(row.question, row.task)] = None
        try:
            case = known.pose(one.name, row.question, one.task, one.labels, one.size, windows_of(one.tiles))
        except LookupError as err:
            kind, sentence = err.args
            tally.leave_out(kind, where, sentence)
            continue
        if options.family not in (None, case.family):
            tally.leave_out(
                "other family", where, f"it is {case.family}, and only {options.family} was asked for"
            )
            continue
        key = (image_name(one.name), row.question)
        seen.add(key)
        yield _answered(case, one)
    failed = {
        image_name(str(row.path or row.scene)): row.reason
        for row in result.scenes.itertuples()
        if row.status != "ok"
    }
    for case in known.unasked(list(questions), seen):
        name = image_name(case.group)
        if options.family not in (None, case.family):
            continue
        if name in failed:
            tally.note("failed scene", case.group, str(failed[name]))
            yield replace(case, said=Said(status=Status.FAILED))
        else:
            tally.note(
                "missing prediction", case.case_id, "the truth has this image, the run has no answer for it"
            )
            yield case


def _answered(case: Case, one: Answered) -> Case:
    mine = one.evidence[counted(one.evidence) & answers_to(one.evidence, one.labels)]
    boxes = boxes_of(mine, one.labels)
    rationale = boxes_of(mine[mine.role == "evidence"], one.labels)
    text = str(one.row.answer or "")
    value = one.row.value
    number = value if isinstance(value, int) and not isinstance(value, bool) else read_single(text)
    answer = {True: "yes", False: "no"}.get(value, "") if isinstance(value, bool) else ""
    if case.family is Family.CLASSIFICATION:
        answer = ", ".join(map(str, value)) if isinstance(value, list) else str(value or "")
    answer = answer or words_in(text)
    asked = ~one.tiles.status.isin([TileStatus.SKIPPED])
    failed = one.tiles.status.isna() | one.tiles.status.isin([str(s) for s in FAILED])
    status = Status.OK
    if one.scene.status != "ok" or (asked.any() and failed[asked].all()):
        status = Status.FAILED
    elif not _readable(case.family, answer, number):
        status = Status.UNREADABLE
    said = Said(
        text=text,
        answer=answer,
        boxes=boxes,
        evidence=rationale,
        count=number if case.family in (Family.COUNTING, Family.VQA) else None,
        status=status,
    )
    return replace(case, said=said)


def _readable(family: Family, answer: str, number: int | None) -> bool:
    """Whether an answer is of the kind that was asked for; boxes always are, none included."""
    if family is Family.COUNTING:
        return number is not None
    return family in (Family.DETECTION, Family.GROUNDING) or any(c.isalnum() for c in answer)


def boxes_of(evidence: pd.DataFrame, labels: tuple[str, ...]) -> BoxSet:
    """Rows of the evidence table in scene pixels. A label is the asked one it is a kind of."""
    if not len(evidence):
        return NO_BOXES
    scores = evidence.score.to_numpy(dtype=np.float64)
    has_score = bool(np.isfinite(scores).any())
    made = box_set(
        np.array([list(map(float, box)) for box in evidence.box_px], dtype=np.float64),
        evidence.angle_deg.to_numpy(dtype=np.float64),
        labels=[asked_label(str(label or ""), labels) for label in evidence.label],
        scores=np.where(np.isfinite(scores), scores, -np.inf) if has_score else None,
    )
    images = tuple(0 if pd.isna(image) else int(image) for image in evidence.image)
    return BoxSet(made.xyxy, made.labels, images, made.quads, made.scores)


def asked_label(label: str, labels: tuple[str, ...]) -> str:
    """The first asked label that a label is a kind of, or the label itself; where one label alone is asked, that."""
    if len(labels) == 1:
        return labels[0]
    return next((one for one in labels if label and is_kind_of(label, one)), label)


def windows_of(tiles: pd.DataFrame) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Windows that were planned, (n, 4) x0 y0 x1 y1 scene pixels."""
    return np.array([list(map(float, w)) for w in tiles.window_px], dtype=np.float64).reshape(-1, 4)


def _name_failures(result: Result, tally: Tally) -> None:
    bad = result.tiles[result.tiles.status.isna() | result.tiles.status.isin([str(s) for s in FAILED])]
    for row in bad.itertuples():
        status = "not asked" if pd.isna(row.status) else row.status
        tally.note(
            "failed tile", f"{row.scene}, {list(row.window_px)}", f"{status}: {row.text or 'no reason given'}"
        )
