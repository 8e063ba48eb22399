"""The passes after the tiles: one look at the whole area for what no tile can say, and a second look.

Knows when such a pass is due and keeps its replies in the run directory, so that they are asked once.
Refuses to know what is made of them (`assemble.py`).
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from itertools import groupby
from math import sqrt
from operator import itemgetter

import pandas as pd

from groundproof.areas import Area, areas
from groundproof.assemble import OVERVIEW
from groundproof.boxes import PixelBox, Tile, Window
from groundproof.counting import counted
from groundproof.errors import ModelError, ReadError, SceneError, StoppedError
from groundproof.evidence_rows import SECOND_LOOK, look_key
from groundproof.frames import named_rows
from groundproof.models.base import Request, VisionLanguageModel
from groundproof.models.profiles import Profile
from groundproof.protocol import Task, render
from groundproof.run import RunDirectory
from groundproof.second_look import Subject, second_look, worth_a_look
from groundproof.sources import Sources
from groundproof.synthesis import is_computed
from groundproof.tables import TABLES, Tables, TileStatus
from groundproof.trace import parse

MAX_CONTEXT_ROWS = 60
"""Evidence lines an overview prompt may hold."""

NO_OVERVIEW = frozenset({Task.CLASSIFY, Task.CHANGE})
"""Classes follow from shares of area; a change needs every date, and an overview shows one image."""


def overviews_due(run: RunDirectory) -> list[Area]:
    """Answers over several tiles that follow neither from boxes nor from shares of area, without an overview."""
    return [
        area
        for area in areas(run)
        if area.rows[1] - area.rows[0] > len(run.config.questions)
        and Task(area.question.task) not in NO_OVERVIEW
        and not is_computed(area.question.text, Task(area.question.task))
        and not run.has_follow_up(OVERVIEW, area.answer_id)
    ]


def with_evidence(wanted: list[Area], tables: Tables) -> Iterator[tuple[Area, pd.DataFrame]]:
    """Areas, in the order of their answers, each with its rows of the evidence table; read once, in chunks."""
    waiting = deque(wanted)
    order = {area.answer_id: place for place, area in enumerate(wanted)}
    for answer_id, frames in groupby(_by_answer(tables), itemgetter(0)):
        if answer_id not in order:
            continue
        while waiting[0].answer_id != answer_id:
            yield waiting.popleft(), _no_evidence()
        yield waiting.popleft(), pd.concat([frame for _, frame in frames])
    for area in waiting:
        yield area, _no_evidence()


def _by_answer(tables: Tables) -> Iterator[tuple[str, pd.DataFrame]]:
    for frame in tables.frames("evidence"):
        for answer_id, rows in frame.groupby("answer_id", sort=False):
            yield str(answer_id), rows


def _no_evidence() -> pd.DataFrame:
    return pd.DataFrame(columns=[*(column.name for column in TABLES["evidence"]), "geometry"])


def overview(
    run: RunDirectory, model: VisionLanguageModel, sources: Sources, area: Area, evidence: pd.DataFrame
) -> None:
    """Show the model the whole area, decimated, with the counted evidence as text; keep what it says.

    evidence: the area's rows of the evidence table. Pixels that cannot be read are a row with the reason, as for
    tiles, and in a batch so is a scene that is gone. Raises ModelError, SceneError.
    """
    tile = overview_tile(area, model.profile)
    evidence = evidence[counted(evidence)]
    task = Task(area.question.task)
    prompt = render(
        task, area.question.text, model.profile, area.question.labels, context=_evidence_table(evidence)
    )
    started = time.perf_counter()
    text, finish, reason = "", None, None
    try:
        with sources.views(str(area.scene["scene"])) as views:
            rgb = views.read(tile).rgb
    except SceneError as err:
        if not (run.config.batch or isinstance(err, ReadError)):
            raise
        status, reason = TileStatus.READ_ERROR, str(err)
    else:
        request = Request(area.answer_id, (rgb,), prompt.system, prompt.text, run.config.max_new_tokens)
        for piece in model.generate([request]):
            text += piece.text
            finish, reason = piece.finish, piece.error
        if finish is None:
            raise ModelError("the model left the overview without an answer; resume to ask it again")
        if finish == "cancelled":
            raise StoppedError("The model was closed during the overview; resume to go on.")
        usable = parse(text, model.profile.frame, task, area.question.labels).usable
        status = TileStatus.OK if usable else TileStatus.PARSE_ERROR
        if finish == "error":
            status = TileStatus.ENGINE_ERROR
    row = {
        "kind": OVERVIEW,
        "answer_id": area.answer_id,
        "key": "",
        "outcome": status.value,
        "text": text,
        "reason": reason,
        "finish": finish,
        "seconds": time.perf_counter() - started,
    }
    run.write_follow_up(OVERVIEW, area.answer_id, [row])


def overview_tile(area: Area, profile: Profile) -> Tile:
    """The area's bounding box as one tile, sides in its own ratio (at most 1:2), about the model's tile in area."""
    x0, y0, x1, y1 = area.aoi_px.bounds
    left, top = int(x0), int(y0)
    width, height = max(1, round(x1 - left)), max(1, round(y1 - top))
    ratio = min(2.0, max(0.5, width / height))
    unit = profile.patch_merge_px
    model_w = max(1, round(profile.tile_px * sqrt(ratio) / unit)) * unit
    model_h = max(1, round(profile.tile_px / sqrt(ratio) / unit)) * unit
    return Tile(0, Window(left, top, width, height), model_w, model_h)


def look_again(
    run: RunDirectory, model: VisionLanguageModel, sources: Sources, area: Area, evidence: pd.DataFrame
) -> None:
    """Ask the model about every counted, unchecked box of one answer; keep verdicts, reasons and texts."""
    rows = evidence.iloc[worth_a_look(evidence)]
    boxes = [
        PixelBox(x0, y0, x1, y1, None if pd.isna(angle) else float(angle))
        for (x0, y0, x1, y1), angle in zip(rows.box_px, rows.angle_deg, strict=True)
    ]
    subjects = [
        Subject(box, label or "", quote or "", int(image))
        for box, label, quote, image in zip(boxes, rows.label, rows.quote, rows.image, strict=True)
    ]
    first = next(run.manifest.frames(*area.rows)).iloc[0]
    kept = []
    with sources.views(str(area.scene["scene"])) as views:
        for look in second_look(
            subjects,
            lambda tile, image: views.read(tile, image).rgb,
            model,
            (area.grid.width, area.grid.height),
            scene_px_per_model_px=first.width / first.model_width,
        ):
            if look.finish == "cancelled":
                # Kept, it would read as looked at and be asked never again.
                raise StoppedError("The model was closed during the second look; resume to go on.")
            subject = rows.iloc[look.index]
            kept.append(
                {
                    "kind": SECOND_LOOK,
                    "answer_id": area.answer_id,
                    "key": look_key(subject.box_px, subject.label, int(subject.image)),
                    "outcome": look.verdict.value,
                    "text": look.text,
                    "reason": look.reason,
                    "finish": look.finish,
                    "seconds": None,
                }
            )
    run.write_follow_up(SECOND_LOOK, area.answer_id, kept)


def _evidence_table(evidence: pd.DataFrame) -> str:
    """The merged evidence as lines of text for a prompt: number, label, size."""
    if evidence.empty:
        return "nothing was found"
    lines = [
        f"{row.evidence_id} {row.label}"
        + (f", {row.width_m:.0f} x {row.height_m:.0f} m" if row.width_m == row.width_m else "")
        for row in named_rows(evidence.head(MAX_CONTEXT_ROWS))
    ]
    if len(evidence) > MAX_CONTEXT_ROWS:
        lines.append(f"and {len(evidence) - MAX_CONTEXT_ROWS} more")
    return "\n".join(lines)
