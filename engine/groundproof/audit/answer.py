"""The audit of one answer: its claims, and everything that makes it weaker than it reads.

Knows the answer's tiles, the merged evidence and the coverage. Refuses to know models beyond what their
profile says they were trained for.
"""

from __future__ import annotations

from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from groundproof.audit.claims import check_claims
from groundproof.boxes import PixelBoxes
from groundproof.counting import answers_to, counted
from groundproof.findings import SEVERITIES, AuditFinding, Kind, Severity, TileReply
from groundproof.labels import plural
from groundproof.overlap import overlapping
from groundproof.protocol import Task
from groundproof.tables import Verdict
from groundproof.wording import amounts, e_list, joined, one_line, share, tile_list

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from groundproof.models.profiles import Profile

MAYBE_ONE_IOU = 0.3
"""From here two counted boxes of one label are named as perhaps one object. Below it lie honest neighbours."""

MAX_PAIRS = 5
"""Such pairs named in the finding about them."""

MAX_REPAIRS = 3
"""Kinds of repair named in the finding about them; the texts are in the tiles table."""


def audit_answer(
    question: str,
    task: Task,
    asked: Collection[str],
    replies: Sequence[TileReply],
    evidence: pd.DataFrame,
    cover: Mapping[str, Any],
    *,
    overview: TileReply | None = None,
    profile: Profile | None = None,
    raised: Collection[str] = (),
    elsewhere: Collection[str] = (),
) -> tuple[AuditFinding, ...]:
    """All findings about one answer, most severe first. Pure; changes no verdict.

    asked: normalised labels, empty when the question names none; for `classify` the classes do not
    belong here. replies: every tile of the answer. evidence: its rows of the evidence table, numbered.
    cover: from `coverage.coverage`. profile: of the model that answered; None skips what it was trained for.
    raised: E-numbers of rows that were not counted until an analyst vouched for them. elsewhere: of rows that
    the answer of another, overlapping scene counts; the finding about them is the caller's.
    """
    findings = [
        *_coverage(cover),
        *check_claims(question, task, asked, replies, evidence, overview, raised, elsewhere),
        *_rows(evidence, asked, raised, elsewhere),
        *_lying_on_each_other(evidence, asked),
        *_texts(replies),
        *_trained(task, asked, profile),
    ]
    return in_order(findings)


def in_order(findings: Iterable[AuditFinding]) -> tuple[AuditFinding, ...]:
    """Most severe first, otherwise as they came."""
    return tuple(sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity)))


def _coverage(cover: Mapping[str, Any]) -> list[AuditFinding]:
    if cover["looked_at"] == 0:
        return [AuditFinding(Kind.COVERAGE, "error", f"nothing was looked at: {cover['sentence']}")]
    if cover["failed"]:
        return [AuditFinding(Kind.COVERAGE, "warning", f"the answer holds for a part: {cover['sentence']}")]
    return []


def _rows(
    evidence: pd.DataFrame, asked: Collection[str], raised: Collection[str], elsewhere: Collection[str]
) -> list[AuditFinding]:
    """What the rows say by themselves."""
    here = ~evidence["evidence_id"].isin(list(elsewhere)).to_numpy(dtype=bool)
    count_it = counted(evidence)
    rejected = (evidence["review"] == "rejected").to_numpy(dtype=bool)
    verdict = evidence["verdict"]
    findings: list[AuditFinding] = []

    def add(kind: Kind, severity: Severity, rows: Any, one: str, many: str) -> None:
        ids = tuple(str(i) for i in evidence["evidence_id"][rows])
        if ids:
            words = one if len(ids) == 1 else many.format(n=len(ids))
            findings.append(AuditFinding(kind, severity, f"{words}: {e_list(ids)}", evidence=ids))

    alone = (verdict == Verdict.UNSUPPORTED).to_numpy(dtype=bool) & ~rejected
    add(
        Kind.ANSWER_BOX,
        "warning",
        alone,
        "1 box stands in the answer only; no sentence points at it",
        "{n} boxes stand in the answer only; no sentence points at them",
    )
    other = count_it & ~answers_to(evidence, asked)
    kinds = Counter(evidence["label"][other].fillna("").astype(str)).most_common()
    what = amounts([(label, n) for label, n in kinds[:3]]) + (" and others" if len(kinds) > 3 else "")
    add(
        Kind.OTHER_LABEL,
        "info",
        other,
        f"1 box shows something that was not asked for ({what})",
        f"{{n}} boxes show something that was not asked for ({what})",
    )
    for kind, value, why in (
        (Kind.LISTED_TWICE, Verdict.DUPLICATE, "the same object listed twice"),
        (Kind.OUT_OF_FRAME, Verdict.OUT_OF_FRAME, "out of the image the model saw or where it holds no data"),
    ):
        rows = (verdict == value).to_numpy(dtype=bool) & ~rejected & here
        add(kind, "info", rows, f"1 box is not counted, {why}", f"{{n}} boxes are not counted, {why}")
    against = (verdict == Verdict.CONTRADICTED).to_numpy(dtype=bool) & ~rejected
    add(
        Kind.CONTRADICTED,
        "info",
        against,
        "1 box is not counted, contradicted",
        "{n} boxes are not counted, contradicted",
    )
    for review, words in (("rejected", "rejected"), ("added", "added"), ("adjusted", "adjusted")):
        rows = (evidence["review"] == review).to_numpy(dtype=bool)
        add(Kind.REVIEW, "info", rows, f"1 box was {words} in review", f"{{n}} boxes were {words} in review")
    add(
        Kind.RAISED,
        "info",
        count_it & evidence["evidence_id"].isin(list(raised)).to_numpy(dtype=bool),
        "1 box that was not counted is counted since the review",
        "{n} boxes that were not counted are counted since the review",
    )
    return findings


def _lying_on_each_other(evidence: pd.DataFrame, asked: Collection[str]) -> list[AuditFinding]:
    """Counted boxes of one label that overlap so much that they may be one object, which counts as two.

    The rule that drops what is listed twice (`tile.LISTED_TWICE_IOU`) and merging leave them: neighbours in a
    dense row are drawn so as well. Not asked again where an analyst vouched for both.
    """
    # A generator: as lists all at once a million boxes would take some hundred megabytes.
    has_box = np.fromiter(
        (isinstance(box, list | tuple | np.ndarray) for box in evidence["box_px"]), bool, len(evidence)
    )
    rows = np.flatnonzero(has_box & counted(evidence) & answers_to(evidence, asked))
    if len(rows) < 2:
        return []
    some = evidence.iloc[rows]
    boxes = PixelBoxes(
        np.fromiter(chain.from_iterable(some["box_px"]), np.float64, 4 * len(some)).reshape(-1, 4),
        some["angle_deg"].to_numpy(dtype=np.float64, na_value=np.nan),
    )
    label, _ = pd.factorize(some["label"].fillna("").astype(str))
    image, images = pd.factorize(some["image"].fillna(0))
    same = label * len(images) + image
    seen = some["review"].isin(["accepted", "adjusted", "added"]).to_numpy(dtype=bool)
    pairs = overlapping(boxes, boxes, MAYBE_ONE_IOU)
    keep = (pairs.first < pairs.second) & (same[pairs.first] == same[pairs.second])
    keep &= ~(seen[pairs.first] & seen[pairs.second])
    if not keep.any():
        return []
    first, second, iou = pairs.first[keep], pairs.second[keep], pairs.iou[keep]
    ids = some["evidence_id"].astype(str).to_numpy()
    order = np.lexsort((second, first, -iou))
    words = [f"{ids[first[k]]} and {ids[second[k]]} by {share(float(iou[k]))}" for k in order[:MAX_PAIRS]]
    n = len(order)
    more = f" and {n - MAX_PAIRS} other pairs" if n > MAX_PAIRS + 1 else " and 1 other pair"
    named = ", ".join(words) + (more if n > MAX_PAIRS else "")
    one = "perhaps one object" if n == 1 else "each pair is perhaps one object"
    involved = tuple(ids[np.unique(np.concatenate([first, second]))].tolist())
    return [
        AuditFinding(Kind.OVERLAP, "warning", f"counted boxes overlap: {named}; {one}", evidence=involved)
    ]


def _texts(replies: Sequence[TileReply]) -> list[AuditFinding]:
    """What the tiles' texts say about themselves."""
    single = len(replies) == 1
    answered = [(reply, reply.said) for reply in replies if reply.said is not None]

    def where(numbers: Iterable[int]) -> str:
        return "" if single else f" in {tile_list(numbers)}"

    findings: list[AuditFinding] = []
    bare = [r.number for r, said in answered if said.has_answer_boxes and not said.has_rationale]
    if bare:
        words = f"the model gave boxes without a rationale{where(bare)}; its answer's boxes are counted"
        findings.append(AuditFinding(Kind.NO_RATIONALE, "warning", words))
    cut = [
        r.number
        for r, said in answered
        if r.finish in ("length", "cancelled") or (r.finish is None and not said.complete)
    ]
    if cut:
        words = f"the model's text was cut off{where(cut)}: objects may be missing"
        findings.append(AuditFinding(Kind.TRUNCATED, "warning", words))
    dropped = [(r.number, problem) for r in replies for problem in r.unplaced]
    if dropped:
        problems = joined([p for p, _ in Counter(problem for _, problem in dropped).most_common(3)])
        n = len(dropped)
        words = (
            f"{n} {'box was' if n == 1 else 'boxes were'} dropped"
            f"{where(number for number, _ in dropped)}: {problems}"
        )
        findings.append(AuditFinding(Kind.UNPLACED, "info", words))
    repairs = [(r.number, *repair) for r, said in answered for repair in said.repairs]
    if repairs:
        examples = {kind: one_line(sentence, 120) for _, kind, sentence in reversed(repairs)}
        frequent = Counter(kind for _, kind, _ in repairs).most_common()
        named = [examples[kind] + (f" ({n} times)" if n > 1 else "") for kind, n in frequent[:MAX_REPAIRS]]
        more = f"; and {len(frequent) - MAX_REPAIRS} other kinds" if len(frequent) > MAX_REPAIRS else ""
        words = f"the model's text was mended{where(number for number, _, _ in repairs)}: {'; '.join(named)}{more}"
        findings.append(AuditFinding(Kind.REPAIRED, "info", words))
    return findings


def _trained(task: Task, asked: Collection[str], profile: Profile | None) -> list[AuditFinding]:
    findings: list[AuditFinding] = []
    if profile is None:
        return findings
    if profile.caution:
        findings.append(AuditFinding(Kind.UNTRAINED, "warning", profile.caution))
    if profile.labels is not None:
        unknown = [label for label in asked if label not in profile.labels]
        if unknown:
            words = (
                f"the model {profile.name} was not trained to find {joined([plural(u) for u in unknown])}; "
                f"it knows {joined([plural(label) for label in profile.labels])}"
            )
            findings.append(AuditFinding(Kind.UNTRAINED, "warning", words))
        if task is Task.VQA and not asked:
            words = (
                f"the question asks neither how many nor whether there are any of what the model {profile.name} knows: "
                f"its answer is a guess; it knows {joined([plural(label) for label in profile.labels])}"
            )
            findings.append(AuditFinding(Kind.UNTRAINED, "warning", words))
    if profile.tasks is not None and str(task) not in profile.tasks:
        words = (
            f"the model {profile.name} was not trained for the task {task}; it knows {joined(profile.tasks)}"
        )
        findings.append(AuditFinding(Kind.UNTRAINED, "warning", words))
    return findings
