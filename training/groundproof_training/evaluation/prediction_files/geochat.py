"""GeoChat's answer files: JSON lines of question_id, image_id, answer and, except for VQA, ground_truth.

Knows what its four scripts write: scene classes (no question), references and groundings (`type` ref or grounding; the
question is the bare phrase), region captions (the question is a box), VQA (no truth: it comes from another file).
Boxes are `{<x0><y0><x1><y1>|<angle>}`, 0 to 100 of each axis. A truth that is a list of corners in px needs the image's
size, from `width` and `height` of the row or of the file of truth.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from groundproof.protocol import Task
from groundproof_training.errors import TrainingError
from groundproof_training.evaluation.cases import Case, Family
from groundproof_training.evaluation.prediction_files.base import (
    FileOptions,
    Frame,
    Loaded,
    Say,
    Tally,
    checked,
    clean,
    rows_of,
    silent,
    text_of,
)
from groundproof_training.evaluation.prediction_files.earthdial import ungrouped
from groundproof_training.evaluation.prediction_files.frames import looks_wrong
from groundproof_training.evaluation.prediction_files.joining import (
    Seen,
    TruthIndex,
    case_id_of,
    image_of,
    joined,
    keys_of,
    question_of,
    unique,
)
from groundproof_training.evaluation.prediction_files.samples_truth import is_samples, sample_index
from groundproof_training.evaluation.prediction_files.text_rows import Notation, TextCases, TextRow
from groundproof_training.readers.oriented import quad_of, scaled, smallest
from groundproof_training.readers.texts import boxes_in, tags_of

TRUTHS = ("ground_truth", "groundtruth", "gt_bbox", "gt", "target", "label")
TRUTHS_ALONE = (*TRUTHS, "answer")
"""Keys of a file that holds truth alone; there `answer` is the right one."""
_PHRASE = ("ref", "refer", "grounding")


class GeoChatRows:
    """See the module."""

    name = "geochat"
    summary = "JSON lines: question_id, image_id, question, answer, ground_truth; boxes {<x><y><x><y>|<angle>} 0 to 100"

    def read(self, path: Path, truth: Path | None, options: FileOptions, say: Say = silent) -> Loaded:
        """Each row with its own truth, or with that of its question in the file of truth."""
        tally = Tally.telling(say)
        frame = options.frame or Frame.PERCENT
        maker = TextCases(frame, options, tally, Notation.GRID)
        if truth is not None:
            index = (
                sample_index(truth, frame, options) if is_samples(truth) else _index(truth, maker, options)
            )
            cases = list(joined(path, index, lambda row: text_of(row.get("answer")), maker, options))
        else:
            cases = list(self._own(path, maker, options))
        tally.wrong_frame(path.name, looks_wrong(maker.said, frame, true=maker.true))
        tally.warnings += filter(None, [ungrouped(cases)])
        return Loaded.of(unique(cases), tally)

    def _own(self, path: Path, maker: TextCases, options: FileOptions) -> list[Case]:
        seen, cases, tally = Seen(), [], maker.tally
        for where, number, row in rows_of(checked(path, options), tally, options):
            if seen.again(row, where, tally):
                continue
            made = row_of(row, where, number, tally, maker.frame, TRUTHS)
            case = maker.posed(made) if made is not None else None
            if case is not None and made is not None:
                cases.append(maker.answered(case, text_of(row.get("answer")), where, 1, made.question))
        if not cases and tally.problems.counts.get("no truth"):
            raise TrainingError(
                f"no row of {path} holds what is true ({', '.join(TRUTHS[:2])}); give it by --truth FILE, with "
                "the same question_id."
            )
        return cases


def row_of(
    row: dict[str, Any], where: str, number: int, tally: Tally, frame: Frame, truths: tuple[str, ...]
) -> TextRow | None:
    """Question and truth of a row; None, and the row left out, where there is no truth, or none that fits the frame."""
    key = next((k for k in truths if row.get(k) not in (None, "")), None)
    if key is None:
        tally.leave_out("no truth", where, f"none of {', '.join(truths)}")
        return None
    try:
        truth = _truth(row[key], row, frame)
    except ValueError as err:
        tally.leave_out("no truth", where, str(err))
        return None
    question, kind = question_of(row), clean(str(row.get("type") or ""))
    task: Task | None = None
    family: Family | None = None
    if not question:
        # Only the script for scenes writes no question.
        task = Task.GROUND if boxes_in(truth) else Task.CLASSIFY
    elif kind in _PHRASE and not tags_of(question) and not boxes_in(question) and boxes_in(truth):
        task = Task.GROUND
        question = f"<p>{question}</p>" if "<p>" not in question else question
    elif boxes_in(question) and not boxes_in(truth) and not tags_of(question):
        task = Task.REGION_CAPTION
    case_id = case_id_of(row, number, truth)
    return TextRow(
        where=where,
        case_id=case_id,
        group=image_of(row, whole=True) or case_id,
        question=question,
        truth=truth,
        meta={
            "type": kind[:60],
            "size_group": clean(str(row.get("size_group") or ""))[:60],
            "dataset": clean(str(row.get("dataset") or ""))[:60],
        },
        task=task,
        family=family,
    )


def _truth(value: Any, row: dict[str, Any], frame: Frame) -> str:
    """The truth as text; corners as boxes of the frame in GeoChat's notation. Raises ValueError for corners in px
    without a size."""
    quads = _quads(value)
    if quads is None:
        return text_of(value) or ""
    full = frame.full
    if full is not None and max((abs(v) for quad in quads for v in quad), default=0) > full:
        try:
            width, height = float(row["width"]), float(row["height"])
        except (KeyError, TypeError, ValueError) as err:
            raise ValueError(
                "its true boxes are corners beyond the grid, so px, and the row has no width and height"
            ) from err
        quads = [list(scaled(quad_of(quad), full / width, full / height)) for quad in quads]
    boxes = []
    for quad in quads:
        turned = smallest(quad_of(quad))
        x, y, w, h = turned.cx, turned.cy, turned.width / 2, turned.height / 2
        numbers = "".join(f"<{round(v, 6)}>" for v in (x - w, y - h, x + w, y + h))
        boxes.append(f"{{{numbers}|<{round(turned.angle_deg, 6)}>}}")
    return "".join(boxes)


def _quads(value: Any) -> list[list[float]] | None:
    """A list of four corners each, in pairs or as eight numbers; None for anything else."""
    if not isinstance(value, list) or not value:
        return None
    made = []
    for one in value if isinstance(value[0], list) else [value]:
        if not isinstance(one, list):
            return None
        flat = [v for pair in one for v in (pair if isinstance(pair, list) else [pair])]
        if len(flat) != 8 or not all(isinstance(v, int | float) and abs(v) < 1e7 for v in flat):
            return None
        made.append([float(v) for v in flat])
    return made


def _index(truth: Path, maker: TextCases, options: FileOptions) -> TruthIndex:
    index, own = TruthIndex(), Tally(problems=maker.tally.problems)
    asking = TextCases(maker.frame, options, own, maker.notation, true=maker.true)
    for where, number, row in rows_of(checked(truth, options, "truth"), own, options):
        made = row_of(row, where, number, own, maker.frame, TRUTHS_ALONE)
        case = asking.posed(made) if made is not None else None
        if case is not None:
            index.add(case, keys_of(row), image_of(row), made)
    if not index.cases:
        raise TrainingError(f"{truth} holds no question with its truth ({', '.join(TRUTHS_ALONE)}).")
    return index
