"""COCO results and our own runs become cases; frames that look wrong are said; files of a million boxes stay small."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools.coco import COCO

from groundproof.outputs import write
from groundproof_training.errors import TrainingError
from groundproof_training.evaluation.cases import Case, Family, Status
from groundproof_training.evaluation.prediction_files import FileOptions, Frame, load
from groundproof_training.evaluation.prediction_files.base import Tally
from groundproof_training.evaluation.prediction_files.coco import CocoResults
from groundproof_training.evaluation.prediction_files.frames import Extent, box_set, looks_wrong
from groundproof_training.evaluation.prediction_files.json_stream import BrokenJsonError, items, members
from groundproof_training.evaluation.scoring import score as scored
from tests.engine.outputs_samples import UTM, answer_row, evidence_row, result, scene_row, tile_row


def table(
    boxes: list[tuple[int, int, list[float]]], images: int = 2, size: tuple[int, int] = (800, 600)
) -> dict[str, Any]:
    return {
        "annotations": [
            {"id": n, "image_id": image, "category_id": kind, "bbox": box, "iscrowd": 0}
            for n, (image, kind, box) in enumerate(boxes, start=1)
        ],
        "images": [
            {"id": n, "file_name": f"set/{n}.jpg", "width": size[0], "height": size[1]}
            for n in range(1, images + 1)
        ],
        "categories": [{"id": 1, "name": "ship"}, {"id": 2, "name": "plane"}],
    }


def kept(path: Path, value: Any) -> Path:
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


@pytest.fixture
def truth(tmp_path):
    return kept(tmp_path / "truth.json", table([(1, 1, [0, 0, 10, 10]), (2, 2, [5, 5, 20, 10])], images=3))


def row(image: Any, kind: Any, box: Any, **more: Any) -> dict[str, Any]:
    return {"image_id": image, "category_id": kind, "bbox": box, **more}


def test_results_become_one_case_for_each_image(tmp_path, truth):
    found = [
        row(2, 2, [5, 5, 20, 10], score=0.5),
        row(1, 1, [1, 1, 10, 10], score=0.9),
        row(2, 1, [0, 0, 3, 3], score=0.7),
    ]
    loaded = load(kept(tmp_path / "p.json", found), "coco", truth)
    one, two, three = loaded.cases
    assert [case.case_id for case in loaded.cases] == ["set/1.jpg", "set/2.jpg", "set/3.jpg"]
    assert one.family is Family.DETECTION
    assert one.size == (800, 600)
    assert one.asked == ("ship", "plane")
    assert one.said.boxes.xyxy.tolist() == [[1, 1, 11, 11]]
    assert one.truth.boxes.xyxy.tolist() == [[0, 0, 10, 10]]
    assert two.said.boxes.labels == ("plane", "ship")
    assert two.said.boxes.scores.tolist() == [0.5, 0.7]
    assert two.truth.boxes.labels == ("plane",)
    assert three.said.status is Status.OK
    assert three.truth.absent
    assert loaded.rows == 3
    assert loaded.left_out == 0
    assert loaded.problems.counts == {"image without a prediction": 1}


def test_bad_rows_of_results_are_counted_and_named(tmp_path, truth):
    found = [
        row(1, 1, [0, 0, 10, 10], score=0.9),
        row(1, 1, [0, 0, 10, 10], score=0.9),
        row(9, 1, [0, 0, 10, 10], score=0.9),
        row(1, 7, [0, 0, 10, 10], score=0.9),
        row(1, 1, [0, 0, -10, 10], score=0.9),
        row(1, 1, [math.nan, 0, 10, 10], score=0.9),
        row(1, 1, [0, 0, 10], score=0.9),
        row(1, 1, ["a", 0, 10, 1], score=0.9),
        row(1, 1, [0, 0, 10, 10], score=math.nan),
        row(1, 1, [0, 0, 10, 10], score="high"),
        row(None, 1, [0, 0, 10, 10]),
        row([1], {}, [0, 0, 10, 10]),
        "text",
    ]
    loaded = load(kept(tmp_path / "p.json", found), "coco", truth)
    assert loaded.rows == 13
    assert loaded.left_out == 7
    assert loaded.problems.counts == {
        "unknown image": 1, "unknown class": 1, "broken box": 2, "broken row": 4, "broken line": 1, "no score": 2,
        "duplicate box": 2, "image without a prediction": 2,
    }  # fmt: skip
    assert loaded.problems.examples["unknown image"] == ["p.json[2]: the truth has no image 9"]
    boxes = loaded.cases[0].said.boxes
    assert len(boxes) == 6
    assert boxes.scores.tolist()[-2:] == [-math.inf, -math.inf]
    assert ((boxes.xyxy[:, 2] - boxes.xyxy[:, 0]) > 0).sum() == 4


def test_a_box_without_a_score_ranks_last(tmp_path, truth):
    def ap(score):
        found = [row(1, 1, [0, 0, 10, 10], score=0.9), row(2, 1, [500, 500, 9, 9], score=score)]
        loaded = load(kept(tmp_path / "p.json", found), "coco", truth)
        figures = {one.name: one for one in scored(loaded.cases, draws=0).strict}
        return figures["ap@0.5"].value, figures["ap@0.5"].note

    assert ap("high") == ap(math.nan) == ap(0.1)
    assert "scores as COCOeval" in ap(None)[1]


def test_results_without_scores_have_none_invented(tmp_path, truth):
    loaded = load(
        kept(tmp_path / "p.json", [row(1, 1, [0, 0, 10, 10]), row(2, 1, [0, 0, 9, 9])]), "coco", truth
    )
    assert all(case.said.boxes.scores is None for case in loaded.cases)
    assert any("no row has a score" in line for line in loaded.warnings)


@pytest.mark.parametrize("key", ["1", "1.jpg", "elsewhere/1.png"])
def test_an_image_is_found_by_its_id_as_text_or_its_file(tmp_path, truth, key):
    (one, *_) = load(kept(tmp_path / "p.json", [row(key, 1, [0, 0, 10, 10], score=1)]), "coco", truth).cases
    assert len(one.said.boxes) == 1


def test_results_need_a_table_of_truth(tmp_path, truth):
    found = kept(tmp_path / "p.json", [row(1, 1, [0, 0, 10, 10], score=1)])
    with pytest.raises(TrainingError, match="needs --truth FILE"):
        load(found, "coco")
    for wrong in ([], {}, {"images": [{"id": 1}]}, "x"):
        with pytest.raises(TrainingError, match="is no COCO table of truth"):
            load(found, "coco", kept(tmp_path / "t.json", wrong))
    with pytest.raises(TrainingError, match="cannot be scored as vqa"):
        load(found, "coco", truth, FileOptions(family=Family.VQA))


def test_odd_annotations_are_kept_or_counted(tmp_path):
    made = table([(1, 1, [0, 0, 10, 10]), (1, 1, [0, 0, 0, 10]), (9, 1, [0, 0, 1, 1]), (1, 9, [0, 0, 1, 1])])
    made["annotations"][0]["iscrowd"] = 1
    made["annotations"] += [{"id": 9, "image_id": 1, "category_id": 1}, "text"]
    made["annotations"].append({"image_id": 2, "category_id": 1, "bbox": [50, 50, 20, 10, math.pi / 2]})
    made["images"].append(made["images"][0])
    made["annotation"] = made.pop("annotations")
    loaded = load(
        kept(tmp_path / "p.json", [row(1, 1, [0, 0, 5, 5], score=1)]), "coco", kept(tmp_path / "t.json", made)
    )
    one, two = loaded.cases
    assert one.truth.boxes.ignore.tolist() == [True, False]
    assert two.truth.boxes.xyxy[0] == pytest.approx([45, 40, 55, 60])
    assert two.truth.boxes.quads is not None
    assert loaded.problems.counts == {
        "empty box": 1, "no image": 1, "unknown class": 1, "broken truth": 2, "duplicate id": 1,
        "image without a prediction": 1,
    }  # fmt: skip


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1))
def test_boxes_of_a_table_are_those_pycocotools_reads(tmp_path_factory, seed):
    rng = np.random.default_rng(seed)
    boxes = [
        (int(rng.integers(1, 6)), int(rng.integers(1, 3)), rng.uniform(1, 99, 4).tolist())
        for _ in range(rng.integers(1, 30))
    ]
    folder = tmp_path_factory.mktemp("coco")
    path = kept(folder / "t.json", table(boxes, images=5))
    theirs = COCO(str(path))
    answers = kept(folder / "p.json", [row(i, k, b, score=1 / (1 + n)) for n, (i, k, b) in enumerate(boxes)])
    results = theirs.loadRes(str(answers))
    for case, key in zip(load(answers, "coco", path).cases, theirs.getImgIds(), strict=True):
        for ours, other in ((case.truth.boxes, theirs), (case.said.boxes, results)):
            rows = other.loadAnns(other.getAnnIds(imgIds=[key]))
            expected = [[x, y, x + w, y + h] for x, y, w, h in (one["bbox"] for one in rows)]
            assert ours.xyxy == pytest.approx(np.array(expected).reshape(-1, 4))
            assert list(ours.labels) == [{1: "ship", 2: "plane"}[one["category_id"]] for one in rows]


@settings(max_examples=40)
@given(st.binary(max_size=200), st.integers(0, 300))
def test_torn_results_are_never_a_traceback(tmp_path_factory, noise, cut):
    folder = tmp_path_factory.mktemp("torn")
    truth = kept(folder / "t.json", table([(1, 1, [0, 0, 10, 10])]))
    whole = json.dumps([row(1, 1, [0, 0, 10, 10], score=0.5)] * 4).encode()
    (folder / "p.json").write_bytes(whole[:cut] + noise)
    loaded = CocoResults().read(folder / "p.json", truth, FileOptions())
    assert loaded.rows == sum(len(case.said.boxes) for case in loaded.cases) + loaded.left_out
    if cut < len(whole) and noise:
        assert loaded.left_out or loaded.rows == 0 or noise.strip() in (b"]", b"")


def test_a_large_file_is_read_piece_by_piece(tmp_path, monkeypatch):
    """Chunks far smaller than one item, so that every way to cut an item is tried."""
    monkeypatch.setattr("groundproof_training.evaluation.prediction_files.json_stream.CHUNK", 7)
    value = table([(1, 1, [0.5, 1e-3, 10, 10])] * 40)
    path = kept(tmp_path / "t.json", value)
    found: dict[str, list[Any]] = {}
    for name, item in members(path):
        found.setdefault(name, []).append(item)
    assert found == {key: value[key] for key in value}
    path = kept(tmp_path / "l.json", [1, 12345, -1.5e3, "a b", {"a": [1, {}]}, None, True])
    assert list(items(path)) == [1, 12345, -1.5e3, "a b", {"a": [1, {}]}, None, True]


@pytest.mark.parametrize("text", ["[1, 2", "[1 2]", "[1,]x", "[1]]", "{}", "", "[" * 50_000, '["a'])
def test_what_breaks_off_says_so(tmp_path, text):
    (tmp_path / "l.json").write_text(text)
    with pytest.raises(BrokenJsonError):
        list(items(tmp_path / "l.json"))


def test_many_boxes_need_little_more_than_their_numbers(tmp_path):
    """In bytes that Python allocates: under ten times the 7 numbers of a box; a list of dictionaries has over 20."""
    import tracemalloc

    n, images = 60_000, 600
    rng = np.random.default_rng(0)
    numbers = rng.uniform(0, 500, (n, 4)).round(2).tolist()
    truth = kept(
        tmp_path / "t.json",
        table([(k % images + 1, 1, b) for k, b in enumerate(numbers[:1000])], images=images),
    )
    found = kept(
        tmp_path / "p.json", [row(k % images + 1, 1 + k % 2, b, score=0.5) for k, b in enumerate(numbers)]
    )
    del numbers
    tracemalloc.start()
    loaded = load(found, "coco", truth)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sum(len(case.said.boxes) for case in loaded.cases) == n
    assert peak < 10 * n * 7 * 8


# --- frames


def extent(xyxy: Any, size: Any = None, **more: Any) -> Extent:
    made = Extent()
    made.add(np.asarray(xyxy, dtype=float), size, **more)
    return made


FRACTIONS = [[0.1, 0.2, 0.5, 0.6], [0, 0, 1, 1e-1]]
PERCENTS = [[10, 20, 50 + k, 60] for k in range(40)]
PER_MILLES = [[100, 200, 500 + k, 990] for k in range(40)]
PIXELS = [[100, 200, 1500 + k, 1990] for k in range(40)]


@pytest.mark.parametrize(
    ("boxes", "frame", "likely"),
    [
        (FRACTIONS, Frame.PER_MILLE, "fraction"),
        (FRACTIONS, Frame.PERCENT, "fraction"),
        (FRACTIONS, Frame.PX, "fraction"),
        (PERCENTS, Frame.FRACTION, "percent"),
        (PER_MILLES, Frame.PERCENT, "per-mille"),
        (PIXELS, Frame.PERCENT, "px"),
        (PIXELS, Frame.PER_MILLE, "px"),
        (PIXELS, Frame.FRACTION, "px"),
    ],
)
def test_numbers_that_a_frame_cannot_have_name_the_likely_one(boxes, frame, likely):
    said = looks_wrong(extent(boxes), frame)
    assert said is not None
    assert f"look like {likely} and not like {frame}" in said
    assert f"--frame {likely}" in said


@pytest.mark.parametrize(
    ("boxes", "frame"),
    [
        (FRACTIONS, Frame.FRACTION),
        (PERCENTS, Frame.PERCENT),
        (PERCENTS, Frame.PER_MILLE),
        (PER_MILLES, Frame.PER_MILLE),
        (PIXELS, Frame.PX),
        ([[0, 0, 1, 1]], Frame.PER_MILLE),
        ([], Frame.PX),
    ],
)
def test_numbers_that_fit_their_frame_are_not_warned_of(boxes, frame):
    assert looks_wrong(extent(np.reshape(boxes, (-1, 4))), frame) is None


def test_a_truth_that_reaches_ten_times_as_far_tells_the_frame():
    said = looks_wrong(extent(PERCENTS), Frame.PER_MILLE, true=extent(PER_MILLES))
    assert said is not None
    assert "look like percent" in said
    assert looks_wrong(extent(PER_MILLES), Frame.PER_MILLE, true=extent(PER_MILLES)) is None


def test_another_frame_is_advised_only_where_the_truth_would_fit_it_too():
    fits = looks_wrong(extent(PER_MILLES), Frame.PERCENT, true=extent(PERCENTS))
    assert fits is not None
    assert "bring them into the truth's frame" in fits
    both = looks_wrong(extent(PER_MILLES), Frame.PERCENT, true=extent(PER_MILLES))
    assert both is not None
    assert "say --frame per-mille" in both


@pytest.mark.parametrize(
    ("boxes", "frame"),
    [
        (FRACTIONS * 10, Frame.FRACTION),
        (PER_MILLES, Frame.PER_MILLE),
        (PER_MILLES, Frame.PX),
        (PIXELS, Frame.PX),
    ],
)
def test_answers_in_the_frame_that_was_said_beside_a_truth_in_another_are_told(boxes, frame):
    said = looks_wrong(extent(boxes), frame, true=extent(PERCENTS))
    assert said is not None
    assert "bring them into one frame" in said or "bring them into the truth's frame" in said
    assert looks_wrong(extent(boxes), frame, true=extent(boxes)) is None


def test_a_few_boxes_that_turn_out_of_the_image_do_not_hide_fractions():
    said = looks_wrong(extent([*FRACTIONS * 10, [0.9, 0.9, 1.02, 1.0]]), Frame.PERCENT)
    assert said is not None
    assert "look like fraction" in said
    assert "20 of 21" in said


def test_boxes_beyond_their_image_tell_what_they_may_be(tmp_path):
    truth = kept(tmp_path / "t.json", table([(1, 1, [0, 0, 10, 10])] * 12, size=(512, 512)))

    def said(boxes: list[list[float]], **options: Any) -> str:
        rows = [row(1, 1, box, score=0.5) for box in boxes]
        loaded = load(kept(tmp_path / "p.json", rows), "coco", truth, FileOptions(**options))
        return " ".join(loaded.warnings)

    assert "look like per-mille and not like px" in said([[500 + k, 600, 300, 200] for k in range(20)])
    assert "look like two corners" in said([[300 + k, 310, 500, 505] for k in range(20)])
    assert "look like px of a larger image" in said([[3000 + k, 600, 30, 20] for k in range(20)])
    assert "look like fraction" in said([[0.1, 0.2, 0.3, 0.25]] * 20)
    assert "look like percent" in said([[10, 20, 30, 25]] * 20)
    assert said([[100, 200, 300, 250]] * 20) == ""
    assert said([[0.1, 0.2, 0.3, 0.25]] * 20, frame=Frame.FRACTION) == ""


def test_a_frame_that_was_said_scales_by_each_image(tmp_path):
    made = table([(1, 1, [0, 0, 10, 10])], size=(800, 400))
    del made["images"][1]["width"]
    rows = [row(1, 1, [0.5, 0.25, 0.25, 0.5], score=1), row(2, 1, [0.5, 0.25, 0.25, 0.5], score=1)]
    loaded = load(
        kept(tmp_path / "p.json", rows),
        "coco",
        kept(tmp_path / "t.json", made),
        FileOptions(frame=Frame.FRACTION),
    )
    assert loaded.cases[0].said.boxes.xyxy.tolist() == [[400, 100, 600, 300]]
    assert loaded.cases[1].said.boxes.xyxy.tolist() == [[0, 0, 0, 0]]
    assert loaded.problems.counts["no size"] == 1


@given(st.lists(st.tuples(*[st.floats()] * 5), max_size=6), st.booleans())
def test_any_numbers_become_finite_boxes_in_order(rows, clockwise):
    made = box_set([r[:4] for r in rows], [r[4] for r in rows], clockwise=clockwise)
    assert len(made) == len(rows)
    assert np.isfinite(made.xyxy).all()
    assert (made.xyxy[:, :2] <= made.xyxy[:, 2:]).all()
    if made.quads is not None:
        assert np.isfinite(made.quads).all()
        assert made.quads.shape == (len(rows), 8)


# --- our own runs


def airplanes(n: int, **changes: Any) -> list[dict[str, Any]]:
    return [
        {**evidence_row(k), "label": "airplane", "label_raw": "plane", "box_px": [10.0 * k, 0.0, 10.0 * k + 8, 8.0],
         "angle_deg": None, "verdict": "unchecked", "review": None, "role": "evidence", "score": None, **changes}
        for k in range(n)
    ]  # fmt: skip


COUNT = {
    **answer_row(),
    "question": "How many airplanes are there?",
    "task": "count",
    "answer": "3 airplanes",
    "value": 3,
}
BOXES = [(1, 2, [10.0 * k, 0.0, 8.0, 8.0]) for k in range(4)]


def harbour(tmp_path: Path, **more: Any) -> Path:
    path = tmp_path / "run.gpkg"
    tiles = [{**tile_row(i), "window_px": [50 * i, 0, 50 * i + 50, 100], "status": "ok"} for i in range(2)]
    write(result(**{"evidence": airplanes(3), "answers": [COUNT], "tiles": tiles, **more}), path)
    return path


def harbour_truth(tmp_path: Path, boxes: list[Any] = BOXES, size: tuple[int, int] = (100, 100)) -> Path:
    made = table(boxes, images=1, size=size)
    made["images"][0]["file_name"] = "harbour.jpg"
    return kept(tmp_path / "truth.json", made)


def only(cases: tuple[Case, ...]) -> Case:
    (case,) = cases
    return case


def test_a_run_is_scored_by_its_counted_evidence(tmp_path):
    evidence = airplanes(3)
    evidence[0]["review"], evidence[0]["reviewed_at"] = "rejected", None
    loaded = load(harbour(tmp_path, evidence=evidence), "run", harbour_truth(tmp_path))
    case = only(loaded.cases)
    assert case.family is Family.COUNTING
    assert case.truth.count == 4
    assert case.said.count == 3
    assert len(case.said.boxes) == 2
    assert case.said.boxes.scores is None
    assert set(case.said.boxes.labels) == set(case.truth.boxes.labels) == {"airplane"}
    assert case.said.evidence is not None
    assert len(case.said.evidence) == 2
    assert loaded.facts["coverage"] == {"tiles": 2, "looked_at": 2, "skipped": 0, "failed": 0, "share": 1.0}


def test_failed_tiles_are_named_and_all_failed_is_a_failed_case(tmp_path):
    def tiles(*statuses: str) -> list[dict[str, Any]]:
        return [
            {**tile_row(i), "window_px": [50 * i, 0, 50 * i + 50, 100], "status": s, "text": "model died"}
            for i, s in enumerate(statuses)
        ]

    truth = harbour_truth(tmp_path)
    loaded = load(harbour(tmp_path, tiles=tiles("ok", "engine_error")), "run", truth)
    assert only(loaded.cases).said.status is Status.OK
    assert loaded.problems.examples["failed tile"] == ["harbour, [50, 0, 100, 100]: engine_error: model died"]
    assert loaded.facts["coverage"]["share"] == 0.5
    (tmp_path / "b").mkdir()
    loaded = load(harbour(tmp_path / "b", tiles=tiles("engine_error", "skipped"), evidence=[]), "run", truth)
    assert only(loaded.cases).said.status is Status.FAILED


def test_truth_outside_what_was_to_be_looked_at_was_not_asked_for(tmp_path):
    tiles = [{**tile_row(0), "window_px": [0, 0, 20, 100], "status": "ok"}]
    case = only(load(harbour(tmp_path, tiles=tiles), "run", harbour_truth(tmp_path)).cases)
    assert case.truth.count == 2


def test_a_presence_question_is_right_by_the_boxes(tmp_path):
    asked = {**COUNT, "question": "Is there an airplane?", "task": "vqa", "answer": "Yes.", "value": True}
    case = only(load(harbour(tmp_path, answers=[asked]), "run", harbour_truth(tmp_path)).cases)
    assert case.family is Family.VQA
    assert case.truth.texts == ("yes",)
    assert case.said.answer == "yes"


def test_what_boxes_cannot_decide_or_the_truth_does_not_know_is_left_out_by_name(tmp_path):
    caption = {
        **COUNT,
        "answer_id": "A2",
        "question": "Describe the scene.",
        "task": "caption",
        "answer": "A port.",
        "value": None,
    }
    trees = {**COUNT, "answer_id": "A3", "question": "How many trees are there?"}
    loaded = load(harbour(tmp_path, answers=[COUNT, caption, trees]), "run", harbour_truth(tmp_path))
    assert loaded.rows == 3
    assert loaded.left_out == 2
    assert loaded.problems.counts == {"no truth": 1, "unknown class": 1}
    with pytest.raises(TrainingError, match="unknown image"):
        load(harbour(tmp_path), "run", kept(tmp_path / "other.json", table([(1, 2, [0, 0, 9, 9])])))


def test_images_of_the_truth_without_an_answer_are_missing_or_failed(tmp_path):
    made = table([(1, 2, [0, 0, 8, 8]), (2, 2, [0, 0, 8, 8]), (3, 1, [0, 0, 8, 8])], images=3)
    for image, name in zip(made["images"], ("harbour.tif", "lost.tif", "never.tif"), strict=True):
        image["file_name"] = name
    lost = {**scene_row(UTM), "scene": "lost", "path": "lost.tif", "status": "failed", "reason": "unreadable"}
    path = harbour(tmp_path, scenes=[scene_row(UTM), lost])
    loaded = load(path, "run", kept(tmp_path / "t.json", made))
    assert [case.said.status for case in loaded.cases] == [Status.OK, Status.FAILED, Status.MISSING]
    assert loaded.problems.counts["failed scene"] == 1
    assert loaded.problems.counts["missing prediction"] == 1
    assert loaded.cases[2].truth.absent


def test_a_truth_of_another_size_is_noted(tmp_path):
    loaded = load(harbour(tmp_path), "run", harbour_truth(tmp_path, size=(50, 50)))
    assert loaded.problems.counts["size differs"] == 1


def test_a_reviewed_result_is_truth_and_an_unreviewed_one_is_warned_of(tmp_path):
    reviewed = airplanes(4, review="accepted")
    reviewed[3]["review"] = "rejected"
    (tmp_path / "truth").mkdir()
    truth = harbour(tmp_path / "truth", evidence=reviewed)
    loaded = load(harbour(tmp_path), "run", truth)
    assert only(loaded.cases).truth.count == 3
    assert not loaded.warnings
    loaded = load(truth, "run", harbour(tmp_path))
    assert "no box of the file of truth was reviewed" in loaded.warnings[0]


def test_what_is_no_run_is_one_sentence(tmp_path):
    truth = harbour_truth(tmp_path)
    with pytest.raises(TrainingError, match="needs --truth"):
        load(harbour(tmp_path), "run")
    with pytest.raises(TrainingError, match="cannot be read as a run"):
        load(tmp_path, "run", truth)
    with pytest.raises(TrainingError, match="cannot be read as a run"):
        load(truth, "run", truth)
    with pytest.raises(TrainingError, match="--frame percent does not apply"):
        load(harbour(tmp_path), "run", truth, FileOptions(frame=Frame.PERCENT))


def test_a_tally_keeps_rows_that_are_cases_and_rows_that_are_not_apart():
    tally = Tally()
    tally.leave_out("broken line", "a:1", "x")
    tally.note("broken box", "a:2", "y")
    assert tally.left_out == 1
    assert sum(tally.problems.counts.values()) == 2


def test_whole_numbers_that_no_float_holds_break_nothing(tmp_path):
    written = table([(1, 1, [0, 0, 10, 10])], images=1)
    written["images"][0]["width"] = 10**400
    true = kept(tmp_path / "truth.json", written)
    found = [row(1, 1, [0, 0, 10, 10], score=0.5), row(1, 1, [0, 0, 9, 9], score=10**400)]
    (case,) = load(kept(tmp_path / "p.json", found), "coco", true).cases
    assert case.size is None
    assert case.said.boxes.scores.tolist() == [0.5, -math.inf]
