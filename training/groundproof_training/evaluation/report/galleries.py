"""Cases to look at: picture, boxes, question, what was said and what is true. Knows cases; refuses to know figures."""

from __future__ import annotations

from collections.abc import Sequence

from groundproof_training.evaluation.cases import Case, Family, Status
from groundproof_training.evaluation.report.overlay import KINDS, counts, drawing
from groundproof_training.evaluation.report.pictures import Pictures
from groundproof_training.evaluation.report.writing import escaped, line, short
from groundproof_training.evaluation.results import Shown

CROWDED = 25
"""Boxes from which a picture is shown twice as wide."""
MOST_SHOWN = 24
"""Of one model in one entry."""
QUESTION, ANSWER, UNREAD, OUTPUT = 500, 600, 160, 2000
"""Characters of texts that are shown."""
_STATUS = {
    Status.UNREADABLE: "could not be read, so it is wrong",
    Status.MISSING: "no prediction, so it is wrong",
    Status.FAILED: "the model failed, so it is wrong",
}


def gallery(shown: Sequence[Shown], pictures: Pictures) -> str:
    """Figures of one model's cases, and how many are not shown."""
    made = "".join(_figure(one, rank, pictures) for rank, one in enumerate(shown[:MOST_SHOWN]))
    more = len(shown) - MOST_SHOWN
    rest = f'<p class="quiet">{more:,} more cases are not shown.</p>' if more > 0 else ""
    return f'<div class="gallery">{made}</div>{rest}'


def legend(*, points: bool) -> str:
    """Colours and lines of boxes. points: the source gives positions instead of boxes."""
    keys = "".join(
        f'<li><svg viewBox="0 0 46 26" width="46" height="26" aria-hidden="true"><rect class="ground" width="46" '
        f'height="26"/><g class="{kind}"><polygon class="halo" points="5,5 41,5 41,21 5,21"/>'
        f'<polygon class="line" points="5,5 41,5 41,21 5,21"/></g></svg> {words}</li>'
        for kind, words in KINDS.items()
    )
    if points:
        keys += (
            '<li><svg viewBox="0 0 26 26" width="26" height="26" aria-hidden="true"><rect class="ground" width="26" '
            'height="26"/><g class="spots"><path class="halo" d="M8 13h10M13 8v10"/><path class="line" '
            'd="M8 13h10M13 8v10"/></g></svg> true position</li>'
        )
    return (
        f'<ul class="legend" aria-label="How boxes are drawn">{keys}</ul><p class="quiet">Found: IoU of at least 0.5 '
        "with a true box of a fitting name, one to one. Point at a box to read its name and IoU.</p>"
    )


def _figure(one: Shown, rank: int, pictures: Pictures) -> str:
    case = one.case
    kept = None if one.picture is None else pictures.add(one.picture, rank)
    tallied = counts(case)
    tally = ", ".join(
        f"{tallied[kind]:,} {kind}" for kind in ("found", "missed", "invented") if tallied.get(kind)
    )
    reference, sheet = kept or ("", None)
    described = f"{case.question[:200]}: {tally or 'no box to draw'}"
    svg, left_out = drawing(case, sheet, reference, line(described))
    if one.picture is not None and kept is None:
        left_out = f"The picture cannot be read. {left_out}".strip()
    status = case.said.status
    badge = "" if status is Status.OK else f'<p class="status">{_STATUS[status]}</p>'
    chips = "".join(
        f'<span class="chip {kind}">{tallied[kind]:,} {kind}</span>'
        for kind in ("found", "missed", "invented")
        if tallied.get(kind)
    )
    note = f'<p class="quiet">{escaped(left_out)}</p>' if left_out else ""
    wide = ' class="wide"' if sum(tallied.values()) > CROWDED and svg else ""
    said = case.said.answer or short(case.said.text, UNREAD)
    whole = ""
    if case.said.text.strip() and case.said.text.strip() != said.strip():
        output = f'<pre dir="auto">{escaped(case.said.text, OUTPUT)}</pre>'
        whole = f"<details><summary>Whole output</summary>{output}</details>"
    return (
        f'<figure{wide}>{svg}{note}<figcaption><p class="chips">{chips}</p>{badge}'
        f'<dl><dt>Asked</dt><dd dir="auto">{escaped(line(case.question), QUESTION)}</dd>'
        f'<dt>Said</dt><dd dir="auto">{escaped(line(said), ANSWER) or "<em>nothing</em>"}</dd>'
        f'<dt>True</dt><dd dir="auto">{escaped(line(_true(case)), ANSWER) or "<em>not given</em>"}</dd></dl>{whole}'
        f'<p class="quiet id">{escaped(line(case.case_id), 120)}</p></figcaption></figure>'
    )


def _true(case: Case) -> str:
    truth = case.truth
    if case.family is Family.COUNTING:
        if truth.count is not None:
            return f"{truth.count:,}"
        number = len(truth.points) if truth.points is not None else len(truth.boxes or ())
        return f"{number:,}"
    if case.family is Family.CLASSIFICATION and truth.classes:
        return ", ".join(truth.classes)
    if case.family in (Family.GROUNDING, Family.DETECTION) and truth.boxes is not None:
        ignored = 0 if truth.boxes.ignore is None else int(truth.boxes.ignore.sum())
        number = len(truth.boxes) - ignored
        objects = "nothing of it is there" if not number else f"{number:,} object{'s' * (number != 1)}"
        return objects + (f", {ignored:,} to overlook" if ignored else "")
    return " / ".join(truth.texts[:3]) or truth.text
