"""A rationale from the truth alone, without a teacher: plain sentences that the verifier accepts.

Knows samples and the engine's own wordings. Refuses to look at pictures, and to write where the truth gives nothing to
reason from.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Sequence

from groundproof.boxes import BoxFrame, ModelBox
from groundproof.labels import plural
from groundproof.protocol import Finding, Task, count_synthesis, place_words
from groundproof.wording import e_list, joined
from groundproof_training.rationales.absence import absent_words, all_of_class
from groundproof_training.rationales.verifier import EVERY_BOX, required
from groundproof_training.samples import (
    EvidenceLine,
    Rationale,
    Sample,
    TrueBox,
    class_name,
    same_class,
    write_box,
)
from groundproof_training.samples.types import MARKER

BY = "template"

MOST_SHOWN = 24
"""Boxes that are cited where the answer does not need them."""

ROWS = 16
"""Of an image, for reading order: objects of one row are read from left to right."""

_PLANS = {
    Task.COUNT: ("Scan the image row by row for {many}.", "Look for {many}, row by row."),
    Task.DETECT: ("Scan the image row by row for {many}.", "Search every part of the image for {many}."),
    Task.GROUND: ("Look for what the question points at.", "Compare the places of all {many}."),
    Task.CLASSIFY: ("Look for what decides the class.", "See what is typical of this place."),
    Task.CAPTION: ("Scan the image row by row.", "Look for everything that stands out."),
    Task.GROUNDED_CAPTION: ("Scan the image row by row for objects.", "Look for everything that stands out."),
    Task.REGION_CAPTION: ("Look only inside the box of the question.", "Look at what lies in the box."),
    Task.VQA: ("Look for what the question asks about.", "Scan the image for {many}, then answer."),
    Task.CHANGE: ("Compare the images, the earliest first.", "Look for what changed between the images."),
}  # fmt: skip


def write_rationale(sample: Sample) -> Rationale | None:
    """None where the truth gives nothing to reason from: an answer that counts or asserts objects whose boxes the
    source does not give. The same sample always gets the same words."""
    draw = random.Random(hashlib.sha256(sample.sample_id.encode()).digest())
    shown = _shown(sample)
    if not _holds(sample, shown):
        return None
    names = list(dict.fromkeys(class_name(name) for name in sample.asked))
    names = names or sorted({sample.boxes[j].label for j in shown})
    plan = draw.choice(_PLANS[sample.task]).format(many=joined([plural(name) for name in names]) or "objects")
    evidence = tuple(EvidenceLine(text=_line(sample, sample.boxes[j]), box=j) for j in shown)
    absent = "" if evidence or absent_words(sample) == all_of_class(sample) else absent_words(sample)
    return Rationale(
        plan=plan, evidence=evidence, synthesis=_synthesis(sample, shown, names), by=BY, absent=absent
    )


def in_reading_order(sample: Sample) -> Sample:
    """The sample with its boxes by image, row and column, so that a rationale and a list of boxes have one order. One
    whose texts name boxes by number, or that has a rationale, is left as it is."""
    if sample.rationale is not None or MARKER.search(sample.answer):
        return sample
    boxes = sorted(sample.boxes, key=lambda box: _reading_key(sample, box))
    return sample.model_copy(update={"boxes": tuple(boxes)})


def _reading_key(sample: Sample, box: TrueBox) -> tuple[int, int, float]:
    _, top, _, bottom = sample.images[box.image].shown
    return box.image, int(ROWS * ((box.y0 + box.y1) / 2 - top) / (bottom - top)), box.x0 + box.x1


def _shown(sample: Sample) -> list[int]:
    """Boxes to cite, in the order of the sample, image by image."""
    needed = required(sample)
    others = [j for j, box in enumerate(sample.boxes) if not box.ignore]
    listed = others if len(others) <= MOST_SHOWN or sample.task in EVERY_BOX else sorted(needed)
    return sorted(listed, key=lambda j: sample.boxes[j].image)


def _holds(sample: Sample, shown: Sequence[int]) -> bool:
    """Whether the boxes carry the answer, where the answer speaks of objects."""
    answer = sample.answer.strip().casefold().rstrip(".")
    if sample.task is Task.COUNT:
        return answer == str(len(shown))
    if sample.task is Task.VQA and sample.asked and sample.complete:
        of_asked = [j for j in shown if any(same_class(name, sample.boxes[j].label) for name in sample.asked)]
        if answer in ("yes", "no") and not of_asked:
            return answer == "no"
        if re.fullmatch(r"\d+", answer) and not of_asked:
            return answer == "0"
    return True


def _line(sample: Sample, box: TrueBox) -> str:
    image = sample.images[box.image]
    written = write_box(box, image, BoxFrame.PER_MILLE, image.shown_size)
    place = place_words(written, BoxFrame.PER_MILLE)
    where = f"{place} of image {box.image + 1}" if len(sample.images) > 1 else place
    return f"{box.label}, {where}"


def _synthesis(sample: Sample, shown: Sequence[int], names: Sequence[str]) -> str:
    labels = [sample.boxes[j].label for j in shown]
    listed = e_list(f"E{n}" for n in range(1, len(shown) + 1))
    everything = len(shown) == len(sample.counted)
    found = count_synthesis([Finding(label, ModelBox(0, 0, 1, 1)) for label in labels]) if everything else ""
    task, answer = sample.task, _sentence(sample.answer)
    one = len(shown) == 1
    if task in (Task.COUNT, Task.DETECT):
        return found if shown else f"No {absent_words(sample) or 'such object'} is visible."
    if task is Task.GROUND:
        return f"{listed} {'is' if one else 'are'} what the question points at." if shown else "Nothing fits."
    if task is Task.CLASSIFY:
        return (
            f"{listed} {'shows' if one else 'show'}: {answer}"
            if shown
            else f"What is seen as a whole: {answer}"
        )
    if task is Task.REGION_CAPTION:
        return f"The box shows: {answer}"
    if task is Task.CHANGE:
        return found if shown else "Nothing changed."
    if task is Task.VQA:
        if not shown and sample.asked and sample.complete:
            return f"No {absent_words(sample) or ' or '.join(names)} is visible. So: {answer}"
        return f"{found} So: {answer}" if found and shown else f"What is seen as a whole: {answer}"
    return found if found and shown else "Nothing is singled out; the place is described as a whole."


def _sentence(text: str) -> str:
    """Without boxes' marks, ended by a full stop."""
    plain = " ".join(MARKER.sub("", text).split()).rstrip(".")
    return f"{plain}."
