"""What a gallery shows: each kind, each case once, boxes in px of the picture that is shown."""

import io

import numpy as np
from PIL import Image

from groundproof.models.profiles import get_profile
from groundproof.protocol import Task
from groundproof_training.evaluation.cases import Family
from groundproof_training.evaluation.gallery import gallery, usefulness
from groundproof_training.evaluation.questions import Question
from groundproof_training.evaluation.reading import case_of
from groundproof_training.samples import Sample, SampleImage, TrueBox

TINY = get_profile("tiny")
RIGHT, WRONG, NOTHING = "[[100,100,300,300]]", "[[700,700,900,900]]", "[]"


def made(name, text, there=True, window=None, images=1, size=(1000, 1000)):
    boxes = (TrueBox(label="ship", x0=100, y0=100, x1=300, y1=300),) if there else ()
    sample = Sample(
        sample_id=name, source="s", split="test", licence="l", task=Task.DETECT, question="?", asked=("ship",),
        boxes=boxes, images=tuple(SampleImage(path=f"{name}-{n}.png", width=size[0], height=size[1], window=window)
                                  for n in range(images)),
    )  # fmt: skip
    width, height = sample.images[0].shown_size
    blank = np.zeros((height, width, 3), np.uint8)
    question = Question(sample, Family.DETECTION, lambda: (blank,) * images)
    return case_of(question, f"<answer>{text}</answer>", "stop", TINY, ((896, 896),) * images), question


def of(*pairs, **more):
    return gallery([case for case, _ in pairs], {q.case_id: q for _, q in pairs}, **more)


def test_best_worst_missed_and_invented_are_all_there_and_each_once():
    pairs = [made("right", RIGHT), made("wrong", WRONG), made("missed", NOTHING)]
    pairs += [made("quiet", NOTHING, there=False), made("invented", RIGHT, there=False)]
    assert [usefulness(case) for case, _ in pairs] == [1, 0, 0, 1, 0]
    shown = of(*pairs, of_a_kind=1)
    assert {one.case.case_id for one in shown} >= {"right", "missed", "invented"}
    assert len({one.case.case_id for one in shown}) == len(shown)
    assert shown[0].score == 1


def test_pictures_are_small_jpegs_and_pairs_lie_side_by_side():
    one, two = of(made("one", RIGHT, size=(2000, 1000)), made("two", RIGHT, images=2), of_a_kind=1)[:2]
    by_id = {shown.case.case_id: shown for shown in (one, two)}
    with Image.open(io.BytesIO(by_id["one"].picture)) as picture:
        assert (picture.format, picture.size) == ("JPEG", (512, 256))
    with Image.open(io.BytesIO(by_id["two"].picture)) as picture:
        assert picture.size == (1024, 512)
    assert by_id["two"].case.meta["images"] == "2"


def test_boxes_of_a_window_are_moved_into_it():
    (shown,) = of(made("w", RIGHT, window=(50, 50, 550, 550)))
    assert shown.case.size == (500, 500)
    assert shown.case.truth.boxes.xyxy.tolist() == [[50, 50, 250, 250]]
    assert shown.case.said.boxes.xyxy.tolist() == [[50, 50, 150, 150]]  # 100 to 300 per mille of the window


def test_a_picture_that_cannot_be_opened_leaves_its_case():
    case, question = made("a", RIGHT)

    def broken():
        raise OSError("gone")

    (shown,) = of((case, Question(question.sample, question.family, broken)))
    assert shown.picture is None
