"""A sample as a model of one profile reads and writes it: prompt and completion.

Knows the engine's prompt and grammar, which are the only ones. Refuses to open images and to know tokenizers.
"""

from __future__ import annotations

from enum import StrEnum

from groundproof.boxes import BoxFrame, ModelBox, PixelBox, Tile, Window
from groundproof.georeference import to_model
from groundproof.models.profile import Profile
from groundproof.protocol import (
    Prompt,
    Task,
    detect_answer,
    format_box,
    format_trace,
    quantise_per_mille,
    render,
)
from groundproof_training.samples.types import MARKER, Sample, SampleImage, TrueBox

Size = tuple[int, int]
"""Width and height, px."""


class Form(StrEnum):
    """What a completion holds."""

    GEO_COT = "geo-cot"
    """The protocol's tags: plan, evidence and synthesis inside `<think>`, then `<answer>`."""
    THINK = "think"
    """The same sentences as prose inside `<think>`, then `<answer>`: RSThinker's published form."""
    ANSWER = "answer"
    """`<answer>` alone: training without a chain of thought."""


def seen_size(shown: Size, profile: Profile, min_pixels: int, max_pixels: int) -> Size:
    """The size at which a model of this profile sees an image of `shown` px: both sides multiples of the profile's
    patch x merge, the area within the limits, the aspect kept as far as that goes."""
    step = profile.patch_merge_px
    width, height = shown
    scale = 1.0
    if width * height > max_pixels:
        scale = (max_pixels / (width * height)) ** 0.5
    elif width * height < min_pixels:
        scale = (min_pixels / (width * height)) ** 0.5
    sides = [max(step, round(side * scale / step) * step) for side in (width, height)]
    while sides[0] * sides[1] > max_pixels and max(sides) > step:
        longer = 0 if sides[0] >= sides[1] else 1
        sides[longer] -= step
    return sides[0], sides[1]


def write_box(box: TrueBox, image: SampleImage, frame: BoxFrame, seen: Size) -> ModelBox:
    """The box in whole numbers of the frame, clipped to what is shown. seen: the image's size as the model sees it."""
    x0, y0, *_ = image.shown
    width, height = image.shown_size
    left, right = max(box.x0 - x0, 0.0), min(box.x1 - x0, float(width))
    top, bottom = max(box.y0 - y0, 0.0), min(box.y1 - y0, float(height))
    if left >= right or top >= bottom:
        raise ValueError(
            f"the box {box.xyxy} ({box.label}) lies outside what is shown of {image.path}: {image.shown}"
        )
    if frame is BoxFrame.PER_MILLE:
        return quantise_per_mille(left, top, right, bottom, width, height)
    tile = Tile(0, Window(0, 0, width, height), *seen)
    exact = to_model(PixelBox(left, top, right, bottom), frame, tile)
    end_x, end_y = (frame.full_scale, frame.full_scale) if frame.full_scale else seen
    first_x, first_y = min(round(exact.x0), int(end_x) - 1), min(round(exact.y0), int(end_y) - 1)
    return ModelBox(first_x, first_y, max(first_x + 1, round(exact.x1)), max(first_y + 1, round(exact.y1)))


def _box_text(box: TrueBox, sample: Sample, frame: BoxFrame, seen: tuple[Size, ...]) -> str:
    return format_box(write_box(box, sample.images[box.image], frame, seen[box.image]), frame)


def _filled(text: str, sample: Sample, frame: BoxFrame, seen: tuple[Size, ...]) -> str:
    things = {"region": sample.regions, "box": sample.boxes}
    return MARKER.sub(lambda m: _box_text(things[m[1]][int(m[2])], sample, frame, seen), text)


def prompt_of(sample: Sample, profile: Profile, seen: tuple[Size, ...]) -> Prompt:
    """The engine's own prompt for the sample. seen: size of each image as the model sees it."""
    question = _filled(sample.question, sample, profile.frame, seen)
    labels = sample.choices or sample.asked
    return render(sample.task, question, profile, labels, len(sample.images))


def answer_of(sample: Sample, profile: Profile, seen: tuple[Size, ...]) -> str:
    """The true answer as the model should write it, without tags."""
    if sample.task in (Task.DETECT, Task.GROUND):
        boxes = [write_box(b, sample.images[b.image], profile.frame, seen[b.image]) for b in sample.counted]
        return detect_answer(boxes, profile.frame)
    return _filled(sample.answer, sample, profile.frame, seen)


def completion_of(sample: Sample, profile: Profile, seen: tuple[Size, ...], form: Form) -> str:
    """The text the model should write. Raises ValueError for a form with a rationale where the sample has none."""
    answer = answer_of(sample, profile, seen)
    if form is Form.ANSWER:
        return f"<answer>{answer}</answer>"
    if sample.rationale is None:
        raise ValueError(f"{sample.sample_id} has no rationale, so it cannot be written as {form}")
    rationale = sample.rationale
    evidence = "".join(
        f"E{n} {line.text} {_box_text(sample.boxes[line.box], sample, profile.frame, seen)}. "
        for n, line in enumerate(rationale.evidence, start=1)
    )
    if not evidence:
        absent = rationale.absent or (" or ".join(sample.asked) if sample.complete else "")
        evidence = f"No {absent} is visible. " if absent else ""
    if form is Form.THINK:
        prose = " ".join(
            part.strip() for part in (rationale.plan, evidence, rationale.synthesis) if part.strip()
        )
        return f"<think>{prose}</think><answer>{answer}</answer>"
    return format_trace(rationale.plan, evidence, rationale.synthesis, answer)
