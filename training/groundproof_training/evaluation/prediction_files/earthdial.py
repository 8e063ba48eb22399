"""EarthDial's result files, which GeoVLM-R1's evaluation reads too: JSON lines of a question, an answer and the truth.

Knows their keys. Seven kinds of file share them, and what a row is follows from its own tags and texts, never from the
file's name. Rows name no image and no question, so a question's place and content are its id.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

from groundproof_training.errors import TrainingError
from groundproof_training.evaluation.cases import Case
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
from groundproof_training.evaluation.prediction_files.frames import looks_wrong
from groundproof_training.evaluation.prediction_files.text_rows import Notation, TextCases, TextRow

TRUTHS = ("gt_bbox", "groundtruth", "groundtruth0", "annotation", "caption0")
"""Keys of the truth; the first that is there counts."""
_FURTHER = tuple(f"{name}{n}" for n in range(1, 5) for name in ("groundtruth", "caption"))
CLOCKWISE = False
"""Which way EarthDial's evaluator turns boxes on screen, and so the strict figures too, that both tell of the same
boxes: for its GeoChat file P .2635 R .2484 F1 .2557, set-exact .2664 (with `turned_quads`, IoU >= .5, one-to-one). The
labels themselves seem to be meant clockwise (`readers.oriented`), which gives .2645 .2494 .2567 .2684."""
_TYPES = ("vqa_type", "task_type", "ttype")
_IMAGE = re.compile(r"<image>|<ImageHere>")
_IMAGES = ("image_id", "image", "img", "image_path")


class EarthDialRows:
    """See the module."""

    name = "earthdial"
    summary = "JSON lines: question, answer, gt_bbox | groundtruth | annotation | caption0..4; boxes 0 to 100, angle"

    def read(self, path: Path, truth: Path | None, options: FileOptions, say: Say = silent) -> Loaded:
        """Every row with its own truth."""
        if truth is not None:
            raise TrainingError(
                "rows of the format earthdial hold their truth and name no question by which another file could "
                "give it; leave --truth out."
            )
        if options.clockwise is None:
            options = options.model_copy(update={"clockwise": CLOCKWISE})
        tally = Tally.telling(say)
        frame = options.frame or Frame.PERCENT
        maker = TextCases(frame, options, tally, Notation.GRID)
        cases: list[Case] = []
        for where, number, row in rows_of(checked(path, options), tally, options):
            made = row_of(row, where, number, tally)
            case = maker.posed(made) if made is not None else None
            if case is not None and made is not None:
                said = text_of(row.get("answer"))
                cases.append(maker.answered(case, said, where, made.n_images, made.question))
        tally.wrong_frame(path.name, looks_wrong(maker.said, frame, true=maker.true))
        tally.warnings += filter(None, [ungrouped(cases)])
        return Loaded.of(cases, tally)


def row_of(row: dict[str, Any], where: str, number: int, tally: Tally) -> TextRow | None:
    """The question and truth of a row; None, and the row left out, where one is missing. number: of its line."""
    question = row.get("question")
    if not isinstance(question, str) or not question.strip():
        tally.leave_out(
            "no question", where, f"no `question`; its keys are {', '.join(map(str, list(row)[:8]))}"
        )
        return None
    key = next((k for k in TRUTHS if (text_of(row.get(k)) or "").strip()), None)
    if key is None:
        there = [k for k in TRUTHS if k in row]
        tally.leave_out(
            "no truth", where, f"{there[0]} is empty" if there else f"none of {', '.join(TRUTHS)}"
        )
        return None
    question, (first, *more) = clean(question), _listed(text_of(row[key]) or "")
    further = [text for k in _FURTHER if (text := text_of(row.get(k))) and text.strip()]
    content = hashlib.sha256(f"{question}\n{first}".encode()).hexdigest()[:12]
    image = next((str(row[k]) for k in _IMAGES if row.get(k)), "")
    return TextRow(
        where=where,
        case_id=f"{number}:{content}",
        group=clean(image) or f"{number}:{content}",
        question=question,
        truth=first,
        references=(*more, *further),
        meta={"type": _type(row), "size_group": _group(row.get("size_group"))},
        n_images=max(1, len(_IMAGE.findall(question))),
    )


def ungrouped(cases: list[Case]) -> str | None:
    """What to know about intervals where no row names its image."""
    if not cases or any(case.group != case.case_id for case in cases):
        return None
    return (
        "no row names its image, so every question is resampled by itself; where several ask about one image, the "
        "intervals are too narrow"
    )


def _type(row: dict[str, Any]) -> str:
    return next((clean(str(row[k]).strip('"'))[:60] for k in _TYPES if row.get(k)), "")


def _group(value: Any) -> str:
    """A size group; of a list of them the one that all are, else "mixed"."""
    if isinstance(value, str) and value.startswith("["):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return ""
    if isinstance(value, list):
        kinds = {str(one) for one in value}
        return clean(kinds.pop()) if len(kinds) == 1 else "mixed" if kinds else ""
    return clean(str(value))[:60] if value else ""


def _listed(text: str) -> list[str]:
    """A truth that is a JSON list of sentences in a text as its sentences."""
    if text.lstrip().startswith('["'):
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            return [text]
        texts = [clean(one) for one in found if isinstance(one, str)] if isinstance(found, list) else []
        return texts or [text]
    return [text]
