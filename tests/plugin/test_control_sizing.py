"""What a question would cost, in words."""

from __future__ import annotations

from groundproof_qgis.control.sizing import Size
from groundproof_qgis.imagery.plan import Preview
from groundproof_qgis.imagery.scene import SceneSpec


def words(**more) -> str:
    spec = SceneSpec("map", 2240, 2240, None, None)
    return Size((Preview(spec, None, None, None, "", ()),), 100, 30.0, **more).words.rpartition("tiles, ")[2]


def test_what_was_measured_is_about_and_what_empty_tiles_took_is_a_range(qgis_app):
    assert words() == "about 30 s"
    assert words(at_least=True, seconds_most=150.0) == "30 s to 2 min, the longer the more is found"


def test_a_range_without_width_and_one_without_an_end_are_said_as_they_are(qgis_app):
    assert words(at_least=True, seconds_most=30.2) == "about 30 s"
    assert words(at_least=True) == "at least 30 s"
