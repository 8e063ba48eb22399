"""The report: safe whatever models and files say, self-contained, and nothing in it that was not found."""

import dataclasses
import hashlib
import json
import os
import re
from base64 import b64encode
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundproof_training.errors import TrainingError
from groundproof_training.evaluation.cases import Family, Status, Truth
from groundproof_training.evaluation.figures import Difference, Figure
from groundproof_training.evaluation.report import as_json, markdown, table, write_report
from groundproof_training.evaluation.report.numbers import Way, p_text, verdict
from groundproof_training.evaluation.report.overlay import MOST_DRAWN, counts, drawn_boxes
from groundproof_training.evaluation.report.page import page
from groundproof_training.evaluation.report.rows import letter, rows
from groundproof_training.evaluation.report.writing import escaped, line, marked_down, short, visible
from groundproof_training.evaluation.results import Scores
from tests.training.evaluation.report_cases import (
    NAN,
    boxes,
    case,
    entry,
    evaluation,
    picture,
    scores,
    shown,
)

VOID = {"meta", "br"}
ALONE = {"circle", "line", "polygon", "rect", "image", "use", "path"}
NASTY = "<script>alert(1)</script> \"quoted\" 'single' & \x00\x1b[31m \u202eevil \ud800 </title></style> [x](http://e.org)"


class Parsed(HTMLParser):
    """Every tag is closed in turn; tags, attributes and text are kept."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.attributes, self.texts = [], [], [], []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        assert tag in ALONE
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not self.open or self.open[-1] != "style":
            self.texts.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.texts).replace("\xa0", " ").split())


def read(made, **more):
    text = page(made, **more)
    parsed = Parsed(text)
    for tag, name, value in parsed.attributes:
        assert not name.startswith("on")
        assert name != "style"
        if name in ("href", "src", "xlink:href", "action", "data", "srcset"):
            assert value.startswith("#") or (tag == "image" and value.startswith("data:image/jpeg;base64,"))
    assert not {"script", "link", "iframe", "object", "embed", "base", "form", "img"} & set(parsed.tags)
    ids = [value for _, name, value in parsed.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    kept = set(ids)
    wanted = {
        value
        for _, name, value in parsed.attributes
        if name in ("href", "aria-labelledby") and ":" not in value
    }
    lost = {one.removeprefix("#") for one in wanted} - kept
    assert not lost or "left out: the file would be" in text, "links lead somewhere"
    return parsed


# the page


def test_the_page_is_well_formed_and_refers_to_nothing_outside():
    gallery = {"one": (shown(case([[10, 10, 50, 50]], [[10, 10, 50, 52]]), picture()),)}
    text = page(evaluation(entry(gallery=gallery)))
    read(evaluation(entry(gallery=gallery)))
    outside = re.sub(r"data:image/jpeg;base64,[A-Za-z0-9+/=]+", "", text)
    assert "http" not in outside.replace("http-equiv", "")
    assert "url(" not in outside
    assert "@import" not in outside


def test_the_policy_allows_this_style_and_pictures_only():
    text = page(evaluation(entry()))
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)[1]
    wanted = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    (policy,) = (
        value for tag, name, value in Parsed(text).attributes if tag == "meta" and "default-src" in value
    )
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{wanted}'; img-src data:; base-uri 'none'; form-action 'none'"
    )


def test_what_models_and_files_say_acts_nowhere():
    evil = case(
        boxes([1, 1, 20, 20], labels=[NASTY]),
        Truth(boxes=boxes([1, 1, 20, 20], labels=[NASTY]), texts=(NASTY,)),
        text=NASTY,
        question=NASTY,
        case_id=NASTY,
        asked=(),
    )
    bad = Figure(NASTY, 0.5, 0.4, 0.6, 10, note=NASTY, unit="")
    one = Scores(
        n=3,
        strict=(bad,),
        evidence=(bad,),
        compat={NASTY: (bad,)},
        breakdowns={NASTY: {NASTY: (bad,)}},
        statuses={NASTY: 3},
    )
    made = evaluation(
        entry(
            models=(NASTY, "b"),
            name=NASTY,
            title=NASTY,
            scores={NASTY: one, "b": one},
            compared={f"{NASTY} vs b": (Difference(NASTY, 0.1, 0.2, 0.05, 0.15, 0.01, 9),)},
            gallery={NASTY: (shown(evil, picture()),)},
            problems={NASTY: 2},
            examples={NASTY: [NASTY]},
            configuration={NASTY: [NASTY, NAN]},
        ),
        entry(status=NASTY, reason=NASTY, scores={}, compared={}, gallery={}),
        models=(NASTY, "b"),
        title=NASTY,
        configuration={NASTY: NASTY},
    )
    parsed = read(made)
    shown_text = " ".join([*parsed.texts, *(value for _, _, value in parsed.attributes)])
    assert "<script>alert(1)" in shown_text, "it is shown"
    for character in "\x00\x1b\u202e\ud800":
        assert character not in shown_text
    for safe in (markdown(made), table(made)):
        assert not set(safe) & set("\x00\x1b\u202e\ud800")
    assert "<script" not in markdown(made)
    assert "](http" not in markdown(made)
    json.dumps(as_json(made), allow_nan=False)


@given(st.text(st.characters(exclude_categories=()), max_size=60))
def test_no_character_that_acts_is_left(text):
    import unicodedata

    for safe in (visible(text), line(text), escaped(text), marked_down(text)):
        safe.encode("utf-8")
        left = {c for c in safe if unicodedata.category(c) in ("Cc", "Cf", "Cs")} - set("\n\t\u200c\u200d")
        assert not left
    assert not set('<>"') & set(escaped(text))
    assert "\n" not in line(text)
    assert len(short(text, 20)) <= 20


def test_an_ordinary_text_is_left_as_it_is():
    text = "Wie viele Flugzeuge? 多少架飞机 \N{AIRPLANE} f1@0.5"
    assert visible(text) == text
    assert visible("abcdef", 3) == "abc ... (3 characters more)"
    assert marked_down("a|b `c` #7 @me <b>") == r"a\|b \`c\` \#7 \@me &lt;b&gt;"


# figures


def test_every_figure_is_in_the_page_with_its_interval_and_n():
    parsed = read(evaluation(entry()))
    for expected in (
        "45.7 % [40.0, 51.0]",  # half width 5.5 points
        "55.7 % [50.0, 61.0]",
        "20.0 % no interval",
        "1.23 boxes [0.90, 1.60]",
        "31 % [20, 41]",  # evidence
        "80.50 % [70.00, 90.00]",  # published rule: as many decimals as papers print
        "90.0 % [80.0, 95.0]",  # of large ones
        "not defined",
        "60 ok, 2 unreadable",
        "77.06",
        "453 questions",
        "other samples",
        "17 cut answer",
        "c7: cut after 512 tokens",
        "x y x y is read as x y w h.",
        "Over all boxes.",
        "not comparable with our figures",
    ):
        assert expected in parsed.text, expected


def test_figures_of_the_json_are_all_in_the_page():
    made = evaluation(entry())
    text = read(made).text
    for one in as_json(made)["entries"]["ships"]["models"].values():
        ours = [one["strict"], one["evidence"], *one["breakdowns"]["size"].values()]
        for figures, least in [
            *((part, 0) for part in ours),
            *((part, 2) for part in one["compat"].values()),
        ]:
            for name, figure in figures.items():
                assert name in text
                if figure["value"] is not None:
                    way = Way.of([Figure(name, figure["value"], figure["low"], figure["high"], figure["n"],
                                         figure["better"], unit=figure["unit"])], least)  # fmt: skip
                    half = None if figure["low"] is None else (figure["high"] - figure["low"]) / 2
                    assert way.number(figure["value"], half) + way.suffix in text


@pytest.mark.parametrize(
    ("figure", "expected"),
    [
        (Figure("f1", 0.43925, 0.4012, 0.4763, 9), "43.9 % [40.1, 47.6]"),
        (Figure("f1", 0.43925, 0.2, 0.7, 9), "44 % [20, 70]"),
        (Figure("f1", 0.43925, 0.43920, 0.43930, 9), "43.92 % [43.92, 43.93]"),
        (Figure("f1", 1.0, 1.0, 1.0, 9), "100.0 % [100.0, 100.0]"),
        (Figure("f1", 0.5, None, None, 3), "50.0 %"),
        (Figure("f1", NAN, None, None, 0), "not defined"),
        (Figure("mae", 2.1623, 1.77, 2.57, 9, "lower"), "2.16 [1.77, 2.57]"),
        (Figure("mae", 79.1, 66, 91, 9, "lower", unit="objects"), "79 objects [66, 91]"),
        (Figure("cider-d", 0.59, 0.1, 0.9, 9), "0.59 [0.10, 0.90]"),
        (
            Figure("bias-readable", -0.834, -1.24, -0.46, 9, unit="objects"),
            "\u22120.83 objects [\u22121.24, \u22120.46]",
        ),
        (Figure("x", 1.5, 1.2, 1.8, 9), "1.50 [1.20, 1.80]"),
        (Figure("x", 123456.0, 120000.0, 130000.0, 9, unit="m"), "123,456 m [120,000, 130,000]"),
    ],
)
def test_digits_follow_the_interval(figure, expected):
    way = Way.of([figure])
    assert f"{way.value(figure)} {way.interval(figure)}".strip() == expected


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_what_is_printed_is_the_value_to_a_twentieth_of_its_half_width(a, b, c):
    low, value, high = sorted([a, b, c])
    figure = Figure("f1", value, low, high, 9)
    printed = float(Way.of([figure]).value(figure).removesuffix(" %")) / 100
    assert abs(printed - value) <= max((high - low) / 2 * 0.051, 0.00051)


def test_models_are_printed_alike_in_one_row():
    found = rows([[Figure("score", 0.5, None, None, 5)], [Figure("score", 7.0, None, None, 5)]])
    assert [found[0].way.value(one) for one in found[0].figures] == ["0.50", "7.00"]
    assert rows([[Figure("a", 0.5, None, None, 5)], []])[0].figures[1] is None


def difference(low, high, p=0.01, a=0.4, b=0.5, better="higher", name="f1"):
    return Difference(name, a, b, low, high, p, 50, better)


@pytest.mark.parametrize(
    ("d", "kind", "sentence"),
    [
        (difference(-0.02, 0.22, 0.3), "none", "no difference shown"),
        (difference(0.0, 0.22), "none", "no difference shown"),
        (difference(0.02, 0.22), "better", "B is better"),
        (difference(0.02, 0.22, p=0.06), "none", "no difference shown (p is not below 0.05)"),
        (difference(0.02, 0.22, better="lower"), "worse", "B is worse than A"),
        (difference(-0.3, -0.1, a=0.5, b=0.3), "worse", "B is worse than A"),
        (difference(-0.3, -0.1, a=0.5, b=0.3, better="lower"), "better", "B is better"),
        (difference(None, None, None), "unknown", "too few images to tell"),
        (difference(None, None, None, a=NAN), "unknown", "not defined for both"),
        (difference(0.5, 1.5, a=-2, b=-1, name="bias-readable"), "better", "B is better"),
        (difference(0.5, 1.5, a=0, b=1, name="bias-readable"), "worse", "B is worse than A"),
    ],
)
def test_a_difference_in_words(d, kind, sentence):
    told = verdict(d, "A", "B")
    assert (told.kind, told.sentence) == (kind, sentence)


def test_differences_stand_with_interval_p_and_words():
    text = read(evaluation(entry())).text
    assert "+10 points [\u22122, +22] 0.11 no difference shown" in text.replace("\u221225 0 +25 points ", "")
    assert "+1.97 boxes [+1.20, +2.80] 0.001 B is worse than A" in text
    assert "B (two) against A (one): 1 worse, 1 no difference shown, 1 cannot be told" in text
    assert p_text(0.000999) == "0.001"


# what may be missing


def test_nothing_was_evaluated():
    made = evaluation(models=())
    assert "Nothing was evaluated" in read(made).text
    assert "Nothing was evaluated" in markdown(made)
    assert "Suite test" in table(made)


def test_an_entry_without_data_says_why_and_keeps_its_published_rows():
    made = evaluation(
        entry(models=(), status="no data", reason="no folder DIOR-RSVG below data", problems={}, examples={}),
        entry(name="b", status="failed", reason="it could not be read", scores={}, compared={}, published=()),
    )
    text = read(made).text
    assert text.count("no folder DIOR-RSVG below data") == 2  # summary and section
    assert "77.06" in text
    assert "Our figures" not in text
    for short_form in (markdown(made), table(made)):
        assert "no folder DIOR" in short_form.replace("\\", "")


def test_published_rules_are_named_without_published_rows():
    text = read(evaluation(entry(published=()))).text
    assert "No published row is known" in text
    assert "As printed" not in text


@pytest.mark.parametrize("number", [1, 2, 3, 9, 30])
def test_any_number_of_models_has_letters_and_columns(number):
    models = tuple(f"model-{i}" for i in range(number))
    made = evaluation(entry(models=models), models=models)
    parsed = read(made)
    for index, model in enumerate(models):
        assert f"{letter(index)} {model}" in parsed.text
    assert all(len(one) <= 100 for one in table(made).splitlines())
    assert (letter(25), letter(26), letter(52)) == ("Z", "AA", "BA")


def test_a_model_that_an_entry_lacks_has_no_column_there_and_is_not_computed_in_the_summary():
    text = read(evaluation(entry(models=("one",)), entry(name="b", models=("two",)))).text
    assert "not computed" in text


def test_a_model_without_rationales_has_no_column_of_evidence():
    silent = dataclasses.replace(scores(), evidence=())
    text = read(evaluation(entry(scores={"one": scores(), "two": silent}))).text
    assert "Without rationales: B." in text
    assert "not computed" not in text


def test_huge_names_are_cut_where_space_is_short_and_whole_once():
    name = "/".join(["folder"] * 60) + "/the-end"
    made = evaluation(entry(models=(name, "b")), models=(name, "b"))
    parsed = read(made)
    assert (
        name in (value for _, key, value in parsed.attributes if key == "title") or name[:300] in parsed.text
    )
    assert "the-end" in parsed.text
    assert all(len(one) <= 100 for one in table(made).splitlines())


def test_names_that_hold_vs_are_told_apart():
    models = ("a vs b", "c")
    made = evaluation(
        entry(models=models, compared={"a vs b vs c": (difference(0.02, 0.22, name="f1@0.5"),)}),
        models=models,
    )
    assert "B (c) against A (a vs b): 1 better" in read(made).text


def test_a_breakdown_with_many_classes_is_cut_and_says_so():
    groups = {f"class {i}": scores().strict[:2] for i in range(200)}
    one = Scores(n=62, strict=scores().strict, breakdowns={"class": groups}, statuses={"ok": 62})
    text = read(evaluation(entry(models=("one",), scores={"one": one}), models=("one",))).text
    assert "120 more groups are in report.json" in text
    assert "class 79" in text
    assert "class 80" not in text


# pictures


def test_boxes_are_found_missed_and_invented():
    one = case(
        boxes([10, 10, 50, 50], [100, 10, 150, 50], [60, 60, 90, 90]),
        Truth(boxes=boxes([10, 10, 50, 52], [150, 60, 190, 90], [60, 60, 90, 90],
                          ignore=np.array([False, False, True]))),
    )  # fmt: skip
    assert counts(one) == {"true": 1, "found": 1, "missed": 1, "invented": 1, "ignored": 2}
    titles = [drawn.title for drawn in drawn_boxes(one)]
    assert "said: ship, IoU 0.95" in titles
    assert "invented: ship, best IoU 0.00" in titles


def test_other_names_other_images_and_unreadable_answers_find_nothing():
    true = Truth(boxes=boxes([10, 10, 50, 50], labels=["ship"]))
    assert "found" not in counts(
        case(boxes([10, 10, 50, 50], labels=["bridge"]), true, asked=("ship", "bridge"))
    )
    assert "found" not in counts(case(boxes([10, 10, 50, 50], images=[1]), true))
    assert counts(case(boxes([10, 10, 50, 50]), true, status=Status.UNREADABLE)) == {"missed": 1}
    assert counts(case(boxes([10, 10, 50, 50]), Truth(texts=("a ship",)))) == {"ignored": 1}


def test_turned_boxes_are_compared_and_drawn_as_polygons():
    quad = np.array([[50, 10, 90, 50, 50, 90, 10, 50]], dtype=np.float64)
    one = case(boxes([10, 10, 90, 90], quads=quad), Truth(boxes=boxes([10, 10, 90, 90], quads=quad)))
    assert counts(one) == {"true": 1, "found": 1}
    text = page(evaluation(entry(gallery={"one": (shown(one, picture()),)})))
    assert "50.0,10.0 90.0,50.0 50.0,90.0 10.0,50.0" in text


def test_boxes_lie_on_the_picture_whatever_their_units():
    percent = case([[10, 20, 50, 60]], [[10, 20, 50, 60]], size=(100.0, 100.0))
    text = page(evaluation(entry(gallery={"one": (shown(percent, picture((200, 100))),)})))
    assert "20.0,20.0 100.0,20.0 100.0,60.0 20.0,60.0" in text


def test_boxes_of_a_second_image_lie_on_the_right_half():
    pair = case(
        boxes([10, 10, 20, 20], images=[1]), Truth(boxes=boxes([10, 10, 20, 20], images=[1])), size=(100.0, 100.0),
        meta={"images": "2"},
    )  # fmt: skip
    text = page(evaluation(entry(gallery={"one": (shown(pair, picture((200, 100))),)})))
    assert "110.0,10.0 120.0,10.0 120.0,20.0 110.0,20.0" in text
    odd = case(boxes([1, 1, 2, 2]), Truth(boxes=boxes()), size=(300.0, 100.0), meta={"images": "2"})
    assert "the images differ in size" in page(evaluation(entry(gallery={"one": (shown(odd, picture()),)})))


def test_what_cannot_be_drawn_is_said():
    lines = {
        "no picture of this question": shown(case()),
        "The picture cannot be read": shown(case([[1, 1, 2, 2]]), b"\xff\xd8\xffnonsense"),
        "the size of their image is not known": shown(case([[1, 1, 2, 2]], size=None), picture()),
        "cannot be drawn: they hold no number": shown(case([[1, NAN, 2, 2]]), picture()),
        "5 more boxes": shown(case([[1, 1, 2, 2]] * (MOST_DRAWN + 5)), picture()),
        "no prediction, so it is wrong": shown(case(status=Status.MISSING), picture()),
        "3 more cases are not shown": None,
    }
    for sentence, one in lines.items():
        found = (one,) if one is not None else (shown(case(), picture()),) * 27
        assert sentence in read(evaluation(entry(gallery={"one": found}))).text, sentence


def test_a_picture_of_several_cases_is_there_once_and_small():
    big = picture((2000, 1000))
    gallery = {"one": (shown(case(), big), shown(case(), big)), "two": (shown(case(), big),)}
    text = page(evaluation(entry(gallery=gallery)))
    assert text.count("data:image/jpeg") == 1
    assert text.count("<use ") == 3
    width = int(re.search(r'<image id="p\w+" width="(\d+)"', text)[1])
    assert width <= 2 * 448


def test_positions_without_boxes_are_drawn_and_explained():
    one = case((), Truth(count=1, points=np.array([[50.0, 50.0], [NAN, 1.0]])))
    text = page(evaluation(entry(gallery={"one": (shown(one, picture()),)})))
    assert "M47.0 50.0h6M50.0 47.0v6" in text
    assert "</svg> true position</li>" in text
    assert "</svg> true position</li>" not in page(evaluation(entry(gallery={"one": (shown(case()),)})))


def test_a_bomb_of_a_picture_is_not_opened():
    bomb = picture((5000, 4000), "PNG")
    assert "cannot be read" in read(evaluation(entry(gallery={"one": (shown(case(), bomb),)}))).text


def test_the_file_stays_below_its_limit_and_tells_what_it_left_out():
    rng = np.random.default_rng(0)
    gallery = tuple(
        shown(case(case_id=f"c{i}"), picture(colour=tuple(rng.integers(0, 255, 3).tolist())))
        for i in range(20)
    )
    made = evaluation(entry(gallery={"one": gallery}))
    whole, bare = page(made), page(made, limit=0)
    assert bare.count("data:image") == 0
    assert "20 pictures left out" in bare
    limit = (len(whole.encode()) + len(bare.encode())) // 2
    text = page(made, limit=limit)
    assert len(text.encode()) <= limit
    kept = text.count("data:image")
    assert 0 < kept < 20
    assert f"{20 - kept} pictures left out" in text
    Parsed(text)


def test_true_answers_are_told_by_family():
    told = {
        Family.COUNTING: (Truth(count=1200), "True 1,200"),
        Family.CLASSIFICATION: (Truth(classes=("beach", "port")), "True beach, port"),
        Family.VQA: (Truth(texts=("yes",)), "True yes"),
        Family.DETECTION: (Truth(boxes=boxes()), "True nothing of it is there"),
        Family.CAPTIONING: (Truth(), "True not given"),
    }
    for family, (truth, expected) in told.items():
        one = shown(case((), truth, family=family), picture())
        assert expected in read(evaluation(entry(gallery={"one": (one,)}))).text


# files


def test_three_files_are_written_whole(tmp_path):
    made = evaluation(entry())
    path = write_report(made, tmp_path / "deep" / "out")
    assert path.name == "report.html"
    assert sorted(p.name for p in path.parent.iterdir()) == ["report.html", "report.json", "report.md"]
    found = json.loads((path.parent / "report.json").read_text())
    assert found["entries"]["ships"]["models"]["one"]["strict"]["f1@0.5"]["value"] == 0.4567
    assert found["entries"]["ships"]["models"]["one"]["strict"]["absent-left-empty"]["value"] is None
    assert found["entries"]["ships"]["published_samples"] == "453 questions"
    assert write_report(made, path.parent).read_bytes() == path.read_bytes(), "the same again"


def test_a_report_that_cannot_be_made_leaves_the_earlier_one(tmp_path, monkeypatch):
    path = write_report(evaluation(entry()), tmp_path)
    before = path.read_bytes()
    monkeypatch.setattr(
        "groundproof_training.evaluation.report.files.page",
        lambda made: (_ for _ in ()).throw(ValueError("no")),
    )
    with pytest.raises(ValueError, match="no"):
        write_report(evaluation(), tmp_path)
    assert path.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 3


def test_no_link_that_waits_in_the_folder_is_followed(tmp_path):
    other = tmp_path / "other"
    other.write_text("mine")
    out = tmp_path / "out"
    out.mkdir()
    for name in ("report.html", f".report.html.{os.getpid()}.part"):
        (out / name).symlink_to(other)
    path = write_report(evaluation(entry()), out)
    assert other.read_text() == "mine"
    assert not path.is_symlink()


def test_a_place_that_is_no_folder_is_a_sentence(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(TrainingError, match=r"the report cannot be written to .*file"):
        write_report(evaluation(), tmp_path / "file")


def test_markdown_stays_short_and_names_what_it_leaves_out():
    made = evaluation(*(entry(name=f"e{i}", title=f"Entry {i}") for i in range(60)))
    text = markdown(made)
    assert len(text) <= 60_000
    assert re.search(r"\d+ benchmarks left out here for length", text)
    assert all(f"Entry {i}" in text for i in range(60)), "the summary has all"
    assert len(markdown(made, limit=1000)) <= 1000


def test_markdown_tables_have_as_many_cells_as_heads():
    width = 0
    for row in markdown(evaluation(entry(), entry(name="b", status="no data", reason="a | b"))).splitlines():
        cells = len(re.findall(r"(?<!\\)\|", row))
        if not row.startswith("|"):
            width = 0
        else:
            width = width or cells
            assert cells == width, row


def test_no_interval_of_the_terminal_table_is_cut():
    sure = dataclasses.replace(scores(), strict=(Figure("parse-rate", 1.0, 0.98781, 1.0, 300),))
    models = ("one", "two", "three")
    text = table(evaluation(entry(models=models, scores=dict.fromkeys(models, sure)), models=models))
    row = next(one for one in text.splitlines() if "parse-rate" in one)
    assert row.count("[98.78,100.00]") == 3


def test_the_terminal_table_has_models_side_by_side():
    text = table(evaluation(entry()))
    row = next(one for one in text.splitlines() if "f1@0.5 " in one and "%" in one)
    assert "45.7 % [40.0, 51.0]" in row
    assert "55.7 % [50.0, 61.0]" in row
    assert "A and B, f1@0.5: no difference shown (p 0.11)" in text
    assert (
        text.index("f1@0.5 ")
        < text.index("  evidence\n")
        < text.index("as rs_tester computes it")
        < text.index("by size")
    )
    assert "17 x cut answer" in text
