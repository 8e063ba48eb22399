"""The ask panel: what is filled in becomes a form, and what cannot be asked is said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from qgis.core import (
    QgsFeature,
    QgsGeometry,
    QgsProject,
    QgsRasterLayer,
    QgsRectangle,
    QgsSettings,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import Qt

from groundproof_qgis.asking.class_words import made_question, parsed, plural, with_choice
from groundproof_qgis.asking.form import RECTANGLE, SELECTION, AskForm, Where
from groundproof_qgis.asking.recent import RecentQuestions, remembered
from groundproof_qgis.asking.request import FollowUp
from groundproof_qgis.gui.ask_panel import AskPanel
from groundproof_qgis.gui.layer_choices import LayerChoices, LayerList, PolygonChoice, RasterChoice
from groundproof_qgis.imagery.what import LayerPixels, Seen

ORTHO = RasterChoice("ortho", "Ortho 2026", 0.3, ("red", "green", "blue", "nir"))
OLD = RasterChoice("old", "Ortho 2012", 1.0, ("1", "2", "3"))
STREETS = RasterChoice("streets", "Streets")
LAYERS = LayerList(
    (ORTHO, OLD, STREETS), (PolygonChoice("parcels", "Parcels", 3),), ("Before", "After"), empty=False
)
LABELS = ("airplane", "ship", "storage tank")


@pytest.fixture
def panel(qtbot, qgis_app):
    made = AskPanel()
    qtbot.addWidget(made)
    made.set_model(LABELS, ())
    made.set_layers(LAYERS)
    made.resize(330, 500)
    made.show()
    return made


def test_the_plain_form_asks_what_you_see_on_the_map(panel):
    panel.question.set_text("  How many tanks? ")
    assert panel.form() == AskForm("How many tanks?", (Seen(),))
    assert panel.problem == ""


def test_everything_that_is_filled_in_is_in_the_form(panel):
    panel.task.pick("count")
    panel.classes.setText("airplane, ship")
    panel.where.choose(SELECTION, "parcels")
    panel.pixels.one.pick(("layer", "ortho"))
    panel.options.resolution.setValue(0.5)
    panel.options.bands.pick("chosen")
    panel.options.band_numbers.setText("4, 3, 2")
    panel.options.per_polygon.setChecked(True)
    panel.options.second_look.setChecked(True)
    follow_up = FollowUp("job", "A1", ("E3",))
    panel.set_follow_up(follow_up)
    assert panel.form() == AskForm(
        question="How many airplanes and ships are there?",
        pixels=(LayerPixels("ortho", 0.5, (4, 3, 2)),),
        task="count",
        classes=("airplane", "ship"),
        where=Where(SELECTION, "parcels"),
        per_polygon=True,
        second_look=True,
        follow_up=follow_up,
    )


def test_a_form_filled_in_again_is_the_same_form(panel, qtbot):
    form = AskForm(
        "What has changed?",
        (LayerPixels("old", 2.0), LayerPixels("ortho", 2.0)),
        task="change",
        where=Where("layer", "ortho"),
        second_look=True,
    )
    panel.set_form(form)
    assert panel.form() == form
    seen = AskForm(
        "How many ships?", (Seen(0.5, "After"),), where=Where(SELECTION, "parcels"), per_polygon=True
    )
    panel.set_form(seen)
    assert panel.form() == seen


def test_two_dates_take_two_different_pixels_the_earlier_first(panel):
    panel.question.set_text("What has changed?")
    panel.task.pick("change")
    assert panel.form().pixels == (LayerPixels("old"), LayerPixels("ortho"))
    panel.pixels.before.pick(("layer", "ortho"))
    assert "the same" in panel.problem


@pytest.mark.parametrize(
    ("fill", "sentence"),
    [
        (lambda p: p.question.set_text(""), "Type a question"),
        (lambda p: p.question.set_text("x" * 2001), "2001 characters"),
        (lambda p: p.where.bar.choose(RECTANGLE), "Draw the rectangle"),
        (lambda p: p.set_layers(LayerList()), "no imagery"),
        (
            lambda p: p.set_layers(LayerList((ORTHO,), (PolygonChoice("p", "Parcels", 0),), (), False)),
            "No polygon of Parcels",
        ),
        (lambda p: p.set_layers(LayerList((), (), (), False)), "no polygon layer"),
    ],
)
def test_what_cannot_be_asked_is_said_in_a_sentence_and_not_asked(panel, qtbot, fill, sentence):
    panel.question.set_text("How many tanks?")
    panel.where.choose(SELECTION, "parcels")
    fill(panel)
    assert sentence in panel.problem
    with qtbot.assertNotEmitted(panel.ask_requested):
        qtbot.mouseClick(panel.ask, Qt.MouseButton.LeftButton)
    assert panel.size.text() == panel.problem


@pytest.mark.parametrize(
    ("typed", "said"), [("5", "no band 5"), ("red", "by number"), ("", "by number"), ("0", "no band 0")]
)
def test_bands_that_the_layer_has_not_are_named(panel, typed, said):
    panel.question.set_text("How many tanks?")
    panel.pixels.one.pick(("layer", "ortho"))
    panel.options.bands.pick("chosen")
    panel.options.band_numbers.setText(typed)
    assert said in panel.problem
    assert panel.form().pixels == (LayerPixels("ortho"),)


def test_bands_are_offered_only_for_a_layer(panel):
    panel.more.set_open(True)
    assert not panel.options.bands.isVisible()
    panel.pixels.one.pick(("layer", "ortho"))
    assert panel.options.bands.isVisible()


def test_enter_asks_and_shift_enter_makes_a_line(panel, qtbot):
    panel.question.set_text("How many tanks?")
    with qtbot.waitSignal(panel.ask_requested, timeout=500):
        qtbot.keyClick(panel.question, Qt.Key.Key_Return)
    qtbot.keyClick(panel.question, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    assert panel.question.toPlainText() == "How many tanks?\n"


def test_while_it_asks_the_button_cancels_and_enter_does_nothing(panel, qtbot):
    panel.question.set_text("How many tanks?")
    panel.set_busy(True)
    with qtbot.assertNotEmitted(panel.ask_requested), qtbot.waitSignal(panel.cancel_requested, timeout=500):
        qtbot.keyClick(panel.question, Qt.Key.Key_Return)
        qtbot.mouseClick(panel.ask, Qt.MouseButton.LeftButton)


def test_up_and_down_go_through_earlier_questions_and_back_to_the_draft(panel, qtbot):
    panel.set_recent(["newest?", "older?"])
    panel.question.set_text("a draft")
    shown = []
    for key in (
        Qt.Key.Key_Up,
        Qt.Key.Key_Up,
        Qt.Key.Key_Up,
        Qt.Key.Key_Down,
        Qt.Key.Key_Down,
        Qt.Key.Key_Down,
    ):
        qtbot.keyClick(panel.question, key)
        shown.append(panel.question.toPlainText())
    assert shown == ["newest?", "older?", "older?", "newest?", "a draft", "a draft"]


def test_the_question_field_grows_with_its_lines_and_then_scrolls(panel, qtbot):
    low = panel.question.height()
    panel.question.set_text("word " * 60)
    high = panel.question.height()
    panel.question.set_text("word " * 400)
    assert low < high
    assert panel.question.height() <= panel.question.fontMetrics().lineSpacing() * 6 + 30


def test_changes_are_told_once_after_a_burst(panel, qtbot):
    qtbot.wait(300)
    told = []
    panel.changed.connect(lambda: told.append(1))
    for text in ("H", "Ho", "How"):
        panel.question.set_text(text)
    panel.options.second_look.setChecked(True)
    qtbot.wait(400)
    assert told == [1]


def test_classes_become_a_question_that_follows_them_until_it_is_edited(panel):
    panel.task.pick("count")
    panel.classes.setText("airplane")
    assert panel.question.toPlainText() == "How many airplanes are there?"
    panel.classes.setText("airplane, ship, storage tank")
    assert panel.question.toPlainText() == "How many airplanes, ships and storage tanks are there?"
    panel.task.pick("detect")
    assert panel.question.toPlainText() == "Where are the airplanes, ships and storage tanks?"
    panel.question.set_text("How many red ships?")
    panel.classes.setText("bridge")
    assert panel.question.toPlainText() == "How many red ships?"
    assert panel.class_hint.isVisible()


def test_classes_to_choose_from_are_appended_once_and_taken_back(panel):
    panel.question.set_text("What is this?")
    panel.task.pick("classify")
    panel.classes.setText("forest, water")
    assert panel.question.toPlainText() == "What is this? Choose from: forest, water."
    panel.classes.setText("forest, water, town")
    assert panel.question.toPlainText() == "What is this? Choose from: forest, water, town."
    panel.task.pick("auto")
    assert panel.question.toPlainText() == "What is this?"


@given(st.lists(st.text("abcdefgh ,;", max_size=12), max_size=5))
def test_a_choice_that_is_replaced_leaves_no_rest(words):
    classes = parsed(",".join(words))
    first = with_choice("What is this?", ("x", "y"))
    assert with_choice(first, classes) == with_choice("What is this?", classes)


@pytest.mark.parametrize(
    ("one", "many"),
    [
        ("airplane", "airplanes"),
        ("bus", "buses"),
        ("ferry", "ferries"),
        ("quay", "quays"),
        ("aircraft", "aircraft"),
    ],
)
def test_plurals_as_in_english(one, many):
    assert plural(one) == many
    assert made_question("count", [one]) == f"How many {many} are there?"


def test_the_completer_completes_the_last_class_only(panel, qtbot):
    panel.task.pick("count")
    completer = panel.classes.completer()
    panel.classes.setText("ship, air")
    completer.setCompletionPrefix(completer.splitPath(panel.classes.text())[0])
    assert completer.completionCount() == 1
    assert completer.pathFromIndex(completer.currentIndex()) == "ship, airplane"


def test_only_tasks_of_the_model_are_offered(panel):
    panel.set_model(LABELS, ("count", "vqa"))
    assert [panel.task.itemData(n) for n in range(panel.task.count())] == ["auto", "count", "vqa", "change"]


def test_empty_states_teach_and_their_buttons_tell(panel, qtbot):
    panel.set_layers(LayerList())
    panel.set_engine_present(False)
    with qtbot.waitSignal(panel.demo_scene_requested, timeout=500):
        panel.no_imagery.button(0).click()
    with qtbot.waitSignal(panel.engine_start_requested, timeout=500):
        panel.no_engine.button(0).click()
    with qtbot.waitSignal(panel.engine_connect_requested, timeout=500):
        panel.no_engine.button(1).click()
    panel.set_layers(LAYERS)
    panel.set_engine_present(True)
    assert not panel.no_imagery.isVisible()
    assert not panel.no_engine.isVisible()


def test_choosing_the_rectangle_asks_for_one_to_be_drawn(panel, qtbot):
    with qtbot.waitSignal(panel.rectangle_requested, timeout=500):
        qtbot.mouseClick(panel.where.bar.button(RECTANGLE), Qt.MouseButton.LeftButton)
    panel.question.set_text("How many?")
    panel.set_rectangle("1.2 x 0.9 km")
    assert panel.problem == ""
    assert panel.where.drawn.text() == "1.2 x 0.9 km"


def test_a_removed_layer_is_not_asked_about_any_more(panel):
    panel.pixels.one.pick(("layer", "ortho"))
    panel.set_layers(LayerList((OLD, ORTHO), (), (), False))
    assert panel.form().pixels == (LayerPixels("ortho"),)
    panel.set_layers(LayerList((OLD,), (), (), False))
    assert panel.form().pixels == (Seen(),)


def test_layer_names_are_never_taken_for_html(panel):
    panel.set_layers(LayerList((RasterChoice("x", "<b>bold</b>", 1.0),), (), (), False))
    panel.pixels.one.pick(("layer", "x"))
    assert "&lt;b&gt;" in panel.pixels.one.toolTip()


def test_closing_the_chip_ends_the_follow_up(panel, qtbot):
    panel.set_follow_up(FollowUp("job", "A1", ("E3", "E4")))
    assert "E3, E4" in panel.chip.label.text()
    qtbot.mouseClick(panel.chip.close_button, Qt.MouseButton.LeftButton)
    assert panel.form().follow_up is None
    assert not panel.chip.isVisible()


def test_every_field_can_be_reached_with_the_tab_key(panel, qtbot):
    panel.more.set_open(True)
    panel.question.setFocus()
    seen = set()
    for _ in range(40):
        focus = panel.focusWidget()
        seen.add(focus)
        panel.focusNextChild()
    wanted = {
        panel.question,
        panel.task,
        panel.pixels.one,
        panel.more.heading,
        panel.ask,
        panel.options.second_look,
    }
    assert wanted <= seen


def test_a_narrow_dock_is_wide_enough(panel):
    assert panel.minimumSizeHint().width() <= 330


def test_recent_questions_are_kept_newest_first_each_once(qgis_app):
    recent = RecentQuestions()
    recent.clear()
    for text in ("one?", "two?", "one?", "  "):
        recent.add(text)
    assert RecentQuestions(QgsSettings()).all() == ("one?", "two?")
    recent.clear()
    recent.add("only?")
    assert recent.all() == ("only?",)
    assert remembered([str(n) for n in range(40)], "new", 30)[0] == "new"
    assert len(remembered([str(n) for n in range(40)], "new", 30)) == 30


def square(size: float) -> QgsFeature:
    feature = QgsFeature()
    feature.setGeometry(QgsGeometry.fromRect(QgsRectangle(0, 0, size, size)))
    return feature


@pytest.fixture
def parcels(qgis_new_project):
    layer = QgsVectorLayer("Polygon?crs=EPSG:32631", "Parcels", "memory")
    layer.dataProvider().addFeatures([square(1), square(2)])
    QgsProject.instance().addMapLayer(layer)
    return layer


def test_choices_follow_the_project(parcels, qtbot, tmp_path):
    choices = LayerChoices(QgsProject.instance())
    assert choices.now().polygons == (PolygonChoice(parcels.id(), "Parcels", 0),)
    with qtbot.waitSignal(choices.changed, timeout=500):
        parcels.selectAll()
    assert choices.now().polygons[0].selected == 2
    with qtbot.waitSignal(choices.changed, timeout=500):
        parcels.setName("Fields")
    assert choices.now().polygons[0].name == "Fields"
    with qtbot.waitSignal(choices.changed, timeout=500):
        QgsProject.instance().removeMapLayer(parcels.id())
    assert choices.now() == LayerList()


def test_our_own_results_are_no_imagery(parcels):
    parcels.setCustomProperty("groundproof/layer", "evidence")
    assert LayerChoices(QgsProject.instance()).now() == LayerList()


@pytest.mark.parametrize(
    ("crs", "affine", "metres"),
    [
        ("EPSG:32631", (500000, 0.3, 0, 5000000, 0, -0.3), 0.3),
        ("EPSG:4326", (2.0, 0.00001, 0, 60.0, 0, -0.00001), 0.558),
        ("EPSG:3857", (0, 1.0, 0, 8399737.9, 0, -1.0), 0.5),
    ],
)
def test_the_native_resolution_is_measured_on_the_ground(qgis_new_project, tmp_path, crs, affine, metres):
    from osgeo import gdal, osr

    path = str(tmp_path / "r.tif")
    made = gdal.GetDriverByName("GTiff").Create(path, 20, 20, 3)
    made.SetGeoTransform(affine)
    srs = osr.SpatialReference()
    srs.SetFromUserInput(crs)
    made.SetProjection(srs.ExportToWkt())
    del made
    QgsProject.instance().addMapLayer(QgsRasterLayer(path, "r"))
    raster = LayerChoices(QgsProject.instance()).now().rasters[0]
    assert raster.native_m == pytest.approx(metres, rel=0.01)
    assert len(raster.bands) == 3
