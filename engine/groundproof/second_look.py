"""A second look: show the model each box again, close up, and ask whether it is what the sentence says.

Knows boxes, crops and the model's interface. Refuses to know where pixels come from (`read_crop`) and what
the evidence table does with a verdict. The only text-made way up for a verdict: agreement makes a box
supported, disagreement contradicted; what cannot be read, or points elsewhere, leaves it unchecked.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from groundproof.boxes import PixelBox, PixelBoxes, Tile, Window
from groundproof.counting import counted
from groundproof.errors import ReadError
from groundproof.findings import AuditFinding, Kind
from groundproof.georeference import to_pixels
from groundproof.labels import is_kind_of
from groundproof.models.base import Finish, Request
from groundproof.overlap import overlapping
from groundproof.protocol import Task, render_second_look
from groundproof.tables import Verdict
from groundproof.trace import Trace, parse
from groundproof.wording import e_list, one_line

if TYPE_CHECKING:
    import pandas as pd

    from groundproof.models.base import VisionLanguageModel
    from groundproof.models.profiles import Profile

CONTEXT = 1.5
"""Side of the crop in sides of the box: some surroundings, and the object still fills the middle."""

MIN_SIDE = 4
"""Least side of a crop in units of the model's patch x merge: a model is blind in a picture of one patch."""

SAME_PLACE_IOU = 0.3
"""From here a box of the reply is the known box. Loose: it is drawn anew, in another picture."""

ReadCrop = Callable[[Tile, int], NDArray[np.uint8]]
"""(crop, image) to RGB uint8 (model_height, model_width, 3). Raises ReadError when it cannot be read."""


@dataclass(frozen=True, slots=True)
class Subject:
    """One box to look at again. label: normalised, may be empty; quote: the sentence that points at it."""

    box: PixelBox
    label: str
    quote: str
    image: int = 0


@dataclass(frozen=True, slots=True)
class SecondLook:
    """What came of one. index: of the subject. verdict: supported, contradicted or unchecked, reason: why."""

    index: int
    verdict: Verdict
    reason: str
    text: str = ""
    finish: Finish | None = None


def second_look(
    subjects: Sequence[Subject],
    read_crop: ReadCrop,
    model: VisionLanguageModel,
    scene_size: tuple[int, int],
    *,
    context: float = CONTEXT,
    min_side_px: int | None = None,
    scene_px_per_model_px: float = 1.0,
) -> Iterator[SecondLook]:
    """Ask again about every subject; answers come in the order in which the model ends them, one for each.

    scene_size: (width, height), px. context: side of the crop in longest sides of the box. min_side_px:
    least side of the crop as the model sees it; default MIN_SIDE x its patch x merge.
    scene_px_per_model_px: as in the tiles that found the boxes, so that objects keep the size the model
    is used to. Crops are read as the model pulls them. Raises ModelError when the model dies.
    """
    profile = model.profile
    asked: dict[str, tuple[int, Tile]] = {}
    failed: deque[SecondLook] = deque()
    told: set[int] = set()

    def requests() -> Iterator[Request]:
        for index, subject in enumerate(subjects):
            if not subject.label.strip() and not subject.quote.strip():
                failed.append(_unchecked(index, "there is neither a name nor a sentence to ask about"))
                continue
            crop = crop_of(
                subject.box,
                scene_size,
                profile,
                context=context,
                min_side_px=min_side_px,
                scene_px_per_model_px=scene_px_per_model_px,
            )
            try:
                pixels = read_crop(crop, subject.image)
            except ReadError as err:
                failed.append(_unchecked(index, f"its pixels could not be read again: {one_line(str(err))}"))
                continue
            prompt = render_second_look(subject.label, subject.quote, profile)
            name = f"look-{index}"
            asked[name] = (index, crop)
            yield Request(name, (pixels,), prompt.system, prompt.text)

    texts: dict[str, list[str]] = {}
    for piece in model.generate(requests()):
        texts.setdefault(piece.request_id, []).append(piece.text)
        if piece.finish is not None:
            index, crop = asked.pop(piece.request_id)
            told.add(index)
            text = "".join(texts.pop(piece.request_id))
            if piece.finish in ("error", "cancelled"):
                why = piece.error or f"the answer ended with {piece.finish}"
                yield SecondLook(index, Verdict.UNCHECKED, one_line(why), text, piece.finish)
            else:
                verdict, why = judge(text, subjects[index], crop, scene_size, profile)
                yield SecondLook(index, verdict, why, text, piece.finish)
        while failed:
            told.add(failed[0].index)
            yield failed.popleft()
    told.update(look.index for look in failed)
    yield from failed
    for index in range(len(subjects)):
        if index not in told:
            yield _unchecked(index, "the model gave no answer")


def judge(
    text: str, subject: Subject, crop: Tile, scene_size: tuple[int, int], profile: Profile
) -> tuple[Verdict, str]:
    """Verdict and reason from the text of one reply. Pure: `merge` makes verdicts anew from kept texts.

    "No" contradicts. "Yes" supports, provided that, where the reply has boxes of the label, one of them
    is the known box: IoU >= 0.3, or its centre inside the known box. A native model answers for the whole
    crop ("Is there a ship in the image?"), and a neighbour must not vouch for the box.
    """
    trace = parse(text, profile.frame, Task.VQA, (subject.label,) if subject.label else ())
    boxes = _boxes(trace, subject, crop, scene_size, profile)
    there = _is_there(subject.box, boxes)
    said = one_line(trace.answer, 60)
    if trace.value is True:
        if boxes and not there:
            return Verdict.UNCHECKED, "on second look the model sees one, but not in this place"
        return Verdict.SUPPORTED, "on second look the model agrees"
    if trace.value is False:
        if there:
            return Verdict.UNCHECKED, "on second look the model says no and points at it all the same"
        return Verdict.CONTRADICTED, "on second look the model disagrees"
    return Verdict.UNCHECKED, f'neither yes nor no could be read from "{said}"' if said else "no answer"


def crop_of(
    box: PixelBox,
    scene_size: tuple[int, int],
    profile: Profile,
    *,
    context: float = CONTEXT,
    min_side_px: int | None = None,
    scene_px_per_model_px: float = 1.0,
) -> Tile:
    """The square around a box as a tile: centred on it, moved back inside the scene at its edges.

    Its side is a multiple of the model's patch x merge at the tiles' own scale; a box too large for the
    model's tile is shown smaller. Raises ValueError for a context below 1 or a scale that is not positive.
    """
    if context < 1 or not scene_px_per_model_px > 0:
        raise ValueError(
            f"context must be at least 1 and the scale positive, got {context}, {scene_px_per_model_px}"
        )
    unit = profile.patch_merge_px
    least = MIN_SIDE * unit if min_side_px is None else min_side_px
    wanted = max(box.x1 - box.x0, box.y1 - box.y0) * context / scene_px_per_model_px
    largest = max(profile.tile_px // unit, 1) * unit
    model_side = min(ceil(max(wanted, least, 1) / unit) * unit, largest)
    side = max(round(max(model_side, wanted) * scene_px_per_model_px), 1)
    x0 = _start((box.x0 + box.x1) / 2, side, scene_size[0])
    y0 = _start((box.y0 + box.y1) / 2, side, scene_size[1])
    return Tile(0, Window(x0, y0, side, side), model_side, model_side)


def worth_a_look(evidence: pd.DataFrame) -> list[int]:
    """Positions of the rows a second look is for: counted, not yet checked, not decided by an analyst."""
    open_ = evidence["verdict"].isin([str(Verdict.UNCHECKED), str(Verdict.UNSUPPORTED)])
    undecided = evidence["review"].isna()
    return [int(i) for i in np.flatnonzero(counted(evidence) & (open_ & undecided).to_numpy(dtype=bool))]


def findings_of(evidence_ids: Sequence[str], looks: Sequence[SecondLook]) -> list[AuditFinding]:
    """What the answer's audit says of its second look. evidence_ids: by the looks' index."""
    if not looks:
        return []
    ids_by_verdict = {
        verdict: [evidence_ids[look.index] for look in looks if look.verdict is verdict]
        for verdict in (Verdict.SUPPORTED, Verdict.CONTRADICTED, Verdict.UNCHECKED)
    }
    supported, contradicted, unchecked = ids_by_verdict.values()
    words = (
        f"second look at {len(looks)} {'box' if len(looks) == 1 else 'boxes'}: "
        f"{len(supported)} supported, {len(contradicted)} contradicted"
    )
    if unchecked:
        reasons = dict.fromkeys(look.reason for look in looks if look.verdict is Verdict.UNCHECKED)
        words += f", {len(unchecked)} left unchecked ({e_list(unchecked)}: {'; '.join(list(reasons)[:2])})"
    ids = tuple(evidence_ids[look.index] for look in looks)
    return [AuditFinding(Kind.SECOND_LOOK, "info", words, evidence=ids)]


def _boxes(
    trace: Trace, subject: Subject, crop: Tile, scene_size: tuple[int, int], profile: Profile
) -> list[PixelBox]:
    """Boxes of the reply that speak of the subject's kind and have a place in the crop."""
    placed = (
        to_pixels(source.box, profile.frame, crop, scene_size)
        for source in (*trace.evidence, *trace.answer_boxes)
        if not subject.label or not source.label_raw.strip() or is_kind_of(source.label, subject.label)
    )
    return [place.box for place in placed if place.box is not None and place.problem is None]


def _is_there(known: PixelBox, boxes: Sequence[PixelBox]) -> bool:
    centres = [((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2) for box in boxes]
    if any(known.x0 <= x <= known.x1 and known.y0 <= y <= known.y1 for x, y in centres):
        return True
    return len(overlapping(PixelBoxes.of([known]), PixelBoxes.of(list(boxes)), SAME_PLACE_IOU)) > 0


def _start(centre: float, side: int, size: int) -> int:
    return max(min(round(centre - side / 2), size - side), 0)


def _unchecked(index: int, reason: str) -> SecondLook:
    return SecondLook(index, Verdict.UNCHECKED, reason)
