"""The second look: crops, questions, and what a reply makes of a verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundproof.boxes import BoxFrame, PixelBox, Tile
from groundproof.errors import ReadError
from groundproof.models.base import Piece, Request
from groundproof.models.profiles import Profile
from groundproof.second_look import SecondLook, Subject, crop_of, findings_of, second_look, worth_a_look
from groundproof.tables import Verdict
from tests.engine.audit_cases import row, table

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from numpy.typing import NDArray

SIZE = (1000, 800)


def profile(style: str = "native") -> Profile:
    return Profile(
        name="p", title="", licence="", source="", prompt_style=style, frame=BoxFrame.PER_MILLE,
        patch_merge_px=28, tile_px=448, overlap_px=112,
    )  # fmt: skip


class Answering:
    """A model that gives each request the next of some texts, letter by letter."""

    max_in_flight = 2
    identity = "answering"

    def __init__(self, *texts: str | None, style: str = "native") -> None:
        self.profile = profile(style)
        self._texts = list(texts)
        self.requests: list[Request] = []

    def generate(self, requests: Iterable[Request]) -> Generator[Piece]:
        for request, text in zip(requests, self._texts, strict=False):
            self.requests.append(request)
            if text is None:
                yield Piece(request.request_id, "", finish="error", error="out of memory")
                continue
            for letter in text:
                yield Piece(request.request_id, letter)
            yield Piece(request.request_id, "", finish="stop")

    def close(self) -> None:
        raise AssertionError("nobody closes this model")


def grey(tile: Tile, _image: int) -> NDArray[np.uint8]:
    return np.full((tile.model_height, tile.model_width, 3), 128, dtype=np.uint8)


SHIP = Subject(PixelBox(500, 400, 540, 420), "ship", "a ship at the pier")


def look(text: str | None, subject: Subject = SHIP, **more: object) -> SecondLook:
    (found,) = second_look([subject], grey, Answering(text), SIZE, **more)  # type: ignore[arg-type]
    return found


def test_yes_supports_and_no_contradicts() -> None:
    assert look("<answer>yes</answer>").verdict is Verdict.SUPPORTED
    assert look("<answer>no</answer>").verdict is Verdict.CONTRADICTED


def test_what_is_neither_yes_nor_no_stays_unchecked_and_says_what_came() -> None:
    found = look("<answer>a pleasant afternoon</answer>")
    assert found.verdict is Verdict.UNCHECKED
    assert "pleasant afternoon" in found.reason
    assert look("").verdict is Verdict.UNCHECKED


def per_mille(box: PixelBox, crop: Tile) -> str:
    window = crop.window
    x0, x1 = ((x - window.x0) * 1000 / window.width for x in (box.x0, box.x1))
    y0, y1 = ((y - window.y0) * 1000 / window.height for y in (box.y0, box.y1))
    return f"[{x0:.0f},{y0:.0f},{x1:.0f},{y1:.0f}]"


def test_a_neighbour_does_not_vouch_for_the_box() -> None:
    crop = crop_of(SHIP.box, SIZE, profile())
    here = f"<think><evidence>E1 ship {per_mille(SHIP.box, crop)}. </evidence></think><answer>yes</answer>"
    beside = "<think><evidence>E1 ship [0,0,90,90]. </evidence></think><answer>yes</answer>"
    assert look(here).verdict is Verdict.SUPPORTED
    elsewhere = look(beside)
    assert elsewhere.verdict is Verdict.UNCHECKED
    assert "place" in elsewhere.reason


def test_boxes_of_other_things_do_not_matter() -> None:
    text = "<think><evidence>E1 pier [0,0,90,90]. </evidence></think><answer>yes</answer>"
    assert look(text).verdict is Verdict.SUPPORTED


def test_a_failed_request_a_failed_read_and_a_nameless_box_stay_unchecked_with_their_reasons() -> None:
    assert "out of memory" in look(None).reason

    def broken(_tile: Tile, _image: int) -> NDArray[np.uint8]:
        raise ReadError("block 7 is damaged")

    (unread,) = second_look([SHIP], broken, Answering("yes"), SIZE)
    assert unread.verdict is Verdict.UNCHECKED
    assert "block 7 is damaged" in unread.reason
    assert look("yes", Subject(SHIP.box, "", "")).verdict is Verdict.UNCHECKED


def test_other_errors_of_reading_are_not_swallowed() -> None:
    def broken(_tile: Tile, _image: int) -> NDArray[np.uint8]:
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        list(second_look([SHIP], broken, Answering("yes"), SIZE))


def test_every_subject_gets_one_answer_also_when_the_model_ends_early() -> None:
    subjects = [Subject(PixelBox(i * 50, 0, i * 50 + 20, 20), "ship", "a ship") for i in range(7)]
    reads = 0

    def every_other(tile: Tile, image: int) -> NDArray[np.uint8]:
        nonlocal reads
        reads += 1
        if reads % 2 == 0:
            raise ReadError("gone")
        return grey(tile, image)

    found = list(second_look(subjects, every_other, Answering("yes", "no"), SIZE))
    assert sorted(one.index for one in found) == list(range(7))
    by_index = {one.index: one.verdict for one in found}
    assert by_index[0] is Verdict.SUPPORTED
    assert by_index[1] is Verdict.UNCHECKED
    assert by_index[2] is Verdict.CONTRADICTED


def test_crops_are_read_only_as_the_model_pulls_them() -> None:
    read: list[Tile] = []

    def noting(tile: Tile, image: int) -> NDArray[np.uint8]:
        read.append(tile)
        return grey(tile, image)

    looks = second_look([SHIP] * 10, noting, Answering(*["yes"] * 10), SIZE)
    assert read == []
    next(looks)
    assert len(read) == 1


def test_a_native_model_is_asked_by_name_and_an_instructed_one_with_the_sentence() -> None:
    native, instructed = Answering("yes"), Answering("yes", style="instructed")
    list(second_look([SHIP], grey, native, SIZE))
    list(second_look([SHIP], grey, instructed, SIZE))
    assert native.requests[0].text == "[vqa] Is there a ship in the image?"
    assert "a ship at the pier" in instructed.requests[0].text


def test_the_picture_has_the_size_the_model_takes() -> None:
    model = Answering("yes")
    list(second_look([SHIP], grey, model, SIZE))
    height, width, bands = model.requests[0].images[0].shape
    assert (height % 28, width % 28, bands) == (0, 0, 3)


@settings(max_examples=150, deadline=None)
@given(
    st.floats(0, 900), st.floats(0, 700), st.floats(1, 900), st.floats(1, 700),
    st.floats(1, 4), st.floats(0.25, 4), st.integers(1, 300),
)  # fmt: skip
def test_a_crop_shows_the_whole_box_inside_the_scene_in_a_size_the_model_takes(
    x: float, y: float, w: float, h: float, context: float, scale: float, least: int
) -> None:
    box = PixelBox(x, y, min(x + w, SIZE[0]), min(y + h, SIZE[1]))
    crop = crop_of(box, SIZE, profile(), context=context, scene_px_per_model_px=scale, min_side_px=least)
    window = crop.window
    assert crop.model_width == crop.model_height <= 448
    assert crop.model_width % 28 == 0
    assert window.x0 >= 0
    assert window.y0 >= 0
    assert window.width >= min(max(box.x1 - box.x0, box.y1 - box.y0) * context, least * scale) - 1
    for low, high, start, end, size in (
        (box.x0, box.x1, window.x0, window.x1, SIZE[0]),
        (box.y0, box.y1, window.y0, window.y1, SIZE[1]),
    ):
        # Rounding to whole pixels may cost half a pixel at context 1.
        assert start <= low + 1
        assert end >= high - 1
        assert end <= size or start == 0


def test_a_crop_in_the_open_is_centred_on_its_box() -> None:
    window = crop_of(SHIP.box, SIZE, profile()).window
    assert (window.x0 + window.x1) / 2 == pytest.approx(520, abs=0.5)
    assert (window.y0 + window.y1) / 2 == pytest.approx(410, abs=0.5)


def test_a_context_below_1_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        crop_of(SHIP.box, SIZE, profile(), context=0.5)


def test_only_counted_open_boxes_are_worth_a_look() -> None:
    evidence = table(
        row("E1"),
        row("E2", verdict="unsupported"),
        row("E3", verdict="duplicate"),
        row("E4", verdict="supported"),
        row("E5", review="accepted"),
        row("E6", verdict="contradicted"),
    )
    assert worth_a_look(evidence) == [0, 1]


def test_the_audit_says_what_a_second_look_gave() -> None:
    looks = [
        SecondLook(0, Verdict.SUPPORTED, "agrees"),
        SecondLook(1, Verdict.CONTRADICTED, "disagrees"),
        SecondLook(2, Verdict.UNCHECKED, "no answer"),
    ]
    (found,) = findings_of(["E1", "E2", "E3"], looks)
    assert "1 supported" in found.sentence
    assert "1 contradicted" in found.sentence
    assert "E3" in found.sentence
    assert "no answer" in found.sentence
    assert findings_of([], []) == []
