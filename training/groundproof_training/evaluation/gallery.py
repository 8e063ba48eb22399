"""Cases worth looking at: the best, the worst, what was missed, what was invented; with their pictures, small.

Knows cases and pictures. Refuses to know how they are drawn. The score here only orders the cases of one family; it is
no metric of the report.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from PIL import Image

from groundproof_training.evaluation.cases import BoxSet, Case, Family, Status, Truth
from groundproof_training.evaluation.questions import Question
from groundproof_training.evaluation.results import Shown
from groundproof_training.metrics.boxes import Floats, iou_matrix, match_greedy
from groundproof_training.metrics.classes import key_of
from groundproof_training.metrics.counting import relative
from groundproof_training.metrics.text import same_answer, token_f1

OF_A_KIND = 3
LONGEST_SIDE_PX = 512
IOU = 0.5


def gallery(
    cases: Sequence[Case], questions: Mapping[str, Question], of_a_kind: int = OF_A_KIND
) -> tuple[Shown, ...]:
    """A few of each kind, each case once, the best first. A picture that cannot be opened is left out of its case."""
    scored = sorted(
        ((usefulness(case), case.case_id, case) for case in cases), key=lambda one: (-one[0], one[1])
    )
    there = [one for one in scored if not one[2].truth.absent]
    kinds = [
        [one for one in there if one[0] > 0] or scored[:of_a_kind],
        scored[::-1],
        [one for one in reversed(there) if _missed(one[2])],
        [one for one in scored if one[2].truth.absent and _claims(one[2])],
    ]
    chosen: dict[str, tuple[float, Case]] = {}
    for kind in kinds:
        new = [one for one in kind if one[1] not in chosen]
        chosen |= {case_id: (score, case) for score, case_id, case in new[:of_a_kind]}
    return tuple(_shown(case, score, questions.get(case_id)) for case_id, (score, case) in chosen.items())


def usefulness(case: Case) -> float:
    """0 (wrong) to 1 (right), to order cases by."""
    said, truth = case.said, case.truth
    if said.status is not Status.OK:
        return 0.0
    if case.family in (Family.GROUNDING, Family.DETECTION):
        return _box_f1(said.boxes, truth.boxes)
    if case.family is Family.COUNTING:
        return 0.0 if said.count is None or truth.count is None else relative(said.count, truth.count)
    if case.family is Family.CLASSIFICATION:
        true, named = set(map(key_of, truth.classes)), {key_of(part) for part in said.answer.split(",")}
        return len(true & named) / max(1, len(true | named))
    if case.family is Family.VQA:
        return max((float(same_answer(said.answer, text)) for text in truth.texts), default=0.0)
    return max((token_f1(said.answer, text) for text in truth.texts), default=0.0)


def _box_f1(said: BoxSet, truth: BoxSet | None) -> float:
    true = truth.xyxy if truth is not None else np.zeros((0, 4))
    if truth is not None and truth.ignore is not None:
        true = true[~truth.ignore]
    if not len(said) and not len(true):
        return 1.0
    hits = len(match_greedy(iou_matrix(said.xyxy, true), IOU)) if len(said) and len(true) else 0
    return 2 * hits / (len(said) + len(true))


def _claims(case: Case) -> bool:
    return bool(len(case.said.boxes)) or bool(case.said.count)


def _missed(case: Case) -> bool:
    boxed = case.family in (Family.GROUNDING, Family.DETECTION, Family.COUNTING)
    return boxed and not _claims(case)


def _shown(case: Case, score: float, question: Question | None) -> Shown:
    if question is None:
        return Shown(case, None, score)
    image = question.sample.images[0]
    moved = case if image.window is None else _moved(case, image.shown[:2], image.shown_size)
    if len(question.sample.images) > 1:
        moved = replace(moved, meta={**moved.meta, "images": str(len(question.sample.images))})
    return Shown(moved, _picture(question), score)


def _moved(case: Case, corner: tuple[int, int], size: tuple[int, int]) -> Case:
    """The case in px of the part that is shown, as the picture is."""
    said, truth = case.said, case.truth
    shift = np.array(corner * 2, dtype=np.float64)
    moved: Truth = replace(
        truth,
        boxes=None if truth.boxes is None else _shifted(truth.boxes, shift),
        points=None if truth.points is None else truth.points - shift[:2],
    )
    evidence = None if said.evidence is None else _shifted(said.evidence, shift)
    return replace(
        case,
        truth=moved,
        said=replace(said, boxes=_shifted(said.boxes, shift), evidence=evidence),
        size=(float(size[0]), float(size[1])),
    )


def _shifted(boxes: BoxSet, shift: Floats) -> BoxSet:
    quads = None if boxes.quads is None else boxes.quads - np.tile(shift, 2)
    return replace(boxes, xyxy=boxes.xyxy - shift, quads=quads)


def _picture(question: Question) -> bytes | None:
    """The pictures side by side, no side of one longer than LONGEST_SIDE_PX, as JPEG."""
    try:
        pictures = [Image.fromarray(picture) for picture in question.pictures()]
    except (OSError, SyntaxError, ValueError):
        return None  # the runner has counted it: the question could not be asked
    if not pictures:
        return None
    for picture in pictures:
        picture.thumbnail((LONGEST_SIDE_PX, LONGEST_SIDE_PX))
    sheet = Image.new("RGB", (sum(p.width for p in pictures), max(p.height for p in pictures)))
    left = 0
    for picture in pictures:
        sheet.paste(picture, (left, 0))
        left += picture.width
    written = io.BytesIO()
    sheet.save(written, "JPEG", quality=85)
    return written.getvalue()
