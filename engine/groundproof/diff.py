"""What changed between two results of one place: evidence, answers, coverage.

Knows the tables of two results. Refuses to know files and why something changed.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from groundproof.audit.review import scene_grid
from groundproof.boxes import PixelBoxes
from groundproof.common_ground import metres, on_same_grid, paired_by_place
from groundproof.errors import SceneError, UsageError
from groundproof.georeference import Georeferencer
from groundproof.overlap import Pairs, one_to_one
from groundproof.protocol import Task, target_labels
from groundproof.sides import InPixels, OnGround
from groundproof.wording import OBJECT, amount, e_list, one_line

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from groundproof.tables import Result

SAME_OBJECT_IOU = 0.5
"""From here two boxes of one label are one object in both results."""

OWN_REVIEWS = frozenset({"added", "rejected"})
"""Reviews of a box that say nothing about what a model saw: the analyst drew it, or struck it out."""

MAX_SHORT = 60
"""Characters of an answer that may stand in a short sentence."""

MAX_LINES = 20
"""Changed boxes listed one by one in the text; the rest are counted."""


@dataclass(frozen=True, slots=True)
class Item:
    """One row of evidence in one of the results: enough to find it there."""

    evidence_id: str
    label: str
    image: int
    box_px: tuple[float, float, float, float]
    verdict: str
    review: str | None


@dataclass(frozen=True, slots=True)
class Changed:
    """One object in both results. what: field -> (before, after), of box_px, verdict, review, role, quote.

    moved_m: how far the middle of its box is from where it was, metres; None when it did not move, and in pixel
    space.
    """

    before: Item
    after: Item
    what: dict[str, tuple[Any, Any]]
    moved_m: float | None = None


@dataclass(frozen=True, slots=True)
class Outside:
    """Objects of one result where the other did not look: they neither came nor went."""

    before: tuple[Item, ...] = ()
    after: tuple[Item, ...] = ()


@dataclass(frozen=True, slots=True)
class ByReview:
    """Boxes of one result alone that an analyst drew or rejected there: no model found or lost them."""

    before: tuple[Item, ...] = ()
    after: tuple[Item, ...] = ()


@dataclass(frozen=True, slots=True)
class AnswerDiff:
    """One question about one area in both results. kept: pairs of E-numbers that are wholly the same.

    scene: of the first result. same_pixels: both looked at the same grid of pixels; otherwise objects were compared
    by where they lie on the ground, and the second `box_px` of a moved one is in pixels of the first scene.
    sentence: what became of the answer, short: "25 -> 27 airplanes".
    """

    scene: str
    question: str
    answer_ids: tuple[str, str]
    kept: tuple[tuple[str, str], ...]
    added: tuple[Item, ...]
    removed: tuple[Item, ...]
    changed: tuple[Changed, ...]
    answer: tuple[str, str]
    value: tuple[Any, Any]
    coverage: tuple[str, str]
    same_pixels: bool = True
    outside: Outside = Outside()
    by_review: ByReview = ByReview()
    sentence: str = ""

    @property
    def is_empty(self) -> bool:
        """Nothing that matters differs; what evidence is called (its E-numbers) does not matter."""
        reviewed = self.by_review.before or self.by_review.after
        boxes = self.added or self.removed or self.changed or reviewed
        return not boxes and all(a == b for a, b in (self.answer, self.value, self.coverage))


@dataclass(frozen=True, slots=True)
class Diff:
    """Two results compared. added, removed: (scene, question) of answers that only one of them has."""

    answers: tuple[AnswerDiff, ...]
    added: tuple[tuple[str, str], ...]
    removed: tuple[tuple[str, str], ...]

    @property
    def is_empty(self) -> bool:
        """The second result says what the first one says."""
        return not self.added and not self.removed and all(answer.is_empty for answer in self.answers)

    def as_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return {**asdict(self), "is_empty": self.is_empty}


def diff(a: Result, b: Result, min_iou: float = SAME_OBJECT_IOU) -> Diff:
    """Compare result `b` (after) with result `a` (before) of the same place.

    Answers belong together by scene and question (in order, where an area was split into parcels), and where
    the scenes are others, or lie otherwise, by question and common ground. Evidence by label, image and
    IoU >= min_iou, one to one, best first: in scene pixels, or on the common ground in pixels of the first
    scene. What an analyst drew or rejected in one of them and the other does not have is apart (`by_review`).
    `diff(b, a)` is the same with added and removed, before and after exchanged (where grids differ,
    but for roundings).
    """
    keys_a, keys_b = _answer_keys(a.answers), _answer_keys(b.answers)
    same = {name: on_same_grid(a, b, name) for name in {key[0] for key in keys_a if key in keys_b}}
    pairs = {row: keys_b[key] for key, row in keys_a.items() if key in keys_b and same[key[0]]}
    left_a = [row for row in keys_a.values() if row not in pairs]
    left_b = [row for row in keys_b.values() if row not in pairs.values()]
    elsewhere = dict(paired_by_place(a, b, left_a, left_b))
    groups_a, groups_b = _by_answer(a.evidence), _by_answer(b.evidence)
    answers = tuple(
        _compare(a, b, i, j, groups_a, groups_b, min_iou, on_ground=i in elsewhere)
        for i, j in sorted((pairs | elsewhere).items())
    )
    paired = pairs | elsewhere
    only_a = tuple((key[0], key[1]) for key, row in keys_a.items() if row not in paired)
    only_b = tuple((key[0], key[1]) for key, row in keys_b.items() if row not in paired.values())
    return Diff(answers, added=only_b, removed=only_a)


def format_diff(found: Diff) -> str:
    """The differences as plain lines for a terminal; one line when there are none."""
    if found.is_empty:
        kept = sum(len(answer.kept) for answer in found.answers)
        return f"no difference: {len(found.answers)} answers and {kept} boxes are the same"
    lines: list[str] = []
    for answer in found.answers:
        if not answer.is_empty:
            lines += _answer_lines(answer)
    lines += [f"only in the first: {scene}: {one_line(question)}" for scene, question in found.removed]
    lines += [f"only in the second: {scene}: {one_line(question)}" for scene, question in found.added]
    same = sum(answer.is_empty for answer in found.answers)
    if same:
        lines.append(f"{same} other {'answer is' if same == 1 else 'answers are'} the same")
    return "\n".join(lines)


def _answer_lines(found: AnswerDiff) -> list[str]:
    lines = [f"{found.scene}: {one_line(found.question)}"]
    if found.sentence:
        lines.append(f"  {found.sentence}")
    for name, (before, after) in (("answer", found.answer), ("coverage", found.coverage)):
        if before != after:
            lines.append(f"  {name}: {one_line(before)} -> {one_line(after)}")
    if found.answer[0] == found.answer[1] and found.value[0] != found.value[1]:
        lines.append(f"  value: {one_line(str(found.value[0]))} -> {one_line(str(found.value[1]))}")
    numbers = (len(found.kept), len(found.added), len(found.removed), len(found.changed))
    lines.append("  boxes: {} kept, {} added, {} removed, {} changed".format(*numbers))
    if found.added:
        lines.append(f"  added (numbers of the second): {e_list(item.evidence_id for item in found.added)}")
    if found.removed:
        lines.append(
            f"  removed (numbers of the first): {e_list(item.evidence_id for item in found.removed)}"
        )
    for change in found.changed[:MAX_LINES]:
        what = ", ".join(_change_words(change, field) for field in change.what)
        pair = dict.fromkeys((change.before.evidence_id, change.after.evidence_id))
        lines.append(f"  {' -> '.join(pair)} {change.before.label or OBJECT}: {what}")
    if len(found.changed) > MAX_LINES:
        lines.append(f"  and {len(found.changed) - MAX_LINES} more changed")
    for which, items in (("first", found.by_review.before), ("second", found.by_review.after)):
        for review, words in (("added", "drawn"), ("rejected", "rejected")):
            ids = [item.evidence_id for item in items if item.review == review]
            if ids:
                lines.append(f"  {words} in review of the {which} only: {e_list(ids)}")
    for which, items in (("first", found.outside.before), ("second", found.outside.after)):
        if items:
            other = "second" if which == "first" else "first"
            noun = "box" if len(items) == 1 else "boxes"
            lines.append(f"  {len(items)} {noun} of the {which} where the {other} did not look")
    return lines


def _change_words(change: Changed, field: str) -> str:
    before, after = change.what[field]
    if field == "box_px":
        far = max(abs(p - q) for p, q in zip(before, after, strict=True))
        metres = "" if change.moved_m is None else f" ({change.moved_m:.1f} m)"
        return f"box moved by up to {far:.1f} px{metres}"
    if field == "quote":
        return "other words"
    return f"{field} {before or 'none'} -> {after or 'none'}"


def _answer_keys(answers: pd.DataFrame) -> dict[tuple[str, str, int], int]:
    """(scene, question, how many of them before) to row position."""
    keys: dict[tuple[str, str, int], int] = {}
    seen: dict[tuple[str, str], int] = {}
    for row, (scene, question) in enumerate(zip(answers["scene"], answers["question"], strict=True)):
        nth = seen.get((scene, question), 0)
        seen[scene, question] = nth + 1
        keys[str(scene), str(question), nth] = row
    return keys


def _by_answer(evidence: pd.DataFrame) -> dict[Hashable, Any]:
    return dict(evidence.groupby("answer_id", sort=False).indices)


def _compare(
    a: Result,
    b: Result,
    i: int,
    j: int,
    groups_a: dict[Hashable, Any],
    groups_b: dict[Hashable, Any],
    min_iou: float,
    *,
    on_ground: bool,
) -> AnswerDiff:
    before, after = a.answers.iloc[i], b.answers.iloc[j]
    rows_a = a.evidence.iloc[groups_a.get(before["answer_id"], [])]
    rows_b = b.evidence.iloc[groups_b.get(after["answer_id"], [])]
    items_a, items_b = _items(rows_a), _items(rows_b)
    sides: InPixels | OnGround = (
        OnGround.of(a, b, i, j, rows_a, rows_b) if on_ground else InPixels(_boxes(rows_a), _boxes(rows_b))
    )
    matches = sorted(_one_to_one(sides.overlapping(min_iou), items_a, items_b))
    extra_a = list(zip(rows_a["role"], rows_a["quote"], strict=True))
    extra_b = list(zip(rows_b["role"], rows_b["quote"], strict=True))
    kept: list[tuple[str, str]] = []
    changed: list[Changed] = []
    for m, n in matches:
        what = sides.moved(m, n) | _differences(items_a[m], items_b[n], extra_a[m], extra_b[n])
        if what:
            changed.append(Changed(items_a[m], items_b[n], what))
        else:
            kept.append((items_a[m].evidence_id, items_b[n].evidence_id))
    with_a, with_b = {m for m, _ in matches}, {n for _, n in matches}
    seen_a, seen_b = sides.seen_by_both()
    alone_a = [m for m in range(len(items_a)) if m not in with_a]
    alone_b = [n for n in range(len(items_b)) if n not in with_b]
    both_looked_a = [items_a[m] for m in alone_a if seen_a[m]]
    both_looked_b = [items_b[n] for n in alone_b if seen_b[n]]
    return AnswerDiff(
        scene=str(before["scene"]),
        question=str(before["question"]),
        answer_ids=(str(before["answer_id"]), str(after["answer_id"])),
        kept=tuple(kept),
        added=tuple(item for item in both_looked_b if item.review not in OWN_REVIEWS),
        removed=tuple(item for item in both_looked_a if item.review not in OWN_REVIEWS),
        changed=_with_metres(changed, a, str(before["scene"])),
        answer=(_text(before["answer"]) or "", _text(after["answer"]) or ""),
        value=(_plain(before["value"]), _plain(after["value"])),
        coverage=(_sentence(before["coverage"]), _sentence(after["coverage"])),
        same_pixels=not on_ground,
        outside=Outside(
            tuple(items_a[m] for m in alone_a if not seen_a[m]),
            tuple(items_b[n] for n in alone_b if not seen_b[n]),
        ),
        by_review=ByReview(
            tuple(item for item in both_looked_a if item.review in OWN_REVIEWS),
            tuple(item for item in both_looked_b if item.review in OWN_REVIEWS),
        ),
        sentence=_change_of_answer(before, after),
    )


def _change_of_answer(before: pd.Series[Any], after: pd.Series[Any]) -> str:
    """ "25 -> 27 airplanes", "27 airplanes in both", "yes -> no"; "" of answers that are long texts."""
    counts = [_count(_plain(row["value"])) for row in (before, after)]
    if None not in counts:
        labels = target_labels(str(after["question"]), Task(after["task"]))
        last = amount(counts[1] or 0, labels[0] if len(labels) == 1 else "")
        return f"{last} in both" if counts[0] == counts[1] else f"{counts[0]} -> {last}"
    texts = [_text(row["answer"]) or "" for row in (before, after)]
    if not all(texts) or max(map(len, texts)) > MAX_SHORT:
        return ""
    return f"{one_line(texts[1])} in both" if texts[0] == texts[1] else " -> ".join(map(one_line, texts))


def _count(value: Any) -> int | None:
    """A count, also of what was listed; None of other values."""
    if isinstance(value, list):
        return len(value)
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _with_metres(changed: list[Changed], a: Result, scene: str) -> tuple[Changed, ...]:
    """The changes, with the way of the boxes that moved."""
    moved = [change for change in changed if "box_px" in change.what]
    if not moved:
        return tuple(changed)
    try:
        places = Georeferencer(scene_grid(a.scenes, scene))
    except (UsageError, SceneError):
        return tuple(changed)
    ends = np.array([change.what["box_px"] for change in moved], dtype=np.float64)
    middle = (ends[..., :2] + ends[..., 2:]) / 2
    far = dict(zip(map(id, moved), metres(places, middle[:, 0], middle[:, 1]), strict=True))
    return tuple(
        replace(change, moved_m=round(float(far[id(change)]), 3))
        if np.isfinite(far.get(id(change), np.nan))
        else change
        for change in changed
    )


def _one_to_one(pairs: Pairs, items_a: Sequence[Item], items_b: Sequence[Item]) -> list[tuple[int, int]]:
    first, second = pairs.first.tolist(), pairs.second.tolist()
    same = [
        (items_a[i].label, items_a[i].image) == (items_b[j].label, items_b[j].image)
        for i, j in zip(first, second, strict=True)
    ]
    mask = np.asarray(same, dtype=bool)
    pairs = Pairs(pairs.first[mask], pairs.second[mask], pairs.iou[mask])
    # Ties go by what the two boxes are, whichever comes first, so that the mirrored diff picks the same.
    ends = [
        sorted(((items_a[i].box_px, items_a[i].evidence_id), (items_b[j].box_px, items_b[j].evidence_id)))
        for i, j in zip(pairs.first.tolist(), pairs.second.tolist(), strict=True)
    ]
    order = np.empty(len(ends), dtype=np.int64)
    order[sorted(range(len(ends)), key=ends.__getitem__)] = np.arange(len(ends))
    return one_to_one(pairs, order)


def _differences(
    a: Item, b: Item, extra_a: tuple[Any, Any], extra_b: tuple[Any, Any]
) -> dict[str, tuple[Any, Any]]:
    pairs = {
        "verdict": (a.verdict, b.verdict),
        "review": (a.review, b.review),
        "role": (_text(extra_a[0]), _text(extra_b[0])),
        "quote": (_text(extra_a[1]), _text(extra_b[1])),
    }
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def _items(rows: pd.DataFrame) -> list[Item]:
    names = ("evidence_id", "label", "image", "box_px", "verdict", "review")
    return [
        Item(
            evidence_id=str(evidence_id),
            label=_text(label) or "",
            image=0 if pd.isna(image) else int(image),
            box_px=(float(box[0]), float(box[1]), float(box[2]), float(box[3])),
            verdict=_text(verdict) or "",
            review=_text(review),
        )
        for evidence_id, label, image, box, verdict, review in zip(
            *(rows[name] for name in names), strict=True
        )
    ]


def _boxes(rows: pd.DataFrame) -> PixelBoxes:
    xyxy = np.asarray([list(box) for box in rows["box_px"]], dtype=np.float64).reshape(-1, 4)
    return PixelBoxes(xyxy, rows["angle_deg"].to_numpy(dtype=np.float64, na_value=np.nan))


def _text(value: Any) -> str | None:
    """A cell as text; None for every kind of NULL that a data frame has."""
    return None if value is None or value is pd.NA or value != value else str(value)


def _plain(value: Any) -> Any:
    """A cell of a JSON column; arrays (as Parquet gives them) as lists, NaN as None."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and value != value else value


def _sentence(cover: Any) -> str:
    return str(cover.get("sentence", "")) if isinstance(cover, dict) else ""
