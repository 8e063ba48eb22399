"""A sample as a model reads and writes it: the engine's parser gets back what the truth was."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from groundproof.boxes import BoxFrame, Tile, Window
from groundproof.georeference import to_pixels
from groundproof.models.profiles import get_profile
from groundproof.protocol import Task
from groundproof.trace import parse
from groundproof_training.samples import (
    EvidenceLine,
    Form,
    Rationale,
    Sample,
    SampleImage,
    TrueBox,
    answer_of,
    completion_of,
    prompt_of,
    same_class,
    seen_size,
    write_box,
)

IMAGE = SampleImage(path="a.png", width=1000, height=500)
PLANES = (
    TrueBox(label="airplane", x0=100, y0=50, x1=200, y1=100),
    TrueBox(label="airplane", x0=800, y0=400, x1=900, y1=450),
)


def sample(task: Task, **changes: object) -> Sample:
    fields = dict(
        sample_id="s1", source="made", split="train", licence="none", task=task, images=(IMAGE,), asked=("airplane",),
        question="How many airplanes are there?", answer="2", boxes=PLANES,
        rationale=Rationale(
            plan="Scan the image for airplanes.",
            evidence=(EvidenceLine(text="airplane, upper left", box=0), EvidenceLine(text="airplane", box=1)),
            synthesis="E1 to E2 are airplanes, 2 in all.",
            by="template",
        ),
    )  # fmt: skip
    return Sample.model_validate({**fields, **changes})


def test_a_completion_reads_back_as_its_truth_in_every_frame() -> None:
    for name in ("tiny", "rsthinker", "qwen2.5-vl", "geovlm-r1", "geochat"):
        profile = get_profile(name)
        seen = (seen_size(IMAGE.shown_size, profile, 56 * 56, 800 * 800),)
        text = completion_of(sample(Task.DETECT), profile, seen, Form.GEO_COT)
        trace = parse(text, profile.frame, Task.DETECT, ("airplane",))
        assert not trace.repairs
        tile = Tile(0, Window(0, 0, 1000, 500), *seen[0])
        for found in (trace.evidence, trace.answer_boxes):
            for said, true in zip(found, PLANES, strict=True):
                box = to_pixels(said.box, profile.frame, tile, (1000, 500)).box
                assert box is not None
                step = 11 if profile.frame is BoxFrame.PERCENT_ANGLE else 2
                assert (box.x0, box.y0, box.x1, box.y1) == pytest.approx(true.xyxy, abs=step)


def test_without_a_rationale_the_answer_stands_alone_and_is_read_by_the_same_parser() -> None:
    profile = get_profile("tiny")
    text = completion_of(sample(Task.COUNT, rationale=None), profile, ((224, 112),), Form.ANSWER)
    assert text == "<answer>2</answer>"
    assert parse(text, profile.frame, Task.COUNT, ("airplane",)).value == 2
    with pytest.raises(ValueError, match="s1 has no rationale"):
        completion_of(sample(Task.COUNT, rationale=None), profile, ((224, 112),), Form.GEO_COT)


def test_the_published_form_is_prose_in_think() -> None:
    text = completion_of(sample(Task.COUNT), get_profile("rsthinker"), ((1008, 504),), Form.THINK)
    assert text == (
        "<think>Scan the image for airplanes. E1 airplane, upper left [100,100,200,200]. E2 airplane "
        "[800,800,900,900]. E1 to E2 are airplanes, 2 in all.</think><answer>2</answer>"
    )


def test_markers_become_boxes_of_the_frame() -> None:
    region = TrueBox(label="airplane", x0=100, y0=50, x1=200, y1=100)
    asked = sample(
        Task.REGION_CAPTION, question="What is in <region:0>?", regions=(region,), answer="An airplane <box:1>."
    )  # fmt: skip
    profile = get_profile("tiny")
    assert prompt_of(asked, profile, ((224, 112),)).text == "[region-caption] What is in [100,100,200,200]?"
    assert answer_of(asked, profile, ((224, 112),)) == "An airplane [800,800,900,900]."


def test_boxes_of_a_window_are_written_in_the_window() -> None:
    window = SampleImage(path="a.png", width=1000, height=500, window=(100, 50, 300, 150))
    shown = sample(Task.DETECT, images=(window,), boxes=PLANES[:1], rationale=None)
    assert answer_of(shown, get_profile("tiny"), ((224, 112),)) == "[[0,0,500,500]]"
    outside = sample(Task.DETECT, images=(window,), boxes=PLANES[1:], rationale=None)
    with pytest.raises(ValueError, match="outside what is shown"):
        answer_of(outside, get_profile("tiny"), ((224, 112),))


def test_what_is_difficult_is_not_asked_for() -> None:
    hard = PLANES[1].model_copy(update={"ignore": True})
    assert answer_of(sample(Task.DETECT, boxes=(PLANES[0], hard)), get_profile("tiny"), ((224, 112),)) == (
        "[[100,100,200,200]]"
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"question": "What is <region:1>?"}, "names <region:1>"),
        ({"answer": "<region:0>"}, "names <region:0>"),
        ({"boxes": (TrueBox(label="a", x0=0, y0=0, x1=1, y1=1, image=3),)}, "image 3 of 1"),
    ],
)
def test_a_sample_that_points_at_nothing_is_refused(changes: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        sample(Task.COUNT, **changes)


@given(st.integers(1, 5000), st.integers(1, 5000), st.sampled_from(["tiny", "qwen3-vl"]))
def test_a_seen_size_fits_the_patches_and_the_limit(width: int, height: int, name: str) -> None:
    profile = get_profile(name)
    step = profile.patch_merge_px
    columns, rows = seen_size((width, height), profile, 56 * 56, 800 * 800)
    assert columns % step == 0 == rows % step
    assert columns * rows <= 800 * 800


@pytest.mark.parametrize(
    ("said", "true", "same"),
    [
        ("plane", "airplane", True),
        ("Large-Vehicle", "large vehicle", True),
        ("vehicle", "small vehicle", True),
        ("large vehicle", "small vehicle", False),
        ("small vehicles", "Small-Vehicle", True),
        ("large vehicles", "small vehicle", False),
        ("white planes", "airplane", True),
        ("ship", "airplane", False),
        ("", "airplane", False),
    ],
)
def test_classes_are_compared_as_words(said: str, true: str, same: bool) -> None:
    assert same_class(said, true) is same


def test_a_box_at_the_very_edge_stays_inside_the_frame() -> None:
    sliver = TrueBox(label="ship", x0=998, y0=499.5, x1=1000, y1=500)
    for name, end in (("geochat", (100, 100)), ("qwen2.5-vl", (700, 350)), ("tiny", (999, 999))):
        box = write_box(sliver, IMAGE, get_profile(name).frame, (700, 350))
        assert (box.x1, box.y1) == end
        assert box.x0 < box.x1
        assert box.y0 < box.y1
