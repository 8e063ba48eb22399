"""Audit and answers of a finished result made anew, after an analyst's review. Needs no model.

Knows the four tables of a result. Refuses to know run directories: what only the run knew (boxes without
a place, texts cut off, what the model was trained for) is carried over from the earlier audit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from groundproof.audit.answer import audit_answer, in_order
from groundproof.audit.no_data import no_data
from groundproof.audit.review import SEEN, put, reviewed
from groundproof.boxes import BoxFrame
from groundproof.coverage import coverage
from groundproof.findings import AuditFinding, Kind, Said, TileReply
from groundproof.models.profiles import Profile
from groundproof.protocol import Task, target_labels
from groundproof.synthesis import is_computed, synthesise, within_training
from groundproof.tables import NOT_COUNTED, Result, TileStatus
from groundproof.trace import parse

if TYPE_CHECKING:
    import geopandas as gpd

CARRIED_OVER = frozenset(
    {Kind.UNPLACED, Kind.TRUNCATED, Kind.UNTRAINED, Kind.SECOND_LOOK, Kind.NO_DATA, Kind.OTHER_SCENE}
)
"""Findings whose reasons are not in the tables."""


def reaudit(result: Result) -> Result:
    """The same result with counts, audit and answers that fit its evidence table as it is now.

    Answers that follow from counted boxes (count, detect, ground, "are there any") are made anew; those
    that are the model's words keep them. Idempotent; a result nobody reviewed keeps its answers. Raises
    UsageError where `audit.review.reviewed` does.
    """
    evidence = reviewed(result)
    answers = result.answers.copy()
    # Cells of any kind: a count may become "could not look", a text a list.
    free = ["answer", "value", "synthesis", "audit"]
    answers[free] = answers[free].astype(object)
    for i in range(len(answers)):
        row = answers.iloc[i]
        rows = evidence[evidence["answer_id"] == row["answer_id"]]
        lowered = result.evidence["verdict"].isin([str(v) for v in NOT_COUNTED])
        not_counted = result.evidence["evidence_id"][
            (result.evidence["answer_id"] == row["answer_id"]) & lowered
        ]
        tiles = result.tiles[result.tiles["answer_id"] == row["answer_id"]]
        for name, value in _made_anew(
            row, rows, tiles, _Asked.of(row, result.metadata), set(not_counted.dropna().astype(str))
        ).items():
            put(answers, i, name, value)
    return replace(result, evidence=evidence, answers=answers)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the run knew of one answer's question."""

    question: str
    task: Task
    labels: tuple[str, ...]
    frame: BoxFrame
    area: str
    profile: Profile | None = None

    @classmethod
    def of(cls, row: pd.Series[Any], metadata: Mapping[str, Any]) -> _Asked:
        question, task = str(row["question"]), Task(row["task"])
        run = metadata.get("configuration") or {}
        labels = {q["text"]: tuple(q["labels"]) for q in run.get("questions", ()) if "labels" in q}
        profile = Profile.model_validate(run["profile"]) if isinstance(run.get("profile"), dict) else None
        context = row["context"] if isinstance(row["context"], Mapping) else {}
        return cls(
            question,
            task,
            labels.get(question, target_labels(question, task)),
            # Only numbers of boxes are read by frame, and those are in the evidence table already.
            BoxFrame.PER_MILLE if profile is None else profile.frame,
            str(context.get("area") or ""),
            profile,
        )


def _made_anew(
    row: pd.Series[Any],
    evidence: gpd.GeoDataFrame,
    tiles: gpd.GeoDataFrame,
    asked: _Asked,
    not_counted: set[str],
) -> dict[str, Any]:
    """Columns of one answer that change. not_counted: E-numbers that a verdict kept from counting until now."""
    cover = row["coverage"] if isinstance(row["coverage"], Mapping) else coverage(tiles)
    replies = [_reply(number, tile, asked) for number, (_, tile) in enumerate(tiles.iterrows(), start=1)]
    before = row["audit"] if isinstance(row["audit"], list) else []
    earlier = [AuditFinding.from_dict(finding) for finding in before]
    kept = (_without_reviewed(finding, evidence) for finding in earlier if _is_carried(finding))
    carried = [finding for finding in kept if finding is not None]
    # An earlier audit after a review knew which boxes had not counted; their verdicts say so no more.
    not_counted |= {one for f in earlier if f.kind is Kind.RAISED for one in f.evidence}
    raised = not_counted & set(evidence["evidence_id"][evidence["review"].isin(list(SEEN))].astype(str))
    said = (asked.question, asked.task, asked.labels, replies, evidence, cover)
    elsewhere = {one for f in carried if f.kind is Kind.OTHER_SCENE for one in f.evidence} - raised
    found = audit_answer(*said, raised=raised, elsewhere=elsewhere)
    fresh = [finding for finding in found if not _is_carried(finding)]
    columns: dict[str, Any] = {"audit": [finding.as_dict() for finding in in_order([*fresh, *carried])]}
    if is_computed(asked.question, asked.task):
        answer = within_training(synthesise(*said), asked.labels, asked.profile)
        words = f"{asked.area}: {answer.answer}" if asked.area else answer.answer
        columns |= {"answer": words, "value": answer.value, "synthesis": answer.synthesis}
    return columns


def _without_reviewed(finding: AuditFinding, evidence: pd.DataFrame) -> AuditFinding | None:
    """A finding about boxes on ground without data, of those that an analyst has not decided about."""
    if finding.kind is not Kind.NO_DATA:
        return finding
    left = set(evidence["evidence_id"][evidence["review"].isna()].astype(str))
    return no_data([one for one in finding.evidence if one in left])


def _is_carried(finding: AuditFinding) -> bool:
    # A finding about boxes out of the area without a row is of the run's making too.
    return finding.kind in CARRIED_OVER or (finding.kind is Kind.OUT_OF_FRAME and not finding.evidence)


def _reply(number: int, tile: pd.Series[Any], asked: _Asked) -> TileReply:
    status = TileStatus(tile["status"]) if isinstance(tile["status"], str) else TileStatus.ENGINE_ERROR
    looked_at = status in (TileStatus.OK, TileStatus.EMPTY)
    text = tile["text"] if isinstance(tile["text"], str) else ""
    x0, y0, x1, y1 = tile["window_px"]
    return TileReply(
        tile_id=str(tile["tile_id"]),
        number=number,
        window_px=(x0, y0, x1, y1),
        status=status,
        said=Said.of(parse(text, asked.frame, asked.task, asked.labels)) if looked_at else None,
        n_boxes=None if pd.isna(tile["n_evidence"]) else int(tile["n_evidence"]),
    )
