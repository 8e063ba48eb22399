"""The list of earlier questions offers what can be done with each."""

from __future__ import annotations

import pytest
from qgis.PyQt.QtCore import Qt

from groundproof_qgis.gui.history_menu import HistoryDialog, HistoryEntry, when_words

DONE = HistoryEntry("r1", "How many tanks?", "17 tanks", "2026-11-28T09:00:00Z", "tiny", "done")
OLDER = HistoryEntry("r2", "How many <b>ships</b>?", "2 ships", "2026-11-27T09:00:00Z", "tiny", "done")
STOPPED = HistoryEntry("r3", "How many planes?", "", "2026-11-26T09:00:00Z", "tiny", "interrupted")
DAMAGED = HistoryEntry("r5", "", "", "2026-11-25T09:00:00Z", "", "damaged")
RUNNING = HistoryEntry("r4", "How many cars?", "", "2026-11-29T09:00:00Z", "tiny", "asking", has_result=False)


@pytest.fixture
def dialog(qtbot, qgis_app):
    made = HistoryDialog()
    qtbot.addWidget(made)
    made.show()
    made.set_entries([OLDER, STOPPED, DONE, RUNNING, DAMAGED])
    return made


def select(dialog: HistoryDialog, *ids: str) -> None:
    for n in range(dialog.list.topLevelItemCount()):
        item = dialog.list.topLevelItem(n)
        item.setSelected(item.data(0, Qt.ItemDataRole.UserRole) in ids)


def test_the_newest_question_stands_first(dialog):
    select(dialog, "r1", "r2", "r3", "r4")
    assert dialog.selected_ids == ["r4", "r1", "r2", "r3"]


@pytest.mark.parametrize(
    ("ids", "offered"),
    [
        ((), set()),
        (("r1",), {"open", "again", "remove"}),
        (("r3",), {"open", "go_on", "again", "remove"}),
        (("r4",), set()),
        (("r5",), {"open", "remove"}),
        (("r1", "r2"), {"compare", "remove"}),
        (("r1", "r2", "r3"), {"remove"}),
        (("r1", "r4"), set()),
    ],
)
def test_only_what_can_be_done_is_offered(dialog, ids, offered):
    select(dialog, *ids)
    assert {key for key, button in dialog.buttons.items() if button.isEnabled()} == offered


def test_buttons_keys_and_double_clicks_say_what_was_chosen(dialog, qtbot):
    told = []
    dialog.chosen.connect(lambda what, ids: told.append((what, ids)))
    select(dialog, "r1", "r2")
    dialog.buttons["compare"].click()
    select(dialog, "r3")
    dialog.buttons["go_on"].click()
    dialog.list.setFocus()
    qtbot.keyClick(dialog, Qt.Key.Key_Return)
    qtbot.keyClick(dialog, Qt.Key.Key_Delete)
    assert told == [("compare", ["r2", "r1"]), ("go_on", ["r3"]), ("open", ["r3"]), ("remove", ["r3"])]


def test_a_filtered_question_is_not_chosen_unseen(dialog):
    select(dialog, "r1", "r2")
    dialog.filter.setText("tanks")
    assert dialog.selected_ids == ["r1"]


def test_a_selection_survives_a_new_list(dialog):
    select(dialog, "r2")
    dialog.set_entries([DONE, OLDER])
    assert dialog.selected_ids == ["r2"]


def test_without_questions_a_sentence_says_so(dialog):
    dialog.set_entries([])
    assert dialog.nothing.isVisible()
    assert not dialog.list.isVisible()


def test_questions_are_never_taken_for_html(dialog):
    tips = [dialog.list.topLevelItem(n).toolTip(0) for n in range(4)]
    assert any("&lt;b&gt;ships" in tip for tip in tips)


def test_what_is_no_time_is_shown_as_it_is():
    assert when_words("yesterday") == "yesterday"
    assert "2026" in when_words("2026-11-28T09:00:00Z")


def test_the_list_makes_room_for_the_form_that_is_filled_in_again(dialog, qtbot):
    select(dialog, "r1")
    dialog.buttons["open"].click()
    assert dialog.isVisible()
    dialog.buttons["again"].click()
    assert not dialog.isVisible()
