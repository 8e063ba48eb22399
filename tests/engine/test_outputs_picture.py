"""Pictures: their layout is checked by measuring, their looks by eye."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pyproj import CRS

from groundproof.boxes import PixelBox, Window
from groundproof.errors import OutputError, UsageError
from groundproof.outputs.canvas import Mark, Picture, draw, round_length
from groundproof.outputs.picture import picture_of, render_picture
from groundproof.outputs.placing import place_labels
from groundproof.tables import Verdict
from tests.engine import outputs_samples as samples

GREY = np.full((60, 90, 3), 90, dtype=np.uint8)


def picture(rgb=GREY, marks=(), **options) -> Picture:
    texts = {"question": "How many?", "answer": "3 tanks", "coverage": "Looked at 4 of 4 tiles."} | options
    return Picture(rgb, 0, 0, texts.pop("scale", 1.0), marks, **texts)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(0, 900), st.floats(0, 900), st.floats(5, 90), st.floats(5, 90)),
        min_size=1,
        max_size=30,
    )
)
def test_labels_hide_no_object_and_no_other_label_and_stay_inside(boxes):
    objects = np.array([(x, y, x + w, y + h) for x, y, w, h in boxes])
    sizes = [[(80.0, 16.0), (30.0, 16.0)]] * len(boxes)
    frame = (0.0, 0.0, 1000.0, 1000.0)
    placed = []
    for place, variants in zip(place_labels(objects, sizes, frame, gap=4), sizes, strict=True):
        if place is None:
            continue
        width, height = variants[place.variant]
        label = (place.x, place.y, place.x + width, place.y + height)
        assert label[0] >= 0
        assert label[1] >= 0
        assert label[2] <= 1000
        assert label[3] <= 1000
        for x0, y0, x1, y1 in [*objects.tolist(), *placed]:
            assert not (label[0] < x1 and label[2] > x0 and label[1] < y1 and label[3] > y0)
        placed.append(label)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 60), st.integers(0, 60), st.integers(20, 40))
def test_without_a_line_a_label_lies_clearly_nearest_to_its_own_object(across, down, side):
    objects = np.array([(300 + k * across, 50 + k * down) for k in range(12)], dtype=float)
    objects = np.hstack([objects, objects + side])
    sizes = [[(80.0, 16.0), (30.0, 16.0)]] * len(objects)
    for own, place in enumerate(place_labels(objects, sizes, (0.0, 0.0, 1300.0, 900.0), gap=4)):
        if place is None or place.leader is not None:
            continue
        width, height = sizes[own][place.variant]
        label = np.array([place.x, place.y, place.x + width, place.y + height])
        apart = np.maximum(objects[:, :2] - label[2:], label[:2] - objects[:, 2:]).max(axis=1)
        assert apart[own] == pytest.approx(4)
        assert np.delete(apart, own).min() >= 10


def test_a_lone_object_gets_its_full_label_above_it():
    (place,) = place_labels(np.array([[40.0, 40, 60, 60]]), [[(30.0, 10.0)]], (0, 0, 100, 100), gap=2)
    assert (place.x, place.y, place.variant, place.leader) == (40, 28, 0, None)


@pytest.mark.parametrize(("longest", "want"), [(7.3, 5), (1.99, 1), (0.21, 0.2), (2000, 2000), (10, 10)])
def test_the_scale_bar_has_a_round_length(longest, want):
    assert round_length(longest) == pytest.approx(want)


def test_a_box_is_drawn_where_it_lies_in_its_verdicts_colour():
    mark = Mark(PixelBox(30, 20, 60, 40), "E1", "tank", Verdict.SUPPORTED)
    plain = np.asarray(Image.open(io.BytesIO(draw(picture()))).convert("RGB")).astype(int)
    with_box = np.asarray(Image.open(io.BytesIO(draw(picture(marks=(mark,))))).convert("RGB")).astype(int)
    sky_blue = np.abs(with_box - (0x56, 0xB4, 0xE9)).sum(axis=2) < 30
    grey = np.abs(plain - 90).sum(axis=2) < 6
    top, left = (int(np.flatnonzero(grey.sum(axis=axis) > 400).min()) for axis in (1, 0))
    zoom = 900 / 90
    rows, cols = np.nonzero(sky_blue[: top + 600])
    on_line = (np.abs(rows - (top + 20 * zoom)) < 4) | (np.abs(rows - (top + 40 * zoom)) < 4)
    on_line |= (np.abs(cols - (left + 30 * zoom)) < 4) | (np.abs(cols - (left + 60 * zoom)) < 4)
    assert len(rows) > 500
    # Everything else of that colour is the label's thin border, above the box.
    assert (on_line | (rows < top + 20 * zoom)).all()


@pytest.mark.parametrize("shape", [(1, 1), (300, 300), (40, 2400), (900, 30)])
def test_any_size_gives_a_page_of_sensible_size(shape):
    rgb = np.zeros((*shape, 3), dtype=np.uint8)
    marks = (Mark(PixelBox(0, 0, 1, 1, 30.0), "E1", "ship", Verdict.CONTRADICTED),)
    page = Image.open(io.BytesIO(draw(picture(rgb, marks))))
    assert 900 < page.width < 2300
    assert 100 < page.height < 4000


def test_hostile_text_is_drawn_as_text():
    marks = tuple(
        Mark(PixelBox(i * 8, 10, i * 8 + 5, 20), f"E{i}", text.replace("\ud800", "?"), Verdict.UNCHECKED)
        for i, text in enumerate([*samples.HOSTILE, "$x_1$ \\frac{", "x" * 5000])
    )
    assert draw(picture(marks=marks, question="$\\alpha " * 400, answer="y" * 3000)).startswith(b"\x89PNG")


@pytest.mark.parametrize("count", [61, 201, 601])
def test_many_boxes_are_numbered_as_far_as_that_helps(count):
    marks = tuple(
        Mark(PixelBox(i % 30 * 3, i // 30, i % 30 * 3 + 1, i // 30 + 1), f"E{i}", "car", Verdict.UNCHECKED)
        for i in range(count)
    )
    assert draw(picture(marks=marks)).startswith(b"\x89PNG")


def test_a_result_becomes_a_picture_with_what_weakens_it(tmp_path):
    rows = [
        samples.evidence_row(0),
        samples.evidence_row(1, review="rejected"),
        samples.evidence_row(2, image=1),
    ]
    result = samples.result(evidence=rows)
    got = picture_of(result, GREY, Window(0, 0, 180, 120))
    assert got.scale == 0.5
    assert [m.text for m in got.marks] == ["E1"]
    assert got.answer == "3 storage tanks"
    assert got.coverage == "Looked at 3 of 4 tiles; 1 failed."
    assert "the text says 4" in got.warnings
    assert "Not drawn: 1 rejected by the analyst." in got.warnings
    assert got.gsd_m == 1.0
    assert got.north_deg == pytest.approx(0)
    assert "tiny" in got.footer
    render_picture(result, GREY, Window(0, 0, 180, 120), tmp_path / "a.png")
    assert Image.open(tmp_path / "a.png").format == "PNG"


@pytest.mark.parametrize(
    ("affine", "degrees"),
    [([0.0, -1.0, 0.0, -1.0, 0.0, 0.0], -90.0), ([1.0, 0.0, 0.0, 0.0, 1.0, 0.0], 180.0)],
)
def test_north_is_where_the_affine_says(affine, degrees):
    scenes = [samples.scene_row(CRS.from_epsg(32631), affine=affine)]
    got = picture_of(samples.result(scenes=scenes), GREY, Window(0, 0, 90, 60)).north_deg
    assert (got - degrees) % 360 == pytest.approx(0, abs=1e-9)


def test_pixel_space_has_no_north_and_no_metres():
    scenes = [samples.scene_row(None, affine=None, gsd_m=None)]
    got = picture_of(samples.result(crs=None, scenes=scenes), GREY, Window(0, 0, 90, 60))
    assert (got.gsd_m, got.north_deg) == (None, None)


def test_a_wrong_answer_or_place_is_said(tmp_path):
    with pytest.raises(UsageError, match="no answer A7"):
        render_picture(samples.result(), GREY, Window(0, 0, 9, 6), tmp_path / "a.png", answer_id="A7")
    with pytest.raises(OutputError, match="there is no folder"):
        render_picture(samples.result(), GREY, Window(0, 0, 9, 6), tmp_path / "x" / "a.png")


def test_boxes_without_a_place_in_the_picture_are_left_out_and_counted():
    places = [[1, 1, 9, 9], [500, 1, 510, 9], None, [3, 3, 3, 9]]
    rows = [samples.evidence_row(i, box_px=box) for i, box in enumerate(places)]
    got = picture_of(samples.result(evidence=rows), GREY, Window(0, 0, 90, 60))
    assert [m.text for m in got.marks] == ["E1"]
    assert "Not drawn: 3 without a place in this picture." in got.warnings


def test_the_footer_names_model_run_and_date_without_a_whole_hash():
    result = samples.result(metadata={"model": "tiny@" + "ab" * 32, "created": "2026-05-04"})
    footer = picture_of(result, GREY, Window(0, 0, 90, 60)).footer
    assert footer == "groundproof · model tiny@abababababab · run run-1 · 2026-05-04"
