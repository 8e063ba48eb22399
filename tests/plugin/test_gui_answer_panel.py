"""The answer panel: what is known is shown, nothing jumps, every reference works both ways, no text is trusted."""

from __future__ import annotations

import pytest
from qgis.PyQt.QtCore import QCoreApplication, QEvent, QPoint, Qt, QUrl
from qgis.PyQt.QtGui import QGuiApplication, QTextDocument

from groundproof_qgis.answer.answer import Answer
from groundproof_qgis.gui.answer_panel import AnswerPanel
from groundproof_qgis.gui.evidence_cells import button_rects
from groundproof_qgis.gui.evidence_model import NUMBER, QUOTE, REVIEW, SCORE, SIZE, VERDICT, EvidenceModel
from groundproof_qgis.gui.safe_browser import SafeBrowser

HOSTILE = '<a href="http://evil.example">E1</a> <img src="http://evil.example/x.png"> <script>x</script>'


def live(n: int, answer_id: str = "A1") -> dict:
    return {
        "key": f"t{n}:1",
        "answer_id": answer_id,
        "label": "ship",
        "quote": f"a ship number {n}",
        "final": False,
        "box_px": [0, 0, 9, 9],
    }


def final(n: int, answer_id: str = "A1", **more: object) -> dict:
    return {
        "key": f"{answer_id}:E{n}",
        "evidence_id": f"E{n}",
        "answer_id": answer_id,
        "label": "ship",
        "quote": f"a grey ship at berth {n}",
        "final": True,
        "verdict": "unchecked",
        "box_px": [0, 0, 40, 10],
        "width_m": 100.0 - n,
        "height_m": 12.0,
        "area_m2": (100.0 - n) * 12,
        **more,
    }


def ended(answer: Answer, count: int, synthesis: str = "") -> Answer:
    for n in range(1, count + 1):
        answer.add("evidence", final(n))
    answer.add("synthesis", {"answer_id": "A1", "text": synthesis})
    answer.add(
        "answer",
        {
            "answer_id": "A1",
            "answer": f"{count} ships",
            "value": count,
            "task": "count",
            "plan": "Scan the quay.",
        },
    )
    answer.add(
        "coverage", {"answer_id": "A1", "looked_at": 4, "tiles": 4, "sentence": "looked at 4 of 4 tiles"}
    )
    answer.add("audit", {"answer_id": "A1", "findings": []})
    answer.add("done", {"status": "successful"})
    return answer


@pytest.fixture
def panel(qtbot, qgis_app):
    made = AnswerPanel()
    qtbot.addWidget(made)
    made.resize(400, 700)
    made.show()
    return made


def column(model: EvidenceModel, which: int) -> list[str]:
    return [model.index(row, which).data() for row in range(model.rowCount())]


def test_the_answer_stands_first_and_what_weakens_it_right_below(panel):
    answer = ended(Answer("How many ships?"), 3)
    answer.add(
        "audit",
        {
            "answer_id": "A1",
            "findings": [
                {"kind": "count", "severity": "warning", "sentence": "the text says 4; the map shows 3"}
            ],
        },
    )
    panel.show_answer(answer)
    assert panel.head.line.text() == "3 ships"
    assert "the text says 4; the map shows 3" in panel.head.weak_text.toPlainText()
    assert panel.head.weak.geometry().top() > panel.head.line.geometry().top()
    assert panel.head.weak.geometry().top() < panel.view.mapTo(panel, QPoint(0, 0)).y()
    assert panel.head.line.fontInfo().pixelSize() > 1.3 * panel.head.question.fontInfo().pixelSize()


def test_while_boxes_come_selection_and_scroll_position_stay(panel, qtbot):
    answer = Answer("How many ships?")
    for n in range(60):
        answer.add("evidence", live(n))
    panel.show_answer(answer)
    panel.view.selectRow(30)
    panel.view.verticalScrollBar().setValue(400)
    for n in range(60, 90):
        answer.add("evidence", live(n))
        panel.update_answer(answer)
    qtbot.wait(50)
    assert panel.view.verticalScrollBar().value() == 400
    assert panel.view.selected_keys == ["t30:1"]
    assert panel.model.rowCount() == 90


def test_boxes_of_two_answers_are_appended_in_the_order_they_come(panel):
    answer = Answer()
    for n, answer_id in enumerate(("A1", "A2", "A1", "A2")):
        answer.add("evidence", live(n, answer_id))
        panel.update_answer(answer)
    assert column(panel.model, QUOTE) == [f"a ship number {n}" for n in range(4)]


def test_numbered_boxes_replace_the_live_ones(panel):
    answer = Answer()
    answer.add("evidence", live(1))
    panel.show_answer(answer)
    assert column(panel.model, VERDICT) == ["not final yet"]
    ended(answer, 2)
    panel.update_answer(answer)
    assert column(panel.model, NUMBER) == ["E1", "E2"]
    assert column(panel.model, VERDICT) == ["unchecked", "unchecked"]


def test_a_changed_box_changes_its_row_only(panel, qtbot):
    answer = ended(Answer(), 5)
    panel.show_answer(answer)
    panel.view.selectRow(1)
    changed = []
    panel.model.dataChanged.connect(lambda first, last, *_: changed.append((first.row(), last.row())))
    answer.add("evidence", final(3, review="accepted"))
    panel.update_answer(answer)
    assert changed == [(2, 2)]
    assert column(panel.model, REVIEW)[2] == "accepted"
    assert panel.view.selected_keys == ["A1:E2"]


def test_sorting_by_size_is_by_area_and_by_number_is_numeric(panel):
    panel.show_answer(ended(Answer(), 12))
    panel.model.sort(SIZE, Qt.SortOrder.AscendingOrder)
    assert column(panel.model, NUMBER)[:2] == ["E12", "E11"]
    panel.model.sort(NUMBER, Qt.SortOrder.AscendingOrder)
    assert column(panel.model, NUMBER) == [f"E{n}" for n in range(1, 13)]


def test_a_selection_survives_sorting_and_filtering(panel):
    panel.show_answer(ended(Answer(), 12))
    panel.select_evidence(["A1:E7"])
    panel.model.sort(SIZE, Qt.SortOrder.AscendingOrder)
    assert panel.view.selected_keys == ["A1:E7"]
    panel.filter.setText("berth 7")
    assert column(panel.model, NUMBER) == ["E7"]
    assert panel.view.selected_keys == ["A1:E7"]
    assert panel.count.text() == "Evidence (1 of 12)"
    panel.filter.setText("")
    assert panel.view.selected_keys == ["A1:E7"]


def test_filtering_finds_verdicts_and_reviews(panel):
    answer = ended(Answer(), 3)
    answer.add("evidence", final(2, verdict="contradicted", review="rejected"))
    panel.show_answer(answer)
    for words in ("contradicted", "rejected", "E2 ship"):
        panel.filter.setText(words)
        assert column(panel.model, NUMBER) == ["E2"]


def test_the_model_is_a_proper_item_model(qtmodeltester, panel):
    panel.show_answer(ended(Answer(), 4))
    qtmodeltester.check(panel.model)


def test_pointing_at_a_row_lights_it_up_and_leaving_puts_it_out(panel, qtbot):
    panel.show_answer(ended(Answer(), 3))
    told = []
    panel.evidence_hovered.connect(told.append)
    for row in (2, 0, 1):  # the first move only brings the mouse into the window
        qtbot.mouseMove(panel.view.viewport(), panel.view.visualRect(panel.model.index(row, QUOTE)).center())
        qtbot.wait(20)
    QCoreApplication.sendEvent(panel.view, QEvent(QEvent.Type.Leave))
    assert told[-3:] == [["A1:E1"], ["A1:E2"], []]


def test_a_click_goes_there_and_selects(panel, qtbot):
    panel.show_answer(ended(Answer(), 3))
    with qtbot.waitSignals([panel.evidence_activated, panel.evidence_selected], timeout=500) as told:
        at = panel.view.visualRect(panel.model.index(1, QUOTE)).center()
        qtbot.mouseClick(panel.view.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert [one.args for one in told.all_signals_and_args] == [(["A1:E2"],), (["A1:E2"],)]


def test_selecting_from_the_map_marks_row_and_sentence_and_tells_nobody(panel, qtbot):
    text = (
        "Two ships lie at the quay, E1 and E2. "
        + "Nothing else is seen here. " * 40
        + "One more, E9, is in the basin."
    )
    panel.show_answer(ended(Answer(), 9, text))
    with qtbot.assertNotEmitted(panel.evidence_selected), qtbot.assertNotEmitted(panel.evidence_activated):
        panel.select_evidence(["A1:E9"])
    assert panel.view.selected_keys == ["A1:E9"]
    marks = panel.synthesis.extraSelections()
    assert [mark.cursor.selectedText() for mark in marks] == ["One more, E9, is in the basin."]
    assert panel.synthesis.verticalScrollBar().value() > 0
    assert panel.view.viewport().rect().intersects(panel.view.visualRect(panel.model.index(8, QUOTE)))
    panel.select_evidence([])
    assert panel.view.selected_keys == []
    assert panel.synthesis.extraSelections() == []


def test_sentences_behind_characters_beyond_16_bits_are_marked_whole(panel):
    panel.show_answer(
        ended(Answer(), 2, "\U0001f6a2 E1 is a ship. \U0001f6a2\U0001f6a2 E2 is one too. The end.")
    )
    panel.select_evidence(["A1:E2"])
    marks = panel.synthesis.extraSelections()
    assert [mark.cursor.selectedText() for mark in marks] == ["\U0001f6a2\U0001f6a2 E2 is one too."]


def test_a_link_in_the_synthesis_selects_its_boxes_and_goes_there(panel, qtbot):
    panel.show_answer(ended(Answer(), 9, "Nine ships, E1 to E3."))
    with qtbot.waitSignals([panel.evidence_selected, panel.evidence_activated], timeout=500) as told:
        panel.synthesis.anchorClicked.emit(QUrl("groundproof:E1-E3"))
    assert all(one.args == (["A1:E1", "A1:E2", "A1:E3"],) for one in told.all_signals_and_args)
    assert panel.view.selected_keys == ["A1:E1", "A1:E2", "A1:E3"]
    with qtbot.waitSignal(panel.evidence_hovered, timeout=500) as pointed:
        panel.synthesis.highlighted[QUrl].emit(QUrl("groundproof:E2"))
    assert pointed.args == [["A1:E2"]]
    with qtbot.waitSignal(panel.tile_activated, timeout=500) as tile:
        panel.synthesis.anchorClicked.emit(QUrl("groundproof:tile/abc"))
    assert tile.args == ["abc"]


@pytest.mark.parametrize(
    "address",
    ["http://evil.example", "file:///etc/passwd", "groundproof:E99", "javascript:x", "groundproof://E1"],
)
def test_other_links_and_boxes_that_do_not_exist_do_nothing(panel, qtbot, address):
    panel.show_answer(ended(Answer(), 3, "E1"))
    with qtbot.assertNotEmitted(panel.evidence_activated), qtbot.assertNotEmitted(panel.tile_activated):
        panel.synthesis.anchorClicked.emit(QUrl(address))


def test_nothing_a_model_wrote_becomes_markup(panel):
    answer = Answer(HOSTILE)
    answer.add("plan", {"text": HOSTILE})
    answer.add("note", {"text": HOSTILE})
    answer.add("evidence", final(1, quote=HOSTILE, label=HOSTILE))
    answer.add("synthesis", {"answer_id": "A1", "text": HOSTILE})
    answer.add("answer", {"answer_id": "A1", "answer": HOSTILE, "plan": HOSTILE})
    answer.add(
        "audit",
        {"answer_id": "A1", "findings": [{"kind": "count", "severity": "warning", "sentence": HOSTILE}]},
    )
    panel.show_answer(answer)
    for browser in (panel.head.weak_text, panel.plan_text, panel.synthesis, panel.detail_text):
        assert "<script>x</script>" in browser.toPlainText()
        assert "evil.example" not in "".join(hrefs(browser))
    assert panel.head.line.textFormat() == Qt.TextFormat.PlainText
    assert panel.head.question.textFormat() == Qt.TextFormat.PlainText
    tip = panel.model.index(0, QUOTE).data(Qt.ItemDataRole.ToolTipRole)
    assert "&lt;script&gt;" in tip
    assert "<script" not in tip
    assert "<img" not in tip


def hrefs(browser: SafeBrowser) -> list[str]:
    found, block = [], browser.document().begin()
    while block.isValid():
        fragments = block.begin()
        while not fragments.atEnd():
            found.append(fragments.fragment().charFormat().anchorHref())
            fragments += 1
        block = block.next()
    return found


def test_the_browser_loads_nothing_from_anywhere(qtbot, tmp_path):
    browser = SafeBrowser("x")
    qtbot.addWidget(browser)
    secret = tmp_path / "secret.css"
    secret.write_text("p { color: red; }")
    for kind in (QTextDocument.ResourceType.StyleSheetResource, QTextDocument.ResourceType.ImageResource):
        assert not browser.loadResource(int(kind), QUrl.fromLocalFile(str(secret)))
    assert not browser.openLinks()
    assert not browser.openExternalLinks()


def test_decisions_are_asked_for_only_while_reviewing_and_only_about_numbered_boxes(panel, qtbot):
    panel.show_answer(ended(Answer(), 3))
    panel.select_evidence(["A1:E2"])
    with qtbot.assertNotEmitted(panel.review_requested):
        qtbot.keyClick(panel.view, Qt.Key.Key_A)
    with qtbot.waitSignal(panel.review_toggled, timeout=500):
        panel.review_button.click()
    for key, decision in ((Qt.Key.Key_A, "accepted"), (Qt.Key.Key_R, "rejected"), (Qt.Key.Key_C, None)):
        with qtbot.waitSignal(panel.review_requested, timeout=500) as told:
            qtbot.keyClick(panel.view, key)
        assert told.args == [["A1:E2"], decision]


def test_the_buttons_in_a_row_decide_and_take_back(panel, qtbot):
    answer = ended(Answer(), 3)
    answer.add("evidence", final(2, review="rejected"))
    panel.show_answer(answer)
    panel.review_button.click()
    told = []
    panel.review_requested.connect(lambda keys, decision: told.append((keys, decision)))
    for row in (0, 1):
        cell = panel.view.visualRect(panel.model.index(row, REVIEW))
        for rect in button_rects(cell):
            qtbot.mouseMove(panel.view.viewport(), rect.center())
            qtbot.mouseClick(panel.view.viewport(), Qt.MouseButton.LeftButton, pos=rect.center())
    assert told == [
        (["A1:E1"], "accepted"),
        (["A1:E1"], "rejected"),
        (["A1:E2"], "accepted"),
        (["A1:E2"], None),
    ]


def test_the_menu_offers_what_can_be_done(panel, qtbot):
    panel.show_answer(ended(Answer(), 3))
    panel.select_evidence(["A1:E1", "A1:E2"])
    entries = {
        action.text().split("\t")[0]: action for action in panel.view.menu().actions() if action.text()
    }
    assert [name for name, one in entries.items() if one.isEnabled()] == [
        "Zoom to it",
        "Ask about it",
        "Copy as text",
    ]
    with qtbot.waitSignal(panel.follow_up_requested, timeout=500) as told:
        entries["Ask about it"].trigger()
    assert told.args == [["A1:E1", "A1:E2"]]


def test_selected_rows_are_copied_as_text(panel, qtbot):
    panel.show_answer(ended(Answer(), 3))
    panel.select_evidence(["A1:E1", "A1:E3"])
    qtbot.keyClick(panel.view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    lines = QGuiApplication.clipboard().text().split("\n")
    assert lines[0] == "E1\ta grey ship at berth 1\t99 x 12 m\t\tunchecked\t"
    assert [line.split("\t")[0] for line in lines] == ["E1", "E3"]


def test_a_wide_panel_has_a_column_for_each_fact_and_a_narrow_one_has_not(panel, qtbot):
    answer = ended(Answer(), 3)
    answer.add("evidence", final(1, score=0.5))
    panel.show_answer(answer)
    assert panel.view.isColumnHidden(VERDICT)
    panel.resize(700, 700)
    qtbot.wait(20)
    assert not any(panel.view.isColumnHidden(which) for which in (SIZE, SCORE, VERDICT, REVIEW))


def test_buttons_work_only_when_there_is_an_answer(panel, qtbot):
    buttons = (panel.review_button, panel.save_button, panel.report_button, panel.corrections_button)
    assert not any(one.isEnabled() for one in buttons)
    assert panel.history_button.isEnabled()
    answer = Answer()
    panel.show_answer(answer)
    assert not any(one.isEnabled() for one in buttons)
    ended(answer, 1)
    panel.update_answer(answer)
    assert all(one.isEnabled() for one in buttons)
    for action, kind in zip(panel.report_button.menu().actions(), ("html", "pdf")):
        with qtbot.waitSignal(panel.report_requested, timeout=500) as told:
            action.trigger()
        assert told.args == [kind]
    for action, kind in zip(panel.corrections_button.menu().actions(), ("geo-cot", "coco", "yolo")):
        with qtbot.waitSignal(panel.corrections_requested, timeout=500) as told:
            action.trigger()
        assert told.args == [kind]


def test_the_plan_is_open_while_it_asks_and_folds_away_at_the_end(panel):
    answer = Answer()
    answer.add("plan", {"text": "Scan the quay."})
    panel.show_answer(answer)
    assert panel.plan.is_open
    ended(answer, 1)
    panel.update_answer(answer)
    assert not panel.plan.is_open


def test_a_failed_question_says_why_where_the_answer_would_be(panel):
    answer = Answer("How many?")
    panel.show_answer(answer)
    answer.end("failed", "The engine on this computer has ended.")
    panel.update_answer(answer)
    assert panel.head.line.text() == "No answer"
    assert "has ended" in panel.head.weak_text.toPlainText()


def test_fifty_thousand_boxes_are_shown_sorted_and_filtered(panel):
    answer = Answer()
    for n in range(50_000):
        answer.add("evidence", live(n))
    panel.show_answer(answer)
    answer.add("evidence", live(50_000))
    panel.update_answer(answer)
    assert panel.model.rowCount() == 50_001
    panel.model.sort(QUOTE, Qt.SortOrder.DescendingOrder)
    assert panel.model.evidence(0).quote == "a ship number 9999"
    panel.model.set_filter("number 4999")
    assert panel.model.rowCount() == 15


def test_a_narrow_dock_is_wide_enough(panel):
    panel.show_answer(ended(Answer(), 3))
    assert panel.minimumSizeHint().width() <= 330
