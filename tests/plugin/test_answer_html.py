"""Texts of a model as HTML: ours is the only markup, and numbers lead to boxes that exist."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from groundproof_qgis.answer.answer import Answer
from groundproof_qgis.answer.html import Html, escaped
from groundproof_qgis.answer.links import Link, mentions, parse_link, sentences

OURS = {"p": set(), "ul": set(), "li": set(), "b": set(), "br": set(), "a": {"href", "name"}}


class Seen(HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.tags, self.hrefs, self.text = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, tuple(name for name, _ in attrs)))
        self.hrefs += [value for name, value in attrs if name == "href"]

    def handle_data(self, data):
        self.text.append(data)

    def handle_comment(self, data):
        raise AssertionError(f"a comment: {data}")

    def handle_decl(self, decl):
        raise AssertionError(f"a declaration: {decl}")

    def handle_pi(self, data):
        raise AssertionError(f"a processing instruction: {data}")

    def unknown_decl(self, data):
        raise AssertionError(f"a declaration: {data}")


def parsed(html):
    seen = Seen()
    seen.feed(html)
    seen.close()
    return seen


def answer_of(*texts, boxes=20, answers=1):
    """An answer in which a model wrote these texts everywhere."""
    text = " ".join(texts)
    made = Answer()
    for i in range(1, answers + 1):
        name = f"A{i}"
        for n in range(1, boxes + 1):
            made.add(
                "evidence",
                {
                    "key": f"{name}:E{n}",
                    "evidence_id": f"E{n}",
                    "answer_id": name,
                    "final": True,
                    "label": text,
                    "quote": text,
                },
            )
        made.add("answer", {"answer_id": name, "scene": text, "answer": text, "plan": text})
        made.add("synthesis", {"answer_id": name, "text": text})
        made.add(
            "coverage",
            {
                "answer_id": name,
                "looked_at": 1,
                "tiles": 2,
                "failed": 1,
                "sentence": text,
                "failures": [{"window_px": [0, 0, 1, 1], "status": "read_error", "reason": text}],
            },
        )
        made.add(
            "audit",
            {
                "answer_id": name,
                "findings": [
                    {"kind": "x", "severity": text, "sentence": text},
                    {"kind": "x", "severity": "warning", "sentence": text},
                ],
            },
        )
    made.add("note", {"text": text})
    made.add("plan", {"text": text})
    return made


def everything(answer):
    html = Html(answer)
    return "".join(
        f() for f in (html.plan, html.synthesis, html.weaknesses, html.findings, html.coverage, html.notes)
    )


planted = (
    st.text() | st.text("<>&\"'/=-!aE1 tpscriphref:()") | st.from_regex(r"(<[a-z]+ ?[^>]*>|E\d+|tile \d| )+")
)


@given(planted, st.integers(1, 3))
@example("<a href='javascript:alert(1)'>E1</a>", 1)
@example('E1"><img src=x onerror=alert(1)>E2', 2)
@example("<!-- E1 --><![CDATA[E2]]><?php E3", 1)
@example("&lt;b&gt;E1&#60;", 1)
def test_whatever_a_model_writes_the_html_holds_no_markup_but_ours(text, answers):
    seen = parsed(everything(answer_of(text, boxes=3, answers=answers)))
    for tag, attributes in seen.tags:
        assert tag in OURS
        assert set(attributes) <= OURS[tag]
    for href in seen.hrefs:
        link = parse_link(href)
        assert link is not None
        assert all(re.fullmatch("E[123]", one) for one in link.evidence_ids[:3])


@given(st.text(st.characters(blacklist_categories=("Cc", "Cs", "Cf", "Cn"))))
def test_a_text_reads_the_same_after_escaping(text):
    assert "".join(parsed(escaped(text)).text) == text


def links(text, **more):
    answer = answer_of("", **more)
    return parsed(Html(answer).text(text, answer.parts["A1"])).hrefs


@pytest.mark.parametrize(
    ("text", "hrefs"),
    [
        ("See E3.", ["groundproof:E3"]),
        ("25 airplanes, E1 to E17; and E20", ["groundproof:E1-E17", "groundproof:E20"]),
        ("E1, E2 and E3", ["groundproof:E1", "groundproof:E2", "groundproof:E3"]),
        ("E4-E6, E7–E9", ["groundproof:E4-E6", "groundproof:E7-E9"]),
        ("E9 to E7", ["groundproof:E7-E9"]),
        ("E21 is not there, E2 is; E1 to E21 neither", ["groundproof:E2"]),
        ("HE3 E3x E0 E03 1E5 http://x/E3", []),
        ("A1/E2 and A1:E3, A7/E1", ["groundproof:E2", "groundproof:E3"]),
    ],
)
def test_numbers_become_links_where_the_boxes_exist(text, hrefs):
    assert links(text) == hrefs


def test_with_several_answers_links_say_whose_box():
    assert links("E3; A2/E4", answers=2) == ["groundproof:A1/E3", "groundproof:A2/E4"]


def test_tiles_are_links_once_they_are_known():
    answer = answer_of("")
    made = Answer.from_tables(
        [],
        [{"answer_id": "A1", "synthesis": "", "coverage": None, "audit": None}],
        [{"answer_id": "A1", "tile_id": f"id{n}", "window_px": "[0,0,1,1]"} for n in range(3)],
    )
    assert parsed(Html(answer).text("tile 3", answer.parts["A1"])).hrefs == []
    assert parsed(Html(made).text("tile 3 and tile 4", made.parts["A1"])).hrefs == ["groundproof:tile/id2"]


@pytest.mark.parametrize(("tiles", "said"), [(1, False), (2, True)])
def test_what_bottom_means_is_said_once_where_there_are_several_tiles(tiles, said):
    made = Answer.from_tables(
        [],
        [{"answer_id": "A1", "synthesis": "", "coverage": None, "audit": None}],
        [{"answer_id": "A1", "tile_id": f"id{n}", "window_px": "[0,0,1,1]"} for n in range(tiles)],
    )
    assert ("within the tile" in Html(made).places()) is said


def test_a_failed_tile_is_a_link_to_its_place():
    cover = {
        "looked_at": 0,
        "tiles": 1,
        "failed": 1,
        "sentence": "looked at 0 of 1 tile",
        "failures": [{"window_px": [0, 0, 8, 8], "status": "read_error", "reason": "gone"}],
    }
    made = Answer.from_tables(
        [],
        [{"answer_id": "A1", "coverage": cover, "audit": []}],
        [{"answer_id": "A1", "tile_id": "t", "window_px": [0, 0, 8, 8]}],
    )
    seen = parsed(Html(made).coverage())
    assert seen.hrefs == ["groundproof:tile/t"]
    assert "pixels 0, 0, 8, 8: gone" in "".join(seen.text)


def test_a_box_leads_back_to_the_sentences_that_name_it():
    answer = answer_of("")
    answer.add(
        "synthesis", {"answer_id": "A1", "text": "Two ships, E1 to E3. Nothing else. E2 is the larger."}
    )
    html = Html(answer)
    made = html.synthesis()
    assert html.anchors("E1", "A1") == ("synthesis-A1-0",)
    assert html.anchors("E2", "A1") == ("synthesis-A1-0", "synthesis-A1-2")
    assert html.anchors("E9", "A1") == ()
    assert all(f'<a name="{one}">' in made for one in html.anchors("E2", "A1"))


@given(
    st.builds(
        Link,
        evidence=st.integers(1, 99999).map("E{}".format),
        last=st.none(),
        answer_id=st.none() | st.integers(1, 999).map("A{}".format),
    )
    | st.builds(Link, evidence=st.just("E2"), last=st.integers(3, 9).map("E{}".format))
    | st.builds(Link, tile=st.from_regex(r"[0-9a-f]{24}", fullmatch=True))
)
def test_a_link_reads_back(link):
    assert parse_link(link.href) == link


@pytest.mark.parametrize(
    "href", ["http://x", "groundproof:", "groundproof:E", "groundproof:E0", "file:///E1", "groundproof:E1 "]
)
def test_other_addresses_are_not_ours(href):
    assert parse_link(href) is None


def test_a_range_of_links_stays_bounded():
    assert len(parse_link("groundproof:E1-E999999999").evidence_ids) == 5000


@given(st.text(".!? \nab1"))
def test_sentences_together_are_the_text(text):
    assert "".join(text[a:b] for a, b in sentences(text)) == text


@given(st.text("E123 to-A/:,tile"))
def test_mentions_lie_in_the_text_in_order(text):
    at = 0
    for one in mentions(text):
        assert at <= one.start < one.end <= len(text)
        at = one.end


def test_links_can_lead_elsewhere_or_nowhere():
    answer = answer_of("E1")
    assert parsed(Html(answer, links=False).synthesis()).hrefs == []
    assert parsed(Html(answer, address=lambda link: f"#{link.evidence}").synthesis()).hrefs == ["#E1"]
