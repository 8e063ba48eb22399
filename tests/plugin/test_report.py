"""A report: one file with the answer first, what weakens it below, and everything that supports it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qgis.core import QgsMapSettings, QgsPointXY, QgsProject, QgsRasterLayer
from qgis.PyQt.QtCore import QSize
from qgis.PyQt.QtGui import QColor, QImage

from groundproof_qgis.answer.answer import Answer
from groundproof_qgis.layers.tables import read_tables
from groundproof_qgis.report.files import png, write_html, write_pdf
from groundproof_qgis.report.picture import MapPicture, area_of, picture_settings
from groundproof_qgis.report.report import Facts, Image, html_report, scene_lines
from tests.plugin.opened import open_result
from tests.plugin.results import parcels, result, scene, with_duplicate
from tests.plugin.test_answer_html import Seen, answer_of, parsed

TAGS = {
    "html": set(),
    "head": set(),
    "meta": {"charset"},
    "title": set(),
    "style": set(),
    "body": set(),
    "p": {"class"},
    "h1": set(),
    "h2": set(),
    "div": {"class"},
    "img": {"src", "width"},
    "table": {"class"},
    "thead": set(),
    "tbody": set(),
    "tr": {"id"},
    "th": set(),
    "td": {"class"},
    "ul": set(),
    "li": set(),
    "b": set(),
    "br": set(),
    "a": {"href", "name"},
}


class Page(Seen):
    def __init__(self):
        super().__init__()
        self.attributes = []

    def handle_decl(self, decl):
        assert decl == "DOCTYPE html"

    def handle_starttag(self, tag, attrs):
        super().handle_starttag(tag, attrs)
        self.attributes += [(tag, name, value) for name, value in attrs]


def read(html):
    page = Page()
    page.feed(html)
    page.close()
    return page


@pytest.fixture
def project(qgis_new_project):
    yield QgsProject.instance()
    QgsProject.instance().clear()


def picture(colour="#336699"):
    image = QImage(64, 48, QImage.Format.Format_RGB32)
    image.fill(QColor(colour))
    return image


def facts(tables):
    return Facts(
        "2026-11-28T09:00:00Z", "tiny on this computer", "EPSG:32631", scene_lines(tables.scenes), "run.gpkg"
    )


@settings(max_examples=60)
@given(st.text() | st.text("<>&\"'/=-!aE1 tpscriphref:()"), st.integers(1, 2))
def test_whatever_a_model_writes_the_page_holds_no_markup_but_ours(text, answers):
    answer = answer_of(text, boxes=2, answers=answers)
    answer.metadata = {"model": text, "configuration": {"profile": {"title": text}}}
    answer.question = text
    page = read(html_report(answer, Facts(text, text, text, (text,), text), None))
    for tag, names in page.tags:
        assert tag in TAGS
        assert set(names) <= TAGS[tag]
    ids = {value for _, name, value in page.attributes if name == "id"}
    for href in page.hrefs:
        assert href.startswith("#")
        assert set(re.findall(r"A\d+-E\d+", href)) <= ids


def test_the_answer_comes_first_and_what_weakens_it_before_the_reasons(tmp_path):
    tables = read_tables(with_duplicate(result(tmp_path)))
    answer = tables.answer()
    html = html_report(answer, facts(tables), Image.inside(png(picture()), 0.75))
    at = [
        html.index(f"<h1>{answer.line}</h1>"),
        html.index('class="weak"'),
        html.index("<img"),
        html.index("<h2>Why"),
        html.index("<h2>What was looked at"),
        html.index("<h2>Plan"),
        html.index("<h2>Evidence"),
        html.index("<h2>Where this comes from"),
    ]
    assert at == sorted(at)
    words = "".join(read(html).text)
    for expected in (
        "looked at 6 of 6 tiles",
        "tiny is a small model",
        tables.metadata["model"],
        "2026-11-28T09:00:00Z",
        "EPSG:32631",
        "field, 448 x 336 px, 0.5 m per px",
        "duplicate, not counted",
    ):
        assert expected in words
    for one in answer.evidence:
        assert f'<tr id="A1-{one.evidence_id}">' in html
        assert one.quote in words


def test_the_page_loads_nothing_from_elsewhere(tmp_path):
    tables = read_tables(parcels(tmp_path))
    html = html_report(tables.answer(), facts(tables), Image.inside(png(picture()), 0.75))
    page = read(html)
    sources = [value for _, name, value in page.attributes if name in ("src", "href")]
    assert all(value.startswith(("#", "data:image/png;base64,")) for value in sources)
    assert "url(" not in html
    assert "@import" not in html
    rows = {value for tag, name, value in page.attributes if name == "id"}
    assert {"A1-E1", "A2-E1"} <= rows
    assert {value[1:].split("-E")[0] for value in page.hrefs if "-E" in value} <= {"A1", "A2"}


def test_very_many_boxes_are_cut_and_it_is_said():
    answer = answer_of("", boxes=2003)
    html = html_report(answer, Facts(), None)
    assert html.count("<tr id=") == 2000
    assert "3 more boxes are in the GeoPackage." in html


def test_an_answer_without_anything_is_a_page_too():
    html = html_report(Answer("Why?"), Facts(), None)
    assert "<h1>no answer</h1>" in html
    assert "No box." in html


def test_html_and_pdf_are_written_whole(tmp_path):
    tables = read_tables(result(tmp_path))
    write_html(tmp_path / "r.html", tables.answer(), facts(tables), picture())
    assert parsed((tmp_path / "r.html").read_text(encoding="utf-8").replace("<!DOCTYPE html>", "")).tags
    write_pdf(tmp_path / "r.pdf", tables.answer(), facts(tables), picture())
    written = (tmp_path / "r.pdf").read_bytes()
    assert written.startswith(b"%PDF-")
    assert written.rstrip().endswith(b"%%EOF")
    assert b"/Subtype /Image" in written
    few = len(re.findall(rb"/Type /Page\b", written))
    write_pdf(tmp_path / "r.pdf", answer_of("a sentence", boxes=200), Facts(), None)
    assert len(re.findall(rb"/Type /Page\b", (tmp_path / "r.pdf").read_bytes())) > few
    assert sorted(one.name for one in tmp_path.iterdir()) == ["r.html", "r.pdf", "run.gpkg"]


@pytest.mark.parametrize("write", [write_html, write_pdf])
def test_a_folder_that_is_not_there_is_an_error(tmp_path, write):
    with pytest.raises(OSError):
        write(tmp_path / "nowhere" / "r", Answer("?"), Facts(), None)


def canvas(crs, raster):
    base = QgsMapSettings()
    base.setDestinationCrs(crs)
    base.setOutputSize(QSize(400, 300))
    base.setExtent(raster.extent())
    base.setTransformContext(QgsProject.instance().transformContext())
    return base


def test_the_picture_shows_the_imagery_and_the_boxes_where_they_are(project, tmp_path, qtbot):
    layers = open_result(project, result(tmp_path), "r", "run")
    raster = QgsRasterLayer(str(scene()), "scene")
    project.addMapLayer(raster)
    base = canvas(layers.evidence.crs(), raster)
    wanted = picture_settings(
        base, [layers.evidence, raster], area_of(layers.answers, base), QSize(1600, 1200)
    )
    got = []
    job = MapPicture(wanted, got.append)
    assert got == []
    qtbot.waitUntil(lambda: bool(got), timeout=20000)
    assert (got[0].width(), got[0].height()) == (1600, 1200)
    to_pixel = wanted.mapToPixel()
    for fid in (1, 2, 3):
        corner = layers.evidence.getFeature(fid).geometry().vertexAt(0)
        after = layers.evidence.getFeature(fid).geometry().vertexAt(1)
        middle = to_pixel.transform(QgsPointXY((corner.x() + after.x()) / 2, (corner.y() + after.y()) / 2))
        around = [
            got[0].pixelColor(int(middle.x()) + dx, int(middle.y()) + dy).lightness()
            for dx in range(-4, 5)
            for dy in range(-4, 5)
        ]
        assert max(around) > 200
    inside = {got[0].pixelColor(x, y).name() for x in range(700, 900, 7) for y in range(500, 700, 7)}
    assert len(inside) > 50
    del job


def test_a_cancelled_picture_never_comes(project, tmp_path, qtbot):
    layers = open_result(project, result(tmp_path), "r", "run")
    raster = QgsRasterLayer(str(scene()), "scene")
    project.addMapLayer(raster)
    base = canvas(layers.evidence.crs(), raster)
    got = []
    job = MapPicture(picture_settings(base, [layers.evidence, raster], None, QSize(1000, 800)), got.append)
    job.cancel()
    qtbot.wait(300)
    assert got == []
