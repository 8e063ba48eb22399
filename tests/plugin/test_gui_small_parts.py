"""The engine's line, messages, consent, the settings page, icons."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from qgis.core import QgsSettings
from qgis.PyQt import sip
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QColor, QIcon
from qgis.PyQt.QtWidgets import QDialog, QLabel, QMainWindow, QVBoxLayout, QWidget

from groundproof_qgis.engine import local as states
from groundproof_qgis.engine import settings as engine_settings
from groundproof_qgis.engine.address import EngineAddress
from groundproof_qgis.engine.settings import EngineSettings
from groundproof_qgis.gui import preferences, theme
from groundproof_qgis.gui.colours import Colours, contrast
from groundproof_qgis.gui.consent import huge_dialog, install_dialog, send_dialog
from groundproof_qgis.gui.engine_line import UNREACHABLE, EngineLine
from groundproof_qgis.gui.messages import MessageBar
from groundproof_qgis.gui.notices import Notice, Sentence
from groundproof_qgis.gui.options_page import OptionsFactory, OptionsHost, OptionsPage
from groundproof_qgis.gui.preferences import Preferences
from groundproof_qgis.gui.verdict_icons import LINES, verdict_icon


@pytest.mark.parametrize(
    ("state", "buttons"),
    [
        (states.ABSENT, {"install", "connect"}),
        (states.INSTALLING, {"cancel"}),
        (states.STOPPED, {"start"}),
        (states.STARTING, set()),
        (states.READY, set()),
        (states.DEAD, {"restart"}),
        (UNREACHABLE, {"retry", "connect"}),
    ],
)
def test_each_state_of_the_engine_offers_the_button_that_helps(qtbot, qgis_app, state, buttons):
    line = EngineLine()
    qtbot.addWidget(line)
    line.show()
    line.set_state(state, "A sentence.")
    assert line.sentence.text() == "A sentence."
    assert {
        key
        for key in ("install", "connect", "cancel", "start", "restart", "retry")
        if line.button(key).isVisible()
    } == buttons
    for key in buttons:
        with qtbot.waitSignal(line.pressed, timeout=500) as told:
            qtbot.mouseClick(line.button(key), Qt.MouseButton.LeftButton)
        assert told.args == [key]
    with qtbot.waitSignal(line.pressed, timeout=500) as told:
        line.settings_button.click()
    assert told.args == ["settings"]


def test_an_engine_elsewhere_is_not_ours_to_stop(qtbot, qgis_app):
    line = EngineLine()
    qtbot.addWidget(line)
    line.show()
    line.set_state(states.READY, "This computer: ready.")
    with qtbot.waitSignal(line.pressed, timeout=500) as told:
        qtbot.mouseClick(line.stop_button, Qt.MouseButton.LeftButton)
    assert told.args == ["stop"]
    line.set_state(states.READY, "gpu-box: ready.", local=False)
    assert not line.stop_button.isVisible()
    line.set_state(UNREACHABLE, "Gone.", local=False)
    assert line.button("retry").isVisible()


def test_a_long_sentence_is_read_whole_in_a_narrow_dock(qtbot, qgis_app):
    label = Sentence("The engine on this computer has ended because there was no memory left for it. " * 2)
    qtbot.addWidget(label)
    label.resize(200, 10)
    label.show()
    assert label.minimumSizeHint().height() >= label.heightForWidth(200)


def test_a_message_has_one_sentence_one_button_and_can_be_closed(qtbot, qgis_app):
    bar = MessageBar()
    qtbot.addWidget(bar)
    assert bar.isHidden()
    bar.show_message("The engine has ended.", "warning", ("restart", "Start again"))
    assert bar.sentence == "The engine has ended."
    with qtbot.waitSignal(bar.pressed, timeout=500) as told:
        bar.notice.button(0).click()
    assert told.args == ["restart"]
    bar.show_message("Saved.", "good")
    assert bar.sentence == "Saved."
    qtbot.mouseClick(bar.close_button, Qt.MouseButton.LeftButton)
    assert bar.sentence == ""


def test_a_passing_message_goes_by_itself_and_a_later_one_is_not_taken_with_it(qtbot, qgis_app):
    bar = MessageBar()
    qtbot.addWidget(bar)
    bar.show_message("Saved.", seconds=0.05)
    bar.show_message("The engine has ended.")
    qtbot.wait(120)
    assert bar.sentence == "The engine has ended."
    bar.show_message("Saved.", seconds=0.05)
    qtbot.waitUntil(lambda: bar.sentence == "", timeout=1000)


@pytest.mark.parametrize(
    ("dialog", "facts"),
    [
        (
            lambda: send_dialog("http://10.1.2.3:8765", "Ortho 2026", "12 MP", "It is not encrypted."),
            ["http://10.1.2.3:8765", "Ortho 2026", "12 MP", "It is not encrypted."],
        ),
        (
            lambda: install_dialog("groundproof==1", "/home/a", "2 GB", "/usr/bin/python3"),
            ["groundproof==1", "/home/a", "2 GB", "/usr/bin/python3"],
        ),
        (lambda: huge_dialog("6,400 tiles, about 2 hours"), ["6,400 tiles, about 2 hours"]),
    ],
)
def test_consent_names_the_facts_and_is_given_only_by_its_button(qtbot, qgis_app, dialog, facts):
    shown = dialog()
    qtbot.addWidget(shown)
    shown.show()
    words = {label.text() for label in shown.findChildren(QLabel)}
    assert words.issuperset(facts)
    assert {label.textFormat() for label in shown.findChildren(Sentence)} == {Qt.TextFormat.PlainText}
    qtbot.keyClick(shown, Qt.Key.Key_Return)
    assert shown.result() == QDialog.DialogCode.Rejected
    again = dialog()
    qtbot.addWidget(again)
    again.show()
    again.agree.click()
    assert again.result() == QDialog.DialogCode.Accepted


class Host(OptionsHost):
    """Remembers what was asked of it."""

    def __init__(self) -> None:
        self.asked: list[object] = []

    def installed(self) -> str:
        """Nothing."""
        return ""

    def install(self, settings: EngineSettings) -> None:
        """Remember."""
        self.asked.append(("install", settings.source))

    def remove(self) -> None:
        """Remember."""
        self.asked.append("remove")

    def test(self, settings: EngineSettings, done: Callable[[bool, str], None]) -> None:
        """Say yes."""
        self.asked.append(("test", settings.url))
        done(True, "It answers.")

    def applied(self) -> None:
        """Remember."""
        self.asked.append("applied")


@pytest.fixture
def page(qtbot, qgis_app):
    QgsSettings().remove("groundproof")
    made = OptionsPage(Host())
    qtbot.addWidget(made)
    yield made
    QgsSettings().remove("groundproof")


def test_what_the_page_says_is_kept_and_read_again(page, qtbot):
    page.remote.setChecked(True)
    page.url.setText("https://gpu-box.example:8765")
    page.source.setText("/downloads/groundproof.whl")
    page.python.setFilePath("/usr/bin/python3.12")
    page.command.setFilePath("/opt/groundproof/bin/groundproof")  # chosen in a file dialog
    page.tiles.setValue(900)
    page.folder.setFilePath("/data/results")
    assert page.isValid()
    page.apply()
    kept = engine_settings.load()
    assert kept.command == "/opt/groundproof/bin/groundproof"
    assert (kept.who, kept.url, kept.source, kept.python, kept.model) == (
        "remote",
        "https://gpu-box.example:8765",
        "/downloads/groundproof.whl",
        "/usr/bin/python3.12",
        "tiny",
    )
    assert preferences.load() == Preferences(900, "/data/results")
    again = OptionsPage(Host())
    qtbot.addWidget(again)
    assert again.settings() == page.settings()
    assert again.preferences() == page.preferences()


def test_the_page_keeps_no_secret(page):
    page.remote.setChecked(True)
    page.url.setText("https://user:hunter2@gpu-box.example")
    assert not page.isValid()
    assert "authentication" in page.said.label.text()


def test_the_pages_buttons_ask_the_host(page, qtbot):
    page.source.setText("/downloads/g.whl")
    page.install.click()
    page.test.click()
    assert "address" in page.said.label.text()
    page.url.setText("https://gpu-box.example")
    page.test.click()
    assert page.said.label.text() == "It answers."
    assert page._host.asked == [("install", "/downloads/g.whl"), ("test", "https://gpu-box.example")]
    assert not page.remove.isEnabled()


def test_an_answer_that_comes_after_the_page_was_closed_is_left_alone(qtbot, qgis_app):
    waiting = []

    class SlowHost(Host):
        def test(self, settings, done):
            waiting.append(done)

    page = OptionsPage(SlowHost())
    page.url.setText("https://gpu-box.example")
    page.test.click()
    sip.delete(page)
    waiting[0](True, "It answers.")  # raised RuntimeError


def test_consents_are_named_and_can_be_forgotten(qtbot, page):
    address = EngineAddress("https://gpu-box.example")
    engine_settings.give_consent(address)
    again = OptionsPage(Host())
    qtbot.addWidget(again)
    assert "https://gpu-box.example" in again.consents.text()
    again.forget.click()
    assert not engine_settings.has_consent(address)
    assert not again.forget.isEnabled()


def test_nonsense_in_the_settings_is_the_default(qgis_app):
    QgsSettings().setValue("groundproof/dock/confirm_tiles", "many")
    assert preferences.load() == Preferences()
    QgsSettings().setValue("groundproof/dock/confirm_tiles", -3)
    assert preferences.load() == Preferences()
    QgsSettings().remove("groundproof/dock")


def test_the_factory_makes_the_page(qtbot, qgis_app):
    page = OptionsFactory(Host()).createWidget(None)
    qtbot.addWidget(page)
    assert page.objectName() == "groundproof"


@pytest.mark.parametrize("path", sorted(theme.ICONS.glob("*.svg")), ids=lambda path: path.stem)
def test_every_icon_can_be_drawn_and_seen_on_light_and_dark(qgis_app, path):
    for colours in (Colours("#202020", "#efefef"), Colours("#efefef", "#202020")):
        ground = QColor(colours.ground).lightness()
        icon = (
            theme.coloured_icon(path.stem) if path.stem == "groundproof" else theme.icon(path.stem, colours)
        )
        for size in (16, 24, 64):
            image = icon.pixmap(size, size).toImage()
            inked = sum(
                image.pixelColor(x, y).alpha() > 128 and abs(image.pixelColor(x, y).lightness() - ground) > 60
                for x in range(size)
                for y in range(size)
            )
            assert inked > size * size * 0.03


def test_verdicts_look_different_from_each_other_also_in_grey(qgis_app):
    pictures = []
    for verdict in LINES:
        image = verdict_icon(verdict).pixmap(16, 16).toImage()
        pictures.append(
            [
                (image.pixelColor(x, y).lightness(), image.pixelColor(x, y).alpha())
                for x in range(16)
                for y in range(16)
            ]
        )
    for n, one in enumerate(pictures):
        for other in pictures[n + 1 :]:
            assert sum(abs(a[0] - b[0]) > 30 for a, b in zip(one, other)) >= 5


def test_a_chosen_verdict_keeps_its_colour_on_a_selected_row(qgis_app):
    icon = verdict_icon("supported")
    assert (
        icon.pixmap(16, 16, QIcon.Mode.Selected).toImage() == icon.pixmap(16, 16, QIcon.Mode.Normal).toImage()
    )


@pytest.mark.parametrize(
    "colours",
    [
        Colours("#000000", "#ffffff"),
        Colours("#232323", "#efefef"),
        Colours("#e6e6e6", "#2b2b2b"),
        Colours("#aaaaaa", "#323232"),
        Colours("#0e0e0e", "#727272"),
    ],
)
def test_texts_can_be_read_as_well_as_the_theme_allows(colours):
    ground = QColor(colours.ground)
    wanted = min(4.5, contrast(QColor(colours.text), ground))
    for colour in (theme.quiet, theme.link, theme.warning_colour, theme.good_colour):
        assert contrast(colour(colours), ground) >= wanted
    for tint in (theme.warning(colours), theme.good(colours)):
        assert contrast(QColor(tint.text), QColor(tint.ground)) >= 4.5


def test_contrast_is_as_wcag_defines_it():
    assert contrast(QColor("#000000"), QColor("#ffffff")) == pytest.approx(21)
    assert contrast(QColor("#777777"), QColor("#ffffff")) == pytest.approx(4.48, abs=0.01)


def test_widgets_follow_a_theme_that_is_a_style_sheet(qgis_app, qtbot):
    window, notice, line = QMainWindow(), Notice("A hint."), EngineLine()
    qtbot.addWidget(window)
    body = QWidget()
    column = QVBoxLayout(body)
    column.addWidget(notice)
    column.addWidget(line)
    window.setCentralWidget(body)
    window.show()
    light = notice._follower.colours
    before = line.help_button.icon().pixmap(16, 16).toImage()
    qgis_app.setStyleSheet(
        "QWidget { background: transparent; } QLabel { color: #aaa; } QMainWindow { background: #323232; }"
    )
    try:
        assert notice._follower.colours == line._follower.colours == Colours("#aaaaaa", "#323232")
        assert line.help_button.icon().pixmap(16, 16).toImage() != before
        assert "#aaaaaa" in notice.styleSheet()
    finally:
        qgis_app.setStyleSheet("")
    assert notice._follower.colours == light
