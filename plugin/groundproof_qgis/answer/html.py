"""The answer's texts as HTML for Qt's text views and for the report: everything escaped, then our own links put in.

Knows which boxes and tiles exist, so that only those become links. Refuses to trust any text: whatever a model wrote,
the HTML holds no tag, attribute or address but those written here.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable

from groundproof_qgis.answer.answer import Answer
from groundproof_qgis.answer.links import Link, Mention, mentions, sentences
from groundproof_qgis.answer.part import Failure, Part
from groundproof_qgis.i18n_text import tr

MAX_FAILURES = 20
"""Failed tiles listed one by one; the others are on the map."""

_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufffe\uffff\ud800-\udfff]")
"""Control characters and overrides of the writing direction: they could make a text look like another."""


def escaped(text: str) -> str:
    """Text as HTML text: markup characters as entities, control characters left out, line breaks kept."""
    return html.escape(_UNSEEN.sub("", text), quote=True).replace("\n", "<br/>")


def _own(link: Link) -> str:
    return link.href


def _nowhere(_link: Link) -> str:
    return ""


class Html:
    """Makes HTML of one answer's texts, and remembers where each box is spoken of.

    links: False leaves all words alone, as for plain paper. address: what a link becomes, "" for no link; default is
    our own scheme, which the dock follows.
    """

    def __init__(self, answer: Answer, *, links: bool = True, address: Callable[[Link], str] = _own) -> None:
        self._answer = answer
        self._address = address if links else _nowhere
        self._anchors: dict[tuple[str, str], list[str]] = {}

    def anchors(self, evidence_id: str, answer_id: str) -> tuple[str, ...]:
        """Names of the places, in what was made so far, whose sentences speak of a box: for `scrollToAnchor`."""
        return tuple(self._anchors.get((answer_id, evidence_id), ()))

    def plan(self) -> str:
        """What was to be done; "" while nothing is known. A final plan names its tiles."""
        parts = [part for part in self._answer.parts.values() if part.plan]
        if parts:
            return self._by_part(parts, lambda part: self.text(part.plan, part))
        return "".join(f"<p>{escaped(text)}</p>" for text in self._answer.plans)

    def synthesis(self) -> str:
        """How the evidence gives the answer."""
        parts = [part for part in self._answer.parts.values() if part.synthesis]
        return self._by_part(parts, lambda part: self.text(part.synthesis, part, "synthesis"))

    def weaknesses(self) -> str:
        """What makes the answer weaker than it reads; "" when nothing does."""
        part = next(iter(self._answer.parts.values())) if len(self._answer.parts) == 1 else None
        return _list(self.text(sentence, part) for sentence in self._answer.weaknesses)

    def findings(self) -> str:
        """The whole audit, most severe first, each with its severity."""
        parts = [part for part in self._answer.parts.values() if part.findings]
        return self._by_part(parts, lambda _part: "", self._findings)

    def coverage(self) -> str:
        """What was looked at and what was not, failed tiles one by one."""
        parts = [part for part in self._answer.parts.values() if part.coverage is not None]
        if not parts:
            return f"<p>{escaped(self._answer.coverage_sentence)}</p>" if self._answer.tiles else ""
        return self._by_part(parts, self._coverage, self._failures)

    def places(self) -> str:
        """What "bottom" means in the quoted sentences; "" where the only tile is the whole of what was asked about."""
        if all(len(part.tiles) < 2 for part in self._answer.parts.values()):
            return ""
        words = tr(
            "Places in the model's sentences, such as top or left, are places within the tile that it looked at, not "
            "within the map."
        )
        return f"<p>{escaped(words)}</p>"

    def notes(self) -> str:
        """Sentences worth knowing that came while the question was answered."""
        return _list(escaped(note) for note in self._answer.notes)

    def text(self, text: str, part: Part | None, section: str = "") -> str:
        """A text of one answer with its numbers as links; section: names the anchors of its sentences."""
        made: list[str] = []
        for n, (start, end) in enumerate(sentences(text)):
            sentence = text[start:end]
            words, named = self._linked(sentence, part)
            if section and part is not None and named:
                anchor = f"{section}-{part.answer_id}-{n}"
                made.append(f'<a name="{escaped(anchor)}"></a>')
                for answer_id, evidence_id in named:
                    self._anchors.setdefault((answer_id, evidence_id), []).append(anchor)
            made.append(words)
        return "".join(made)

    def link(self, link: Link, words: str) -> str:
        """A link of ours around plain words."""
        address = self._address(link)
        return f'<a href="{escaped(address)}">{escaped(words)}</a>' if address else escaped(words)

    def _linked(self, text: str, part: Part | None) -> tuple[str, list[tuple[str, str]]]:
        made, named, at = [], [], 0
        for one in mentions(text):
            link, boxes = self._target(one, part)
            if link is None:
                continue
            made += [escaped(text[at : one.start]), self.link(link, text[one.start : one.end])]
            named += boxes
            at = one.end
        return "".join([*made, escaped(text[at:])]), list(dict.fromkeys(named))

    def _target(self, one: Mention, part: Part | None) -> tuple[Link | None, list[tuple[str, str]]]:
        """Where a mention leads, and the (answer, box) it names; None where nothing of that name exists."""
        if one.answer_id is not None:
            part = self._answer.parts.get(one.answer_id)
        if part is None:
            return None, []
        if one.tile:
            tiles = part.tiles
            return (Link(tile=tiles[one.tile - 1].tile_id) if one.tile <= len(tiles) else None), []
        if part.find(one.first) is None or part.find(one.last) is None:
            return None, []
        answer_id = part.answer_id if len(self._answer.parts) > 1 else None
        link = Link(one.first, one.last if one.last != one.first else None, answer_id)
        return link, [(part.answer_id, name) for name in link.evidence_ids if part.find(name) is not None]

    def _by_part(
        self,
        parts: Iterable[Part],
        inline: Callable[[Part], str],
        blocks: Callable[[Part], str] = lambda _part: "",
    ) -> str:
        """Each part's text, with its name where there are several, then what cannot stand in a paragraph."""
        several = len(self._answer.parts) > 1
        made = []
        for part in parts:
            title = f"<b>{escaped(part.answer_id)} {escaped(part.place)}</b> " if several else ""
            words = title + inline(part)
            made.append((f"<p>{words}</p>" if words else "") + blocks(part))
        return "".join(made)

    def _findings(self, part: Part) -> str:
        words = {"error": tr("error"), "warning": tr("warning"), "info": tr("also checked")}
        return _list(
            f"<b>{escaped(words.get(one.severity, one.severity))}</b>: "
            f"{self.text(one.sentence, part, f'audit{n}')}"
            for n, one in enumerate(part.findings)
        )

    def _coverage(self, part: Part) -> str:
        return "" if part.coverage is None else self.text(part.coverage.sentence, part)

    def _failures(self, part: Part) -> str:
        failures = () if part.coverage is None else part.coverage.failures
        items = [self._failure(one, part) for one in failures[:MAX_FAILURES]]
        if len(failures) > MAX_FAILURES:
            items.append(escaped(tr("and {n} more").format(n=len(failures) - MAX_FAILURES)))
        return _list(items)

    def _failure(self, one: Failure, part: Part) -> str:
        where = tr("pixels {window}").format(window=", ".join(f"{v:.0f}" for v in one.window_px))
        tile = part.tile_at(one.window_px)
        place = escaped(where) if tile is None else self.link(Link(tile=tile), where)
        return f"{place}: {escaped(one.reason or one.status)}"


def _list(items: Iterable[str]) -> str:
    made = "".join(f"<li>{item}</li>" for item in items)
    return f"<ul>{made}</ul>" if made else ""
