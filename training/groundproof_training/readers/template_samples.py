"""A template's question about a procedural scene as a sample with exact pixel boxes, rationale included.

Knows how the templates write. Refuses to know scenes, files and the reader that asks.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from groundproof.labels import plural
from groundproof.protocol import Task, place_words
from groundproof_training.rationales.absence import absent_words
from groundproof_training.samples import EvidenceLine, Rationale, Sample, SampleImage, Split, TrueBox
from groundproof_training.templates import WORDS
from groundproof_training.templates import Sample as Written
from groundproof_training.templates.tile import PER_MILLE, model_box

LICENCE = "Apache-2.0 (rendered by this project's generator; no imagery)"

_PARTS = re.compile(
    r"<plan>(.*?)</plan><evidence>(.*?)</evidence><synthesis>(.*?)</synthesis>", flags=re.DOTALL
)
_ABSENT = re.compile(r"No (.*) is visible\. ")
_BOX = re.compile(r"\[\d+,\d+,\d+,\d+\]")
_COMPARED = re.compile(r"(?:Scan for|Count) (.+?) and (.+?),")
_MANY = {plural(label): label for label in WORDS}
_UNKNOWN = "anything that fits"


def to_sample(
    written: Written,
    images: tuple[SampleImage, ...],
    objects: Sequence[TrueBox],
    *,
    sample_id: str,
    source: str,
    split: Split,
    choices: tuple[str, ...] = (),
) -> Sample | None:
    """The sample; None where the question names a thing the generator does not know, so that "no" may be untrue.

    objects: of the scene (or, for change, of the changes), px, in the order the templates were given them.
    """
    parts = _PARTS.search(written.completion)
    if parts is None:
        raise ValueError(f"a template wrote no trace: {written.completion[:80]!r}")
    plan, evidence, synthesis = parts.groups()
    if _UNKNOWN in plan:
        return None
    task = Task(written.task)
    question, regions = _with_regions(written.prompt.removeprefix(f"[{task}] "), images[0])
    absent = _ABSENT.fullmatch(evidence)
    changing = task is Task.CHANGE
    boxes = tuple(objects[k] for k in written.objects)
    lines = tuple(
        EvidenceLine(text=f"{label}, {_place(box, image if changing else None)}", box=n)
        for n, (label, box, image) in enumerate(
            zip(written.labels, written.boxes, written.images, strict=True)
        )
    )
    answer = "" if task in (Task.DETECT, Task.GROUND) else _with_markers(written)
    denied = absent[1] if absent else ""
    described = task in (Task.CAPTION, Task.GROUNDED_CAPTION, Task.REGION_CAPTION)
    sample = Sample(
        sample_id=sample_id,
        source=source,
        split=split,
        licence=LICENCE,
        task=task,
        images=images,
        question=question,
        answer=answer,
        answers=(answer,) if task is Task.CLASSIFY else (),
        asked=_asked(written, plan),
        choices=choices if task is Task.CLASSIFY else (),
        boxes=boxes,
        regions=regions,
        captions=(_plain(written.answer),) if described else (),
        rationale=Rationale(
            plan=plan,
            evidence=lines,
            synthesis=synthesis,
            by="template",
            absent=denied,
        ),
    )
    if denied and task in (Task.GROUND, Task.VQA) and denied == " or ".join(sample.asked):
        return _denying_no_more(sample)
    return sample


def _denying_no_more(sample: Sample) -> Sample:
    """Where a question adds a place ("the planes in the harbour"), its class is denied there and not everywhere, as of
    every other dataset."""
    rationale = sample.rationale
    words = absent_words(sample)
    if rationale is None or words == rationale.absent:
        return sample
    return sample.model_copy(update={"rationale": rationale.model_copy(update={"absent": words})})


def _place(box: tuple[int, int, int, int], image: int | None) -> str:
    where = place_words(model_box(box), PER_MILLE)
    return where if image is None else f"{where} of image {image + 1}"


def _asked(written: Written, plan: str) -> tuple[str, ...]:
    """From what is known before the answer, so that the names in a prompt give nothing away."""
    if written.label:
        return (written.label,)
    compared = _COMPARED.match(plan) if written.task == Task.VQA else None
    return tuple(_MANY[many] for many in compared.groups()) if compared else ()


def _with_regions(question: str, image: SampleImage) -> tuple[str, tuple[TrueBox, ...]]:
    """The question with markers for the boxes it gives, and those boxes in px."""
    regions: list[TrueBox] = []

    def marked(found: re.Match[str]) -> str:
        x0, y0, x1, y1 = (int(v) / 1000 for v in re.findall(r"\d+", found[0]))
        w, h = image.width, image.height
        regions.append(TrueBox(label="region", x0=x0 * w, y0=y0 * h, x1=x1 * w, y1=y1 * h))
        return f"<region:{len(regions) - 1}>"

    return _BOX.sub(marked, question), tuple(regions)


def _with_markers(written: Written) -> str:
    """The answer with markers for its boxes, which are among the evidence."""
    left = [written.boxes.index(box) for box in written.answer_boxes]
    return _BOX.sub(lambda _: f"<box:{left.pop(0)}>", written.answer)


def _plain(answer: str) -> str:
    """A grounded caption without its boxes."""
    return re.sub(r" \[\d+,\d+,\d+,\d+\](,\[\d+,\d+,\d+,\d+\])*", "", answer)
