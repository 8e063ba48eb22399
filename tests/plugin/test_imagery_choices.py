"""Choices of pixels as JSON, and dates as files say them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundproof_qgis.imagery.acquired import first_date
from groundproof_qgis.imagery.what import LayerPixels, Seen, from_json, to_json

resolutions = st.none() | st.floats(0.01, 1000)


@given(
    st.builds(Seen, resolutions, st.none() | st.text(max_size=9))
    | st.builds(
        LayerPixels,
        st.text(max_size=9),
        resolutions,
        st.none() | st.lists(st.integers(1, 16), min_size=1, max_size=4).map(tuple),
    )
    | st.builds(LayerPixels, st.text(max_size=9), resolutions, st.none(), st.just(True))
)
def test_a_choice_survives_json(choice):
    assert from_json(json.loads(json.dumps(to_json(choice)))) == choice


@pytest.mark.parametrize(
    "document", [{}, {"pixels": "sky"}, {"pixels": "seen", "what": 1}, {"pixels": "layer"}]
)
def test_other_json_is_no_choice(document):
    with pytest.raises(ValueError, match="is no choice of pixels"):
        from_json(document)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Seen(resolution_m=0),
        lambda: LayerPixels("a", resolution=float("nan")),
        lambda: LayerPixels("a", bands=()),
        lambda: LayerPixels("a", bands=(0,)),
        lambda: LayerPixels("a", bands=(1,), styled=True),
    ],
)
def test_what_cannot_be_chosen_is_refused(wrong):
    with pytest.raises(ValueError):
        wrong()


@pytest.mark.parametrize(
    ("texts", "date"),
    [
        (["2018:07:16 06:06:23"], "2018-07-16T06:06:23Z"),
        (["2020-08-31T10:15:00+02:00"], "2020-08-31T08:15:00Z"),
        (["20120731"], "2012-07-31T00:00:00Z"),
        (["2020-13-45", "yesterday", "2020-01-02 03:04"], "2020-01-02T03:04:00Z"),
        (["2020-08-31T10:15:00.123Z"], "2020-08-31T10:15:00Z"),
        (["0000:00:00 00:00:00"], None),
        ([], None),
    ],
)
def test_dates_are_read_as_files_write_them(texts, date):
    assert first_date(texts) == date
