"""Boxes of a completion lie where the engine puts them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from groundproof.boxes import BoxFrame, ModelBox, PixelBoxes, Tile, Window
from groundproof.georeference import corners, to_pixels
from groundproof_training.rewards.reading import names_fit, place, prose
from groundproof_training.samples import SampleImage

number = st.one_of(st.floats(-50, 1200), st.sampled_from([0.0, 1000.0, 1e300, float("nan"), float("inf")]))
box = st.builds(ModelBox, number, number, number, number)
turned = st.builds(ModelBox, *[st.floats(0, 400)] * 4, st.floats(-90, 90))
IMAGE = SampleImage(path="a.png", width=1000, height=800, window=(100, 50, 500, 350))


def engine_place(one: ModelBox, frame: BoxFrame) -> list[float]:
    """By the engine's own function, box by box."""
    placed = to_pixels(one, frame, Tile(0, Window(0, 0, 400, 300), 224, 168), (400, 300))
    if placed.box is None or (placed.problem and placed.box.angle_deg is None):
        return [0.0] * 4
    x0, y0, x1, y1 = placed.box.x0, placed.box.y0, placed.box.x1, placed.box.y1
    if placed.box.angle_deg is not None:
        points = corners(PixelBoxes.of([placed.box]))[0]
        x0, y0, x1, y1 = (*np.clip(points.min(0), 0, [400, 300]), *np.clip(points.max(0), 0, [400, 300]))
        if x0 >= x1 or y0 >= y1:
            return [0.0] * 4
    return [x0 + 100, y0 + 50, x1 + 100, y1 + 50]


@settings(max_examples=150, deadline=None)
@example([], [ModelBox(0.0, 0.0, 0.0, 1.0, 1.0)], BoxFrame.RESIZED_PIXELS_ANGLE)
@given(st.lists(box, max_size=5), st.lists(turned, max_size=3), st.sampled_from(list(BoxFrame)))
def test_many_boxes_are_placed_as_the_engine_places_each(
    upright: list, angled: list, frame: BoxFrame
) -> None:
    boxes = [*upright, *(angled if frame.has_angle else [])]
    expected = np.array([engine_place(one, frame) for one in boxes]).reshape(-1, 4)
    assert place(boxes, frame, IMAGE, (224, 168)) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("said", "true", "asked", "fits"),
    [
        ("ship", "ship", ("ship",), True), ("A white boat", "ship", ("ship",), True),
        ("truck", "ship", ("ship",), False),
        ("a small vehicle", "small vehicle", ("small vehicle",), True), ("vehicle", "car", ("vehicle",), True),
        ("vehicle", "car", ("car",), False), ("large vehicle", "small vehicle", ("small vehicle",), False),
        ("", "ship", ("ship",), True), ("", "ship", ("ship", "truck"), False), ("", "ship", (), True),
    ],
)  # fmt: skip
def test_a_box_is_called_what_the_object_is(said: str, true: str, asked: tuple[str, ...], fits: bool) -> None:
    assert names_fit(said, true, asked) is fits


def test_words_are_compared_without_boxes() -> None:
    assert (
        prose("A ship [[1,2,3,4]] at {<1><2><3><4>|<30>} a <|begin_of_box|>pier<|end_of_box|>")
        == "A ship at a pier"
    )
