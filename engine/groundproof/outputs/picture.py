"""An answer of a result as a picture for a report: picks what is drawn, then lets `canvas.py` draw.

Knows the tables. Refuses to open scenes: the pixels are given.
"""

from __future__ import annotations

import math
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
    rejected = rows["review"] == "rejected"
    warnings = _warnings(answer)
    if rejected.any():
        warnings.append(f"{int(rejected.sum())} boxes that the analyst rejected are not drawn.")
    coverage = answer["coverage"] if isinstance(answer["coverage"], dict) else {}
    return Picture(
        rgb=rgb,
        x0=window.x0,
        y0=window.y0,
        scale=rgb.shape[1] / window.width,
        marks=tuple(_marks(rows[~rejected])),
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


def _marks(rows: gpd.GeoDataFrame) -> list[Mark]:
    names = ["box_px", "angle_deg", "evidence_id", "label", "verdict"]
    return [
        Mark(
            _pixel_box(box, angle),
            _text(evidence_id),
            _text(label),
            Verdict(verdict) if verdict in set(Verdict) else Verdict.UNCHECKED,
        )
        for box, angle, evidence_id, label, verdict in rows[names].itertuples(index=False, name=None)
    ]


def _pixel_box(box: Any, angle: Any) -> PixelBox:
    x0, y0, x1, y1 = (float(v) for v in box)
    return PixelBox(x0, y0, x1, y1, _number(angle))


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
    said = {key: metadata[key] for key in ("model", "created") if isinstance(metadata.get(key), str)}
    parts = ["groundproof", *(f"model {v}" if k == "model" else v for k, v in said.items())]
    if run_id:
        parts.append(f"run {run_id}")
    return clean(" · ".join(parts))


def _text(value: Any) -> str:
    return "" if value is None or value != value else clean(str(value))


def _number(value: Any) -> float | None:
    return None if value is None or value != value else float(value)
