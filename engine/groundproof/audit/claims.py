"""What the texts claim, checked against the merged evidence: stated counts, and yes or no.

Knows tiles' replies and the evidence table. Refuses to know models and geometry beyond "which tile shows
which row". Says nothing of claims it cannot check ("near the pier"): they stay for the analyst's eye.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from groundproof.counting import answers_to, counted, counted_before_review
from groundproof.findings import AuditFinding, ClaimVerdict, Kind, TileReply
from groundproof.protocol import Task, is_existence
from groundproof.wording import amount, joined, tile_list

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    import pandas as pd
    from numpy.typing import NDArray

MAX_NAMED = 5
"""Tiles whose disagreement is spelled out in one finding; the rest are numbered."""

_MAY_NAME_WITHOUT_BOXES = frozenset({Task.CLASSIFY, Task.CAPTION, Task.REGION_CAPTION, Task.GROUNDED_CAPTION})
"""Here a number in the text ("two ships") is description; without any box there is nothing to check."""


@dataclass(frozen=True, slots=True)
class _Claim:
    """One claim of one text. said: "16 storage tanks" or "yes"; shown: what the map has, in words."""

    number: int | None
    """The tile's number; None: the overview's."""
    said: str
    shown: str
    verdict: ClaimVerdict
    ids: tuple[str, ...]
    before: int
    """What the map had before the analyst's review; the same where nothing of it was reviewed."""
    by_review: bool = False
    """It fitted the map until the review changed the map: no weakness of the answer."""


@dataclass(frozen=True, slots=True)
class _Text:
    """One text and what it is held against.

    rows: int64 (k,) positions in the evidence table. missing: boxes of the text that have no row there.
    """

    reply: TileReply
    number: int | None
    rows: NDArray[np.int64]
    missing: int


class _Map:
    """The evidence table, asked again and again: which rows a tile shows, which of them count as what."""

    def __init__(
        self,
        evidence: pd.DataFrame,
        replies: Sequence[TileReply],
        raised: Collection[str] = (),
        elsewhere: Collection[str] = (),
    ) -> None:
        self._evidence = evidence
        # A tile shows what another scene's answer counts, and its text is right to speak of it.
        there = evidence["evidence_id"].isin(list(elsewhere)).to_numpy(dtype=bool)
        self._counted = counted(evidence) | (there & (evidence["review"] != "rejected").to_numpy(dtype=bool))
        self._before = counted_before_review(evidence, raised) | there
        self._ids = evidence["evidence_id"].astype(str).to_numpy()
        self._fits: dict[tuple[str, ...], NDArray[np.bool_]] = {}
        self._rows: dict[str, list[int]] = {reply.tile_id: [] for reply in replies}
        self._seen: Counter[str] = Counter()
        self.everywhere = np.arange(len(evidence))
        for row, tile_ids in enumerate(evidence["tile_ids"]):
            if isinstance(tile_ids, list | tuple | np.ndarray) and len(tile_ids):
                tiles = [str(tile_id) for tile_id in tile_ids]
                self._seen.update(tiles)
            else:
                tiles = _tiles_around(evidence["box_px"].iloc[row], replies)
            for tile_id in tiles:
                self._rows.setdefault(tile_id, []).append(row)

    def of(self, reply: TileReply) -> NDArray[np.int64]:
        """Rows that the tile shows."""
        return np.asarray(self._rows[reply.tile_id], dtype=np.int64)

    def missing(self, reply: TileReply) -> int:
        """Boxes of the tile that have no row: they lie outside the area asked about, or were deleted."""
        return 0 if reply.n_boxes is None else max(reply.n_boxes - self._seen[reply.tile_id], 0)

    def ids(self, rows: NDArray[np.int64], asked: Iterable[str]) -> tuple[str, ...]:
        """E-numbers of the counted ones among `rows` that answer to `asked`."""
        fits = self._fitting(asked)
        return tuple(self._ids[rows[self._counted[rows] & fits[rows]]].tolist())

    def before(self, rows: NDArray[np.int64], asked: Iterable[str]) -> int:
        """How many `ids` would have named before the analyst's review."""
        fits = self._fitting(asked)
        return int((self._before[rows] & fits[rows]).sum())

    def knows(self, label: str) -> bool:
        """Some row, counted or not, is called so."""
        return bool(self._fitting([label]).any())

    def _fitting(self, asked: Iterable[str]) -> NDArray[np.bool_]:
        key = tuple(asked)
        if key not in self._fits:
            self._fits[key] = answers_to(self._evidence, key)
        return self._fits[key]


def _tiles_around(box_px: Any, replies: Sequence[TileReply]) -> list[str]:
    """Tiles that show a box no tile saw (an analyst drew it): those its centre lies in."""
    x0, y0, x1, y1 = box_px
    x, y = (x0 + x1) / 2, (y0 + y1) / 2
    return [
        r.tile_id
        for r in replies
        if r.window_px[0] <= x < r.window_px[2] and r.window_px[1] <= y < r.window_px[3]
    ]


def check_claims(
    question: str,
    task: Task,
    asked: Collection[str],
    replies: Sequence[TileReply],
    evidence: pd.DataFrame,
    overview: TileReply | None = None,
    raised: Collection[str] = (),
    elsewhere: Collection[str] = (),
) -> list[AuditFinding]:
    """Findings of kind count and presence.

    A tile's text is held against what the map shows of that tile, because it spoke of that tile only; the
    text of the only tile and the overview's are held against the whole map. asked: normalised labels.
    raised: as in `counting.counted_before_review`; a text that fitted the map until the analyst's review
    changed the map is told apart from one that never did, and weakens nothing. elsewhere: as in `audit_answer`.
    """
    if task is Task.CHANGE:
        # "3 new buildings" over two images: which boxes that counts cannot be known from the text.
        return []
    answered = [reply for reply in replies if reply.answered]
    places = _Map(evidence, replies, raised, elsewhere)
    single = len(replies) == 1
    texts = [
        _Text(reply, reply.number, places.everywhere if single else places.of(reply), places.missing(reply))
        for reply in answered
    ]
    counts: list[_Claim] = []
    presences: list[_Claim] = []
    if overview is not None and overview.answered:
        texts.append(_Text(overview, None, places.everywhere, 0))
    existence = task is Task.VQA and is_existence(question)
    for text in texts:
        counts += _count_claims(text, task, asked, places)
        if existence:
            presences += _presence_claims(text, asked, places)
    return [*_summed(Kind.COUNT, counts, single), *_summed(Kind.PRESENCE, presences, single)]


def _count_claims(text: _Text, task: Task, asked: Collection[str], places: _Map) -> list[_Claim]:
    """Stated counts of one text, one claim for each label and number."""
    said = text.reply.said
    if said is None:
        return []
    has_boxes = bool(said.has_boxes or places.ids(text.rows, ()))
    if task in _MAY_NAME_WITHOUT_BOXES and not has_boxes:
        return []
    only = next(iter(asked)) if len(asked) == 1 else ""
    stated: dict[str, list[int]] = {}
    for label, n in said.stated_counts:
        stated.setdefault(label or only, []).append(n)
    if isinstance(said.value, int) and not isinstance(said.value, bool):
        # The answer's own number speaks for the text: it comes last.
        stated.setdefault(only, []).append(said.value)
    claims = []
    for label, numbers in stated.items():
        meant = [label] if label else asked
        ids, before = places.ids(text.rows, meant), places.before(text.rows, meant)
        shown = len(ids)
        known = has_boxes and (not label or label in asked or places.knows(label))
        words = str(shown) if known or shown else "no box for it"
        if text.missing:
            words += (
                f", and {text.missing} of its boxes {'is' if text.missing == 1 else 'are'} not on the map"
            )
        main = _main_numbers(numbers, shown)
        for n in main:
            verdict = _verdict(n, shown, text.missing, known)
            # That the last number is the text's own is a guess, so "7 airplanes and 2 airplanes" is quoted as it is.
            parts = verdict is not ClaimVerdict.SUPPORTED and n == numbers[-1]
            quoted = [one for one in dict.fromkeys(numbers) if one == n or (parts and one not in main)]
            what = joined([amount(one, label) if label else str(one) for one in quoted])
            fitted = _verdict(n, before, text.missing, known) is ClaimVerdict.SUPPORTED
            by_review = verdict is not ClaimVerdict.SUPPORTED and fitted
            claims.append(_Claim(text.number, what, words, verdict, ids, before, by_review))
    return claims


def _verdict(stated: int, shown: int, missing: int, known: bool) -> ClaimVerdict:
    """Of a number. missing: boxes the text may have counted too, which have no row."""
    if stated in (shown, shown + missing):
        return ClaimVerdict.SUPPORTED
    if not known or shown < stated < shown + missing:
        return ClaimVerdict.UNCHECKED
    return ClaimVerdict.CONTRADICTED


def _main_numbers(numbers: Sequence[int], shown: int) -> list[int]:
    """The numbers a text stands for among all it states of one label.

    "3 beside the terminal and 2 on the apron, 5 in all": smaller numbers may be parts of the whole, and
    which boxes they mean cannot be checked. A number above both the whole and the map cannot be a part.
    """
    whole = shown if shown in numbers else numbers[-1]
    return [whole, *sorted({n for n in numbers if n > max(whole, shown)})]


def _presence_claims(text: _Text, asked: Collection[str], places: _Map) -> list[_Claim]:
    reply, number = text.reply.said, text.number
    if reply is None or not isinstance(reply.value, bool):
        return []
    ids, before = places.ids(text.rows, asked), places.before(text.rows, asked)
    said, none, wrong = (
        ("yes", "no box for it", ClaimVerdict.UNCHECKED)
        if reply.value
        else ("no", "none", ClaimVerdict.CONTRADICTED)
    )
    fits, fitted = bool(ids) is reply.value, bool(before) is reply.value
    verdict = ClaimVerdict.SUPPORTED if fits else wrong
    shown = str(len(ids)) if ids else none
    return [_Claim(number, said, shown, verdict, ids, before, fitted and not fits)]


def _summed(kind: Kind, claims: Sequence[_Claim], single: bool) -> list[AuditFinding]:
    """One finding for each verdict, and for what only the review changed, however many tiles there are."""
    findings = []
    groups = [
        (verdict, by_review)
        for by_review in (False, True)
        for verdict in (ClaimVerdict.CONTRADICTED, ClaimVerdict.UNCHECKED, ClaimVerdict.SUPPORTED)
    ]
    doubted = {claim.number for claim in claims if claim.verdict is not ClaimVerdict.SUPPORTED}
    for verdict, by_review in groups:
        these = [claim for claim in claims if (claim.verdict, claim.by_review) == (verdict, by_review)]
        if verdict is ClaimVerdict.SUPPORTED and not single:
            # A text that fits in one number and not in another is not said to fit.
            these = [claim for claim in these if claim.number not in doubted]
        if these:
            findings.append(
                AuditFinding(
                    kind=kind,
                    severity="info" if by_review or verdict is ClaimVerdict.SUPPORTED else "warning",
                    sentence=_sentence(these, verdict, single),
                    claim=these[0].said if len(these) == 1 else "",
                    verdict=verdict,
                    evidence=tuple(dict.fromkeys(one for claim in these for one in claim.ids)),
                )
            )
    return findings


def _sentence(claims: Sequence[_Claim], verdict: ClaimVerdict, single: bool) -> str:
    if len(claims) > 1 and verdict is ClaimVerdict.SUPPORTED:
        tiles = tile_list(claim.number for claim in claims if claim.number is not None)
        where = f"the texts of {tiles}" if tiles else "the overview's texts"
        return f"what {where} say fits the boxes they drew; whether the boxes are right this cannot tell"
    words = [_one(claim, verdict, single) for claim in claims[:MAX_NAMED]]
    if len(claims) > MAX_NAMED:
        rest = (claim.number for claim in claims[MAX_NAMED:] if claim.number is not None)
        words.append(f"so in {tile_list(rest) or 'the overview'}")
    return ("changed by the review: " if claims[0].by_review else "") + "; ".join(words)


def _one(claim: _Claim, verdict: ClaimVerdict, single: bool) -> str:
    """ "the text says 16 storage tanks; the map shows 17"."""
    if claim.number is None:
        text = "the overview's text"
    else:
        text = "the text" if single else f"the text of tile {claim.number}"
    if claim.by_review:
        return f"{text} says {claim.said}, as the map did before it; now the map shows {claim.shown}"
    if verdict is ClaimVerdict.SUPPORTED:
        return f"{text} says {claim.said}, and the map shows {claim.shown}"
    reviewed = f" ({claim.before} before the review)" if claim.before != len(claim.ids) else ""
    return f"{text} says {claim.said}; the map shows {claim.shown}{reviewed}"
