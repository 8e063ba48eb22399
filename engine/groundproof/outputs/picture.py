"""An answer of a result as a picture for a report: picks what is drawn, then lets `canvas.py` draw.

Knows the tables. Refuses to open scenes: the pixels are given.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from groundproof.boxes import PixelBox, Window
from groundproof.errors import UsageError
from groundproof.outputs.canvas import Mark, Picture, draw
from groundproof.outputs.files import replacing
from groundproof.outputs.text import clean
from groundproof.tables import Result, Verdict

if TYPE_CHECKING:
    import geopandas as gpd
    import numpy as np
    from numpy.typing import NDArray


_HASH = re.compile(r"[0-9a-f]{13,}")


def render_picture(
    result: Result,
    rgb: NDArray[np.uint8],
    window: Window,
    path: str | Path,
    *,
    answer_id: str | None = None,
    image: int = 0,
    footer: str | None = None,
) -> None:
    """Writes a PNG of one answer: the scene, numbered boxes, answer, coverage, scale.

    rgb: uint8 (height, width, 3), `window` of the answer's scene at any size. answer_id: None takes the
    first answer. image: which date's boxes to draw. footer: None makes one of model, run and date in the
    metadata. Boxes the analyst rejected are not drawn, and the picture says so.

    Raises:
        UsageError: no such answer. OutputError: the file cannot be written.
    """
    path = Path(path)
    png = draw(picture_of(result, rgb, window, answer_id=answer_id, image=image, footer=footer))
    with replacing(path) as temporary:
        temporary.write_bytes(png)


def picture_of(
    result: Result,
    rgb: NDArray[np.uint8],
    window: Window,
    *,
    answer_id: str | None = None,
    image: int = 0,
    footer: str | None = None,
) -> Picture:
    """What `render_picture` draws."""
    answer = _answer(result.answers, answer_id)
    scenes = result.scenes[result.scenes["scene"] == answer["scene"]]
    scene = scenes.iloc[0] if len(scenes) else None
    evidence = result.evidence
    rows = evidence[(evidence["answer_id"] == answer["answer_id"]) & (evidence["image"] == image)]
    rejected = int((rows["review"] == "rejected").sum())
    kept = rows[rows["review"] != "rejected"]
    marks = [_mark(row) for row in kept[_MARK_COLUMNS].itertuples(index=False, name=None)]
    inside = tuple(mark for mark in marks if mark is not None and _meets(mark.box, window))
    warnings = _warnings(answer)
    if rejected:
        warnings.append(f"Not drawn: {rejected} rejected by the analyst.")
    if len(inside) < len(kept):
        warnings.append(f"Not drawn: {len(kept) - len(inside)} without a place in this picture.")
    coverage = answer["coverage"] if isinstance(answer["coverage"], dict) else {}
    return Picture(
        rgb=rgb,
        x0=window.x0,
        y0=window.y0,
        scale=rgb.shape[1] / window.width,
        marks=inside,
        question=_text(answer["question"]),
        answer=_text(answer["answer"]) or "No answer",
        coverage=_text(coverage.get("sentence")),
        warnings=tuple(warnings),
        gsd_m=None if scene is None else _number(scene["gsd_m"]),
        north_deg=None if scene is None else _north(scene),
        footer=_footer(result.metadata, _text(answer["run_id"])) if footer is None else clean(footer),
    )


def _answer(answers: gpd.GeoDataFrame, answer_id: str | None) -> Any:
    rows = answers if answer_id is None else answers[answers["answer_id"] == answer_id]
    if rows.empty:
        have = ", ".join(map(str, answers["answer_id"])) or "none"
        raise UsageError(f"there is no answer {answer_id or ''} to draw. The result has: {have}.")
    return rows.iloc[0]


_MARK_COLUMNS = ["box_px", "angle_deg", "evidence_id", "label", "verdict"]


def _mark(row: tuple[Any, ...]) -> Mark | None:
    """None for a row without a box that has an area, such as one added by hand."""
    box, angle, evidence_id, label, verdict = row
    try:
        x0, y0, x1, y1 = (float(v) for v in box)
        place = PixelBox(x0, y0, x1, y1, _number(angle))
    except (TypeError, ValueError):
        return None
    shown = Verdict(verdict) if verdict in set(Verdict) else Verdict.UNCHECKED
    return Mark(place, _text(evidence_id), _text(label), shown)


def _meets(box: PixelBox, window: Window) -> bool:
    """Whether any of the box, itself or turned, can be in the window."""
    reach = math.hypot(box.x1 - box.x0, box.y1 - box.y0) / 2 if box.angle_deg else 0.0
    x, y = (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2
    across, down = max((box.x1 - box.x0) / 2, reach), max((box.y1 - box.y0) / 2, reach)
    return x - across < window.x1 and x + across > window.x0 and y - down < window.y1 and y + down > window.y0


def _warnings(answer: Any) -> list[str]:
    """What weakens the answer, in the words of its audit, each once."""
    audit = answer["audit"] if isinstance(answer["audit"], list) else []
    weak = [a for a in audit if isinstance(a, dict) and a.get("severity") in ("warning", "error")]
    return list(dict.fromkeys(_text(a["sentence"]) for a in weak if a.get("sentence")))


def _north(scene: Any) -> float | None:
    """Where grid north is in the picture, degrees clockwise from up; None without an affine."""
    affine = scene["affine"]
    if not isinstance(affine, list) or scene["crs_wkt"] is None or scene["crs_wkt"] != scene["crs_wkt"]:
        return None
    a, b, _, d, e, _ = affine
    determinant = a * e - b * d
    # The inverse of the affine applied to (0, 1), one step to the north.
    col, row = -b / determinant, a / determinant
    return math.degrees(math.atan2(col, -row))


def _footer(metadata: dict[str, Any], run_id: str) -> str:
    """Model, run and date; a content hash behind the model's name is cut to what a person compares."""
    parts = ["groundproof"]
    if isinstance(metadata.get("model"), str):
        parts.append(f"model {_HASH.sub(lambda found: found[0][:12], metadata['model'])}")
    if run_id:
        parts.append(f"run {run_id}")
    created = metadata.get("created")
    parts.append(created if isinstance(created, str) else datetime.now(UTC).date().isoformat())
    return clean(" · ".join(parts))


def _text(value: Any) -> str:
    return "" if value is None or value != value else clean(str(value))


def _number(value: Any) -> float | None:
    return None if value is None or value != value else float(value)
