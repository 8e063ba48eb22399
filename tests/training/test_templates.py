"""Training texts: the engine's parser reads back exactly what was written, and the answer follows from the evidence."""

import math
import re
from itertools import islice

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundproof.audit import audit_tile
from groundproof.boxes import BoxFrame, PixelBox
from groundproof.georeference import Placed
from groundproof.labels import is_kind_of, normalise
from groundproof.protocol import Task
from groundproof.protocol.tasks import target_labels
from groundproof.tables import Verdict
from groundproof.trace import parse
from groundproof_training.scenes import CLASSES
from groundproof_training.templates import (
    DEFAULT_WEIGHTS,
    MOST,
    TASKS,
    UNKNOWN,
    WORDS,
    make_change_sample,
    make_sample,
    random_sample,
)
from groundproof_training.templates.texts import corpus, known_scene_types, nouns, random_tile
from groundproof_training.templates.words import DECIDES, KINDS_ASKED, PLACE_PHRASES

ALL_TASKS = (*TASKS, "change")
seeds = st.integers(0, 2**32 - 1)
corner = st.tuples(st.integers(0, 998), st.integers(0, 998), st.integers(1, 400), st.integers(1, 400)).map(
    lambda b: (b[0], b[1], min(999, b[0] + b[2]), min(999, b[1] + b[3]))
)


def read(sample, asked=()):
    return parse(sample.completion, BoxFrame.PER_MILLE, Task(sample.task), asked)


def corners(evidence):
    return [(e.box.x0, e.box.y0, e.box.x1, e.box.y1) for e in evidence]


def draws(task, n, seed=0):
    rng = np.random.default_rng([seed, sum(map(ord, task))])
    fitting = (s for s in iter(lambda: random_sample(rng, task), None) if s.task == task)
    return list(islice(fitting, n))


@settings(max_examples=100, deadline=None)
@given(seed=seeds, boxes=st.lists(corner, max_size=14, unique=True))
def test_a_written_sample_parses_to_its_boxes(seed, boxes):
    rng = np.random.default_rng(seed)
    labels = [list(WORDS)[k] for k in rng.integers(min(len(WORDS), 4), size=len(boxes))]
    cells = rng.integers(0, 64, size=len(boxes)).tolist()
    sample = make_sample(rng, labels, boxes, cells, scene_type="airport", aspect=1.5)
    check_round_trip(sample)
    assert [boxes[k] for k in sample.objects] == list(sample.boxes)
    assert [labels[k] for k in sample.objects] == list(sample.labels)
    assert [cells[k] for k in sample.objects] == list(sample.anchors)


@pytest.mark.parametrize("task", ALL_TASKS)
def test_every_task_parses_back_without_repair(task):
    made = draws(task, 100)
    for sample in made:
        check_round_trip(sample)


def check_round_trip(sample):
    trace = read(sample)
    assert corners(trace.evidence) == list(sample.boxes)
    assert [e.label for e in trace.evidence] == list(sample.labels)
    assert [e.label_raw for e in trace.evidence] == list(sample.labels)
    assert [e.image for e in trace.evidence] == list(sample.images)
    assert [e.number for e in trace.evidence] == list(range(1, len(sample.boxes) + 1))
    assert all(e.role == "evidence" for e in trace.evidence)
    assert corners(trace.answer_boxes) == list(sample.answer_boxes)
    assert trace.answer == sample.answer
    assert trace.complete
    assert trace.usable
    repairs = {r.kind for r in trace.repairs}
    assert repairs <= ({"same-box"} if len(set(sample.boxes)) < len(sample.boxes) else set())


def placed(trace):
    boxes = [*trace.evidence, *trace.answer_boxes]
    return [Placed(PixelBox(e.box.x0, e.box.y0, e.box.x1, e.box.y1), None) for e in boxes]


@pytest.mark.parametrize("task", ["detect", "ground", "grounded-caption", "change"])
def test_the_audit_finds_every_answer_box_among_the_evidence(task):
    for sample in draws(task, 60, seed=1):
        asked = (sample.label,) if sample.label else ()
        trace = read(sample, asked)
        audit = audit_tile(trace, placed(trace))
        assert audit.matched == len(sample.answer_boxes)
        assert len(audit.boxes) == len(sample.boxes)
        assert not any(row.verdict == Verdict.UNSUPPORTED for row in audit.boxes)


def test_a_count_is_the_number_of_evidence_boxes():
    for sample in draws("count", 80):
        assert read(sample).value == len(sample.boxes)


@pytest.mark.parametrize(
    "task", ["count", "caption", "grounded-caption", "region-caption", "vqa", "classify"]
)
def test_stated_counts_agree_with_the_evidence(task):
    for sample in draws(task, 120, seed=2):
        trace = read(sample)
        for label, n in trace.stated_counts:
            listed = [e for e in trace.evidence if label in ("", e.label)]
            assert len(listed) == n, sample.completion


def test_what_a_caption_counts_is_all_there_is():
    rng = np.random.default_rng(3)
    for _ in range(100):
        labels, boxes, cells = random_tile(rng, int(rng.integers(0, 12)))
        sample = make_sample(rng, labels, boxes, cells, ["caption", "grounded-caption"], scene_type="airport")
        for label in set(sample.labels):
            assert sample.labels.count(label) == labels.count(label)


def test_yes_means_evidence_and_no_none_for_questions_of_presence():
    for sample in draws("vqa", 200):
        if sample.label:
            assert read(sample).value is bool(sample.boxes), sample.completion


def test_comparisons_follow_from_the_listed_counts():
    seen = 0
    names = {many: label for label, wordings in WORDS.items() for _, many in wordings}
    for sample in draws("vqa", 400):
        match = re.search(r"there more ([\w ]+) than ([\w ]+)\?", sample.prompt)
        if match:
            a, b = (sample.labels.count(names[word]) for word in match.groups())
            assert read(sample).value is (a > b)
            seen += 1
    assert seen > 10


def area(box):
    return (box[2] - box[0]) * (box[3] - box[1])


@pytest.mark.parametrize(
    ("word", "key"),
    [
        ("largest", lambda b: -area(b)),
        ("smallest", area),
        ("leftmost", lambda b: b[0] + b[2]),
        ("rightmost", lambda b: -b[0] - b[2]),
        ("topmost", lambda b: b[1] + b[3]),
        ("bottommost", lambda b: -b[1] - b[3]),
    ],
)
def test_a_superlative_refers_to_that_object(word, key):
    seen = 0
    rng = np.random.default_rng(4)
    for _ in range(250):
        labels, boxes, cells = random_tile(rng, 7, 2)
        sample = make_sample(rng, labels, boxes, cells, ["ground"], 0.0, 0.0)
        if f"the {word} " in sample.prompt and sample.boxes:
            mine = [b for b, label in zip(boxes, labels, strict=True) if label == sample.label]
            assert sample.boxes == (min(mine, key=key),)
            seen += 1
    assert seen


@pytest.mark.parametrize("aspect", [0.5, 1.0, 2.0])
def test_nearest_is_measured_in_pixels_of_the_tile(aspect):
    seen = 0
    rng = np.random.default_rng(5)
    for _ in range(300):
        labels, boxes, cells = random_tile(rng, 6, 3)
        sample = make_sample(rng, labels, boxes, cells, ["ground"], 0.0, 0.0, aspect=aspect)
        match = re.search(r"is the [\w ]+ nearest to the ([\w ]+)\.", sample.completion)
        if match:
            middle = lambda b: ((b[0] + b[2]) / 2 * aspect, (b[1] + b[3]) / 2)  # noqa: E731
            other = middle(boxes[labels.index(match[1])])
            mine = [b for b, label in zip(boxes, labels, strict=True) if label == sample.label]
            assert sample.boxes == (min(mine, key=lambda b: math.dist(middle(b), other)),)
            seen += 1
    assert seen


def test_a_phrase_with_a_place_lists_exactly_what_lies_there():
    seen = 0
    rng = np.random.default_rng(6)
    for _ in range(300):
        labels, boxes, cells = random_tile(rng, 6, 2)
        sample = make_sample(rng, labels, boxes, cells, ["ground", "vqa"], 0.1, 0.0)
        synthesis = sample.completion.partition("<synthesis>")[2].partition("</synthesis>")[0]
        place = [p for p, phrase in PLACE_PHRASES.items() if synthesis.endswith(f" {phrase}.")]
        if place and sample.boxes:
            others = [b for b, label in zip(boxes, labels, strict=True) if label == sample.label]
            assert set(sample.boxes) == {b for b in others if where(b) == place[0]}
            seen += 1
    assert seen > 10


def where(box):
    x, y = (box[0] + box[2]) / 2000, (box[1] + box[3]) / 2000
    column = ["left", "", "right"][int(x > 1 / 3) + int(x > 2 / 3)]
    row = ["upper", "", "lower"][int(y > 1 / 3) + int(y > 2 / 3)]
    if row and column:
        return f"{row} {column}"
    return {"upper": "top", "lower": "bottom"}.get(row, column or "centre")


def test_a_region_caption_lists_what_lies_in_the_asked_box():
    for sample in draws("region-caption", 150):
        x0, y0, x1, y1 = (int(v) for v in re.search(r"\[(\d+),(\d+),(\d+),(\d+)\]", sample.prompt).groups())
        for box in sample.boxes:
            shared = max(0, min(x1, box[2]) - max(x0, box[0])) * max(0, min(y1, box[3]) - max(y0, box[1]))
            assert shared >= 0.7 * area(box)


def test_a_scene_is_classified_by_name_with_few_objects():
    for sample in draws("classify", 80):
        assert read(sample).value == sample.answer
        assert sample.answer in known_scene_types()
        assert len(sample.boxes) <= 4


def test_changes_are_shown_in_the_image_where_they_can_be_seen():
    rng = np.random.default_rng(7)
    for _ in range(200):
        labels, boxes, cells = random_tile(rng, int(rng.integers(0, 7)))
        kinds = [("appeared", "disappeared")[k] for k in rng.integers(2, size=len(labels))]
        sample = make_change_sample(rng, kinds, labels, boxes, cells)
        check_round_trip(sample)
        assert [kinds[k] for k in sample.objects] == [("disappeared", "appeared")[i] for i in sample.images]
        assert sample.images == tuple(sorted(sample.images))
        if sample.answer.isdecimal():
            assert int(sample.answer) == len(sample.boxes)


@pytest.mark.parametrize("task", ["count", "detect"])
def test_evidence_is_listed_in_the_order_of_its_anchors(task):
    boxes = [(500, 500, 600, 600), (10, 10, 60, 60), (700, 10, 800, 60)]
    sample = make_sample(np.random.default_rng(0), ["ship"] * 3, boxes, [30, 2, 9], [task], 0.0, 0.0)
    assert sample.anchors == (2, 9, 30)
    assert sample.boxes == (boxes[1], boxes[2], boxes[0])


def test_objects_of_one_cell_are_listed_from_left_to_right():
    boxes = [(60, 10, 90, 40), (10, 20, 40, 50)]
    sample = make_sample(np.random.default_rng(0), ["ship"] * 2, boxes, [3, 3], ["count"], 0.0, 0.0)
    assert sample.boxes == (boxes[1], boxes[0])


@pytest.mark.parametrize("task", TASKS)
def test_evidence_of_several_classes_is_in_raster_order_too(task):
    for sample in draws(task, 60, seed=3):
        assert list(sample.anchors) == sorted(sample.anchors)


def test_unknown_things_are_answered_with_nothing_and_not_named():
    rng = np.random.default_rng(1)
    samples = [make_sample(rng, [], [], [], ["count"], 0.0, 1.0) for _ in range(20)]
    assert all(s.completion.endswith("<answer>0</answer>") for s in samples)
    assert all("No match is visible. " in s.completion for s in samples)


def test_no_class_and_no_kind_of_one_is_taught_to_be_unknown():
    for name in UNKNOWN:
        assert not any(is_kind_of(name, label) for label in WORDS if label != "vehicle")
        assert not is_kind_of(name, "vehicle") or is_kind_of(name, "aerial vehicle")
    assert not set(UNKNOWN) & set(WORDS)


def test_absent_classes_are_asked_about_as_often_as_told():
    rng = np.random.default_rng(2)
    boxes = [(10, 10, 60, 60)]
    for share in (0.0, 0.3, 1.0):
        made = [make_sample(rng, ["ship"], boxes, [0], ["count"], share, 0.0) for _ in range(300)]
        assert abs(np.mean([s.label != "ship" for s in made]) - share) < 0.1


def test_a_list_is_never_cut_short_but_another_class_is_asked_about():
    rng = np.random.default_rng(3)
    labels, boxes, cells = ["ship"] * (MOST + 1) + ["tree"] * 3, [], []
    for k in range(len(labels)):
        boxes.append((30 * k, 10, 30 * k + 20, 40))
        cells.append(k)
    for _ in range(300):
        sample = make_sample(rng, labels, boxes, cells, scene_type="port")
        if sample.task != "classify":
            assert "ship" not in sample.labels or sample.task in ("region-caption", "ground", "vqa")
        assert sample.labels.count("ship") <= 8
        assert "29" not in sample.answer


def test_focus_classes_are_asked_about_three_times_as_often():
    rng = np.random.default_rng(4)
    labels = ["ship", "tree"]
    made = [
        make_sample(rng, labels, [(1, 1, 50, 50), (500, 1, 600, 50)], [0, 4], ["count"], 0.0, 0.0)
        for _ in range(600)
    ]
    ships = sum(s.label == "ship" for s in made)
    assert 0.68 < ships / len(made) < 0.82


def test_tasks_come_in_their_shares():
    rng = np.random.default_rng(5)
    made = []
    for _ in range(1500):
        labels, boxes, cells = random_tile(rng, 4)
        made.append(make_sample(rng, labels, boxes, cells, scene_type="airport").task)
    for task, share in DEFAULT_WEIGHTS.items():
        assert abs(made.count(task) / len(made) - share) < 0.04


def test_weights_and_names_of_tasks_are_both_understood():
    rng = np.random.default_rng(6)
    for tasks in ({"vqa": 1.0, "count": 0.0}, ["vqa"], ("vqa",)):
        assert {make_sample(rng, [], [], [], tasks).task for _ in range(20)} == {"vqa"}
    with pytest.raises(ValueError, match="no template for the task 'segment'"):
        make_sample(rng, [], [], [], ["segment"])


def test_without_a_scene_type_nothing_is_classified():
    rng = np.random.default_rng(7)
    labels, boxes, cells = random_tile(rng, 4)
    assert "classify" not in {make_sample(rng, labels, boxes, cells).task for _ in range(200)}


@pytest.mark.parametrize("task", ALL_TASKS)
def test_plans_are_short(task):
    for sample in draws(task, 100):
        assert len(read(sample).plan.split()) <= 12


def test_every_wording_of_a_class_means_that_class():
    for label, wordings in WORDS.items():
        for one, many in wordings:
            name = label if one not in KINDS_ASKED else one
            assert normalise(one) == normalise(many) == name
            assert is_kind_of(one, label)


@pytest.mark.parametrize("task", ["count", "detect"])
def test_the_engine_reads_the_asked_class_from_the_question(task):
    for sample in draws(task, 150):
        question = sample.prompt.partition("] ")[2]
        if sample.label and " " in question and not question.startswith("the "):
            asked = target_labels(question, Task(task))
            assert len(asked) == 1, question
            assert is_kind_of(asked[0], sample.label), question


def test_the_first_classes_are_the_generators_in_its_order():
    assert tuple(WORDS)[: len(CLASSES)] == tuple(CLASSES)[: len(WORDS)]


def test_the_corpus_holds_every_noun_and_task():
    texts = corpus(300)
    assert set(nouns()) <= set(texts)
    for task in ALL_TASKS:
        assert any(text.startswith(f"[{task}]") for text in texts)


def test_the_deciding_classes_are_of_scene_types_that_exist():
    assert set(DECIDES) <= set(known_scene_types())
    assert {label for labels in DECIDES.values() for label in labels} <= set(WORDS)
