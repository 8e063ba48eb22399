"""What the templates write is accepted by the verifier: for every task, class name, frame and number of objects."""

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from groundproof.models.profiles import get_profile
from groundproof.protocol import Task
from groundproof_training.rationales import Verifier, Vocabulary, write_rationale
from groundproof_training.rationales.writer import in_reading_order
from groundproof_training.samples import Form, Sample, SampleImage, TrueBox, completion_of, seen_size

from .made import SHIPS, TANK, sample

LABELS = (
    "airplane", "ship", "storage tank", "baseball diamond", "tennis court", "basketball court", "ground track field",
    "harbor", "bridge", "large vehicle", "small vehicle", "helicopter", "roundabout", "soccer ball field",
    "swimming pool", "container crane", "airport", "helipad", "t junction", "crossroad", "parking lot", "vehicle",
    "expressway service area", "expressway toll station", "dam", "golf field", "overpass", "stadium", "train station",
    "chimney", "windmill", "pedestrian", "people", "bicycle", "car", "van", "truck", "tricycle", "awning tricycle",
    "bus", "motor", "other vehicle", "building", "oiltank", "playground", "aircraft", "person", "tree",
)  # fmt: skip
"""Of DOTA, HRRSD, DIOR, NWPU VHR-10, RSOD, VisDrone, HIT-UAV, xBD, in plain words."""

VOCABULARY = Vocabulary(frozenset(LABELS))
PROFILES = ("rsthinker", "qwen2.5-vl", "geovlm-r1", "geochat", "tiny")


@st.composite
def samples(draw: st.DrawFn) -> Sample:
    task = draw(st.sampled_from(list(Task)))
    n_images = draw(st.integers(2, 3)) if task is Task.CHANGE else 1
    width, height = draw(st.integers(200, 2000)), draw(st.integers(200, 2000))
    window = (10, 20, 10 + width // 2, 20 + height // 2) if draw(st.booleans()) else None
    images = tuple(
        SampleImage(path=f"{k}.png", width=width, height=height, window=window) for k in range(n_images)
    )
    x0, y0, x1, y1 = images[0].shown
    labels = draw(st.lists(st.sampled_from(LABELS), min_size=1, max_size=3, unique=True))
    boxes = []
    for _ in range(draw(st.sampled_from((0, 1, 2, 3, 7, 30)))):
        left, top = draw(st.floats(x0, x1 - 4)), draw(st.floats(y0, y1 - 4))
        right = draw(st.floats(left + 3, min(x1, left + 90)))
        bottom = draw(st.floats(top + 3, min(y1, top + 90)))
        boxes.append(
            TrueBox(label=draw(st.sampled_from(labels)), x0=left, y0=top, x1=right, y1=bottom,
                    image=draw(st.integers(0, n_images - 1)), ignore=draw(st.integers(0, 9)) == 0)
        )  # fmt: skip
    counted = [box for box in boxes if not box.ignore]
    fields = {
        Task.COUNT: dict(answer=str(len(counted)), asked=tuple(labels)),
        Task.DETECT: dict(asked=tuple(labels)),
        Task.GROUND: dict(asked=tuple(labels), question="the ones near the left edge"),
        Task.CLASSIFY: dict(answer="bare land, port", answers=("bare land", "port")),
        Task.CAPTION: dict(answer="A grey place.", captions=("A grey place.", "Some place with 3 rivers.")),
        Task.REGION_CAPTION: dict(answer="a bright thing", regions=tuple(boxes[:1])),
        Task.GROUNDED_CAPTION: dict(
            answer=" and ".join(f"a thing <box:{k}>" for k, box in enumerate(boxes[:3]) if not box.ignore) or "grey"
        ),
        Task.VQA: draw(
            st.sampled_from(
                [dict(answer="yes" if counted else "no", asked=tuple(labels)), dict(answer="grey"),
                 dict(answer=str(len(counted)), asked=tuple(labels))]
            )
        ),
        Task.CHANGE: dict(answer="Something new stands there." if counted else "Nothing changed."),
    }[task]  # fmt: skip
    return Sample(
        sample_id=str(draw(st.integers(0, 9999))), source="made", split="train", licence="none", task=task,
        images=images, boxes=tuple(boxes), **{"question": "What is there?", **fields},
    )  # fmt: skip


@settings(
    max_examples=250, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate)
)  # shrinking: minutes
@given(samples(), st.sampled_from(PROFILES))
def test_what_the_templates_write_is_accepted_and_read_back_as_itself(of: Sample, name: str) -> None:
    profile = get_profile(name)
    seen = tuple(seen_size(image.shown_size, profile, 112 * 112, 1000 * 1000) for image in of.images)
    of = in_reading_order(of)
    rationale = write_rationale(of)
    assert rationale is not None
    written = completion_of(of.model_copy(update={"rationale": rationale}), profile, seen, Form.GEO_COT)
    verdict = Verifier(profile, VOCABULARY).verify(written, of, seen, "template")
    assert not verdict.reasons, written
    again = completion_of(of.model_copy(update={"rationale": verdict.rationale}), profile, seen, Form.GEO_COT)
    assert again == written


@pytest.mark.parametrize("label", LABELS)
def test_every_class_name_is_read_as_itself(label: str) -> None:
    box = TrueBox(label=label, x0=100, y0=100, x1=200, y1=140)
    of = sample(Task.COUNT, asked=(label,), boxes=(box, box.model_copy(update={"x0": 50})), answer="2")
    profile, seen = get_profile("rsthinker"), ((1000, 1000),)
    written = completion_of(
        of.model_copy(update={"rationale": write_rationale(of)}), profile, seen, Form.GEO_COT
    )
    assert Verifier(profile, VOCABULARY).verify(written, of, seen, "template").reasons == ()


@pytest.mark.parametrize(
    "changes",
    [
        dict(task=Task.COUNT, answer="5"),
        dict(task=Task.COUNT, answer="2", boxes=(), complete=False),
        dict(task=Task.VQA, answer="yes", boxes=(), asked=("bridge",)),
        dict(task=Task.VQA, answer="3", boxes=(), asked=("bridge",)),
    ],
)
def test_nothing_is_written_where_the_truth_gives_no_evidence(changes) -> None:
    assert write_rationale(sample(**changes)) is None


def test_boxes_are_put_into_reading_order() -> None:
    boxes = (SHIPS[1], TANK, SHIPS[0])
    assert in_reading_order(sample(boxes=boxes)).boxes == (SHIPS[0], TANK, SHIPS[1])
    marked = sample(Task.GROUNDED_CAPTION, boxes=boxes, answer="a tank <box:1>")
    assert in_reading_order(marked) is marked


def test_the_same_sample_gets_the_same_words_and_another_may_get_others() -> None:
    assert write_rationale(sample()) == write_rationale(sample())
    assert len({write_rationale(sample(sample_id=str(n))).plan for n in range(20)}) > 1


@pytest.mark.parametrize(
    ("task", "question", "said"),
    [
        (Task.COUNT, "How many ships are there?", "No ship is visible. "),
        (Task.GROUND, "the ship at the pier", "No ship that fits is visible. "),
        (Task.GROUND, "Locate the red ship.", "No ship that fits is visible. "),
        (Task.GROUND, "Locate all ships in the image.", "No ship is visible. "),
        (Task.VQA, "Are there any ships?", "No ship is visible. "),
        (Task.VQA, "Is there a ship in the upper left?", "No ship that fits is visible. "),
        (Task.CHANGE, "Which ships are new?", "No changed ship is visible. "),
    ],
)
def test_no_more_is_denied_than_the_question_asks(task, question, said) -> None:
    answer = {Task.COUNT: "0", Task.GROUND: "", Task.VQA: "no", Task.CHANGE: "none"}[task]
    of = sample(task, boxes=(), answer=answer, question=question)
    written = completion_of(
        of.model_copy(update={"rationale": write_rationale(of)}),
        get_profile("tiny"),
        ((1000, 1000),),
        Form.GEO_COT,
    )
    assert f"<evidence>{said}</evidence>" in written
